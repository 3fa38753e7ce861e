/* mixture_prior: how likely each key position is a key of the first kind, and how likely after this pass. With
 * e_c = exp(-f_c |q - k_c|^2), the new prior of position j is the mean over samples and queries of
 * pi_j e_0 / (pi_j e_0 + (1 - pi_j) e_1 + 1e-6), whether attention is causal or not.
 *
 * pi (H, 1, 1, L) is a buffer; in graphs that train it becomes the new one at the end. What attention uses is a copy of
 * the old one, which the backward pass finds unchanged. */
#include <math.h>
#include <string.h>

#include "kernels/gemm.h"
#include "ops/attention_head.h"
#include "ops/common.h"

enum { Q, K0, K1, PI };
enum { TILE = 64 };

typedef struct attributes {
    double factor[2];
    bool update;
} attributes;

/* Scratch of one thread: products with both keys, (TILE, M) each, and the keys' squares, (M) each. */
static int64_t scratch_of(const foci_node *n) { return 2 * (TILE + 1) * n->input[K0]->shape[2]; }

static void squares(const foci_tensor *k, int64_t b, int64_t h, real *to) {
    for (int64_t j = 0; j < k->shape[2]; j++) {
        double sum;
        foci_kernel()->sum_squares(k->shape[3], foci_data(k) + foci_head_offset(k, b, h) + j * k->stride[2], &sum);
        to[j] = (real)sum;
    }
}

/* s (rows, M) = e_c of queries from `first` on */
static void gaussians(const foci_node *n, int c, int64_t b, int64_t h, foci_range t, const real *key_squares, real *s) {
    const foci_tensor *q = n->input[Q], *k = n->input[K0 + c];
    const int64_t keys = k->shape[2], rows = t.end - t.first;
    const real factor = (real)((const attributes *)n->attributes)->factor[c];
    const real *queries = foci_data(q) + foci_head_offset(q, b, h) + t.first * q->stride[2];
    foci_gemm(&(foci_product){.rows = rows,
                              .columns = keys,
                              .depth = q->shape[3],
                              .a = {queries, q->stride[2], false},
                              .b = {foci_data(k) + foci_head_offset(k, b, h), k->stride[2], true},
                              .c = s,
                              .ldc = keys});
    for (int64_t i = 0; i < rows; i++) {
        double query_squares;
        real *row = s + i * keys;
        foci_kernel()->sum_squares(q->shape[3], queries + i * q->stride[2], &query_squares);
        for (int64_t j = 0; j < keys; j++) row[j] = factor * (2 * row[j] - key_squares[j] - (real)query_squares);
        foci_kernel()->exp_features(keys, 1, 0, 0, 1, row, row);
    }
}

/* sums (M) of the responsibilities over the queries of head h of sample b */
static void add_up(const foci_node *n, int64_t b, int64_t h, real *sums) {
    const int64_t queries = n->input[Q]->shape[2], keys = n->input[K0]->shape[2];
    const real *pi = foci_data(n->input[PI]) + h * foci_last_dim(n->input[PI]);
    real *s[2], *key_squares[2];
    for (int c = 0; c < 2; c++) {
        s[c] = (real *)n->workspace + foci_thread() * scratch_of(n) + c * (TILE + 1) * keys;
        key_squares[c] = s[c] + TILE * keys;
        squares(n->input[K0 + c], b, h, key_squares[c]);
    }
    memset(sums, 0, (size_t)keys * sizeof *sums);
    for (int64_t tile = 0; tile < foci_tiles(queries, TILE); tile++) {
        const foci_range t = foci_tile(queries, TILE, tile);
        for (int c = 0; c < 2; c++) gaussians(n, c, b, h, t, key_squares[c], s[c]);
        for (int64_t i = 0; i < t.end - t.first; i++)
            for (int64_t j = 0; j < keys; j++) {
                const real first = pi[j] * s[0][i * keys + j], second = (1 - pi[j]) * s[1][i * keys + j];
                sums[j] += first / (first + second + (real)1e-6);
            }
    }
}

/* output (2, H, 1, L): pi and the new one. What is no number stays out of it. */
static void forward(const foci_node *n) {
    const int64_t *shape = n->input[Q]->shape, heads = shape[1], keys = n->input[K0]->shape[2];
    const int64_t length = foci_last_dim(n->input[PI]), all = heads * length;
    real *pi = foci_data(n->input[PI]), *now = foci_data(n->output) + all;
    real *sums = (real *)n->workspace + foci_threads() * scratch_of(n); /* (B, H, M) */
    memcpy(foci_data(n->output), pi, (size_t)all * sizeof *pi);
    memcpy(now, pi, (size_t)all * sizeof *pi);
    FOCI_PARALLEL_FOR
    for (int64_t task = 0; task < shape[0] * heads; task++) add_up(n, task / heads, task % heads, sums + task * keys);
    for (int64_t i = 0; i < heads * keys; i++) {
        double sum = 0;
        for (int64_t b = 0; b < shape[0]; b++) sum += (double)sums[b * heads * keys + i];
        if (isfinite(sum)) now[i / keys * length + i % keys] = (real)(sum / (double)(shape[0] * shape[2]));
    }
    if (((const attributes *)n->attributes)->update) memcpy(pi, now, (size_t)all * sizeof *pi);
}

const foci_op foci_op_mixture_prior = {.name = "mixture_prior",
                                       .summary = "the share of either of two keys at each position, before and after",
                                       .forward = forward,
                                       .detaches = true};

foci_tensor *foci_mixture_prior(foci_graph *g, foci_tensor *q, foci_tensor *const k[2], foci_tensor *pi,
                                const double factor[2]) {
    const foci_op *op = &foci_op_mixture_prior;
    const attributes a = {{factor[0], factor[1]}, foci_graph_trains(g)};
    if (!foci_head_operand(g, op->name, "q", q, NULL) || !foci_head_operand(g, op->name, "first k", k[0], NULL) ||
        !foci_head_operand(g, op->name, "second k", k[1], k[0]) || !foci_operand(g, op->name, "pi", pi, FOCI_REAL))
        return NULL;
    if (pi->ndim != 4 || foci_rows(pi) != q->shape[1] || foci_last_dim(pi) < k[0]->shape[2])
        return foci_graph_fail(g, "%s: pi %s must be (%lld, 1, 1, %lld or more)", op->name, foci_shape_text(g, pi),
                               (long long)q->shape[1], (long long)k[0]->shape[2]);
    foci_node *n = foci_record(g, op, 4, (foci_tensor *[]){q, k[0], k[1], pi}, &a, sizeof a);
    if (!n) return NULL;
    const int64_t sums = q->shape[0] * q->shape[1] * k[0]->shape[2];
    foci_workspace(n, (size_t)(foci_threads() * scratch_of(n) + sums) * sizeof(real), 0);
    return foci_emit(n, FOCI_REAL, FOCI_SHAPE(2, q->shape[1], 1, foci_last_dim(pi)));
}
