/* choose_block: median of means (Han et al., "Designing Robust Transformers using Robust Kernel Density Estimation",
 * NeurIPS 2023): every block of keys has a value, made of the logarithms s_ij = -f |q_i - k_j|^2 of a Gaussian kernel,
 * and the block in the middle is chosen: number K/2 from 0 in ascending order, the lower number where two are equal.
 *
 * The sum of s_ij over all queries i and the keys j of a block needs no product of N x N:
 *
 *     -f (size sum_i |q_i|^2 - 2 (sum_i q_i) (sum_j k_j) + N sum_j |k_j|^2),   in double.
 *
 * The mean of e^{s_ij} over a block is compared for one query at a time, so what all keys share may be left out of it.
 */
#include <math.h>
#include <string.h>

#include "kernels/gemm.h"
#include "ops/blocks.h"

enum { Q, K, BLOCKS };
enum { TILE = 32 };

static const real *rows_of(const foci_node *n, int input, int64_t task) {
    const foci_tensor *t = n->input[input];
    return foci_data(t) + foci_head_offset(t, task / t->shape[1], task % t->shape[1]);
}

/* The one with `rank` others before it. Those that do not stand are INFINITY. */
static int64_t chosen(int64_t blocks, const double *value, int64_t rank) {
    for (int64_t b = 0; b < blocks; b++) {
        int64_t before = 0;
        for (int64_t c = 0; c < blocks; c++) before += value[c] < value[b] || (value[c] == value[b] && c < b);
        if (before == rank) return b;
    }
    return 0; /* not numbers: the pass is lost */
}

/* --------------------------------------------------------------------------------- of all queries together */

/* sum (D) += a row, *squares += |row|^2 */
static void add_row(int64_t width, const real *row, double *sum, double *squares) {
    for (int64_t d = 0; d < width; d++) {
        sum[d] += (double)row[d];
        *squares += (double)row[d] * (double)row[d];
    }
}

/* value (K), of one head; `sums` (2, D) is scratch */
static void values_of_head(const foci_node *n, int64_t task, double *sums, double *value) {
    const foci_block_options *o = n->attributes;
    const foci_tensor *q = n->input[Q], *blocks = n->input[BLOCKS];
    const int64_t tokens = q->shape[2], width = q->shape[3];
    double queries = 0, *of_queries = sums, *of_keys = sums + width;
    memset(of_queries, 0, (size_t)width * sizeof(double));
    for (int64_t i = 0; i < tokens; i++) add_row(width, rows_of(n, Q, task) + i * q->stride[2], of_queries, &queries);
    for (int64_t b = 0; b < blocks->shape[0]; b++) {
        double keys = 0, inner = 0;
        int64_t count = 0;
        memset(of_keys, 0, (size_t)width * sizeof(double));
        for (int64_t at = 0; at < blocks->shape[1]; at++) {
            const int64_t j = foci_block_token(blocks, b, at, tokens);
            if (j < 0) continue;
            add_row(width, rows_of(n, K, task) + j * n->input[K]->stride[2], of_keys, &keys);
            count++;
        }
        for (int64_t d = 0; d < width; d++) inner += of_queries[d] * of_keys[d];
        value[b] = -o->factor * ((double)count * queries - 2 * inner + (double)tokens * keys);
    }
}

static void choose_for_all(const foci_node *n) {
    const foci_block_options *o = n->attributes;
    const foci_tensor *q = n->input[Q];
    const int64_t heads = q->shape[0] * q->shape[1], blocks = n->input[BLOCKS]->shape[0];
    double *values = n->workspace, *sums = values + heads * blocks;
    FOCI_PARALLEL_FOR
    for (int64_t task = 0; task < heads; task++) {
        values_of_head(n, task, sums + foci_thread() * 2 * q->shape[3], values + task * blocks);
        if (o->select == FOCI_SELECT_HEAD)
            foci_data(n->output)[task] = (real)chosen(blocks, values + task * blocks, blocks / 2);
    }
    if (o->select == FOCI_SELECT_HEAD) return;
    for (int64_t task = 1; task < heads; task++)
        for (int64_t b = 0; b < blocks; b++) values[b] += values[task * blocks + b];
    foci_data(n->output)[0] = (real)chosen(blocks, values, blocks / 2);
}

/* ----------------------------------------------------------------------------------- of one query at a time */

/* weights: e^{s_ij} of the keys that the query sees, but for a common factor */
static int64_t choose(const foci_node *n, const real *weights, int64_t seen) {
    const foci_tensor *blocks = n->input[BLOCKS];
    double value[FOCI_MAX_BLOCKS];
    int64_t standing = 0;
    for (int64_t b = 0; b < blocks->shape[0]; b++) {
        double sum = 0;
        int64_t count = 0;
        for (int64_t at = 0; at < blocks->shape[1]; at++) {
            const int64_t j = foci_block_token(blocks, b, at, seen);
            if (j >= 0) sum += (double)weights[j], count++;
        }
        value[b] = count ? sum / (double)count : INFINITY;
        standing += count > 0;
    }
    return chosen(blocks->shape[0], value, standing / 2);
}

