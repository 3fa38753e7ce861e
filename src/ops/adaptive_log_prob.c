/* adaptive_log_prob: log-probabilities of all words (docs/mathematics.md 1.5), for inspection; no gradient */
#include <math.h>

#include "kernels/gemm.h"
#include "ops/adaptive.h"

/* y[0 .. c) += delta */
static void shift(int64_t c, real delta, real *y) {
    for (int64_t i = 0; i < c; i++) y[i] += delta;
}

/* Logits of cluster `i` lie in y (columns from `first` on) and, in the head, in `tail_logits` (rows, tails):
 * turns the former into log-probabilities. The head does the same to tail_logits, the tails read their own
 * entry. */
static void normalise(const foci_node *n, int cluster, int64_t row, real *tail_logits) {
    const foci_adaptive *a = n->attributes;
    int64_t first = foci_adaptive_first_word(n, cluster), words = a->end[cluster] - first, tails = a->clusters - 1;
    real *y = foci_data(n->output) + row * foci_last_dim(n->output) + first, *t = tail_logits + row * tails;
    real max = -INFINITY, sum = 0;
    foci_kernel()->exp_sums(1, words, y, words, &max, &sum);
    if (cluster == 0 && tails) foci_kernel()->exp_sums(1, tails, t, tails, &max, &sum);
    const real lse = max + (real)log((double)sum);
    shift(words, (cluster ? t[tails - cluster] : 0) - lse, y); /* cluster 1 is the last column */
    if (cluster == 0) shift(tails, -lse, t);
}

/* workspace: logits of the tails (rows, tails), projected hidden (rows, width) */
static void forward(const foci_node *n) {
    const foci_adaptive *a = n->attributes;
    const foci_tensor *hidden = n->input[ADAPTIVE_HIDDEN];
    int64_t rows = foci_rows(hidden), model = foci_last_dim(hidden), vocabulary = foci_last_dim(n->output);
    real *tail_logits = n->workspace, *projected = tail_logits + rows * (a->clusters - 1);
    for (int cluster = 0; cluster < a->clusters; cluster++) {
        int64_t width = foci_adaptive_width(n, cluster);
        const foci_tensor *projection = n->input[ADAPTIVE_PROJECTION + cluster];
        const real *x = foci_data(hidden);
        if (projection) {
            foci_gemm_parallel(&(foci_product){.rows = rows,
                                               .columns = width,
                                               .depth = model,
                                               .a = {x, model},
                                               .b = {foci_data(projection), width},
                                               .c = projected,
                                               .ldc = width,
                                               .bf16 = foci_graph_bf16(n->graph)});
            x = projected;
        }
        foci_adaptive_piece piece[2];
        int pieces = foci_adaptive_pieces(n, cluster, piece);
        foci_affine(n, rows, width, piece[0].columns, x, piece[0].weight, piece[0].bias,
                    foci_data(n->output) + foci_adaptive_first_word(n, cluster), vocabulary);
        if (pieces == 2)
            foci_affine(n, rows, width, piece[1].columns, x, piece[1].weight, piece[1].bias, tail_logits,
                        piece[1].columns);
        FOCI_PARALLEL_FOR
        for (int64_t row = 0; row < rows; row++) normalise(n, cluster, row, tail_logits);
    }
}

const foci_op foci_op_adaptive_log_prob = {.name = "adaptive_log_prob",
                                           .summary = "log-probabilities of all words of an adaptive softmax",
                                           .forward = forward,
                                           .detaches = true};

foci_tensor *foci_adaptive_log_prob(foci_graph *g, const foci_adaptive_softmax_options *o) {
    foci_node *n = foci_adaptive_record(g, &foci_op_adaptive_log_prob, o);
    if (!n) return NULL;
    const foci_tensor *h = o->hidden;
    int64_t rows = foci_rows(h), width = 0;
    for (int i = 0; i <= o->tails; i++)
        if (o->projection[i] && o->projection[i]->shape[1] > width) width = o->projection[i]->shape[1];
    foci_workspace(n, (size_t)(rows * (o->tails + width)) * sizeof(real), 0);
    int64_t shape[FOCI_MAX_DIMS];
    for (int i = 0; i < h->ndim; i++) shape[i] = i < h->ndim - 1 ? h->shape[i] : o->cutoff[o->tails];
    return foci_emit(n, FOCI_REAL, h->ndim, shape);
}
