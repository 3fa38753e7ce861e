/* batch_norm: zero mean and unit variance of every channel over all rows, then weight and bias.
 *
 * Graphs that train normalise by the statistics of their rows (variance / n), and let the running ones follow: mean,
 * and variance / (n - 1), as in PyTorch. All others normalise by the running ones, which are then constants. */
#include <math.h>
#include <string.h>

#include "ops/common.h"

enum { X, WEIGHT, BIAS, RUNNING_MEAN, RUNNING_VAR };
enum { MEAN, RSTD }; /* saved, (C) each */

typedef struct attributes {
    double eps, momentum;
    bool batch; /* by the statistics of the batch */
} attributes;

/* Of x (rows, C), which long sums are made of in tiles, each in its row of `partial` (tiles, C). */
typedef struct shape {
    int64_t rows, c, size, tiles;
} shape;

static shape shape_of(const foci_tensor *x) {
    shape s = {foci_rows(x), foci_last_dim(x), foci_sum_tile(foci_rows(x)), 0};
    s.tiles = foci_tiles(s.rows, s.size);
    return s;
}

/* ------------------------------------------------------------------------------------------------- forward */

static void mean_of(const shape *s, const real *x, real *mean, real *partial) {
    foci_column_sums(s->rows, s->c, (foci_numbers){x}, mean, false, partial);
    for (int64_t i = 0; i < s->c; i++) mean[i] /= (real)s->rows;
}

/* sum (C) of (x - mean)^2: a second pass, for a difference of large numbers would leave nothing */
static void squares_of(const shape *s, const real *x, const real *mean, real *sum, real *partial) {
    FOCI_PARALLEL_FOR
    for (int64_t tile = 0; tile < s->tiles; tile++) {
        const foci_range r = foci_tile(s->rows, s->size, tile);
        memset(partial + tile * s->c, 0, (size_t)s->c * sizeof *partial);
        foci_kernel()->column_squares(r.end - r.first, s->c, x + r.first * s->c, mean, partial + tile * s->c);
    }
    foci_add_tiles(s->tiles, s->c, partial, sum, false);
}

/* What is no number stays out: it would never leave the running statistics again. */
static void follow(real *running, double value, double momentum) {
    if (isfinite(value)) *running = (real)((1 - momentum) * (double)*running + momentum * value);
}

static void measure(const foci_node *n, const shape *s, real *partial) {
    const attributes *a = n->attributes;
    real *mean = foci_data(n->saved[MEAN]), *rstd = foci_data(n->saved[RSTD]);
    mean_of(s, foci_data(n->input[X]), mean, partial);
    squares_of(s, foci_data(n->input[X]), mean, rstd, partial);
    for (int64_t i = 0; i < s->c; i++) {
        const double squares = (double)rstd[i];
        if (!n->again) {
            follow(foci_data(n->input[RUNNING_MEAN]) + i, (double)mean[i], a->momentum);
            follow(foci_data(n->input[RUNNING_VAR]) + i, squares / (double)(s->rows - 1), a->momentum);
        }
        rstd[i] = (real)(1 / sqrt(squares / (double)s->rows + a->eps));
    }
}

static void recall(const foci_node *n, const shape *s) {
    const attributes *a = n->attributes;
    for (int64_t i = 0; i < s->c; i++) {
        foci_data(n->saved[MEAN])[i] = foci_data(n->input[RUNNING_MEAN])[i];
        foci_data(n->saved[RSTD])[i] = (real)(1 / sqrt((double)foci_data(n->input[RUNNING_VAR])[i] + a->eps));
    }
}

/* workspace: factor (C), then partial sums */
static void forward(const foci_node *n) {
    const attributes *a = n->attributes;
    const shape s = shape_of(n->input[X]);
    real *factor = n->workspace;
    if (a->batch) measure(n, &s, factor + s.c);
    else recall(n, &s);
    for (int64_t i = 0; i < s.c; i++) factor[i] = foci_data(n->saved[RSTD])[i] * foci_data(n->input[WEIGHT])[i];
    FOCI_PARALLEL_FOR
    for (int64_t tile = 0; tile < foci_tiles(s.rows, foci_tile_rows(s.c)); tile++) {
        const foci_range r = foci_tile(s.rows, foci_tile_rows(s.c), tile);
        foci_kernel()->batch_norm(r.end - r.first, s.c, foci_data(n->input[X]) + r.first * s.c,
                                  foci_data(n->saved[MEAN]), factor, foci_data(n->input[BIAS]),
                                  foci_data(n->output) + r.first * s.c);
    }
}

