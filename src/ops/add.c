/* add: a + b, the residual sum */
#include "ops/common.h"

static void forward(const foci_node *n) {
    int64_t size = foci_numel(n->output), tiles = foci_tiles(size, FOCI_TILE_ELEMENTS);
    const real *a = foci_data(n->input[0]), *b = foci_data(n->input[1]);
    real *y = foci_data(n->output);
    FOCI_PARALLEL_FOR
    for (int64_t tile = 0; tile < tiles; tile++) {
        foci_range r = foci_tile(size, FOCI_TILE_ELEMENTS, tile);
        foci_kernel()->add(r.end - r.first, a + r.first, b + r.first, y + r.first);
    }
}

/* Both gradients are dy; where the planner let them share its memory there is nothing to do. */
static void backward(const foci_node *n) {
    int64_t size = foci_numel(n->output), tiles = foci_tiles(size, FOCI_TILE_ELEMENTS);
    const real *dy = foci_grad(n->output);
    for (int k = 0; k < 2; k++) {
        real *dx = foci_grad(n->input[k]);
        if (!dx || dx == dy) continue;
        FOCI_PARALLEL_FOR
        for (int64_t tile = 0; tile < tiles; tile++) {
            foci_range r = foci_tile(size, FOCI_TILE_ELEMENTS, tile);
            foci_kernel()->scale(r.end - r.first, 1, dy + r.first, dx + r.first, n->accumulate[k]);
        }
    }
}

static foci_tensor *two(foci_graph *g) { return foci_add(g, RANDOM(g, "a", 3, 5, 7), RANDOM(g, "b", 3, 5, 7)); }
static foci_tensor *itself(foci_graph *g) {
    foci_tensor *a = RANDOM(g, "a", 5);
    return foci_add(g, a, a);
}
static foci_tensor *residual(foci_graph *g) {
    foci_tensor *x = foci_gelu(g, RANDOM(g, "a", 4, 3));
    x = foci_add(g, x, foci_gelu(g, x));
    return foci_add(g, foci_scale(g, x, 3), foci_gelu(g, x));
}
static const foci_gradient_case gradients[] = {
    {"(3, 5, 7)", two}, {"x + x", itself}, {"residual branches", residual}, {0}};

const foci_op foci_op_add = {.name = "add",
                             .summary = "sum of two tensors of one shape",
                             .forward = forward,
                             .backward = backward,
                             .passes_gradient = true,
                             .rows = foci_rows_of_all,
                             .gradients = gradients};

foci_tensor *foci_add(foci_graph *g, foci_tensor *a, foci_tensor *b) {
    if (!foci_operand(g, "add", "first operand", a, FOCI_REAL) ||
        !foci_operand(g, "add", "second operand", b, FOCI_REAL))
        return NULL;
    if (!foci_same_shape(a, b))
        return foci_graph_fail(g, "add: shapes %s and %s differ", foci_shape_text(g, a), foci_shape_text(g, b));
    foci_node *n = foci_record(g, &foci_op_add, 2, (foci_tensor *[]){a, b}, NULL, 0);
    return foci_emit(n, FOCI_REAL, a->ndim, a->shape);
}
