/* A group of processes that work on one thing, started together by mpirun or srun. It moves bytes and computes nothing:
 * whatever is added is added by foci, in an order of its own, so that bits depend neither on the number of processes
 * nor on who moves.
 *
 *     foci_group *g;
 *     FOCI_TRY(foci_group_join(&g));                        // NULL: this process is alone
 *     foci_group_doing(g, "step %lld: losses", step);       // said where the others stay away too long
 *     foci_group_share(g, &mine, sizeof mine, all);
 *     foci_group_leave(g);
 *
 * All processes call the same functions in the same order. Functions take NULL for a group of one. They do not fail: a
 * transport that fails, or is silent for too long, ends all processes. */
#ifndef FOCI_BASE_GROUP_H
#define FOCI_BASE_GROUP_H

#include <stddef.h>

#include "base/error.h"

struct foci_group {
    int rank, size;  /* 0 .. size-1 */
    int local;       /* processes on this machine, this one among them */
    double seconds;  /* of silence, after which all is ended; 0: never */
    char doing[160]; /* what the next call is for */
    void *transport; /* the plugin's own */

    /* `bytes` of every process, in order of ranks, into `all`. */
    void (*share)(foci_group *g, const void *mine, size_t bytes, void *all);
    /* Bytes at[r] .. at[r + 1] of `all` are of process r: afterwards all have all. */
    void (*collect)(foci_group *g, void *all, const size_t *at);
    /* Process r gets bytes to[r] .. to[r + 1] of `sent`; what it sends here becomes from[r] .. from[r + 1] of `got`,
     * which is another array. */
    void (*exchange)(foci_group *g, const void *sent, const size_t *to, void *got, const size_t *from);
    /* Of process 0, to all. */
    void (*broadcast)(foci_group *g, void *data, size_t bytes);
    void (*leave)(foci_group *g);
    void (*abort)(foci_group *g, int code); /* ends all processes; does not return */
};

/* How many the launcher started, if there was one, and which of them this is, without joining them; 1 and 0. */
int foci_group_started(int *rank);

static inline bool foci_group_leads(const foci_group *g) { return !g || !g->rank; }

void foci_group_doing(foci_group *g, const char *fmt, ...) FOCI_PRINTF(2, 3);
void foci_group_share(foci_group *g, const void *mine, size_t bytes, void *all);
void foci_group_collect(foci_group *g, void *all, const size_t *at);
void foci_group_exchange(foci_group *g, const void *sent, const size_t *to, void *got, const size_t *from);
void foci_group_broadcast(foci_group *g, void *data, size_t bytes);

/* Bytes at[r] .. at[r + 1] of `all` are of process r, or are to be: afterwards process 0 has all, or all have theirs.
 */
void foci_group_gather(foci_group *g, void *all, const size_t *at);
void foci_group_scatter(foci_group *g, void *all, const size_t *at);

/* The first of n things that are dealt out evenly among the processes, in order, which is process r's; r may be the
 * number of processes. */
static inline int64_t foci_group_first(const foci_group *g, int64_t n, int r) { return r * n / foci_group_size(g); }

/* What became of all: where one failed, the failure of the first is everybody's, with its number and machine before
 * the message where that is another than process 0. */
foci_status foci_group_agree(foci_group *g, foci_status status);

/* FOCI_ERR_CONFIG, in all, where the text of one is not that of process 0: with the first line that differs. */
foci_status foci_group_compare(foci_group *g, const char *text);

#endif
