/* lsh_buckets: number of the largest of [x R; -x R], a random rotation of a head's row and its opposite: rows that
 * point the same way get the same number (Andoni et al., 2015). A constant in the backward pass. */
#include "kernels/gemm.h"
#include "ops/attention_head.h"
#include "ops/common.h"

enum { X, ROTATIONS, MASK };
enum { TILE = 64 };

/* rotated (half) */
static int64_t largest(const real *rotated, int64_t half) {
    int64_t best = 0;
    real top = rotated[0];
    for (int64_t f = 1; f < 2 * half; f++) {
        const real x = f < half ? rotated[f] : -rotated[f - half];
        if (x > top) top = x, best = f;
    }
    return best;
}

static void forward(const foci_node *n) {
    const foci_tensor *x = n->input[X], *r = n->input[ROTATIONS];
    const int64_t heads = x->shape[1], tokens = x->shape[2], width = x->shape[3], rounds = r->shape[2],
                  half = r->shape[3], columns = rounds * half, tiles = foci_tiles(tokens, TILE);
    FOCI_PARALLEL_FOR
    for (int64_t task = 0; task < x->shape[0] * heads * tiles; task++) {
        const int64_t b = task / tiles / heads, h = task / tiles % heads;
        const foci_range t = foci_tile(tokens, TILE, task % tiles);
        real *rotated = (real *)n->workspace + foci_thread() * TILE * columns;
        real *out = foci_data(n->output) + (b * heads + h) * rounds * tokens;
        foci_gemm(&(foci_product){
            .rows = t.end - t.first,
            .columns = columns,
            .depth = width,
            .a = {foci_data(x) + foci_head_offset(x, b, h) + t.first * x->stride[2], x->stride[2], false},
            .b = {foci_data(r) + h * width * columns, columns, false},
            .c = rotated,
            .ldc = columns});
        for (int64_t i = t.first; i < t.end; i++)
            for (int64_t round = 0; round < rounds; round++) {
                const bool padding = n->input[MASK] && foci_data(n->input[MASK])[b * tokens + i] == 0;
                const real *row = rotated + (i - t.first) * columns + round * half;
                out[round * tokens + i] = (real)(padding ? 2 * half : largest(row, half));
            }
    }
}

static foci_cost cost(const foci_node *n) {
    const foci_tensor *r = n->input[ROTATIONS];
    return (foci_cost){2.0 * (double)foci_numel(n->input[X]) * (double)(r->shape[2] * r->shape[3]), 0};
}

const foci_op foci_op_lsh_buckets = {.name = "lsh_buckets",
                                     .summary = "which random direction a row points in, of several drawings",
                                     .forward = forward,
                                     .cost = cost,
                                     .detaches = true};

foci_tensor *foci_lsh_buckets(foci_graph *g, foci_tensor *x, foci_tensor *rotations, foci_tensor *mask) {
    const char *op = foci_op_lsh_buckets.name;
    if (!foci_head_operand(g, op, "input", x, NULL) || !foci_operand(g, op, "rotations", rotations, FOCI_REAL))
        return NULL;
    const int64_t *s = x->shape, *r = rotations->shape;
    if (rotations->ndim != 4 || r[0] != s[1] || r[1] != s[3])
        return foci_graph_fail(g, "%s: rotations %s must be (%lld, %lld, rounds, buckets / 2)", op,
                               foci_shape_text(g, rotations), (long long)s[1], (long long)s[3]);
    if (mask && (!foci_operand(g, op, "mask", mask, FOCI_REAL) || foci_numel(mask) != s[0] * s[2]))
        return foci_graph_fail(g, "%s: the mask does not go with %s", op, foci_shape_text(g, x));
    foci_node *n = foci_record(g, &foci_op_lsh_buckets, 3, (foci_tensor *[]){x, rotations, mask}, NULL, 0);
    if (!n) return NULL;
    foci_workspace(n, (size_t)foci_threads() * (size_t)(TILE * r[2] * r[3]) * sizeof(real), 0);
    return foci_emit(n, FOCI_REAL, FOCI_SHAPE(s[0], s[1], r[2], s[2]));
}