static int64_t line(int64_t n) { return (n + FOCI_ALIGN - 1) / FOCI_ALIGN * FOCI_ALIGN; }

/* A tile of queries: 2 f q k - f |k|^2, its softmax over the keys seen, and the choices. */
static void choose_for_tile(const foci_node *n, int64_t task, foci_range t, real *scratch) {
    const foci_block_options *o = n->attributes;
    const foci_tensor *q = n->input[Q], *k = n->input[K];
    const int64_t tokens = q->shape[2], width = q->shape[3], ld = line(tokens);
    real *scores = scratch, *lengths = scratch + TILE * ld, *weights = lengths + ld;
    for (int64_t j = 0; j < tokens; j++) {
        double squares;
        foci_kernel()->sum_squares(width, rows_of(n, K, task) + j * k->stride[2], &squares);
        lengths[j] = (real)squares;
    }
    foci_gemm(&(foci_product){.rows = t.end - t.first,
                              .columns = tokens,
                              .depth = width,
                              .a = {rows_of(n, Q, task) + t.first * q->stride[2], q->stride[2]},
                              .b = {rows_of(n, K, task), k->stride[2], true},
                              .c = scores,
                              .ldc = ld});
    for (int64_t i = t.first; i < t.end; i++) {
        real *row = scores + (i - t.first) * ld;
        const int64_t seen = o->causal ? i + 1 : tokens;
        for (int64_t j = 0; j < seen; j++) row[j] = (real)o->factor * (2 * row[j] - lengths[j]);
        foci_kernel()->softmax(1, seen, row, weights);
        foci_data(n->output)[task * tokens + i] = (real)choose(n, weights, seen);
    }
}

static int64_t tile_scratch(const foci_node *n) { return (TILE + 2) * line(n->input[Q]->shape[2]); }

static void choose_for_queries(const foci_node *n) {
    const int64_t *s = n->input[Q]->shape, tiles = foci_tiles(s[2], TILE);
    FOCI_PARALLEL_FOR
    for (int64_t task = 0; task < s[0] * s[1] * tiles; task++)
        choose_for_tile(n, task / tiles, foci_tile(s[2], TILE, task % tiles),
                        (real *)n->workspace + foci_thread() * tile_scratch(n));
}

static void forward(const foci_node *n) {
    if (((const foci_block_options *)n->attributes)->select == FOCI_SELECT_QUERY) choose_for_queries(n);
    else choose_for_all(n);
}

/* The product of queries and keys, where it is made. */
static foci_cost cost(const foci_node *n) {
    const foci_block_options *o = n->attributes;
    const double product = 2.0 * (double)foci_numel(n->input[Q]) * (double)n->input[Q]->shape[2];
    return (foci_cost){o->select == FOCI_SELECT_QUERY ? product * (o->causal ? 0.5 : 1) : 0, 0};
}

const foci_op foci_op_choose_block = {.name = "choose_block",
                                      .summary = "the block of keys in the middle of all: median of means",
                                      .forward = forward,
                                      .detaches = true,
                                      .cost = cost};

foci_tensor *foci_choose_block(foci_graph *g, foci_tensor *q, foci_tensor *k, foci_tensor *blocks,
                               const foci_block_options *o) {
    const foci_op *op = &foci_op_choose_block;
    if (!foci_head_operand(g, op->name, "q", q, NULL) || !foci_head_operand(g, op->name, "k", k, q) ||
        !foci_blocks_operand(g, op->name, blocks))
        return NULL;
    if (o->causal && o->select != FOCI_SELECT_QUERY)
        return foci_graph_fail(g, "%s: a choice for many queries sees the future", op->name);
    foci_node *n = foci_record(g, op, 3, (foci_tensor *[]){q, k, blocks}, o, sizeof *o);
    if (!n) return NULL;
    const int64_t *s = q->shape, threads = foci_threads();
    if (o->select == FOCI_SELECT_QUERY) {
        foci_workspace(n, (size_t)(threads * tile_scratch(n)) * sizeof(real), 0);
        return foci_emit(n, FOCI_REAL, FOCI_SHAPE(s[0], s[1], s[2]));
    }
    foci_workspace(n, (size_t)(s[0] * s[1] * blocks->shape[0] + threads * 2 * s[3]) * sizeof(double), 0);
    return o->select == FOCI_SELECT_HEAD ? foci_emit(n, FOCI_REAL, FOCI_SHAPE(s[0], s[1]))
                                         : foci_emit(n, FOCI_REAL, FOCI_SHAPE(1));
}
