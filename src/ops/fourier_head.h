/* What the operations on FourierFormer's kernel share: one head, and the kernel of a query with the keys it sees. */
#ifndef FOCI_OPS_FOURIER_HEAD_H
#define FOCI_OPS_FOURIER_HEAD_H

#include "ops/attention_head.h"
#include "ops/common.h"

enum { FOURIER_Q, FOURIER_K, FOURIER_V, FOURIER_RADIUS, FOURIER_INPUTS };

typedef struct foci_fourier_head {
    const foci_fourier_options *o;
    int64_t tokens, width, padded, ld; /* N, D, D in fours, N in whole cache lines */
    const real *q, *k;
    int64_t q_row, k_row;
    real *keys;                /* (padded, ld): the keys transposed, the rest 0 */
    real *query, *radius;      /* (padded) */
    real *mantissa, *exponent; /* (ld) */
} foci_fourier_head;

/* n elements in whole cache lines */
static inline int64_t foci_in_lines(int64_t n) { return (n + FOCI_ALIGN - 1) / FOCI_ALIGN * FOCI_ALIGN; }

/* Reals that a head keeps there; the head of a node's task b H + h, with this scratch filled. */
int64_t foci_fourier_scratch(const foci_node *n);
foci_fourier_head foci_fourier_head_of(const foci_node *n, int64_t task, real *scratch);

static inline int64_t foci_fourier_seen(const foci_fourier_head *o, int64_t i) {
    return o->o->causal ? i + 1 : o->tokens;
}
/* Of query i: phi_ij over the keys it sees, divided by 2^(power *top), where *top (find) is the largest exponent. */
void foci_fourier_row(const foci_fourier_head *o, int64_t i, real *top, bool find, real *phi);
/* What that row is divided by: its sum and eps. */
real foci_fourier_sum(const foci_fourier_head *o, int64_t i, real top, const real *phi);

/* Checks the operands and starts the node; NULL after an error. v NULL: only the map is wanted. */
foci_node *foci_record_fourier(foci_graph *g, const foci_op *op, foci_tensor *q, foci_tensor *k, foci_tensor *v,
                               foci_tensor *radius, const foci_fourier_options *o);

#endif
