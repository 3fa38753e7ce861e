/* Several processes do one work together where they would do it to the same bits: it takes the same version,
 * instruction set, kind of products, data, weights and config. */
#ifndef FOCI_TRAIN_ALIKE_H
#define FOCI_TRAIN_ALIKE_H

#include "base/group.h"
#include "config/config.h"

/* FOCI_ERR_CONFIG in all of them otherwise. `data`: their digest, or NULL; `weights`: a line, "teacher: 0123..." */
foci_status foci_alike(foci_group *g, const foci_config *config, bool bf16, const char *data, const char *weights);
/* Likewise where the weights in a file are scored on these splits (FOCI_VALID): before the data are opened. */
foci_status foci_alike_scores(foci_group *g, const foci_config *config, const char *weights, unsigned splits);

#endif
