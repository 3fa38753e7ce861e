/* weighted_map: what multiplies v in weighted_attention, (B, H, N, N), causal too; for pictures and measures. Weights
 * of keys are one row for all, (N), one for each head, (B, H, N), or one for each query, (B, H, N, N). */
#include <math.h>

#include "kernels/gemm.h"
#include "ops/gram.h"

enum { Q, K, JOINT, MARGINAL, INPUTS };

typedef struct attributes {
    double scale;
    bool causal;
} attributes;

/* Of query i of head b H + h, as row number task N + i. */
static const real *weights_of(const foci_tensor *w, int64_t row, int64_t tokens, int64_t rows) {
    const int64_t n = foci_numel(w);
    return foci_data(w) + (n == tokens ? 0 : n == rows ? row / tokens * tokens : row * tokens);
}

static void forward(const foci_node *n) {
    const attributes *a = n->attributes;
    const foci_tensor *q = n->input[Q], *k = n->input[K];
    const int64_t tokens = k->shape[2], rows = q->shape[0] * q->shape[1] * tokens;
    FOCI_PARALLEL_FOR
    for (int64_t row = 0; row < rows; row++) {
        const int64_t b = row / tokens / q->shape[1], h = row / tokens % q->shape[1], i = row % tokens;
        const int64_t seen = a->causal ? i + 1 : tokens;
        const real *joint = weights_of(n->input[JOINT], row, tokens, rows),
                   *marginal = weights_of(n->input[MARGINAL], row, tokens, rows);
        real *p = foci_data(n->output) + row * tokens;
        double top = -INFINITY, sum = 0;
        foci_gemm(&(foci_product){.rows = 1,
                                  .columns = tokens,
                                  .depth = q->shape[3],
                                  .a = {foci_data(q) + foci_head_offset(q, b, h) + i * q->stride[2], q->stride[2]},
                                  .b = {foci_data(k) + foci_head_offset(k, b, h), k->stride[2], true},
                                  .c = p,
                                  .ldc = tokens});
        for (int64_t j = 0; j < seen; j++)
            if (joint[j] + marginal[j] > 0) top = fmax(top, a->scale * (double)p[j]);
        for (int64_t j = 0; j < seen; j++) {
            const double e = joint[j] + marginal[j] > 0 ? exp(a->scale * (double)p[j] - top) : 0;
            sum += (double)marginal[j] * e;
            p[j] = (real)((double)joint[j] * e);
        }
        for (int64_t j = 0; j < tokens; j++) p[j] = j < seen ? (real)((double)p[j] / sum) : 0;
    }
}

const foci_op foci_op_weighted_map = {.name = "weighted_map",
                                      .summary = "what multiplies v in weighted_attention, for inspection",
                                      .forward = forward,
                                      .detaches = true};

foci_tensor *foci_weighted_map(foci_graph *g, foci_tensor *q, foci_tensor *k, foci_tensor *joint, foci_tensor *marginal,
                               double scale, bool causal) {
    const foci_op *op = &foci_op_weighted_map;
    if (!foci_head_operand(g, op->name, "q", q, NULL) || !foci_head_operand(g, op->name, "k", k, q) ||
        !foci_operand(g, op->name, "joint", joint, FOCI_REAL) ||
        !foci_operand(g, op->name, "marginal", marginal, FOCI_REAL))
        return NULL;
    const attributes a = {scale, causal};
    foci_node *n = foci_record(g, op, INPUTS, (foci_tensor *[]){q, k, joint, marginal}, &a, sizeof a);
    return foci_emit(n, FOCI_REAL, FOCI_SHAPE(q->shape[0], q->shape[1], q->shape[2], q->shape[2]));
}
