/* layer_norm over the last dimension, biased variance */
#include <math.h>
#include <string.h>

#include "ops/common.h"

enum { X, WEIGHT, BIAS };
enum { MEAN, RSTD }; /* saved, (rows) each */

static const real *optional(const foci_tensor *t) { return t ? foci_data(t) : NULL; }

/* Reals of the workspace, before the room of the threads. */
static int64_t sums_size(const foci_node *n) {
    const int64_t rows = foci_rows(n->output), c = foci_last_dim(n->output);
    return n->input[WEIGHT] || n->input[BIAS] ? 2 * foci_tiles(rows, foci_sum_tile(rows)) * c : 0;
}

static void forward(const foci_node *n) {
    int64_t rows = foci_rows(n->output), c = foci_last_dim(n->output), size = foci_tile_rows(c);
    const real *x = foci_data(n->input[X]), *weight = optional(n->input[WEIGHT]), *bias = optional(n->input[BIAS]);
    real *mean = foci_data(n->saved[MEAN]), *rstd = foci_data(n->saved[RSTD]);
    double eps = *(const double *)n->attributes;
    FOCI_PARALLEL_FOR
    for (int64_t tile = 0; tile < foci_tiles(rows, size); tile++) {
        foci_range r = foci_tile(rows, size, tile);
        const foci_numbers to = foci_numbers_at(foci_values(n->output), r.first * c);
        real *y = to.bf16 ? (real *)n->workspace + foci_thread() * foci_row_room(n) : (real *)foci_writable(to);
        foci_kernel()->layer_norm(r.end - r.first, c, x + r.first * c, weight, bias, eps, y, mean + r.first,
                                  rstd + r.first);
        foci_from_reals((r.end - r.first) * c, y, to);
    }
}

/* Some rows: the gradient of x; dweight and dbias (c), NULL where they are not wanted, are added to. */
static void backward_rows(const foci_node *n, foci_range r, real *dweight, real *dbias) {
    const int64_t count = r.end - r.first, c = foci_last_dim(n->output), first = r.first * c;
    const real *x = foci_data(n->input[X]) + first, *weight = optional(n->input[WEIGHT]);
    const real *mean = foci_data(n->saved[MEAN]) + r.first, *rstd = foci_data(n->saved[RSTD]) + r.first;
    const real *dy = foci_as_reals(foci_numbers_at(foci_gradients(n->output), first), count * c,
                                   (real *)n->workspace + sums_size(n) + foci_thread() * foci_row_room(n));
    if (dweight) foci_kernel()->layer_norm_sums(count, c, x, mean, rstd, dy, dweight, dbias);
    if (foci_wants(n, X))
        foci_kernel()->layer_norm_backward(count, c, x, weight, mean, rstd, dy, foci_grad(n->input[X]) + first,
                                           n->accumulate[X]);
}

/* Every tile leaves its sums over rows, dweight (c) and dbias (c), in its row of the workspace. */
static void backward(const foci_node *n) {
    const int64_t rows = foci_rows(n->output), c = foci_last_dim(n->output), size = foci_sum_tile(rows);
    const int64_t tiles = foci_tiles(rows, size), piece = foci_tile_rows(c);
    const bool learns = foci_wants(n, WEIGHT) || foci_wants(n, BIAS);
    real *dweight = n->workspace, *dbias = dweight + tiles * c; /* (tiles, c) each */
    if (learns) memset(dweight, 0, (size_t)(2 * tiles * c) * sizeof *dweight);
    FOCI_PARALLEL_FOR
    for (int64_t tile = 0; tile < tiles; tile++) {
        const foci_range all = foci_tile(rows, size, tile);
        for (foci_range r = {all.first, 0}; r.first < all.end; r.first = r.end) {
            r.end = r.first + piece < all.end ? r.first + piece : all.end;
            backward_rows(n, r, learns ? dweight + tile * c : NULL, dbias + tile * c);
        }
    }
    if (foci_wants(n, WEIGHT)) foci_add_tiles(tiles, c, dweight, foci_grad(n->input[WEIGHT]), n->accumulate[WEIGHT]);
    if (foci_wants(n, BIAS)) foci_add_tiles(tiles, c, dbias, foci_grad(n->input[BIAS]), n->accumulate[BIAS]);
}

static unsigned rounds(const foci_node *n) {
    (void)n;
    return FOCI_READS_OUTPUT;
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
                                    .rounds = rounds,
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
    foci_tensor *y = foci_emit(n, FOCI_REAL, x->ndim, x->shape);
    if (!y) return NULL;
    const int64_t room = foci_threads() * foci_row_room(n);
    foci_workspace(n, (size_t)room * sizeof(real), (size_t)(sums_size(n) + room) * sizeof(real));
    return y;
}
