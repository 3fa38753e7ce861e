#include "ops/common.h"

#include <string.h>

#include "kernels/bf16.h"
#include "kernels/gemm.h"

bool foci_operand(foci_graph *g, const char *op, const char *what, const foci_tensor *t, foci_dtype dtype) {
    if (!foci_graph_ok(g)) return false;
    if (!t) {
        foci_graph_fail(g, "%s: %s is missing", op, what);
    } else if (t->dtype != dtype) {
        foci_graph_fail(g, "%s: %s %s must hold %s", op, what, foci_shape_text(g, t),
                        dtype == FOCI_REAL ? "real numbers" : "integers");
    } else if (!foci_is_contiguous(t)) {
        foci_graph_fail(g, "%s: %s %s is a strided view; it must be contiguous", op, what, foci_shape_text(g, t));
    }
    return foci_graph_ok(g);
}

bool foci_same_shape(const foci_tensor *a, const foci_tensor *b) {
    return a->ndim == b->ndim && memcmp(a->shape, b->shape, (size_t)a->ndim * sizeof a->shape[0]) == 0;
}

void foci_product_to(foci_product *p, foci_numbers c) {
    if (c.bf16) p->rounded = foci_writable(c);
    else p->c = foci_writable(c);
}

const real *foci_as_reals(foci_numbers x, int64_t n, real *room) {
    if (!x.bf16) return x.first;
    foci_bf16_widen(1, n, x.first, n, room, n);
    return room;
}

void foci_from_reals(int64_t n, const real *x, foci_numbers y) {
    void *to = foci_writable(y);
    if (y.bf16) foci_bf16_round(1, n, x, n, to, n);
    else if (to != x) memcpy(to, x, (size_t)n * sizeof *x);
}

int64_t foci_row_room(const foci_node *n) {
    const int64_t c = foci_last_dim(n->output);
    return foci_graph_bf16(n->graph) ? foci_tile_rows(c) * c : 0;
}

void foci_each_element(const foci_node *n, foci_element_kernel *kernel) {
    const int64_t size = foci_numel(n->output), tiles = foci_tiles(size, FOCI_TILE_ELEMENTS);
    FOCI_PARALLEL_FOR
    for (int64_t tile = 0; tile < tiles; tile++) {
        foci_range r = foci_tile(size, FOCI_TILE_ELEMENTS, tile);
        kernel(r.end - r.first, foci_data(n->input[0]) + r.first, foci_data(n->output) + r.first);
    }
}

void foci_each_element_backward(const foci_node *n, const foci_tensor *seen, foci_element_gradient *kernel) {
    const int64_t size = foci_numel(n->output), tiles = foci_tiles(size, FOCI_TILE_ELEMENTS);
    FOCI_PARALLEL_FOR
    for (int64_t tile = 0; tile < tiles; tile++) {
        foci_range r = foci_tile(size, FOCI_TILE_ELEMENTS, tile);
        kernel(r.end - r.first, foci_data(seen) + r.first, foci_grad(n->output) + r.first,
               foci_grad(n->input[0]) + r.first, n->accumulate[0]);
    }
}

void foci_each_row(const foci_node *n, foci_row_kernel *kernel) {
    const int64_t rows = foci_rows(n->output), c = foci_last_dim(n->output), size = foci_tile_rows(c);
    FOCI_PARALLEL_FOR
    for (int64_t tile = 0; tile < foci_tiles(rows, size); tile++) {
        foci_range r = foci_tile(rows, size, tile);
        kernel(r.end - r.first, c, foci_data(n->input[0]) + r.first * c, foci_data(n->output) + r.first * c);
    }
}

void foci_each_row_backward(const foci_node *n, const foci_tensor *seen, foci_row_gradient *kernel) {
    const int64_t rows = foci_rows(n->output), c = foci_last_dim(n->output), size = foci_tile_rows(c);
    FOCI_PARALLEL_FOR
    for (int64_t tile = 0; tile < foci_tiles(rows, size); tile++) {
        foci_range r = foci_tile(rows, size, tile);
        kernel(r.end - r.first, c, foci_data(seen) + r.first * c, foci_grad(n->output) + r.first * c,
               foci_grad(n->input[0]) + r.first * c, n->accumulate[0]);
    }
}

