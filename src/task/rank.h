/* Where a label stands among the logits of one sample: what top-1 and top-5 count. */
#ifndef FOCI_TASK_RANK_H
#define FOCI_TASK_RANK_H

#include "foci/foci.h"
#include "foci/real.h"

#include <stdbool.h>
#include <stdint.h>

/* How many of the classes score higher than the label, 0 the best, counting only those in `mask` (NULL: all). Ties go
 * to the lower index, as argmax has it, and nothing is below a NaN: a model that computes none is right in nothing. */
int64_t foci_rank(const foci_real *logits, int64_t classes, int32_t label, const bool *mask);

#endif
