/* positive_features: exp(y - factor |x|^2 / 2 - shift). With y = x W for random normal columns of W these are the
 * features of FAVOR+ (Choromanski et al., "Rethinking Attention with Performers", 2021): the mean of their products
 * over W is exp(factor x x') for the right scale of W. */
#include <math.h>

#include "ops/common.h"

enum { Y, X };
typedef struct attributes {
    double factor, shift;
} attributes;

static void forward(const foci_node *n) {
    const attributes *a = n->attributes;
    const int64_t rows = foci_rows(n->output), f = foci_last_dim(n->output), d = foci_last_dim(n->input[X]);
    const int64_t size = foci_tile_rows(f + d);
    FOCI_PARALLEL_FOR
    for (int64_t tile = 0; tile < foci_tiles(rows, size); tile++) {
        foci_range r = foci_tile(rows, size, tile);
        foci_kernel()->positive_features(r.end - r.first, f, d, foci_data(n->input[Y]) + r.first * f,
                                         foci_data(n->input[X]) + r.first * d, (real)a->factor, (real)a->shift,
                                         foci_data(n->output) + r.first * f);
    }
}

static void backward(const foci_node *n) {
    const attributes *a = n->attributes;
    const int64_t rows = foci_rows(n->output), f = foci_last_dim(n->output), d = foci_last_dim(n->input[X]);
    const int64_t size = foci_tile_rows(f + d);
    FOCI_PARALLEL_FOR
    for (int64_t tile = 0; tile < foci_tiles(rows, size); tile++) {
        foci_range r = foci_tile(rows, size, tile);
        foci_kernel()->positive_features_backward(
            r.end - r.first, f, d, foci_data(n->output) + r.first * f, foci_grad(n->output) + r.first * f,
            foci_data(n->input[X]) + r.first * d, (real)a->factor,
            foci_wants(n, Y) ? foci_grad(n->input[Y]) + r.first * f : NULL, n->accumulate[Y],
            foci_wants(n, X) ? foci_grad(n->input[X]) + r.first * d : NULL, n->accumulate[X]);
    }
}

static foci_tensor *plain(foci_graph *g) {
    return foci_positive_features(g, RANDOM(g, "y", 2, 3, 7), RANDOM(g, "x", 2, 3, 4), 0.5, 0.1);
}
static foci_tensor *of_a_product(foci_graph *g) {
    foci_tensor *x = foci_scale(g, RANDOM(g, "x", 5, 3), 0.7);
    return foci_positive_features(g, foci_matmul(g, x, RANDOM(g, "w", 3, 6)), x, 1, 0);
}
static const foci_gradient_case gradients[] = {{"(2, 3, 7), (2, 3, 4)", plain}, {"of a product", of_a_product}, {0}};

const foci_op foci_op_positive_features = {.name = "positive_features",
                                           .summary = "exp(y - factor |x|^2 / 2), the features of a performer",
                                           .forward = forward,
                                           .backward = backward,
                                           .reads = FOCI_READS_INPUT(X) | FOCI_READS_OUTPUT,
                                           .gradients = gradients};

foci_tensor *foci_positive_features(foci_graph *g, foci_tensor *y, foci_tensor *x, double factor, double shift) {
    if (!foci_operand(g, "positive_features", "y", y, FOCI_REAL) ||
        !foci_operand(g, "positive_features", "x", x, FOCI_REAL))
        return NULL;
    if (foci_rows(y) != foci_rows(x))
        return foci_graph_fail(g, "positive_features: y %s and x %s differ in rows", foci_shape_text(g, y),
                               foci_shape_text(g, x));
    if (!isfinite(factor) || !isfinite(shift))
        return foci_graph_fail(g, "positive_features: factor %g and shift %g must be finite", factor, shift);
    attributes a = {factor, shift};
    foci_node *n = foci_record(g, &foci_op_positive_features, 2, (foci_tensor *[]){y, x}, &a, sizeof a);
    return foci_emit(n, FOCI_REAL, y->ndim, y->shape);
}
