/* scaled_dot_product_attention: softmax(scale (q * metric) kt + bias) v, fused (kernels/body_attention.h) */
#include <math.h>
#include <string.h>

#include "kernels/bf16.h"
#include "ops/attention_head.h"
#include "ops/common.h"
#include "ops/score_factor.h"

enum {
    Q = ATTENTION_Q,
    K = ATTENTION_K,
    V = ATTENTION_V,
    KEY_BIAS = ATTENTION_KEY_BIAS,
    FACTOR = ATTENTION_SCORE_FACTOR
};

static bool log_sums(const foci_node *n) { return ((const foci_attention_attributes *)n->attributes)->log_sum; }

/* 0 without values */
static int64_t value_width(const foci_node *n) { return n->input[V] ? n->input[V]->shape[3] : 0; }

/* out (B, N, H*E): head h has columns h E .. h E + E - 1, and H E + h its log sum, if that is asked for */
static int64_t out_offset(const foci_node *n, int64_t b, int64_t h) {
    return b * n->output->shape[1] * n->output->shape[2] + h * value_width(n);
}
static foci_attention_head head_of(const foci_node *n, int64_t b, int64_t h) {
    foci_attention_head head = foci_attention_head_of(n, b, h);
    head.out_row = n->output->shape[2];
    head.out = foci_numbers_at(foci_values(n->output), out_offset(n, b, h));
    head.log_sum = foci_data(n->saved[0]) + (b * n->input[Q]->shape[1] + h) * head.queries;
    return head;
}

/* Narrow heads spend their time on exponentials: copies in bfloat16 would not pay. Nor do they where a processor has
 * tiles: it multiplies pairs in vectors no faster than float32. */
static bool bf16(const foci_node *n) {
    return foci_graph_bf16(n->graph) && foci_bf16_supported() && !foci_bf16_has_tiles() && n->input[Q]->shape[3] > 16;
}

/* Reals of scratch memory of one thread. */
static int64_t scratch_of(const foci_node *n, bool backward) {
    const int64_t *k = n->input[K]->shape;
    return foci_attention_layout_of(k[2], k[3], value_width(n), backward, bf16(n)).reals;
}

/* Behind the scratch memory of all threads: the scores' factor turned, then its gradients. */
static real *turned_of(const foci_node *n, bool backward) {
    return (real *)n->workspace + foci_threads() * scratch_of(n, backward);
}

/* Where the first log sum of head h stands, in the output or in its gradient; from row to row they are out_row apart.
 */
static real *log_sums_in(const foci_node *n, real *of, int64_t b, int64_t h) {
    const int64_t heads = n->input[Q]->shape[1];
    return of + b * n->output->shape[1] * n->output->shape[2] + heads * value_width(n) + h;
}

/* In the output a row that sees no key has the sum 0. */
static void write_log_sums(const foci_node *n, const foci_attention_head *head, foci_range queries, int64_t b,
                           int64_t h) {
    real *to = log_sums_in(n, foci_data(n->output), b, h);
    for (int64_t i = queries.first; i < queries.end; i++)
        to[i * head->out_row] = head->log_sum[i] == INFINITY ? -INFINITY : head->log_sum[i];
}

/* Heads that one thread does one after the other: those whose rows share cache lines, which threads would take from
 * each other all the time, where there are enough of them. */
static int64_t heads_of_thread(const foci_node *n, int64_t heads) {
    const foci_tensor *q = n->input[Q];
    const int64_t row = q->shape[3] * (int64_t)(q->dtype == FOCI_BF16 ? sizeof(uint16_t) : sizeof(real));
    int64_t together = 1;
    while (together * row % 64 && together < heads) together++;
    return heads % together == 0 && q->shape[0] * heads / together >= 2 * foci_threads() ? together : 1;
}

static void forward_head(const foci_node *n, int64_t b, int64_t h, foci_range queries) {
    foci_attention_head head = head_of(n, b, h);
    foci_use_score_factor(n, turned_of(n, false), h, &head);
    (bf16(n) ? foci_bf16_attention_forward : foci_kernel()->attention_forward)(
        &head, queries.first, queries.end, (real *)n->workspace + foci_thread() * scratch_of(n, false));
    if (log_sums(n)) write_log_sums(n, &head, queries, b, h);
}

/* Few heads and many threads: a head's tiles of queries are dealt out in parts. A part's bits do not depend
 * on the others. */
