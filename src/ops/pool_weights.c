/* pool_weights: w (B, H, N) -> its mean over samples and heads, in every one of them: of a batch, or what is at hand of
 * it */
#include "ops/common.h"

/* One row of means (N), in the order of samples and heads; then copies. */
static void means_of(const real *x, int64_t rows, int64_t tokens, real *to, bool add) {
    FOCI_PARALLEL_FOR
    for (int64_t j = 0; j < tokens; j++) {
        double sum = 0;
        for (int64_t r = 0; r < rows; r++) sum += (double)x[r * tokens + j];
        const real mean = (real)(sum / (double)rows);
        for (int64_t r = 0; r < rows; r++) to[r * tokens + j] = (add ? to[r * tokens + j] : 0) + mean;
    }
}

static void forward(const foci_node *n) {
    means_of(foci_data(n->input[0]), foci_rows(n->output), foci_last_dim(n->output), foci_data(n->output), false);
}

static void backward(const foci_node *n) {
    means_of(foci_grad(n->output), foci_rows(n->output), foci_last_dim(n->output), foci_grad(n->input[0]),
             n->accumulate[0]);
}

static foci_tensor *plain(foci_graph *g) { return foci_pool_weights(g, RANDOM(g, "w", 2, 3, 5)); }
static foci_tensor *used_twice(foci_graph *g) {
    foci_tensor *w = foci_gelu(g, RANDOM(g, "w", 2, 3, 5));
    return foci_gelu(g, foci_add(g, foci_pool_weights(g, w), w));
}
static const foci_gradient_case gradients[] = {{"(2, 3, 5)", plain}, {"input used twice", used_twice}, {0}};

const foci_op foci_op_pool_weights = {.name = "pool_weights",
                                      .summary = "weights of tokens, the mean over samples and heads for all",
                                      .forward = forward,
                                      .backward = backward,
                                      .gradients = gradients};

foci_tensor *foci_pool_weights(foci_graph *g, foci_tensor *w) {
    if (!foci_operand(g, "pool_weights", "weights", w, FOCI_REAL)) return NULL;
    return foci_emit(foci_record(g, &foci_op_pool_weights, 1, &w, NULL, 0), FOCI_REAL, w->ndim, w->shape);
}
