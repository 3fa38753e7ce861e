/* Gram matrices of a Gaussian kernel, K_ij = exp(-factor |x_i - x_j|^2), a tile of rows at a time, and what robust
 * density estimation makes of them (Han et al., "Designing Robust Transformers using Robust Kernel Density Estimation",
 * NeurIPS 2023). The points of a head are its keys, or keys and values side by side. */
#ifndef FOCI_OPS_GRAM_H
#define FOCI_OPS_GRAM_H

#include "ops/attention_head.h"
#include "ops/common.h"

enum { FOCI_GRAM_ROWS = 32 };

typedef struct foci_gram {
    int64_t tokens, width, value_width; /* v NULL: keys alone */
    const real *k, *v;
    int64_t k_row, v_row;
    double factor;
    real *lengths; /* (N): |x_i|^2 */
} foci_gram;

/* Of head b H + h of k (B, H, N, D) and v (B, H, N, E) or NULL; fills `lengths` (N). */
foci_gram foci_gram_of(const foci_tensor *k, const foci_tensor *v, int64_t task, double factor, real *lengths);
/* Rows first .. end - 1: tile (rows, ld) */
void foci_gram_tile(const foci_gram *o, foci_range rows, real *tile, int64_t ld);
/* dx (rows) (+)= sum_j c_ij (x_j - x_i) for the rows of a tile, c (rows, ld); of values or of keys. What K_ij dy is to
 * x_i is this with c_ij = 2 factor K_ij dy. */
void foci_gram_gradient(const foci_gram *o, foci_range rows, const real *c, int64_t ld, bool value, real *dx,
                        int64_t dx_row, bool add);

/* The influence of a point at squared distance h2, psi(h), and its derivative by h2. Below the smallest normal number
 * h2 counts as that. */
double foci_influence(const foci_robust_options *o, double h2, double *slope);
/* h2 of a point with density a where the densities' mean is c; its derivative by a is the sign */
static inline double foci_robust_sign(const foci_robust_options *o) { return o->published ? 1 : -2; }
static inline double foci_robust_distance(const foci_robust_options *o, double a, double c) {
    return 1 + foci_robust_sign(o) * a + c;
}

/* Of the prefix that is the first `seen` tokens, from the sums S_j of K over it: w (seen), of sum 1. Returns the sum of
 * the influences, which the gradient needs: dS (seen) from dw. */
double foci_prefix_weights(const foci_robust_options *o, int64_t seen, const double *sums, real *w);
void foci_prefix_gradient(const foci_robust_options *o, int64_t seen, const double *sums, double influences,
                          const real *w, const real *dw, double *dsums);

static inline int64_t foci_line(int64_t n) { return (n + FOCI_ALIGN - 1) / FOCI_ALIGN * FOCI_ALIGN; }

#endif