static void forward(const foci_node *n) {
    const int64_t *shape = n->input[Q]->shape, heads = shape[1], all = shape[0] * heads, tokens = shape[2];
    const int64_t tiles = foci_tiles(tokens, FOCI_ATTENTION_QUERIES), wanted = foci_tiles(2 * foci_threads(), all);
    const int64_t part = foci_tiles(tiles, wanted) * FOCI_ATTENTION_QUERIES, parts = foci_tiles(tokens, part);
    const int64_t together = heads_of_thread(n, heads);
    foci_turn_score_factor(n, turned_of(n, false));
    FOCI_PARALLEL_FOR
    for (int64_t task = 0; task < all / together * parts; task++)
        for (int64_t head = task / parts * together; head < (task / parts + 1) * together; head++)
            forward_head(n, head / heads, head % heads, foci_tile(tokens, part, task % parts));
}

static int64_t queries_of_key_head(const foci_node *n) { return n->input[Q]->shape[1] / n->input[K]->shape[1]; }

static foci_numbers gradient_of(const foci_node *n, int input, int64_t b, int64_t h) {
    const foci_tensor *t = n->input[input];
    return foci_wants(n, input) ? foci_numbers_at(foci_gradients(t), foci_head_offset(t, b, h)) : foci_reals(NULL);
}

/* dS = P * (dO Vt - rowsum(dO * O));  dq = scale (dS k) * metric,  dk = scale dSt (q * metric),  dv = Pt dO;  the
 * logarithm of a row's sum has the gradient P in the row's scores, so that its own stands beside rowsum(dO * O). Heads
 * that share keys and values come one after another and add to their gradients. */
static void backward_head(const foci_node *n, int64_t b, int64_t h, real *dscore_factor) {
    const int64_t heads = n->input[Q]->shape[1], group = foci_key_head(n, h);
    const bool later = h % queries_of_key_head(n) > 0;
    foci_attention_head head = head_of(n, b, h);
    head.dout = foci_numbers_at(foci_gradients(n->output), out_offset(n, b, h)), head.dout_row = head.out_row;
    if (log_sums(n)) head.dlog_sum = log_sums_in(n, foci_grad(n->output), b, h);
    if (foci_wants(n, KEY_BIAS))
        head.dkey_bias = foci_grad(n->input[KEY_BIAS]) + (b * heads + h) * head.keys,
        head.add_dkey_bias = n->accumulate[KEY_BIAS];
    head.dq = gradient_of(n, Q, b, h), head.dq_row = head.q_row, head.add_dq = n->accumulate[Q];
    head.dk = gradient_of(n, K, b, group), head.dk_row = head.k_row, head.add_dk = later || n->accumulate[K];
    head.dv = gradient_of(n, V, b, group), head.dv_row = head.v_row, head.add_dv = later || n->accumulate[V];
    foci_use_score_factor(n, turned_of(n, true), h, &head);
    head.dscore_factor = dscore_factor;
    (bf16(n) ? foci_bf16_attention_backward
             : foci_kernel()->attention_backward)(&head, (real *)n->workspace + foci_thread() * scratch_of(n, true));
}

static void backward(const foci_node *n) {
    const int64_t *shape = n->input[Q]->shape, heads = shape[1], groups = foci_sample_groups(n);
    const int64_t sharing = queries_of_key_head(n), together = sharing * heads_of_thread(n, heads / sharing),
                  sets = heads / together;
    const int64_t factor = foci_score_factor_reals(n), samples = foci_tiles(shape[0], groups), each = factor / heads;
    real *parts = foci_wants(n, FACTOR) ? turned_of(n, true) + factor : NULL;
    foci_turn_score_factor(n, turned_of(n, true));
    FOCI_PARALLEL_FOR
    for (int64_t task = 0; task < groups * sets; task++) {
        const foci_range group = foci_tile(shape[0], samples, task / sets);
        for (int64_t h = task % sets * together; h < (task % sets + 1) * together; h++) {
            real *gradient = parts ? parts + (task / sets * heads + h) * each : NULL;
            if (gradient) memset(gradient, 0, (size_t)each * sizeof *gradient);
            for (int64_t b = group.first; b < group.end; b++) backward_head(n, b, h, gradient);
        }
    }
    if (parts) foci_score_factor_gradient(n, parts);
}

/* Two products of N x M x D and E forward, four backward; causal skips half of each. That backward computes the scores
 * again, a fifth one, spares memory and is no part of the work. */
static foci_cost cost(const foci_node *n) {
    const int64_t *q = n->input[Q]->shape, keys = n->input[K]->shape[2];
    const double entries = (double)(q[0] * q[1] * q[2] * keys) * (foci_is_causal(n) ? 0.5 : 1);
    const double both = 2 * entries * (double)(q[3] + value_width(n));
    return (foci_cost){both, 2 * both};
}

