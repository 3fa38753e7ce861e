/* mean over the tokens of every sample */
#include <string.h>

#include "ops/common.h"

/* x (B, N, C) -> y (B, C) */
static void forward(const foci_node *n) {
    int64_t batch = n->input[0]->shape[0], tokens = n->input[0]->shape[1], c = n->input[0]->shape[2];
    const real *x = foci_data(n->input[0]);
    real *y = foci_data(n->output);
    FOCI_PARALLEL_FOR
    for (int64_t b = 0; b < batch; b++) {
        real *out = y + b * c;
        memset(out, 0, (size_t)c * sizeof *out);
        foci_kernel()->column_sums(tokens, c, x + b * tokens * c, c, out);
        for (int64_t i = 0; i < c; i++) out[i] /= (real)tokens;
    }
}

static void backward(const foci_node *n) {
    int64_t batch = n->input[0]->shape[0], tokens = n->input[0]->shape[1], c = n->input[0]->shape[2];
    const real *dy = foci_grad(n->output);
    real *dx = foci_grad(n->input[0]);
    FOCI_PARALLEL_FOR
    for (int64_t b = 0; b < batch; b++)
        for (int64_t t = 0; t < tokens; t++)
            foci_kernel()->scale(c, 1 / (real)tokens, dy + b * c, dx + (b * tokens + t) * c, n->accumulate[0]);
}

static foci_tensor *plain(foci_graph *g) { return foci_mean(g, RANDOM(g, "x", 3, 5, 7)); }
static foci_tensor *used_twice(foci_graph *g) {
    foci_tensor *x = foci_gelu(g, RANDOM(g, "x", 2, 4, 3));
    return foci_add(g, foci_mean(g, x), foci_mean(g, x));
}
static const foci_gradient_case gradients[] = {{"(3, 5, 7)", plain}, {"input used twice", used_twice}, {0}};

const foci_op foci_op_mean = {.name = "mean",
                              .summary = "mean over the tokens",
                              .forward = forward,
                              .backward = backward,
                              .gradients = gradients};

foci_tensor *foci_mean(foci_graph *g, foci_tensor *x) {
    if (!foci_operand(g, "mean", "input", x, FOCI_REAL)) return NULL;
    if (x->ndim != 3) return foci_graph_fail(g, "mean: input %s must be (B, N, C)", foci_shape_text(g, x));
    foci_node *n = foci_record(g, &foci_op_mean, 1, &x, NULL, 0);
    return foci_emit(n, FOCI_REAL, FOCI_SHAPE(x->shape[0], x->shape[2]));
}
