/* Measures of collapse and redundancy (docs/mathematics.md 1.11), of one sample each. */
#ifndef FOCI_ANALYZE_COLLAPSE_H
#define FOCI_ANALYZE_COLLAPSE_H

#include "foci/foci.h"
#include "foci/real.h"

/* Mean cosine of all pairs of tokens of x (N, C); a token of zeros has cosine 0 with all. NAN where there is one token.
 */
double foci_token_cosine(const foci_real *x, int64_t tokens, int64_t width);

/* For every pair g < h of heads the L2 norm of P_g - P_h, P (H, size): (0,1), (0,2), ..., (1,2), ... */
static inline int64_t foci_head_pairs(int64_t heads) { return heads * (heads - 1) / 2; }
void foci_head_distances(const foci_real *map, int64_t heads, int64_t size, double *distance);

/* Effective rank of x (N, C) (Roy and Vetterli, 2007): exp of the entropy of the singular values over their sum. 1: all
 * tokens point one way, min(N, C): evenly into all. Tokens are not centred. NAN where memory is out or x is zero. */
double foci_effective_rank(const foci_real *x, int64_t tokens, int64_t width);

/* How unlike the coordinates of a metric m (D) are. */
typedef struct foci_spread {
    double min, mean, max;
    double entropy;     /* of m over its sum, nats */
    double coordinates; /* exp of it: D where all are alike, 1 where one coordinate is all that counts */
} foci_spread;
foci_spread foci_metric_spread(const foci_real *m, int64_t width);

/* Attention rollout (Abnar and Zuidema, 2020): what every token of the input adds to each of the output, (N, N), rows
 * of sum
 * 1. A layer passes on (P + 1) / 2, P the mean over heads; call it for the first layer to the last. `spare` (N, N). */
void foci_rollout_start(int64_t tokens, double *rollout);
void foci_rollout_layer(const foci_real *map, int64_t heads, int64_t tokens, double *rollout, double *spare);

#endif
