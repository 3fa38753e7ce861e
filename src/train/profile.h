/* Where the time of a step goes: per operation, beside what the processor could do at best. */
#ifndef FOCI_TRAIN_PROFILE_H
#define FOCI_TRAIN_PROFILE_H

#include "core/graph.h"

typedef struct foci_profile_row {
    const char *op;   /* "linear", or of the optimiser "adamw" */
    const char *pass; /* "forward", "again" (what was not kept is computed once more), "backward", "update" */
    int calls;        /* in a step */
    double ms;        /* of a step, all calls together */
    double flop;      /* counted by the operation; 0 where it does not count them */
    double bytes;     /* that it must read and write at least: its inputs, its output, their gradients */
} foci_profile_row;

typedef struct foci_profile {
    foci_profile_row *row; /* longest first */
    int rows;
    double ms; /* sum */
} foci_profile;

/* Adds up the spans of `steps` steps (foci_graph_profile), each of `passes` replays of the graph, and the update, which
 * is no operation of the graph. FOCI_ERR_RUNTIME when memory is out. */
foci_status foci_profile_make(foci_profile *p, const foci_graph *g, const foci_span *spans, int64_t steps, int passes,
                              const foci_profile_row *update);
void foci_profile_free(foci_profile *p);

/* The least time a row could take where arithmetic reaches `gflops` and memory `gbs`. */
double foci_profile_roof_ms(const foci_profile_row *r, double gflops, double gbs);
/* Memory is what limits it. */
bool foci_profile_memory_bound(const foci_profile_row *r, double gflops, double gbs);

/* The last replay as Chrome trace events (chrome://tracing, Perfetto). */
foci_status foci_profile_trace(const char *path, const foci_graph *g, const foci_span *spans);

#endif