/* Rows of queries; causal, the last one alone, which sees all keys. */
static unsigned rows(const foci_node *n, foci_some_rows r) {
    const foci_tensor *metric = n->input[ATTENTION_METRIC];
    if (n->input[FACTOR] || (foci_is_causal(n) && r.first + 1 < r.of)) return 0;
    return FOCI_READS_INPUT(Q) | (metric && metric->shape[2] > 1 ? FOCI_READS_INPUT(ATTENTION_METRIC) : 0);
}

/* Heads that share keys and values add to one gradient; sums of exponentials stand beside the values. */
static unsigned rounds(const foci_node *n) {
    const unsigned shared = FOCI_READS_INPUT(K) | FOCI_READS_INPUT(V);
    return FOCI_READS_INPUT(Q) | (queries_of_key_head(n) == 1 ? shared : 0) | (log_sums(n) ? 0 : FOCI_READS_OUTPUT);
}

/* ----------------------------------------------------------------------------------------- gradient check */

enum { B = 2, H = 2 };

static foci_tensor *parameter(foci_graph *g, const char *name, int64_t tokens, int64_t width) {
    return foci_parameter(g, name, FOCI_NORMAL(0, 1), FOCI_SHAPE(B, H, tokens, width));
}
static foci_tensor *constant(foci_graph *g, int ndim, const int64_t *shape) {
    double values[B * H * 8 * 4];
    int64_t n = 1;
    for (int i = 0; i < ndim; i++) n *= shape[i];
    for (int64_t i = 0; i < n; i++) values[i] = 1 + 0.9 * sin((double)(3 * i + 1));
    foci_real converted[B * H * 8 * 4];
    for (int64_t i = 0; i < n; i++) converted[i] = (foci_real)values[i];
    return foci_constant(g, "constant", FOCI_REAL, ndim, shape, converted);
}
static foci_tensor *attend(foci_graph *g, int64_t tokens, int64_t width, foci_sdpa_options o) {
    o.scale = 1 / sqrt((double)width);
    return foci_scaled_dot_product_attention(g, parameter(g, "q", tokens, width), parameter(g, "k", tokens, width),
                                             parameter(g, "v", tokens, width), &o);
}
static foci_tensor *plain(foci_graph *g) { return attend(g, 5, 3, (foci_sdpa_options){0}); }
static foci_tensor *causal(foci_graph *g) { return attend(g, 7, 4, (foci_sdpa_options){.causal = true}); }
static foci_tensor *one_token(foci_graph *g) { return attend(g, 1, 4, (foci_sdpa_options){0}); }
static foci_tensor *dropout(foci_graph *g) { return attend(g, 7, 2, (foci_sdpa_options){.dropout = 0.4}); }
static foci_tensor *bias(foci_graph *g) {
    return attend(g, 6, 4, (foci_sdpa_options){.bias = constant(g, FOCI_SHAPE(B, 6))});
}
static foci_tensor *metric_of_head(foci_graph *g) {
    return attend(g, 6, 4, (foci_sdpa_options){.metric = constant(g, FOCI_SHAPE(B, H, 1, 4))});
}
static foci_tensor *metric_of_position(foci_graph *g) {
    return attend(g, 8, 4, (foci_sdpa_options){.metric = constant(g, FOCI_SHAPE(B, H, 8, 4)), .causal = true});
}
static foci_tensor *everything(foci_graph *g) {
    return attend(g, 8, 4,
                  (foci_sdpa_options){.metric = constant(g, FOCI_SHAPE(B, H, 1, 4)),
                                      .bias = constant(g, FOCI_SHAPE(B, 8)),
                                      .causal = true,
                                      .dropout = 0.2});
}
static foci_tensor *several_tiles(foci_graph *g) { /* of queries (48) and keys (256) */
    foci_tensor *q = foci_parameter(g, "q", FOCI_NORMAL(0, 1), FOCI_SHAPE(1, 1, 270, 1));
    return foci_scaled_dot_product_attention(g, q, q, q, &(foci_sdpa_options){.scale = 1, .causal = true});
}
static foci_tensor *other_keys(foci_graph *g, int64_t queries, int64_t keys, int64_t width, int64_t value_width,
                               foci_sdpa_options o) {
    o.scale = 0.6;
    return foci_scaled_dot_product_attention(g, parameter(g, "q", queries, width), parameter(g, "k", keys, width),
                                             parameter(g, "v", keys, value_width), &o);
}
static foci_tensor *fewer_keys(foci_graph *g) { return other_keys(g, 7, 3, 4, 4, (foci_sdpa_options){.dropout = 0.3}); }
static foci_tensor *more_keys(foci_graph *g) {
    return other_keys(g, 3, 6, 4, 4, (foci_sdpa_options){.bias = constant(g, FOCI_SHAPE(B, 6))});
}
static foci_tensor *wider_values(foci_graph *g) {
    return other_keys(g, 5, 5, 2, 5, (foci_sdpa_options){.causal = true});
}
static foci_tensor *narrower_values(foci_graph *g) {
    return other_keys(g, 5, 4, 5, 2, (foci_sdpa_options){.metric = constant(g, FOCI_SHAPE(B, H, 5, 5))});
}
static foci_tensor *last_token(foci_graph *g) { return other_keys(g, 1, 5, 3, 3, (foci_sdpa_options){.causal = true}); }
static foci_tensor *keys_attend_to_keys(foci_graph *g) {
    foci_tensor *k = parameter(g, "k", 5, 3);
    return foci_scaled_dot_product_attention(g, k, k, parameter(g, "v", 5, 3), &(foci_sdpa_options){.scale = 0.5});
}
static foci_tensor *key_bias(foci_graph *g) {
    return other_keys(g, 5, 7, 4, 3,
                      (foci_sdpa_options){.key_bias = foci_scale(g, RANDOM(g, "key_bias", B, H, 7), 2),
                                          .bias = constant(g, FOCI_SHAPE(B, 7)),
                                          .dropout = 0.2});
}
static foci_tensor *key_bias_causal(foci_graph *g) {
    return attend(g, 20, 4, (foci_sdpa_options){.key_bias = RANDOM(g, "key_bias", B, H, 20), .causal = true});
}
static foci_tensor *key_bias_twice(foci_graph *g) {
    foci_tensor *k = parameter(g, "k", 5, 3), *bias = RANDOM(g, "key_bias", B, H, 5);
    const foci_sdpa_options o = {.scale = 0.5, .key_bias = bias};
    return foci_add(g, foci_scaled_dot_product_attention(g, k, k, k, &o),
                    foci_scaled_dot_product_attention(g, k, k, k, &o));
}
static foci_tensor *with_log_sum(foci_graph *g) {
    return other_keys(g, 6, 5, 4, 3,
                      (foci_sdpa_options){.key_bias = RANDOM(g, "key_bias", B, H, 5), .log_sum = true, .dropout = 0.2});
}
static foci_tensor *with_log_sum_causal(foci_graph *g) {
    return attend(g, 60, 2, (foci_sdpa_options){.log_sum = true, .causal = true});
}
static foci_tensor *log_sum_alone(foci_graph *g) {
    return foci_scaled_dot_product_attention(
        g, parameter(g, "q", 5, 3), parameter(g, "k", 7, 3), NULL,
        &(foci_sdpa_options){.scale = 0.7, .key_bias = RANDOM(g, "key_bias", B, H, 7), .log_sum = true});
}
static foci_tensor *score_factor(foci_graph *g) {
    return other_keys(g, 5, 7, 4, 3,
                      (foci_sdpa_options){.score_factor = RANDOM(g, "factor", H, 5, 7),
                                          .key_bias = RANDOM(g, "key_bias", B, H, 7),
                                          .dropout = 0.2});
}
static foci_tensor *score_factor_of_many(foci_graph *g) { /* samples: more than there are groups */
    foci_tensor *factor = foci_sigmoid(g, RANDOM(g, "factor", 1, 50, 50));
    foci_tensor *k = RANDOM(g, "k", 19, 1, 50, 1);
    const foci_sdpa_options o = {.scale = 0.5, .score_factor = factor, .causal = true};
    return foci_add(g, foci_scaled_dot_product_attention(g, k, k, k, &o),
                    foci_scaled_dot_product_attention(g, k, k, k, &o));
}
/* Four heads of queries over two of keys and values. */
static foci_tensor *grouped(foci_graph *g, foci_sdpa_options o) {
    o.scale = 0.7;
    return foci_scaled_dot_product_attention(g, RANDOM(g, "q", B, 4, 6, 3), RANDOM(g, "k", B, 2, 6, 3),
                                             RANDOM(g, "v", B, 2, 6, 4), &o);
}
static foci_tensor *groups(foci_graph *g) { return grouped(g, (foci_sdpa_options){.causal = true, .dropout = 0.2}); }
static foci_tensor *groups_metric(foci_graph *g) {
    return grouped(g, (foci_sdpa_options){.causal = true, .metric = constant(g, FOCI_SHAPE(B, 2, 6, 3))});
}
static foci_tensor *groups_twice(foci_graph *g) {
    foci_tensor *k = foci_scale(g, RANDOM(g, "k", B, 1, 5, 3), 1), *q = RANDOM(g, "q", B, 3, 5, 3);
    const foci_sdpa_options o = {.scale = 0.5};
    return foci_add(g, foci_scaled_dot_product_attention(g, q, k, k, &o),
                    foci_scaled_dot_product_attention(g, q, k, k, &o));
}
/* Views of one computed projection (B, N, parts*H*D), whose gradient is overwritten, not added to. */
static foci_tensor *projection(foci_graph *g, int parts, int q, int k, int v) {
    foci_tensor *x = foci_scale(g, foci_parameter(g, "x", FOCI_NORMAL(0, 1), FOCI_SHAPE(B, 5, parts * H * 3)), 1.5);
    return foci_scaled_dot_product_attention(g, foci_heads(g, x, parts, q, H), foci_heads(g, x, parts, k, H),
                                             foci_heads(g, x, parts, v, H), &(foci_sdpa_options){.scale = 0.5});
}
static foci_tensor *packed(foci_graph *g) { return projection(g, 3, 0, 1, 2); }
static foci_tensor *packed_keys_attend_to_keys(foci_graph *g) { return projection(g, 2, 0, 0, 1); }
static foci_tensor *packed_all_one(foci_graph *g) { return projection(g, 2, 1, 1, 1); }

