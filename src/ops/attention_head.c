#include "ops/attention_head.h"

#include <math.h>
#include <string.h>

#include "ops/common.h"

bool foci_head_operand(foci_graph *g, const char *op, const char *what, const foci_tensor *t, const foci_tensor *like) {
    if (!foci_graph_ok(g)) return false;
    if (!t) foci_graph_fail(g, "%s: %s is missing", op, what);
    else if (t->ndim != 4 || t->dtype != FOCI_REAL)
        foci_graph_fail(g, "%s: %s %s must be (batch, heads, tokens, width) of real numbers", op, what,
                        foci_shape_text(g, t));
    else if (t->stride[3] != 1 && t->shape[3] > 1)
        foci_graph_fail(g, "%s: the last dimension of %s %s must be contiguous", op, what, foci_shape_text(g, t));
    else if (like && memcmp(t->shape, like->shape, sizeof t->shape))
        foci_graph_fail(g, "%s: %s %s must have the shape %s", op, what, foci_shape_text(g, t),
                        foci_shape_text(g, like));
    return foci_graph_ok(g);
}

/* (B, H, 1, D) or (B, H, N, D), or with the heads of the keys */
static bool metric_operand(foci_graph *g, const char *op, const foci_tensor *metric, const foci_tensor *q,
                           const foci_tensor *k) {
    if (!metric) return true;
    foci_tensor like = *q;
    if (metric->ndim == 4 && metric->shape[2] == 1) like.shape[2] = 1;
    if (metric->ndim == 4 && metric->shape[1] == k->shape[1]) like.shape[1] = k->shape[1];
    return foci_head_operand(g, op, "metric", metric, &like);
}

static bool bias_operand(foci_graph *g, const char *op, const foci_tensor *bias, const foci_tensor *k) {
    if (!bias) return true;
    if (bias->ndim != 2 || bias->dtype != FOCI_REAL || bias->shape[0] != k->shape[0] || bias->shape[1] != k->shape[2] ||
        !foci_is_contiguous(bias))
        foci_graph_fail(g, "%s: bias %s must be contiguous (%lld, %lld): a number per sample and key", op,
                        foci_shape_text(g, bias), (long long)k->shape[0], (long long)k->shape[2]);
    return foci_graph_ok(g);
}

static bool key_bias_operand(foci_graph *g, const char *op, const foci_tensor *bias, const foci_tensor *k) {
    if (!bias) return true;
    if (bias->ndim != 3 || bias->dtype != FOCI_REAL || memcmp(bias->shape, k->shape, 3 * sizeof k->shape[0]) ||
        !foci_is_contiguous(bias))
        foci_graph_fail(g, "%s: key_bias %s must be contiguous (%lld, %lld, %lld): a number per sample, head and key",
                        op, foci_shape_text(g, bias), (long long)k->shape[0], (long long)k->shape[1],
                        (long long)k->shape[2]);
    return foci_graph_ok(g);
}

static bool score_factor_operand(foci_graph *g, const char *op, const foci_tensor *f, const foci_tensor *q,
                                 const foci_tensor *k) {
    if (!f) return true;
    if (f->ndim != 3 || f->dtype != FOCI_REAL || f->shape[0] != q->shape[1] || f->shape[1] != q->shape[2] ||
        f->shape[2] != k->shape[2] || !foci_is_contiguous(f))
        foci_graph_fail(
            g, "%s: score_factor %s must be contiguous (%lld, %lld, %lld): a number per head, query and key", op,
            foci_shape_text(g, f), (long long)q->shape[1], (long long)q->shape[2], (long long)k->shape[2]);
    return foci_graph_ok(g);
}

/* (B, G, M, D) to q (B, H, N, D), G a divisor of H. Causal, the queries are all tokens or the last one alone, which
 * sees every key. */
static bool key_operand(foci_graph *g, const char *op, const foci_tensor *k, const foci_tensor *q, bool causal) {
    if (!foci_head_operand(g, op, "k", k, NULL)) return false;
    if (k->shape[0] != q->shape[0] || q->shape[1] % k->shape[1] || k->shape[3] != q->shape[3])
        foci_graph_fail(g, "%s: k %s must agree with q %s in all but the tokens, or have heads for as many of its each",
                        op, foci_shape_text(g, k), foci_shape_text(g, q));
    else if (causal && k->shape[2] != q->shape[2] && q->shape[2] != 1)
        foci_graph_fail(g, "%s: causal, k %s must have as many tokens as q %s", op, foci_shape_text(g, k),
                        foci_shape_text(g, q));
    return foci_graph_ok(g);
}

/* (B, G, M, E) */
static bool value_operand(foci_graph *g, const char *op, const foci_tensor *v, const foci_tensor *k) {
    if (!foci_head_operand(g, op, "v", v, NULL)) return false;
    if (memcmp(v->shape, k->shape, 3 * sizeof v->shape[0]))
        foci_graph_fail(g, "%s: v %s must agree with k %s in all but the width", op, foci_shape_text(g, v),
                        foci_shape_text(g, k));
    return foci_graph_ok(g);
}

