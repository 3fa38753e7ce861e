/* log_softmax over the last dimension: x - log(sum(exp x)) */
#include "ops/common.h"

static void forward(const foci_node *n) {
    int64_t rows = foci_rows(n->output), c = foci_last_dim(n->output), size = foci_tile_rows(c);
    const real *x = foci_data(n->input[0]);
    real *y = foci_data(n->output);
    FOCI_PARALLEL_FOR
    for (int64_t tile = 0; tile < foci_tiles(rows, size); tile++) {
        foci_range r = foci_tile(rows, size, tile);
        foci_kernel()->log_softmax(r.end - r.first, c, x + r.first * c, y + r.first * c);
    }
}

/* from the output */
static void backward(const foci_node *n) {
    int64_t rows = foci_rows(n->output), c = foci_last_dim(n->output), size = foci_tile_rows(c);
    const real *y = foci_data(n->output), *dy = foci_grad(n->output);
    real *dx = foci_grad(n->input[0]);
    FOCI_PARALLEL_FOR
    for (int64_t tile = 0; tile < foci_tiles(rows, size); tile++) {
        foci_range r = foci_tile(rows, size, tile);
        foci_kernel()->log_softmax_backward(r.end - r.first, c, y + r.first * c, dy + r.first * c,
                                            dx + r.first * c, n->accumulate[0]);
    }
}

static foci_tensor *three_dims(foci_graph *g) {
    return foci_log_softmax(g, RANDOM(g, "x", 3, 5, 7));
}
static foci_tensor *one_column(foci_graph *g) {
    return foci_log_softmax(g, RANDOM(g, "x", 4, 1));
}
static foci_tensor *used_twice(foci_graph *g) {
    foci_tensor *x = foci_scale(g, RANDOM(g, "x", 2, 33), 3);
    return foci_add(g, foci_log_softmax(g, x), foci_log_softmax(g, x));
}
static const foci_gradient_case gradients[] = {
    {"(3, 5, 7)", three_dims}, {"one column", one_column}, {"input used twice", used_twice}, {0}};

const foci_op foci_op_log_softmax = {.name = "log_softmax",
                                     .summary = "logarithm of the softmax over the last dimension",
                                     .forward = forward,
                                     .backward = backward,
                                     .reads = FOCI_READS_OUTPUT,
                                     .gradients = gradients};

foci_tensor *foci_log_softmax(foci_graph *g, foci_tensor *x) {
    if (!foci_operand(g, "log_softmax", "input", x, FOCI_REAL)) return NULL;
    foci_node *n = foci_record(g, &foci_op_log_softmax, 1, &x, NULL, 0);
    return foci_emit(n, FOCI_REAL, x->ndim, x->shape);
}