static const foci_gradient_case gradients[] = {
    {"(2, 2, 5, 3)", plain},
    {"causal", causal},
    {"one token", one_token},
    {"dropout", dropout},
    {"bias", bias},
    {"metric of a head", metric_of_head},
    {"metric of a position", metric_of_position},
    {"causal, bias, dropout, metric", everything},
    {"several tiles", several_tiles},
    {"fewer keys than queries", fewer_keys},
    {"more keys than queries", more_keys},
    {"wider values, causal", wider_values},
    {"narrower values", narrower_values},
    {"the last token alone", last_token},
    {"keys attend to keys", keys_attend_to_keys},
    {"a bias per head and key", key_bias},
    {"a bias per head and key, causal", key_bias_causal},
    {"a bias per head and key used twice", key_bias_twice},
    {"log sums", with_log_sum},
    {"log sums, causal", with_log_sum_causal},
    {"log sums without values", log_sum_alone},
    {"a factor per head, query and key", score_factor},
    {"a factor used twice, 19 samples", score_factor_of_many},
    {"heads that share keys", groups},
    {"heads that share keys, a metric of each key's head", groups_metric},
    {"heads that share keys and values, twice", groups_twice},
    {"views of a projection", packed},
    {"views of a projection, keys attend to keys", packed_keys_attend_to_keys},
    {"one view three times", packed_all_one},
    {0}};

