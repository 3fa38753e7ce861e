/* window_attention_map: the probabilities (B, H, N, N) of attention within a window, by definition; for pictures and
 * measures */
#include <math.h>

#include "ops/attention_head.h"
#include "ops/common.h"
#include "ops/window.h"

/* Is key j there for query i? */
static bool sees(const foci_window *w, const real *mask, int64_t i, int64_t j) {
    if (mask && (mask[i] == 0 || mask[j] == 0)) return false;
    if (w->causal && j > i) return false;
    return (j - i <= w->window && i - j <= w->window) || j < w->globals || i < w->globals;
}

/* p (N) of query i, token `at` */
static void map_row(const foci_node *n, const foci_window *w, int64_t b, int64_t h, int64_t i, real *p) {
    const int64_t at = w->before + i, width = n->input[WINDOW_Q]->shape[3];
    const bool own = at < w->globals && n->input[WINDOW_QUERY_GLOBAL];
    const foci_tensor *tq = n->input[own ? WINDOW_QUERY_GLOBAL : WINDOW_Q],
                      *tk = n->input[own ? WINDOW_KEY_GLOBAL : WINDOW_K];
    const real *q = foci_data(tq) + foci_head_offset(tq, b, h) + i * tq->stride[2];
    const real *k = foci_data(tk) + foci_head_offset(tk, b, h);
    const real *mask = n->input[WINDOW_MASK] ? foci_data(n->input[WINDOW_MASK]) + b * w->tokens : NULL;
    double top = -INFINITY, sum = 0, score;
    for (int64_t j = 0; j < w->tokens; j++) {
        foci_kernel()->dot(width, q, k + j * tk->stride[2], &score);
        p[j] = sees(w, mask, at, j) ? (real)(w->scale * score) : (real)-INFINITY;
        top = fmax(top, (double)p[j]);
    }
    for (int64_t j = 0; j < w->tokens; j++) sum += top > -INFINITY ? exp((double)p[j] - top) : 0;
    for (int64_t j = 0; j < w->tokens; j++) p[j] = sum > 0 ? (real)(exp((double)p[j] - top) / sum) : 0;
}

static void forward(const foci_node *n) {
    const foci_window w = foci_window_of(n);
    const int64_t heads = n->input[WINDOW_Q]->shape[1];
    FOCI_PARALLEL_FOR
    for (int64_t task = 0; task < n->input[WINDOW_Q]->shape[0] * heads; task++)
        for (int64_t i = 0; i < w.queries; i++)
            map_row(n, &w, task / heads, task % heads, i, foci_data(n->output) + (task * w.queries + i) * w.tokens);
}

const foci_op foci_op_window_attention_map = {.name = "window_attention_map",
                                              .summary = "the probabilities within a window, for inspection",
                                              .forward = forward,
                                              .detaches = true};

foci_tensor *foci_window_attention_map(foci_graph *g, foci_tensor *q, foci_tensor *k,
                                       const foci_window_options *options) {
    foci_node *n = foci_record_window(g, &foci_op_window_attention_map, q, k, k, options);
    return n ? foci_emit(n, FOCI_REAL, FOCI_SHAPE(q->shape[0], q->shape[1], q->shape[2], k->shape[2])) : NULL;
}
