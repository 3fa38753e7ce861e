/* The factor of the scores, (H, N, M), as the fused kernels take it: turned, so that the queries of a key are
 * neighbours. */
#ifndef FOCI_OPS_SCORE_FACTOR_H
#define FOCI_OPS_SCORE_FACTOR_H

#include "ops/attention_head.h"

/* Reals of the factor turned, (H, M, row); 0 where the node has none. */
int64_t foci_score_factor_reals(const foci_node *n);
/* Over all threads. */
void foci_turn_score_factor(const foci_node *n, real *to);
/* Points a head at its part of what was turned, where there is a factor. */
void foci_use_score_factor(const foci_node *n, const real *turned, int64_t h, foci_attention_head *head);

/* Every sample has a part in the factor's gradient. Samples are dealt out in groups, as many as memory allows and as
 * sizes alone say, each of which adds up its own; without a factor each sample is a group. */
int64_t foci_sample_groups(const foci_node *n);
/* The gradient from those of all groups, turned: (groups, H, M, row). Over all threads. */
void foci_score_factor_gradient(const foci_node *n, const real *turned);

#endif