/* ------------------------------------------------------------------------------------------------ backward */

/* sum (C) of dy and product (C) of dy (x - mean) over the rows; partial (2 tiles, C) */
static void sums_of(const foci_node *n, const shape *s, real *sum, real *product, real *partial) {
    real *second = partial + s->tiles * s->c;
    memset(partial, 0, (size_t)(2 * s->tiles * s->c) * sizeof *partial);
    FOCI_PARALLEL_FOR
    for (int64_t tile = 0; tile < s->tiles; tile++) {
        const foci_range r = foci_tile(s->rows, s->size, tile);
        foci_kernel()->batch_norm_sums(r.end - r.first, s->c, foci_data(n->input[X]) + r.first * s->c,
                                       foci_data(n->saved[MEAN]), foci_grad(n->output) + r.first * s->c,
                                       partial + tile * s->c, second + tile * s->c);
    }
    foci_add_tiles(s->tiles, s->c, partial, sum, false);
    foci_add_tiles(s->tiles, s->c, second, product, false);
}

static void parameter_gradients(const foci_node *n, int64_t c, const real *sum, const real *product) {
    const real *rstd = foci_data(n->saved[RSTD]);
    real *dweight = foci_grad(n->input[WEIGHT]), *dbias = foci_grad(n->input[BIAS]);
    for (int64_t i = 0; dweight && i < c; i++)
        dweight[i] = (n->accumulate[WEIGHT] ? dweight[i] : 0) + product[i] * rstd[i];
    for (int64_t i = 0; dbias && i < c; i++) dbias[i] = (n->accumulate[BIAS] ? dbias[i] : 0) + sum[i];
}

/* dx = rstd weight (dy - avg(dy) - (x - mean) rstd^2 avg(dy (x - mean))); by running statistics rstd weight dy.
 * workspace: factor, sum, product (C), then partial sums */
static void backward(const foci_node *n) {
    const attributes *a = n->attributes;
    const shape s = shape_of(n->input[X]);
    const real *rstd = foci_data(n->saved[RSTD]);
    real *factor = n->workspace, *sum = factor + s.c, *product = sum + s.c;
    if (a->batch || foci_wants(n, WEIGHT) || foci_wants(n, BIAS)) sums_of(n, &s, sum, product, product + s.c);
    parameter_gradients(n, s.c, sum, product);
    if (!foci_wants(n, X)) return;
    for (int64_t i = 0; i < s.c; i++) {
        factor[i] = rstd[i] * foci_data(n->input[WEIGHT])[i];
        sum[i] = a->batch ? sum[i] / (real)s.rows : 0;
        product[i] = a->batch ? product[i] * rstd[i] * rstd[i] / (real)s.rows : 0;
    }
    FOCI_PARALLEL_FOR
    for (int64_t tile = 0; tile < foci_tiles(s.rows, foci_tile_rows(s.c)); tile++) {
        const foci_range r = foci_tile(s.rows, foci_tile_rows(s.c), tile);
        foci_kernel()->batch_norm_backward(r.end - r.first, s.c, foci_data(n->input[X]) + r.first * s.c,
                                           foci_data(n->saved[MEAN]), foci_grad(n->output) + r.first * s.c, factor, sum,
                                           product, foci_grad(n->input[X]) + r.first * s.c, n->accumulate[X]);
    }
}

/* ------------------------------------------------------------------------------------------ gradient check */

static foci_tensor *record(foci_graph *g, foci_tensor *x, foci_tensor *const affine[2], foci_tensor *const running[2],
                           attributes a);

