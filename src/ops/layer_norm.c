/* layer_norm over the last dimension, biased variance */
#include <math.h>
#include <string.h>

#include "ops/common.h"

enum { X, WEIGHT, BIAS };
enum { MEAN, RSTD }; /* saved, (rows) each */

static const real *optional(const foci_tensor *t) { return t ? foci_data(t) : NULL; }

static void forward(const foci_node *n) {
    int64_t rows = foci_rows(n->output), c = foci_last_dim(n->output), size = foci_tile_rows(c);
    const real *x = foci_data(n->input[X]), *weight = optional(n->input[WEIGHT]), *bias = optional(n->input[BIAS]);
    real *y = foci_data(n->output), *mean = foci_data(n->saved[MEAN]), *rstd = foci_data(n->saved[RSTD]);
    double eps = *(const double *)n->attributes;
    FOCI_PARALLEL_FOR
    for (int64_t tile = 0; tile < foci_tiles(rows, size); tile++) {
        foci_range r = foci_tile(rows, size, tile);
        foci_kernel()->layer_norm(r.end - r.first, c, x + r.first * c, weight, bias, eps, y + r.first * c,
                                  mean + r.first, rstd + r.first);
    }
}

/* The sums over rows: every tile leaves dweight (c) and dbias (c) in its row of the workspace. */
static void parameter_gradients(const foci_node *n) {
    int64_t rows = foci_rows(n->output), c = foci_last_dim(n->output), size = foci_sum_tile(rows);
    int64_t tiles = foci_tiles(rows, size);
    const real *x = foci_data(n->input[X]), *dy = foci_grad(n->output);
    const real *mean = foci_data(n->saved[MEAN]), *rstd = foci_data(n->saved[RSTD]);
    real *dweight = n->workspace, *dbias = dweight + tiles * c; /* (tiles, c) each */
    FOCI_PARALLEL_FOR
    for (int64_t tile = 0; tile < tiles; tile++) {
        foci_range r = foci_tile(rows, size, tile);
        memset(dweight + tile * c, 0, (size_t)c * sizeof *dweight);
        memset(dbias + tile * c, 0, (size_t)c * sizeof *dbias);
        foci_kernel()->layer_norm_sums(r.end - r.first, c, x + r.first * c, mean + r.first, rstd + r.first,
                                       dy + r.first * c, dweight + tile * c, dbias + tile * c);
    }
    if (foci_wants(n, WEIGHT)) foci_add_tiles(tiles, c, dweight, foci_grad(n->input[WEIGHT]), n->accumulate[WEIGHT]);
    if (foci_wants(n, BIAS)) foci_add_tiles(tiles, c, dbias, foci_grad(n->input[BIAS]), n->accumulate[BIAS]);
}

static void backward(const foci_node *n) {
    int64_t rows = foci_rows(n->output), c = foci_last_dim(n->output), size = foci_tile_rows(c);
    const real *x = foci_data(n->input[X]), *weight = optional(n->input[WEIGHT]), *dy = foci_grad(n->output);
    const real *mean = foci_data(n->saved[MEAN]), *rstd = foci_data(n->saved[RSTD]);
    if (foci_wants(n, WEIGHT) || foci_wants(n, BIAS)) parameter_gradients(n);
    if (!foci_wants(n, X)) return;
    real *dx = foci_grad(n->input[X]);
    FOCI_PARALLEL_FOR
    for (int64_t tile = 0; tile < foci_tiles(rows, size); tile++) {
        foci_range r = foci_tile(rows, size, tile);
        foci_kernel()->layer_norm_backward(r.end - r.first, c, x + r.first * c, weight, mean + r.first, rstd + r.first,
                                           dy + r.first * c, dx + r.first * c, n->accumulate[X]);
    }
}

static foci_tensor *weight_and_bias(foci_graph *g) {
    return foci_layer_norm(g, RANDOM(g, "x", 3, 5, 7), RANDOM(g, "weight", 7), RANDOM(g, "bias", 7), 1e-5);
}
static foci_tensor *bare(foci_graph *g) { return foci_layer_norm(g, RANDOM(g, "x", 4, 33), NULL, NULL, 1e-6); }
static foci_tensor *large_eps(foci_graph *g) {
    return foci_layer_norm(g, RANDOM(g, "x", 2, 3), RANDOM(g, "weight", 3), NULL, 0.5);
}
static foci_tensor *many_rows(foci_graph *g) { /* several tiles of the sums */
    foci_tensor *x = foci_scale(g, RANDOM(g, "x", 300, 3), 1), *weight = RANDOM(g, "weight", 3),
                *bias = RANDOM(g, "bias", 3);
    return foci_add(g, foci_layer_norm(g, x, weight, bias, 0.1), foci_layer_norm(g, x, weight, bias, 0.2));
}
static const foci_gradient_case gradients[] = {{"(3, 5, 7)", weight_and_bias},
                                               {"without weight and bias", bare},
                                               {"eps 0.5, without bias", large_eps},
                                               {"300 rows, input used twice", many_rows},
                                               {0}};

const foci_op foci_op_layer_norm = {.name = "layer_norm",
                                    .summary =
                                        "zero mean and unit variance over the last dimension, then weight and bias",
                                    .forward = forward,
                                    .backward = backward,
                                    .reads = FOCI_READS_INPUT(X) | FOCI_READS_INPUT(WEIGHT),
                                    .cheap = true,
                                    .rows = foci_rows_of_first,
                                    .gradients = gradients};

foci_tensor *foci_layer_norm(foci_graph *g, foci_tensor *x, foci_tensor *weight, foci_tensor *bias, double eps) {
    if (!foci_operand(g, "layer_norm", "input", x, FOCI_REAL)) return NULL;
    if (weight && !foci_operand(g, "layer_norm", "weight", weight, FOCI_REAL)) return NULL;
    if (bias && !foci_operand(g, "layer_norm", "bias", bias, FOCI_REAL)) return NULL;
    int64_t c = foci_last_dim(x), rows = foci_rows(x);
    if ((weight && foci_numel(weight) != c) || (bias && foci_numel(bias) != c))
        return foci_graph_fail(g, "layer_norm: input %s has %lld columns, %s %s has not", foci_shape_text(g, x),
                               (long long)c, weight && foci_numel(weight) != c ? "weight" : "bias",
                               foci_shape_text(g, weight && foci_numel(weight) != c ? weight : bias));
    if (!(eps > 0 && isfinite(eps))) return foci_graph_fail(g, "layer_norm: eps is %g, it must be positive", eps);
    foci_node *n = foci_record(g, &foci_op_layer_norm, 3, (foci_tensor *[]){x, weight, bias}, &eps, sizeof eps);
    foci_save(n, FOCI_REAL, rows);
    foci_save(n, FOCI_REAL, rows);
    int64_t tiles = foci_tiles(rows, foci_sum_tile(rows));
    foci_workspace(n, 0, (size_t)(weight || bias ? 2 * tiles * c : 0) * sizeof(real));
    return foci_emit(n, FOCI_REAL, x->ndim, x->shape);
}
