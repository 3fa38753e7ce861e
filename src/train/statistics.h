/* Running statistics (buffers that follow the batches: batch normalisation's) in a step of several shards. Every shard
 * begins with those that the step began with, and what the step makes of them is the mean of what its shards made. A
 * shard's stand meanwhile at their place in the array of gradients, where nothing else is, and are added up with these:
 * so they do not depend on who had which shard either. */
#ifndef FOCI_TRAIN_STATISTICS_H
#define FOCI_TRAIN_STATISTICS_H

#include "core/parameters.h"

typedef struct foci_statistics {
    foci_parameters *p;
    foci_real *before; /* of the step's begin; NULL: there are none */
} foci_statistics;

foci_status foci_statistics_open(foci_statistics *s, foci_parameters *p);
void foci_statistics_close(foci_statistics *s); /* a zeroed one is fine */

void foci_statistics_begin(const foci_statistics *s); /* a step */
void foci_statistics_take(const foci_statistics *s);  /* of a shard, whose gradients are complete */
/* The step's, of the elements first .. end of the arrays, whose gradients are summed up. */
void foci_statistics_put(const foci_statistics *s, int64_t shards, int64_t first, int64_t end);

#endif