static foci_tensor *constant(foci_graph *g, const char *name, int64_t c) {
    foci_real value[8];
    for (int i = 0; i < 8; i++) value[i] = (real)(1 + 0.1 * i);
    return foci_constant(g, name, FOCI_REAL, FOCI_SHAPE(c), value);
}
static foci_tensor *normalise(foci_graph *g, foci_tensor *x, double eps, bool batch) {
    const int64_t c = foci_last_dim(x);
    foci_tensor *const affine[] = {RANDOM(g, "weight", c), RANDOM(g, "bias", c)};
    foci_tensor *const running[] = {constant(g, "running_mean", c), constant(g, "running_var", c)};
    return record(g, x, affine, running, (attributes){eps, 0.1, batch});
}
static foci_tensor *plain(foci_graph *g) { return normalise(g, RANDOM(g, "x", 3, 5, 7), 1e-5, true); }
static foci_tensor *many_rows(foci_graph *g) { return normalise(g, RANDOM(g, "x", 300, 3), 0.1, true); }
static foci_tensor *running(foci_graph *g) { return normalise(g, RANDOM(g, "x", 3, 5, 7), 1e-5, false); }
static foci_tensor *in_a_segment(foci_graph *g) { /* computed twice */
    foci_segment(g, "a");
    foci_tensor *x = foci_gelu(g, normalise(g, foci_gelu(g, RANDOM(g, "x", 6, 3)), 1e-5, true));
    foci_end_scope(g);
    foci_segment(g, "b");
    x = foci_gelu(g, x);
    foci_end_scope(g);
    return x;
}
static const foci_gradient_case gradients[] = {{"(3, 5, 7)", plain},
                                               {"300 rows, eps 0.1", many_rows},
                                               {"by running statistics", running},
                                               {"in a segment", in_a_segment},
                                               {0}};

const foci_op foci_op_batch_norm = {.name = "batch_norm",
                                    .summary = "zero mean and unit variance of every channel over the batch",
                                    .forward = forward,
                                    .backward = backward,
                                    .reads = FOCI_READS_INPUT(X) | FOCI_READS_INPUT(WEIGHT),
                                    .gradients = gradients};

static bool operand(foci_graph *g, const char *what, const foci_tensor *t, int64_t c) {
    if (!foci_operand(g, "batch_norm", what, t, FOCI_REAL)) return false;
    if (foci_numel(t) != c)
        foci_graph_fail(g, "batch_norm: the input has %lld channels, %s %s has not", (long long)c, what,
                        foci_shape_text(g, t));
    return foci_graph_ok(g);
}

static foci_tensor *record(foci_graph *g, foci_tensor *x, foci_tensor *const affine[2], foci_tensor *const running[2],
                           attributes a) {
    if (!foci_operand(g, "batch_norm", "input", x, FOCI_REAL)) return NULL;
    const shape s = shape_of(x);
    if (!operand(g, "weight", affine[0], s.c) || !operand(g, "bias", affine[1], s.c) ||
        !operand(g, "running_mean", running[0], s.c) || !operand(g, "running_var", running[1], s.c))
        return NULL;
    if (a.batch && s.rows < 2)
        return foci_graph_fail(g, "batch_norm: a single value of each channel has no variance; a larger batch has");
    foci_tensor *const input[] = {x, affine[0], affine[1], running[0], running[1]};
    foci_node *n = foci_record(g, &foci_op_batch_norm, 5, input, &a, sizeof a);
    foci_save(n, FOCI_REAL, s.c);
    foci_save(n, FOCI_REAL, s.c);
    foci_workspace(n, (size_t)((1 + s.tiles) * s.c) * sizeof(real), (size_t)((3 + 2 * s.tiles) * s.c) * sizeof(real));
    return foci_emit(n, FOCI_REAL, x->ndim, x->shape);
}

foci_tensor *foci_batch_norm(foci_graph *g, foci_tensor *x, foci_tensor *weight, foci_tensor *bias,
                             foci_tensor *running_mean, foci_tensor *running_var, double eps, double momentum) {
    return record(g, x, (foci_tensor *[]){weight, bias}, (foci_tensor *[]){running_mean, running_var},
                  (attributes){eps, momentum, foci_graph_trains(g)});
}
