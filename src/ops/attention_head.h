/* What the operations around attention share: their operands, and the part of them that is one head. */
#ifndef FOCI_OPS_ATTENTION_HEAD_H
#define FOCI_OPS_ATTENTION_HEAD_H

#include "base/parallel.h"
#include "foci/plugin.h"
#include "kernels/kernels.h"

/* Is t a (B, H, N, D) tensor of reals whose last dimension is contiguous, of the shape of `like` (NULL: any)?
 * Otherwise false, and the graph has failed with "OP: WHAT ...". */
bool foci_head_operand(foci_graph *g, const char *op, const char *what, const foci_tensor *t, const foci_tensor *like);

/* Where head h of sample b starts. */
static inline int64_t foci_head_offset(const foci_tensor *t, int64_t b, int64_t h) {
    return b * t->stride[0] + h * t->stride[1];
}

/* y = f(x), and dx (+)= f'(seen, dy), on every row of a (B, H, N, D) input with any strides; the output has no gaps,
 * and `seen` is the output. */
void foci_each_head_row(const foci_node *n, void (*kernel)(int64_t n, const real *x, real *y));
void foci_each_head_row_backward(const foci_node *n,
                                 void (*kernel)(int64_t n, const real *y, const real *dy, real *dx, bool accumulate));

/* Inputs of a node that attends, and its attributes. */
enum {
    ATTENTION_Q,
    ATTENTION_K,
    ATTENTION_V,
    ATTENTION_METRIC,
    ATTENTION_BIAS,
    ATTENTION_KEY_BIAS,
    ATTENTION_SCORE_FACTOR,
    ATTENTION_INPUTS
};
/* The head of keys and values that head h of the queries of a node that attends looks at: neighbours share one. */
static inline int64_t foci_key_head(const foci_node *n, int64_t h) {
    return h * n->input[ATTENTION_K]->shape[1] / n->input[ATTENTION_Q]->shape[1];
}

typedef struct foci_attention_attributes {
    double scale, dropout;
    bool causal, log_sum;
    foci_metric_scale result; /* what the result is divided by, where the operation measures a metric */
} foci_attention_attributes;

/* The last token, alone, sees every key. */
static inline bool foci_is_causal(const foci_node *n) {
    const foci_attention_attributes *a = n->attributes;
    return a->causal && n->input[ATTENTION_Q]->shape[2] == n->input[ATTENTION_K]->shape[2];
}

/* Checks the operands and starts the node: NULL after an error. v is NULL where only the map is wanted. */
foci_node *foci_record_attention(foci_graph *g, const foci_op *op, foci_tensor *q, foci_tensor *k, foci_tensor *v,
                                 const foci_sdpa_options *options, foci_metric_scale result);

/* Head h of sample b: all but out, log_sum and the gradients. */
foci_attention_head foci_attention_head_of(const foci_node *n, int64_t b, int64_t h);

#endif
