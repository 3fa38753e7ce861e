/* Argument blocks of kernels that take more than a handful. */
#ifndef FOCI_KERNELS_TYPES_H
#define FOCI_KERNELS_TYPES_H

#include "foci/foci.h"

/* Attention of one head of one sample. Matrices are given by their first element and the step from row to row, in
 * elements; the entries of a row are neighbours. */
typedef struct foci_attention_head {
    int64_t tokens, width;          /* N, D */
    const foci_real *q, *k, *v;     /* (N, D) */
    int64_t q_row, k_row, v_row;
    const foci_real *metric;        /* multiplies q: (N, D), or one row for all where metric_row is 0; NULL: ones */
    int64_t metric_row;
    const foci_real *bias;          /* (N) added to the scores of each key, or NULL */
    foci_real scale;
    bool causal;
    double dropout;                 /* of probabilities, by word e % 4 of Philox counter e / 4 for element */
    uint64_t seed, stream, step, first; /* e = first + i N + j */
    foci_real *out;                 /* (N, D) */
    int64_t out_row;
    foci_real *log_sum;             /* (N): log of the sum of exp(score) over the keys */
    /* backward only; a gradient that is not wanted is NULL */
    const foci_real *dout;
    int64_t dout_row;
    foci_real *dq, *dk, *dv;
    int64_t dq_row, dk_row, dv_row;
    bool add_dq, add_dk, add_dv;    /* add to what is there, or overwrite it */
} foci_attention_head;

/* Tiles of queries and keys. A head's forward pass may be cut between tiles of queries. */
enum { FOCI_ATTENTION_QUERIES = 48, FOCI_ATTENTION_KEYS = 256, FOCI_ATTENTION_ALIGN = 64 / sizeof(foci_real) };

/* Elements of scratch memory (64-byte aligned) that the kernels need, whatever the instruction set. */
static inline int64_t foci_attention_scratch(int64_t tokens, int64_t width, int token_matrices, int query_matrices,
                                             int score_matrices) {
    const int64_t n = tokens + 32, d = width + 16, keys = FOCI_ATTENTION_KEYS + 16; /* with padding to vectors */
    int64_t elements = token_matrices * n * d + query_matrices * FOCI_ATTENTION_QUERIES * d +
                       score_matrices * FOCI_ATTENTION_QUERIES * keys + keys + 16 * FOCI_ATTENTION_ALIGN;
    return elements / FOCI_ATTENTION_ALIGN * FOCI_ATTENTION_ALIGN;
}
static inline int64_t foci_attention_forward_scratch(int64_t tokens, int64_t width) {
    return foci_attention_scratch(tokens, width, 2, 2, 1);
}
static inline int64_t foci_attention_backward_scratch(int64_t tokens, int64_t width) {
    return foci_attention_scratch(tokens, width, 5, 3, 2);
}

/* How far a value moved from one layer to the next, per coordinate (golden formulas: elliptical attention's metric).
 * u = |cur - prev| / delta, or / (|den - den_prev| + attenuation) where den is given; reduced over tokens, then scaled. */
typedef struct foci_metric_head {
    int64_t tokens, width;
    const foci_real *cur, *prev, *den, *den_prev; /* (N, D); den NULL: the constant delta */
    int64_t cur_row, prev_row, den_row, den_prev_row;
    double delta, attenuation;
    enum { FOCI_METRIC_MAX, FOCI_METRIC_MEAN, FOCI_METRIC_NONE } scale; /* divide by that over the D coordinates */
    enum { FOCI_METRIC_SEQUENCE, FOCI_METRIC_CAUSAL, FOCI_METRIC_MEDIAN } reduce;
    foci_real *out; /* (D), or (N, D) contiguous where causal */
} foci_metric_head;

#endif