int64_t foci_column_scratch(int64_t rows, int64_t c) { return foci_tiles(rows, foci_sum_tile(rows)) * c; }

/* sum (c) += the column sums of x (rows, c) */
static void add_columns(int64_t rows, int64_t c, foci_numbers x, int64_t ld, real *sum) {
    enum { ROWS = 8, COLUMNS = 256 };
    real room[ROWS * COLUMNS];
    if (!x.bf16) foci_kernel()->column_sums(rows, c, x.first, ld, sum);
    for (int64_t j = 0; j < c && x.bf16; j += COLUMNS)
        for (int64_t i = 0; i < rows; i += ROWS) {
            const int64_t n = c - j < COLUMNS ? c - j : COLUMNS, m = rows - i < ROWS ? rows - i : ROWS;
            foci_bf16_widen(m, n, foci_numbers_at(x, i * ld + j).first, ld, room, n);
            foci_kernel()->column_sums(m, n, room, n, sum + j);
        }
}

void foci_column_sums(int64_t rows, int64_t c, foci_numbers x, real *out, bool accumulate, real *scratch) {
    int64_t size = foci_sum_tile(rows), tiles = foci_tiles(rows, size);
    FOCI_PARALLEL_FOR
    for (int64_t tile = 0; tile < tiles; tile++) {
        foci_range r = foci_tile(rows, size, tile);
        memset(scratch + tile * c, 0, (size_t)c * sizeof *scratch);
        add_columns(r.end - r.first, c, foci_numbers_at(x, r.first * c), c, scratch + tile * c);
    }
    foci_add_tiles(tiles, c, scratch, out, accumulate);
}

void foci_add_tiles(int64_t tiles, int64_t c, const real *partial, real *out, bool accumulate) {
    if (!accumulate) memset(out, 0, (size_t)c * sizeof *out);
    foci_kernel()->column_sums(tiles, c, partial, c, out);
}

void foci_add_partial(int64_t tiles, int64_t stride, int64_t count, const real *partial, real *out, bool accumulate) {
    FOCI_PARALLEL_FOR
    for (int64_t part = 0; part < foci_tiles(count, FOCI_TILE_ELEMENTS); part++) {
        foci_range r = foci_tile(count, FOCI_TILE_ELEMENTS, part);
        for (int64_t i = 0; i < tiles; i++)
            foci_kernel()->scale(r.end - r.first, 1, partial + i * stride + r.first, out + r.first,
                                 accumulate || i > 0);
    }
}

void foci_affine(const foci_node *n, int64_t rows, int64_t in, int64_t out, const real *x, const real *weight,
                 const real *bias, real *y, int64_t ldy) {
    foci_product p = {.rows = rows,
                      .columns = out,
                      .depth = in,
                      .a = {x, in, false},
                      .b = {weight, in, true},
                      .c = y,
                      .ldc = ldy,
                      .bias = bias,
                      .bf16 = foci_graph_bf16(n->graph)};
    foci_gemm_parallel(&p);
}

void foci_weight_gradient(const foci_node *n, int64_t rows, foci_strip dy, foci_strip x, real *weight, bool add) {
    if (!weight) return;
    foci_gemm(&(foci_product){.rows = dy.width,
                              .columns = x.width,
                              .depth = rows,
                              .a = {dy.first, dy.ld, true, dy.bf16},
                              .b = {x.first, x.ld, false, x.bf16},
                              .c = weight,
                              .ldc = x.width,
                              .add = add,
                              .bf16 = foci_graph_bf16(n->graph)});
}

void foci_bias_gradient(int64_t rows, foci_strip dy, real *bias, bool add) {
    if (!bias) return;
    if (!add) memset(bias, 0, (size_t)dy.width * sizeof *bias);
    add_columns(rows, dy.width, (foci_numbers){dy.first, dy.bf16}, dy.ld, bias);
}
