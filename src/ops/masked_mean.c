/* masked_mean: mean over the tokens of every sample, those that are padding counted as zeros */
#include <string.h>

#include "ops/common.h"

enum { X, MASK };

/* x (B, N, C), mask (B, N) -> y (B, C) = sum over n of mask x / N */
static void forward(const foci_node *n) {
    const int64_t batch = n->input[X]->shape[0], tokens = n->input[X]->shape[1], c = n->input[X]->shape[2];
    const real *x = foci_data(n->input[X]), *mask = foci_data(n->input[MASK]);
    FOCI_PARALLEL_FOR
    for (int64_t b = 0; b < batch; b++) {
        real *y = (real *)foci_data(n->output) + b * c;
        memset(y, 0, (size_t)c * sizeof *y);
        for (int64_t t = b * tokens; t < (b + 1) * tokens; t++)
            if (mask[t] != 0) foci_kernel()->scale(c, mask[t], x + t * c, y, true);
        for (int64_t i = 0; i < c; i++) y[i] /= (real)tokens;
    }
}

static void backward(const foci_node *n) {
    const int64_t batch = n->input[X]->shape[0], tokens = n->input[X]->shape[1], c = n->input[X]->shape[2];
    const real *dy = foci_grad(n->output), *mask = foci_data(n->input[MASK]);
    real *dx = foci_grad(n->input[X]);
    FOCI_PARALLEL_FOR
    for (int64_t b = 0; b < batch; b++)
        for (int64_t t = b * tokens; t < (b + 1) * tokens; t++)
            foci_kernel()->scale(c, mask[t] / (real)tokens, dy + b * c, dx + t * c, n->accumulate[X]);
}

static foci_tensor *some(foci_graph *g, foci_tensor *x) {
    static const foci_real mask[6] = {1, 1, 0, 1, 0, 0};
    return foci_masked_mean(g, x, foci_constant(g, "mask", FOCI_REAL, FOCI_SHAPE(2, 3), mask));
}
static foci_tensor *plain(foci_graph *g) { return some(g, RANDOM(g, "x", 2, 3, 7)); }
static foci_tensor *used_twice(foci_graph *g) {
    foci_tensor *x = foci_gelu(g, RANDOM(g, "x", 2, 3, 4));
    return foci_add(g, some(g, x), some(g, x));
}
static const foci_gradient_case gradients[] = {{"(2, 3, 7)", plain}, {"input used twice", used_twice}, {0}};

const foci_op foci_op_masked_mean = {.name = "masked_mean",
                                     .summary = "mean over the tokens, padding as zeros",
                                     .forward = forward,
                                     .backward = backward,
                                     .reads = FOCI_READS_INPUT(MASK),
                                     .gradients = gradients};

foci_tensor *foci_masked_mean(foci_graph *g, foci_tensor *x, foci_tensor *mask) {
    if (!foci_operand(g, "masked_mean", "input", x, FOCI_REAL) ||
        !foci_operand(g, "masked_mean", "mask", mask, FOCI_REAL))
        return NULL;
    if (x->ndim != 3 || mask->ndim != 2 || mask->shape[0] != x->shape[0] || mask->shape[1] != x->shape[1])
        return foci_graph_fail(g, "masked_mean: input %s and mask %s must be (B, N, C) and (B, N)",
                               foci_shape_text(g, x), foci_shape_text(g, mask));
    foci_node *n = foci_record(g, &foci_op_masked_mean, 2, (foci_tensor *[]){x, mask}, NULL, 0);
    return foci_emit(n, FOCI_REAL, FOCI_SHAPE(x->shape[0], x->shape[2]));
}
