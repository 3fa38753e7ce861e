/* cat: the tokens of b behind those of a. carried: the same, where a comes from the window before */
#include <string.h>

#include "core/graph.h"
#include "ops/common.h"

/* a (B, N, C), b (B, M, C) -> y (B, N + M, C) */
static void forward(const foci_node *n) {
    int64_t batch = n->output->shape[0], row = foci_numel(n->output) / batch, first = 0;
    real *y = foci_data(n->output);
    for (int k = 0; k < 2; k++) {
        const real *x = foci_data(n->input[k]);
        int64_t size = foci_numel(n->input[k]) / batch;
        FOCI_PARALLEL_FOR
        for (int64_t b = 0; b < batch; b++) memcpy(y + b * row + first, x + b * size, (size_t)size * sizeof *y);
        first += size;
    }
}

/* da and db are the two parts of dy */
static void backward(const foci_node *n) {
    int64_t batch = n->output->shape[0], row = foci_numel(n->output) / batch, first = 0;
    const real *dy = foci_grad(n->output);
    for (int k = 0; k < 2; k++) {
        int64_t size = foci_numel(n->input[k]) / batch;
        real *dx = foci_grad(n->input[k]);
        FOCI_PARALLEL_FOR
        for (int64_t b = 0; b < (foci_wants(n, k) ? batch : 0); b++)
            foci_kernel()->scale(size, 1, dy + b * row + first, dx + b * size, n->accumulate[k]);
        first += size;
    }
}

static foci_tensor *two(foci_graph *g) { return foci_cat(g, RANDOM(g, "a", 3, 4, 5), RANDOM(g, "b", 3, 2, 5)); }
static foci_tensor *itself(foci_graph *g) {
    foci_tensor *x = foci_gelu(g, RANDOM(g, "x", 2, 3, 4));
    return foci_cat(g, x, x);
}
static foci_tensor *constant_first(foci_graph *g) {
    static const foci_real ones[6] = {1, 1, 1, 1, 1, 1};
    return foci_cat(g, foci_constant(g, "ones", FOCI_REAL, FOCI_SHAPE(1, 2, 3), ones), RANDOM(g, "x", 1, 3, 3));
}
static const foci_gradient_case gradients[] = {
    {"(3, 4, 5), (3, 2, 5)", two}, {"a result with itself", itself}, {"a constant first", constant_first}, {0}};

const foci_op foci_op_cat = {.name = "cat",
                             .summary = "the tokens of two sequences, one behind the other",
                             .forward = forward,
                             .backward = backward,
                             .gradients = gradients};

foci_tensor *foci_cat(foci_graph *g, foci_tensor *a, foci_tensor *b) {
    if (!foci_operand(g, "cat", "first", a, FOCI_REAL) || !foci_operand(g, "cat", "second", b, FOCI_REAL)) return NULL;
    if (a->ndim != 3 || b->ndim != 3 || a->shape[0] != b->shape[0] || a->shape[2] != b->shape[2])
        return foci_graph_fail(g, "cat: %s and %s must be (B, N, C) and (B, M, C)", foci_shape_text(g, a),
                               foci_shape_text(g, b));
    foci_node *n = foci_record(g, &foci_op_cat, 2, (foci_tensor *[]){a, b}, NULL, 0);
    return foci_emit(n, FOCI_REAL, FOCI_SHAPE(a->shape[0], a->shape[1] + b->shape[1], a->shape[2]));
}

foci_tensor *foci_carried(foci_graph *g, const char *name, foci_tensor *x, int64_t rows) {
    if (!foci_operand(g, "carried", "input", x, FOCI_REAL)) return NULL;
    foci_scope(g, "%s", name);
    foci_tensor *past = foci_input(g, "past", FOCI_REAL, FOCI_SHAPE(x->shape[0], rows, x->shape[2]));
    foci_tensor *now = foci_cat(g, past, x);
    foci_graph_carry(g, past, now);
    foci_end_scope(g);
    return now;
}

foci_tensor *foci_carried_filled(foci_graph *g) {
    foci_tensor *filled = foci_input(g, "filled", FOCI_INT, FOCI_SHAPE(1));
    foci_graph_carry(g, filled, NULL);
    return filled;
}
