/* rms_norm over the last dimension: the mean of the squares becomes 1, then weight and a factor */
#include <math.h>
#include <string.h>

#include "ops/common.h"

enum { X, WEIGHT };

typedef struct attributes {
    double eps, factor;
} attributes;

static const real *weight_of(const foci_node *n) { return n->input[WEIGHT] ? foci_data(n->input[WEIGHT]) : NULL; }

/* Reals of the workspace, before the room of the threads. */
static int64_t sums_size(const foci_node *n) {
    const int64_t rows = foci_rows(n->output);
    return n->input[WEIGHT] ? foci_tiles(rows, foci_sum_tile(rows)) * foci_last_dim(n->output) : 0;
}

static void forward(const foci_node *n) {
    const attributes *a = n->attributes;
    const int64_t rows = foci_rows(n->output), c = foci_last_dim(n->output), size = foci_tile_rows(c);
    FOCI_PARALLEL_FOR
    for (int64_t tile = 0; tile < foci_tiles(rows, size); tile++) {
        const foci_range r = foci_tile(rows, size, tile);
        const foci_numbers to = foci_numbers_at(foci_values(n->output), r.first * c);
        real *y = to.bf16 ? (real *)n->workspace + foci_thread() * foci_row_room(n) : (real *)foci_writable(to);
        foci_kernel()->rms_norm(r.end - r.first, c, foci_data(n->input[X]) + r.first * c, weight_of(n), a->eps,
                                (real)a->factor, y, foci_data(n->saved[0]) + r.first);
        foci_from_reals((r.end - r.first) * c, y, to);
    }
}

/* Some rows; dweight (c), NULL where it is not wanted, is added to. */
static void backward_rows(const foci_node *n, foci_range r, real *dweight) {
    const int64_t count = r.end - r.first, c = foci_last_dim(n->output), first = r.first * c;
    const real *dy = foci_as_reals(foci_numbers_at(foci_gradients(n->output), first), count * c,
                                   (real *)n->workspace + sums_size(n) + foci_thread() * foci_row_room(n));
    foci_kernel()->rms_norm_backward(
        count, c, foci_data(n->input[X]) + first, weight_of(n), (real)((const attributes *)n->attributes)->factor,
        foci_data(n->saved[0]) + r.first, dy, foci_wants(n, X) ? foci_grad(n->input[X]) + first : NULL,
        n->accumulate[X], dweight);
}

/* Every tile leaves its part of dweight (c) in its row of the workspace. */
static void backward(const foci_node *n) {
    const int64_t rows = foci_rows(n->output), c = foci_last_dim(n->output), size = foci_sum_tile(rows);
    const int64_t tiles = foci_tiles(rows, size), piece = foci_tile_rows(c);
    real *dweight = foci_wants(n, WEIGHT) ? n->workspace : NULL;
    if (dweight) memset(dweight, 0, (size_t)(tiles * c) * sizeof *dweight);
    FOCI_PARALLEL_FOR
    for (int64_t tile = 0; tile < tiles; tile++) {
        const foci_range all = foci_tile(rows, size, tile);
        for (foci_range r = {all.first, 0}; r.first < all.end; r.first = r.end) {
            r.end = r.first + piece < all.end ? r.first + piece : all.end;
            backward_rows(n, r, dweight ? dweight + tile * c : NULL);
        }
    }
    if (dweight) foci_add_tiles(tiles, c, dweight, foci_grad(n->input[WEIGHT]), n->accumulate[WEIGHT]);
}

static unsigned rounds(const foci_node *n) {
    (void)n;
    return FOCI_READS_OUTPUT;
}

static foci_tensor *with_weight(foci_graph *g) {
    return foci_rms_norm(g, RANDOM(g, "x", 3, 5, 7), RANDOM(g, "weight", 7), 1e-5, 0.7);
}
static foci_tensor *bare(foci_graph *g) { return foci_rms_norm(g, RANDOM(g, "x", 4, 33), NULL, 0.5, 1); }
static foci_tensor *many_rows(foci_graph *g) { /* several tiles of the sums */
    foci_tensor *x = foci_scale(g, RANDOM(g, "x", 300, 3), 1), *weight = RANDOM(g, "weight", 3);
    return foci_add(g, foci_rms_norm(g, x, weight, 0.1, 1), foci_rms_norm(g, x, weight, 0.2, 1));
}
static const foci_gradient_case gradients[] = {
    {"(3, 5, 7)", with_weight}, {"without weight", bare}, {"300 rows, input used twice", many_rows}, {0}};

const foci_op foci_op_rms_norm = {.name = "rms_norm",
                                  .summary = "rows over the root of their mean square, then weight",
                                  .forward = forward,
                                  .backward = backward,
                                  .reads = FOCI_READS_INPUT(X) | FOCI_READS_INPUT(WEIGHT),
                                  .rows = foci_rows_of_first,
                                  .rounds = rounds,
                                  .gradients = gradients};

foci_tensor *foci_rms_norm(foci_graph *g, foci_tensor *x, foci_tensor *weight, double eps, double factor) {
    const attributes a = {eps, factor};
    const foci_op *op = &foci_op_rms_norm;
    if (!foci_operand(g, op->name, "input", x, FOCI_REAL)) return NULL;
    if (weight && !foci_operand(g, op->name, "weight", weight, FOCI_REAL)) return NULL;
    const int64_t rows = foci_rows(x), c = foci_last_dim(x);
    if (weight && foci_numel(weight) != c)
        return foci_graph_fail(g, "%s: input %s has %lld columns, weight %s has not", op->name, foci_shape_text(g, x),
                               (long long)c, foci_shape_text(g, weight));
    if (!(eps > 0 && isfinite(eps))) return foci_graph_fail(g, "%s: eps is %g, it must be positive", op->name, eps);
    foci_node *n = foci_record(g, op, 2, (foci_tensor *[]){x, weight}, &a, sizeof a);
    if (!n) return NULL;
    foci_save(n, FOCI_REAL, rows);
    foci_tensor *y = foci_emit(n, FOCI_REAL, x->ndim, x->shape);
    if (!y) return NULL;
    const int64_t room = foci_threads() * foci_row_room(n);
    foci_workspace(n, (size_t)room * sizeof(real), (size_t)(sums_size(n) + room) * sizeof(real));
    return y;
}
