/* subtract: x - factor y, with a factor that has a gradient */
#include "ops/common.h"

enum { X, Y, FACTOR };

static void forward(const foci_node *n) {
    const int64_t size = foci_numel(n->output);
    const real factor = foci_data(n->input[FACTOR])[0];
    FOCI_PARALLEL_FOR
    for (int64_t tile = 0; tile < foci_tiles(size, FOCI_TILE_ELEMENTS); tile++) {
        const foci_range r = foci_tile(size, FOCI_TILE_ELEMENTS, tile);
        real *out = foci_data(n->output) + r.first;
        foci_kernel()->scale(r.end - r.first, 1, foci_data(n->input[X]) + r.first, out, false);
        foci_kernel()->scale(r.end - r.first, -factor, foci_data(n->input[Y]) + r.first, out, true);
    }
}

static void scaled(const foci_node *n, int input, real factor, foci_range r) {
    if (foci_wants(n, input))
        foci_kernel()->scale(r.end - r.first, factor, foci_grad(n->output) + r.first,
                             foci_grad(n->input[input]) + r.first, n->accumulate[input]);
}

/* Every tile leaves its part of the factor's gradient, -dout y, in the workspace. */
static void backward(const foci_node *n) {
    const int64_t size = foci_numel(n->output), tiles = foci_tiles(size, FOCI_TILE_ELEMENTS);
    const real factor = foci_data(n->input[FACTOR])[0];
    double *part = n->workspace, sum = 0;
    FOCI_PARALLEL_FOR
    for (int64_t tile = 0; tile < tiles; tile++) {
        const foci_range r = foci_tile(size, FOCI_TILE_ELEMENTS, tile);
        foci_kernel()->dot(r.end - r.first, foci_grad(n->output) + r.first, foci_data(n->input[Y]) + r.first,
                           part + tile);
        scaled(n, X, 1, r);
        scaled(n, Y, -factor, r);
    }
    for (int64_t tile = 0; tile < tiles; tile++) sum += part[tile];
    if (!foci_wants(n, FACTOR)) return;
    real *dfactor = foci_grad(n->input[FACTOR]);
    dfactor[0] = (n->accumulate[FACTOR] ? dfactor[0] : 0) - (real)sum;
}

static foci_cost cost(const foci_node *n) {
    const double size = (double)foci_numel(n->output);
    return (foci_cost){2 * size, 3 * size};
}

static foci_tensor *two(foci_graph *g) {
    return foci_subtract(g, RANDOM(g, "x", 3, 5, 7), RANDOM(g, "y", 3, 5, 7), RANDOM(g, "factor", 1));
}
static foci_tensor *several_tiles(foci_graph *g) {
    foci_tensor *factor = RANDOM(g, "factor", 1), *x = RANDOM(g, "x", 3);
    foci_tensor *large =
        foci_matmul(g, RANDOM(g, "column", 6000, 1), foci_view(x, 0, FOCI_SHAPE(1, 3), (int64_t[]){3, 1}));
    return foci_subtract(g, large, foci_scale(g, large, 0.5), factor);
}
static foci_tensor *itself(foci_graph *g) {
    foci_tensor *x = foci_scale(g, RANDOM(g, "x", 4), 2), *factor = RANDOM(g, "factor", 1);
    return foci_add(g, foci_subtract(g, x, x, factor), foci_subtract(g, x, x, factor));
}
static const foci_gradient_case gradients[] = {
    {"(3, 5, 7)", two}, {"several tiles", several_tiles}, {"from itself, twice", itself}, {0}};

const foci_op foci_op_subtract = {.name = "subtract",
                                  .summary = "x less y times a factor that is learnt",
                                  .forward = forward,
                                  .backward = backward,
                                  .reads = FOCI_READS_INPUT(Y) | FOCI_READS_INPUT(FACTOR),
                                  .cost = cost,
                                  .gradients = gradients};

foci_tensor *foci_subtract(foci_graph *g, foci_tensor *x, foci_tensor *y, foci_tensor *factor) {
    const foci_op *op = &foci_op_subtract;
    if (!foci_operand(g, op->name, "x", x, FOCI_REAL) || !foci_operand(g, op->name, "y", y, FOCI_REAL) ||
        !foci_operand(g, op->name, "factor", factor, FOCI_REAL))
        return NULL;
    if (!foci_same_shape(x, y) || foci_numel(factor) != 1)
        return foci_graph_fail(g, "%s: x %s and y %s must have one shape, factor %s one element", op->name,
                               foci_shape_text(g, x), foci_shape_text(g, y), foci_shape_text(g, factor));
    foci_node *n = foci_record(g, op, 3, (foci_tensor *[]){x, y, factor}, NULL, 0);
    if (!n) return NULL;
    foci_workspace(n, 0, (size_t)foci_tiles(foci_numel(x), FOCI_TILE_ELEMENTS) * sizeof(double));
    return foci_emit(n, FOCI_REAL, x->ndim, x->shape);
}
