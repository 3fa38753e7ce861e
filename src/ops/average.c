/* average: the mean of all elements, one number */
#include "ops/common.h"

/* Every tile leaves its sum in the workspace; they are added in order, in double. */
static void forward(const foci_node *n) {
    int64_t size = foci_numel(n->input[0]), tiles = foci_tiles(size, FOCI_TILE_ELEMENTS);
    const real *x = foci_data(n->input[0]);
    double *sums = n->workspace, total = 0;
    FOCI_PARALLEL_FOR
    for (int64_t tile = 0; tile < tiles; tile++) {
        foci_range r = foci_tile(size, FOCI_TILE_ELEMENTS, tile);
        foci_kernel()->sum(r.end - r.first, x + r.first, &sums[tile]);
    }
    for (int64_t tile = 0; tile < tiles; tile++) total += sums[tile];
    foci_data(n->output)[0] = (real)(total / (double)size);
}

static real even(const foci_node *n, real dy) { return (real)((double)dy / (double)foci_numel(n->input[0])); }

static void backward(const foci_node *n) {
    int64_t size = foci_numel(n->input[0]), tiles = foci_tiles(size, FOCI_TILE_ELEMENTS);
    const real share = even(n, foci_grad(n->output)[0]);
    real *dx = foci_grad(n->input[0]);
    FOCI_PARALLEL_FOR
    for (int64_t tile = 0; tile < tiles; tile++) {
        foci_range r = foci_tile(size, FOCI_TILE_ELEMENTS, tile);
        for (int64_t i = r.first; i < r.end; i++) dx[i] = (n->accumulate[0] ? dx[i] : 0) + share;
    }
}

static foci_tensor *plain(foci_graph *g) { return foci_average(g, RANDOM(g, "x", 3, 5, 7)); }
static foci_tensor *used_twice(foci_graph *g) {
    foci_tensor *x = foci_gelu(g, RANDOM(g, "x", 5));
    return foci_add(g, foci_average(g, x), foci_average(g, x));
}
static const foci_gradient_case gradients[] = {{"(3, 5, 7)", plain}, {"input used twice", used_twice}, {0}};

const foci_op foci_op_average = {.name = "average",
                                 .summary = "mean of all elements",
                                 .forward = forward,
                                 .backward = backward,
                                 .even = even,
                                 .gradients = gradients};

foci_tensor *foci_average(foci_graph *g, foci_tensor *x) {
    if (!foci_operand(g, "average", "input", x, FOCI_REAL)) return NULL;
    foci_node *n = foci_record(g, &foci_op_average, 1, &x, NULL, 0);
    foci_workspace(n, (size_t)foci_tiles(foci_numel(x), FOCI_TILE_ELEMENTS) * sizeof(double), 0);
    return foci_emit(n, FOCI_REAL, FOCI_SHAPE(1));
}