const foci_op foci_op_scaled_dot_product_attention = {
    .name = "scaled_dot_product_attention",
    .summary = "softmax(scale (q * metric) kt + bias) v, fused",
    .forward = forward,
    .backward = backward,
    .reads = FOCI_READS_INPUT(Q) | FOCI_READS_INPUT(K) | FOCI_READS_INPUT(V) | FOCI_READS_INPUT(ATTENTION_METRIC) |
             FOCI_READS_INPUT(ATTENTION_BIAS) | FOCI_READS_INPUT(KEY_BIAS) | FOCI_READS_INPUT(FACTOR) |
             FOCI_READS_OUTPUT,
    .rows = rows,
    .rounds = rounds,
    .cost = cost,
    .gradients = gradients,
};

foci_tensor *foci_scaled_dot_product_attention(foci_graph *g, foci_tensor *q, foci_tensor *k, foci_tensor *v,
                                               const foci_sdpa_options *options) {
    const foci_op *op = &foci_op_scaled_dot_product_attention;
    if (!options->log_sum && !foci_head_operand(g, op->name, "v", v, NULL)) return NULL;
    if (foci_graph_observes(g) && !options->inner) foci_observe(g, "prob", foci_attention_map(g, q, k, options));
    foci_node *n = foci_record_attention(g, op, q, k, v, options, FOCI_SCALE_NONE);
    if (!n) return NULL;
    const int64_t batch = q->shape[0], heads = q->shape[1], tokens = q->shape[2];
    foci_save(n, FOCI_REAL, batch * heads * tokens);
    const int64_t threads = foci_threads(), factor = foci_score_factor_reals(n), parts = foci_sample_groups(n) * factor;
    foci_workspace(n, (size_t)(threads * scratch_of(n, false) + factor) * sizeof(real),
                   (size_t)(threads * scratch_of(n, true) + factor + parts) * sizeof(real));
    return foci_emit(n, FOCI_REAL, FOCI_SHAPE(batch, tokens, heads * (value_width(n) + log_sums(n))));
}