foci_node *foci_record_attention(foci_graph *g, const foci_op *op, foci_tensor *q, foci_tensor *k, foci_tensor *v,
                                 const foci_sdpa_options *options, foci_metric_scale result) {
    if (!foci_head_operand(g, op->name, "q", q, NULL) || !key_operand(g, op->name, k, q, options->causal) ||
        (v && !value_operand(g, op->name, v, k)) || !metric_operand(g, op->name, options->metric, q, k) ||
        !bias_operand(g, op->name, options->bias, k) || !key_bias_operand(g, op->name, options->key_bias, k) ||
        !score_factor_operand(g, op->name, options->score_factor, q, k))
        return NULL;
    if (options->key_bias && k->shape[1] != q->shape[1])
        return foci_graph_fail(g, "%s: key_bias needs a head of keys for every head of queries", op->name);
    if (!isfinite(options->scale)) return foci_graph_fail(g, "%s: the scale is not a finite number", op->name);
    if (!(options->dropout >= 0 && options->dropout < 1))
        return foci_graph_fail(g, "%s: dropout %g must lie in [0, 1)", op->name, options->dropout);
    foci_attention_attributes a = {options->scale, foci_graph_trains(g) ? options->dropout : 0, options->causal,
                                   options->log_sum, result};
    foci_tensor *const input[ATTENTION_INPUTS] = {
        q, k, v, options->metric, options->bias, options->key_bias, options->score_factor};
    return foci_record(g, op, ATTENTION_INPUTS, input, &a, sizeof a);
}

/* The first number of a head's map: the maps of the step's whole batch follow each other, rows in whole blocks. */
static foci_dropout_mask dropout_of(const foci_node *n, double p, uint64_t head) {
    const foci_tensor *q = n->input[ATTENTION_Q];
    const uint64_t heads = foci_node_random(n).first_sample * (uint64_t)q->shape[1] + head;
    const int64_t keys = n->input[ATTENTION_K]->shape[2];
    const int64_t row = foci_tiles(keys, FOCI_DROPOUT_BLOCK) * FOCI_DROPOUT_BLOCK;
    const int64_t rows = n->rows.of ? n->rows.of : q->shape[2];
    return foci_node_dropout(n, p, (heads * (uint64_t)rows + (uint64_t)n->rows.first) * (uint64_t)row);
}

foci_attention_head foci_attention_head_of(const foci_node *n, int64_t b, int64_t h) {
    const foci_attention_attributes *a = n->attributes;
    const foci_tensor *q = n->input[ATTENTION_Q], *k = n->input[ATTENTION_K], *v = n->input[ATTENTION_V];
    const foci_tensor *metric = n->input[ATTENTION_METRIC], *bias = n->input[ATTENTION_BIAS];
    const foci_tensor *key_bias = n->input[ATTENTION_KEY_BIAS];
    const int64_t group = foci_key_head(n, h);
    foci_attention_head head = {.queries = q->shape[2],
                                .keys = k->shape[2],
                                .width = q->shape[3],
                                .q = foci_numbers_at(foci_values(q), foci_head_offset(q, b, h)),
                                .k = foci_numbers_at(foci_values(k), foci_head_offset(k, b, group)),
                                .q_row = q->stride[2],
                                .k_row = k->stride[2],
                                .scale = (real)a->scale,
                                .causal = foci_is_causal(n),
                                .dropout = dropout_of(n, a->dropout, (uint64_t)(b * q->shape[1] + h))};
    if (v) {
        head.v = foci_numbers_at(foci_values(v), foci_head_offset(v, b, group));
        head.v_row = v->stride[2];
        head.value_width = v->shape[3];
    }
    if (metric) {
        head.metric = foci_data(metric) + foci_head_offset(metric, b, metric->shape[1] == k->shape[1] ? group : h);
        head.metric_row = metric->shape[2] == 1 ? 0 : metric->stride[2];
    }
    if (bias) head.bias = foci_data(bias) + b * k->shape[2];
    if (key_bias) head.key_bias = foci_data(key_bias) + (b * k->shape[1] + h) * k->shape[2];
    return head;
}

void foci_each_head_row(const foci_node *n, void (*kernel)(int64_t n, const real *x, real *y)) {
    const foci_tensor *x = n->input[0];
    const int64_t heads = x->shape[1], tokens = x->shape[2], width = x->shape[3];
    FOCI_PARALLEL_FOR
    for (int64_t task = 0; task < x->shape[0] * heads; task++) {
        const real *from = foci_data(x) + foci_head_offset(x, task / heads, task % heads);
        real *to = foci_data(n->output) + task * tokens * width;
        for (int64_t i = 0; i < tokens; i++) kernel(width, from + i * x->stride[2], to + i * width);
    }
}

void foci_each_head_row_backward(const foci_node *n,
                                 void (*kernel)(int64_t n, const real *y, const real *dy, real *dx, bool accumulate)) {
    const foci_tensor *x = n->input[0];
    const int64_t heads = x->shape[1], tokens = x->shape[2], width = x->shape[3];
    FOCI_PARALLEL_FOR
    for (int64_t task = 0; task < x->shape[0] * heads; task++) {
        const real *y = n->output->host_data ? foci_data(n->output) + task * tokens * width : NULL;
        const real *dy = foci_grad(n->output) + task * tokens * width;
        real *dx = foci_grad(x) + foci_head_offset(x, task / heads, task % heads);
        for (int64_t i = 0; i < tokens; i++)
            kernel(width, y ? y + i * width : NULL, dy + i * width, dx + i * x->stride[2], n->accumulate[0]);
    }
}
