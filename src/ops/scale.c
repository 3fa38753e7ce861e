/* scale: x * factor */
#include "ops/common.h"

static void forward(const foci_node *n) {
    int64_t size = foci_numel(n->output), tiles = foci_tiles(size, FOCI_TILE_ELEMENTS);
    const real *x = foci_data(n->input[0]), factor = *(const real *)n->attributes;
    real *y = foci_data(n->output);
    FOCI_PARALLEL_FOR
    for (int64_t tile = 0; tile < tiles; tile++) {
        foci_range r = foci_tile(size, FOCI_TILE_ELEMENTS, tile);
        foci_kernel()->scale(r.end - r.first, factor, x + r.first, y + r.first, false);
    }
}

static void backward(const foci_node *n) {
    int64_t size = foci_numel(n->output), tiles = foci_tiles(size, FOCI_TILE_ELEMENTS);
    const real *dy = foci_grad(n->output), factor = *(const real *)n->attributes;
    real *dx = foci_grad(n->input[0]);
    FOCI_PARALLEL_FOR
    for (int64_t tile = 0; tile < tiles; tile++) {
        foci_range r = foci_tile(size, FOCI_TILE_ELEMENTS, tile);
        foci_kernel()->scale(r.end - r.first, factor, dy + r.first, dx + r.first, n->accumulate[0]);
    }
}

static foci_tensor *plain(foci_graph *g) { return foci_scale(g, RANDOM(g, "x", 3, 5, 7), -1.5); }
static foci_tensor *used_twice(foci_graph *g) {
    foci_tensor *x = foci_gelu(g, RANDOM(g, "x", 5));
    return foci_add(g, foci_scale(g, x, 2), foci_scale(g, x, 0.25));
}
static const foci_gradient_case gradients[] = {{"(3, 5, 7)", plain}, {"input used twice", used_twice}, {0}};

const foci_op foci_op_scale = {
    .name = "scale", .summary = "x times a constant", .forward = forward, .backward = backward, .gradients = gradients};

foci_tensor *foci_scale(foci_graph *g, foci_tensor *x, double factor) {
    if (!foci_operand(g, "scale", "input", x, FOCI_REAL)) return NULL;
    real attribute = (real)factor;
    foci_node *n = foci_record(g, &foci_op_scale, 1, &x, &attribute, sizeof attribute);
    return foci_emit(n, FOCI_REAL, x->ndim, x->shape);
}
