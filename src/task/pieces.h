/* An evaluation in pieces, batches or windows, each of which yields some sums. Of several processes each works on a
 * stretch of them; then all get the sums of all, and add them in the order of the pieces: so a score does not depend on
 * how many they are.
 *
 *     FOCI_TRY(foci_pieces_open(&p, group, count, sizeof *sum));
 *     for (int64_t i = p.first; i < p.end && !s; i++) s = foci_pieces_meet(&p, i, work(i, foci_piece(&p, i)));
 *     s = foci_pieces_gather(&p, s);
 *     for (int64_t i = 0; i < p.count && !s; i++) add(&all, foci_piece(&p, i));
 *     foci_pieces_close(&p); */
#ifndef FOCI_TASK_PIECES_H
#define FOCI_TASK_PIECES_H

#include "base/group.h"

typedef struct foci_pieces {
    foci_group *group;
    int64_t count, first, end; /* first .. end - 1 are this process's */
    size_t bytes;              /* of a piece's sums */
    char *sums;                /* zeros at first */
    int64_t meetings, met;     /* on the way, and so far */
    double since;              /* the last one, or the begin */
    bool over;                 /* one has failed, and all know it */
} foci_pieces;

foci_status foci_pieces_open(foci_pieces *p, foci_group *group, int64_t count, size_t bytes);
/* Piece i is done: now and then all hear whether one has failed, or is told to stop, so that none works on for nothing.
 * One that is there first waits as long as it has worked since the last time, and then as long as ever. */
foci_status foci_pieces_meet(foci_pieces *p, int64_t i, foci_status status);
/* The status of all processes. */
foci_status foci_pieces_gather(foci_pieces *p, foci_status status);
void foci_pieces_close(foci_pieces *p);

/* Of `all` things that are dealt out, how many are done when this process has done so many of its own, about. */
static inline int64_t foci_pieces_done(const foci_pieces *p, int64_t own, int64_t all) {
    const int64_t done = own * foci_group_size(p->group);
    return done < all ? done : all;
}

static inline void *foci_piece(const foci_pieces *p, int64_t i) { return p->sums + (size_t)i * p->bytes; }

#endif
