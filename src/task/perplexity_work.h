/* What the walks of a perplexity share: sums, and the rows of the file from which a killed one goes on. */
#ifndef FOCI_TASK_PERPLEXITY_WORK_H
#define FOCI_TASK_PERPLEXITY_WORK_H

#include "task/perplexity.h"

typedef struct foci_nll_sum {
    double nll;
    int64_t tokens, bytes; /* predicted; bytes where they are counted */
} foci_nll_sum;

/* What an earlier sitting has summed up behind `done` windows; false: it did not come so far. */
bool foci_perplexity_done(foci_ledger *ledger, int64_t done, foci_nll_sum *all, foci_status *status);
foci_status foci_perplexity_keep(foci_ledger *ledger, int64_t done, const foci_nll_sum *all);

/* The walk of a model that carries something from window to window: rows of `row` tokens side by side, from their first
 * window on. */
foci_status foci_walk_carried(const foci_perplexity_options *o, foci_parameters *p, const int32_t *token, int64_t row,
                              foci_nll_sum *all);

#endif
