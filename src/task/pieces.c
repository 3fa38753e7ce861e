#include "task/pieces.h"

#include <stdlib.h>

#include "base/clock.h"

enum { MOST_MEETINGS = 63 };

/* As many for every process, which has more pieces than that. */
static int64_t meetings(int64_t count, const foci_group *group) {
    const int64_t least = group ? count / group->size - 1 : 0;
    return least < 0 ? 0 : least < MOST_MEETINGS ? least : MOST_MEETINGS;
}

foci_status foci_pieces_open(foci_pieces *p, foci_group *group, int64_t count, size_t bytes) {
    const int rank = foci_group_rank(group);
    *p = (foci_pieces){.group = group,
                       .count = count,
                       .first = foci_group_first(group, count, rank),
                       .end = foci_group_first(group, count, rank + 1),
                       .bytes = bytes,
                       .sums = calloc((size_t)count + 1, bytes),
                       .meetings = meetings(count, group),
                       .since = foci_now()};
    return foci_group_agree(group, p->sums ? FOCI_OK : foci_fail(FOCI_ERR_RUNTIME, "out of memory for an evaluation"));
}

static foci_status agree(foci_pieces *p, foci_status status) {
    if (!p->group) return status;
    const double seconds = p->group->seconds;
    if (seconds > 0) p->group->seconds += foci_now() - p->since;
    status = foci_group_agree(p->group, status);
    p->group->seconds = seconds;
    p->since = foci_now();
    p->over = status != FOCI_OK;
    return status;
}

foci_status foci_pieces_meet(foci_pieces *p, int64_t i, foci_status status) {
    const int64_t done = i + 1 - p->first, own = p->end - p->first;
    if (status || p->met == p->meetings || done < (p->met + 1) * own / (p->meetings + 1)) return status;
    p->met++;
    return agree(p, FOCI_OK);
}

foci_status foci_pieces_gather(foci_pieces *p, foci_status status) {
    if (p->over) return status;
    FOCI_TRY(agree(p, status));
    size_t at[foci_group_size(p->group) + 1];
    for (int r = 0; r <= foci_group_size(p->group); r++)
        at[r] = (size_t)foci_group_first(p->group, p->count, r) * p->bytes;
    foci_group_collect(p->group, p->sums, at);
    return FOCI_OK;
}

void foci_pieces_close(foci_pieces *p) {
    free(p->sums);
    *p = (foci_pieces){NULL};
}
