/* What the walks of a perplexity share: sums, and the rows of the file from which a killed one goes on. */
#ifndef FOCI_TASK_PERPLEXITY_WORK_H
#define FOCI_TASK_PERPLEXITY_WORK_H

#include "task/perplexity.h"

typedef struct foci_nll_sum {
    double nll;
    int64_t tokens, bytes; /* predicted; bytes where they are counted */
} foci_nll_sum;

/* A walk over `windows` windows, so many in a part: the sum of what work(context, i, &part) makes of each, in their
 * order. Parts that the ledger has are not worked on. */
typedef struct foci_perplexity_parts {
    int64_t windows, at_once;
    foci_status (*work)(void *context, int64_t i, foci_nll_sum *part);
    void *context;
} foci_perplexity_parts;
foci_status foci_perplexity_sum(const foci_perplexity_options *o, const foci_perplexity_parts *parts,
                                foci_nll_sum *all);

/* The walk of a model that carries something from window to window: rows of `row` tokens side by side, from their first
 * window on. */
foci_status foci_walk_carried(const foci_perplexity_options *o, foci_parameters *p, const int32_t *token, int64_t row,
                              foci_nll_sum *all);

#endif
