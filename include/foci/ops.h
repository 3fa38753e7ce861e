/* The operations: each checks its shapes and appends a node to the graph. NULL for an optional tensor leaves it out.
 * Gradients flow to every real-valued input but masks, metrics, soft targets. */
#ifndef FOCI_OPS_H
#define FOCI_OPS_H

#include "foci/keys.h"
#include "foci/tensor.h"

typedef struct foci_sdpa_options {
    double scale;              /* factor before the softmax, 1/sqrt(D) as a rule */
    bool causal;               /* token i sees tokens 0..i */
    double dropout;            /* on the attention map */
    foci_tensor *metric;       /* (B, H or G, 1 or N, D): multiplies q; no gradient. NULL: all ones */
    foci_tensor *bias;         /* (B, M): added to the scores of every key; no gradient. NULL: none */
    foci_tensor *key_bias;     /* (B, H, M): added likewise, -inf: no weight. NULL: none */
    foci_tensor *score_factor; /* (H, N, M): multiplies the scores, before anything is added. NULL: ones */
    bool log_sum; /* the logarithm of each row's sum of exp(score) besides, before dropout; -inf: no key is seen */
    bool inner;   /* a part of something larger: its map is not offered for inspection */
} foci_sdpa_options;

typedef struct foci_window_options {
    double scale;            /* factor before the softmax */
    int64_t window, globals; /* token i sees those within `window` of it and the first `globals`, which see all */
    bool causal;             /* and of these none behind it */
    foci_tensor *mask;       /* (B, N): 0 where a token is padding, sees nothing and is not seen. NULL: none */
    /* where the first tokens have queries (B, H, globals, D), keys and values of their own. NULL: they have not */
    foci_tensor *query_global, *key_global, *value_global;
} foci_window_options;

typedef struct foci_lsh_options {
    int64_t chunk, buckets; /* tokens of a chunk; how many buckets there are */
    bool causal;            /* a token sees only those before it */
    foci_tensor *bucket;    /* (B, H, rounds, N) of foci_lsh_buckets; NULL where a chunk has room for all tokens */
    foci_tensor *mask;      /* (B, N): 0 where a token is padding, which nobody sees. NULL: none */
} foci_lsh_options;

/* What becomes of queries and keys between projection and scores, in this order; each NULL where it is not wanted. */
typedef struct foci_rotary_options {
    foci_tensor *weight; /* (D): rows are divided by the root of their mean square + eps, and multiplied by it */
    double eps;
    foci_tensor *metric; /* (B, G, 1, D) or (B, G, N, D), G a divisor of H: multiplies them; no gradient */
    foci_tensor *angles; /* (N, D) of foci_rotary_angles: turns the pairs (d, d + D/2) */
} foci_rotary_options;

/* What the metric of elliptical attention is divided by: its largest coordinate, the mean of all, nothing. */
#define FOCI_METRIC_SCALES(X) X(FOCI_SCALE_MAX, "max") X(FOCI_SCALE_MEAN, "mean") X(FOCI_SCALE_NONE, "none")
typedef enum foci_metric_scale { FOCI_METRIC_SCALES(FOCI_CHOICE_NUMBER) } foci_metric_scale;

typedef struct foci_elliptical_metric_options { /* docs/mathematics.md 1.2; all tensors (B, H, N, D), D contiguous */
    foci_tensor *num, *num_before;              /* whose change over one layer is measured */
    foci_tensor *den, *den_before; /* divide by |den - den_before| + attenuation; NULL: by the constant delta */
    double delta, attenuation;
    foci_metric_scale scale;
    bool causal;         /* token i: mean over tokens 0..i, (B, H, N, D) */
    bool median;         /* over the tokens, the lower of the two middle values; in place of the mean */
    bool pairs;          /* coordinates d and d + D/2 both have the mean of the two, before the scaling */
    int64_t memory;      /* the first so many tokens are those of earlier windows: they have no metric of their own; */
    foci_tensor *filled; /* (1) int: of them only so many last ones are there; NULL: all */
} foci_elliptical_metric_options;

/* What linear attention divides by, s_i being the sum of row i of q kt: s_i, s_i + eps, the larger of s_i and eps, s_i
 * + eps (sum of row i of q), nothing. */
typedef enum foci_denominator {
    FOCI_DIVIDE_BY_SUM,
    FOCI_DIVIDE_BY_SUM_PLUS,
    FOCI_DIVIDE_BY_AT_LEAST,
    FOCI_DIVIDE_BY_SUM_PLUS_QUERY,
    FOCI_DIVIDE_BY_NOTHING
} foci_denominator;

typedef struct foci_linear_options {
    bool causal;
    foci_denominator denominator;
    double eps;    /* 0 where it has no meaning */
    double factor; /* of the output; 1 as a rule */
} foci_linear_options;

/* With y = scale x and t the largest of w y, of a query in its row, of keys in the head and sequence, a constant:
 *   softmax  M^-1/2 (exp(w y - |y|^2 / 2 - t) + eps)
 *   relu     max(w y, 0) + eps
 *   pair     (2 M)^-1/2 ([exp(w y - |y|^2 / 2), exp(-w y - |y|^2 / 2)] + eps) */
#define FOCI_RANDOM_FEATURES(X) \
    X(FOCI_FEATURES_SOFTMAX, "softmax") X(FOCI_FEATURES_RELU, "relu") X(FOCI_FEATURES_PAIR, "pair")
typedef enum foci_random_feature { FOCI_RANDOM_FEATURES(FOCI_CHOICE_NUMBER) } foci_random_feature;

typedef struct foci_random_features_options {
    foci_random_feature kind;
    double scale, eps;
    bool keys; /* or queries */
    /* softmax without eps: a factor of a query's row, or of all keys, does not matter. Then it is one that keeps the
     * numbers in range and looks at w alone */
    bool cancels;
} foci_random_features_options;
typedef struct foci_fourier_options {
    int64_t power; /* of sin x / x */
    double eps;    /* added to the sum of a row */
    bool causal;
} foci_fourier_options;

typedef struct foci_pursuit {
    foci_tensor *k, *limit;     /* (B, H, N, D), (B, H) */
    foci_tensor *clipped, *low; /* what rounds hand on; NULL before the first */
} foci_pursuit;
typedef struct foci_span_options {
    foci_tensor *position; /* (1, D, L): column l is the key of the distance L - l */
    foci_tensor *filled;   /* (1) int: of the L tokens before the first only so many last ones are there; NULL: all */
    foci_tensor *metric;   /* (B, H, 1, D) or (B, H, T, D): multiplies q; no gradient. NULL: all ones */
    bool plain_position;   /* the position term has q without the metric */
    double scale, dropout;
} foci_span_options;

/* Which experts get a token, and with what weight. */
#define FOCI_GATES(X) \
    X(FOCI_GATE_TOPK, "topk") /* softmax over the logits of those that were chosen */ \
    X(FOCI_GATE_ALL, "all")   /* the chosen entries of the softmax over all */
typedef enum foci_gating { FOCI_GATES(FOCI_CHOICE_NUMBER) } foci_gating;
typedef struct foci_experts_options {
    foci_tensor *x, *logits;      /* (.., C), (.., E) */
    foci_tensor *weight1, *bias1; /* (E, F, C), (E, F) */
    foci_tensor *weight2, *bias2; /* (E, C, F), (E, C) */
    int64_t top_k;                /* experts of a token, those of the largest logits */
    foci_gating gate;
    double capacity; /* an expert takes at most this factor of an even share, the first tokens first; 0: all */
    double dropout;  /* behind the relu */
} foci_experts_options;

/* Who chooses the block of keys in the middle: the whole batch, each head of a sample, each query. */
typedef enum foci_block_select { FOCI_SELECT_BATCH, FOCI_SELECT_HEAD, FOCI_SELECT_QUERY } foci_block_select;
enum { FOCI_MAX_BLOCKS = 64 };
typedef struct foci_block_options {
    double factor; /* of -|q - k|^2 */
    foci_block_select select;
    bool causal; /* of queries: those before it alone */
} foci_block_options;

#define FOCI_ROBUST_LOSSES(X) X(FOCI_HUBER, "huber") X(FOCI_HAMPEL, "hampel")
typedef enum foci_robust_loss { FOCI_ROBUST_LOSSES(FOCI_CHOICE_NUMBER) } foci_robust_loss;
typedef struct foci_robust_options {
    foci_robust_loss loss;
    double a;
    bool published; /* the distance 1 + a_i + c, not 1 - 2 a_i + c */
} foci_robust_options;

typedef struct foci_weights {
    foci_tensor *joint, *marginal; /* of keys with their values, of keys: numbers for each */
} foci_weights;

/* An image of down x across cells, enlarged to full_height x full_width pixels, of which those at the top left are
 * wanted. */
typedef struct foci_pixels {
    int64_t down, across, full_height, full_width, height, width;
} foci_pixels;

/* The exact GELU, GPT-2's by a tanh, silu(gate) times the other branch. */
typedef enum foci_activation { FOCI_GELU, FOCI_GELU_TANH, FOCI_RELU, FOCI_SWIGLU } foci_activation;

enum { FOCI_MAX_CLUSTERS = 8 };
typedef struct foci_adaptive_softmax_options {  /* docs/mathematics.md 1.5; names as in lmtool-fwms */
    foci_tensor *hidden, *targets;              /* (B, T, d_model), (B, T) int */
    int tails;                                  /* clusters behind the shortlist; 0: an ordinary softmax */
    int64_t cutoff[FOCI_MAX_CLUSTERS + 1];      /* ends of shortlist and clusters; the last is the vocabulary */
    foci_tensor *weight[FOCI_MAX_CLUSTERS];     /* one (n_token, d) shared by all, or per cluster (c_i+1 - c_i, d_i) */
    foci_tensor *bias[FOCI_MAX_CLUSTERS];       /* likewise, (n) */
    bool shared;                                /* weight[0] and bias[0] serve all clusters by ranges of rows */
    foci_tensor *projection[FOCI_MAX_CLUSTERS]; /* (d_model, d_i) each, or NULL */
    foci_tensor *cluster_weight, *cluster_bias; /* (tails, d_0), (tails); NULL without tails */
} foci_adaptive_softmax_options;

/* x (.., in), weight (out, in), bias (out) -> x Wt + b (.., out) */
foci_tensor *foci_linear(foci_graph *g, foci_tensor *x, foci_tensor *weight, foci_tensor *bias);
/* act(x W1t + b1) W2t + b2, dropout after the activation */
foci_tensor *foci_mlp(foci_graph *g, foci_tensor *x, foci_tensor *weight1, foci_tensor *bias1, foci_tensor *weight2,
                      foci_tensor *bias2, foci_activation activation, double dropout);
/* (silu(x Gt + c) (x Ut + b)) Dt + d, dropout before the last product; weights (hidden, in) twice and (out, hidden),
 * biases or NULL (Shazeer, "GLU Variants Improve Transformer", 2020) */
foci_tensor *foci_gated_mlp(foci_graph *g, foci_tensor *x, foci_tensor *gate, foci_tensor *gate_bias, foci_tensor *up,
                            foci_tensor *up_bias, foci_tensor *down, foci_tensor *down_bias, double dropout);
/* a (.., n), b (n, m) -> (.., m) */
foci_tensor *foci_matmul(foci_graph *g, foci_tensor *a, foci_tensor *b);
/* a (B, H, N, D), b (B, H, M, D) -> a bt (B, H, N, M) */
foci_tensor *foci_inner_products(foci_graph *g, foci_tensor *a, foci_tensor *b);
/* same shapes */
foci_tensor *foci_add(foci_graph *g, foci_tensor *a, foci_tensor *b);
/* x - factor y of one shape, factor (1) */
foci_tensor *foci_subtract(foci_graph *g, foci_tensor *x, foci_tensor *y, foci_tensor *factor);
/* x (B, N, C), position (N, C) or (1, N, C) */
foci_tensor *foci_add_position(foci_graph *g, foci_tensor *x, foci_tensor *position);
/* x * factor */
foci_tensor *foci_scale(foci_graph *g, foci_tensor *x, double factor);
/* over the last dimension, biased variance */
foci_tensor *foci_layer_norm(foci_graph *g, foci_tensor *x, foci_tensor *weight, foci_tensor *bias, double eps);
/* factor x weight / sqrt(mean of x^2 + eps), over the last dimension; weight may be NULL */
foci_tensor *foci_rms_norm(foci_graph *g, foci_tensor *x, foci_tensor *weight, double eps, double factor);
/* exact: x Phi(x) */
foci_tensor *foci_gelu(foci_graph *g, foci_tensor *x);
foci_tensor *foci_relu(foci_graph *g, foci_tensor *x);
foci_tensor *foci_sigmoid(foci_graph *g, foci_tensor *x);
foci_tensor *foci_tanh(foci_graph *g, foci_tensor *x);
/* over the last dimension */
foci_tensor *foci_softmax(foci_graph *g, foci_tensor *x);
foci_tensor *foci_log_softmax(foci_graph *g, foci_tensor *x);
/* x itself where p = 0 or the graph does not train */
foci_tensor *foci_dropout(foci_graph *g, foci_tensor *x, double p);
/* the same decision for a whole sample (dimension 0) */
foci_tensor *foci_drop_path(foci_graph *g, foci_tensor *x, double p);
/* ids (B, T), weight (n, C): row id - first times scale; ids outside [first, first + n) give zeros -> (B, T, C) */
foci_tensor *foci_embedding(foci_graph *g, foci_tensor *ids, foci_tensor *weight, int64_t first, double scale);
/* (B, I, H, W), (C, I, p, p), (C) -> (B, H/p * W/p, C) row by row */
foci_tensor *foci_patch_embed(foci_graph *g, foci_tensor *images, foci_tensor *weight, foci_tensor *bias);
/* x (B, H, W, I), any strides, weight (O, I, k, k), zeros around x -> (B, H', W', O) */
foci_tensor *foci_conv2d(foci_graph *g, foci_tensor *x, foci_tensor *weight, int64_t stride, int64_t padding);
/* x (B, N, C): pictures of N tokens in `rows` rows, zeros around them; weight (C, 1, 3, 3), bias (C) -> same */
foci_tensor *foci_depthwise_conv2d(foci_graph *g, foci_tensor *x, int64_t rows, foci_tensor *weight, foci_tensor *bias);
/* x (.., C) -> same: every channel over all rows, all else (C). The running statistics, buffers, follow those of the
 * batch in graphs that train, and take their place in all others. */
foci_tensor *foci_batch_norm(foci_graph *g, foci_tensor *x, foci_tensor *weight, foci_tensor *bias,
                             foci_tensor *running_mean, foci_tensor *running_var, double eps, double momentum);
/* views: the same elements under another shape; images (B, C, H, W) as (B, H, W, C) */
foci_tensor *foci_reshape(foci_graph *g, foci_tensor *x, int ndim, const int64_t *shape);
foci_tensor *foci_channels_last(foci_graph *g, foci_tensor *images);
/* images (B, I, H, W) -> (B, I, height, width), zeros at the right and below; x itself where it is as large */
foci_tensor *foci_pad(foci_graph *g, foci_tensor *x, int64_t height, int64_t width);
/* token (1, M, C), x (B, N, C) -> (B, M + N, C) */
foci_tensor *foci_class_token(foci_graph *g, foci_tensor *token, foci_tensor *x);
/* x (B, N, C) -> (B, C): token `index` */
foci_tensor *foci_select(foci_graph *g, foci_tensor *x, int64_t index);
/* x (B, N, C) -> (B, count, C) */
foci_tensor *foci_narrow(foci_graph *g, foci_tensor *x, int64_t first, int64_t count);
/* a (B, N, C), b (B, M, C) -> (B, N + M, C) */
foci_tensor *foci_cat(foci_graph *g, foci_tensor *a, foci_tensor *b);
/* x (B, N, C) -> (B, rows + N, C), zeros in front */
foci_tensor *foci_zeros_before(foci_graph *g, foci_tensor *x, int64_t rows);
/* x (B, N, C) -> (B, C): mean over tokens */
foci_tensor *foci_mean(foci_graph *g, foci_tensor *x);
/* the same with mask (B, N), 0 where a token is padding: that counts, as zeros; no gradient of the mask */
foci_tensor *foci_masked_mean(foci_graph *g, foci_tensor *x, foci_tensor *mask);
/* x (2B, C), rows a and b of each pair one behind the other -> (B, 4C): [a, b, a b, a - b] */
foci_tensor *foci_pair(foci_graph *g, foci_tensor *x);
/* view: x (B, N, parts*H*D) -> (B, H, N, D) of one part; no copy */
foci_tensor *foci_heads(foci_graph *g, foci_tensor *x, int parts, int part, int heads);
/* likewise: x (B, N, ..) -> (B, H, N, D) of the H heads from column `first` on */
foci_tensor *foci_heads_from(foci_graph *g, foci_tensor *x, int64_t first, int64_t heads, int64_t width);
/* x (B, H, N, D), any strides with D contiguous -> (B, N, H*D) */
foci_tensor *foci_rotary(foci_graph *g, foci_tensor *x, const foci_rotary_options *options);
/* (tokens, width): cosines and sines of t theta^(-2d/width), d < width/2, for positions t from `first` on */
foci_tensor *foci_rotary_angles(foci_graph *g, int64_t first, int64_t tokens, int64_t width, double theta);
/* x (B, G, N, D), any strides with D contiguous, G a divisor of H -> (B, H, N, D): head h is head h G / H; x itself
 * where they are as many */
foci_tensor *foci_repeat_heads(foci_graph *g, foci_tensor *x, int64_t heads);
/* q (B, H, N, D), k (B, G, M, D), v (B, G, M, E), G a divisor of H, any strides with the last dimension contiguous ->
 * (B, N, H*E): head h of the queries looks at head h G / H. Causal, M is N, or q is the last token's alone, (B, H, 1,
 * D). With log_sum -> (B, N, H*E + H), the log sums of the heads last; v may then be NULL, E = 0 */
foci_tensor *foci_scaled_dot_product_attention(foci_graph *g, foci_tensor *q, foci_tensor *k, foci_tensor *v,
                                               const foci_sdpa_options *options);
/* channel attention: q, k (B, H, N, D), any strides with D contiguous, temperature (H) -> factors of channels (B, H, D)
 */
foci_tensor *foci_channel_gate(foci_graph *g, foci_tensor *q, foci_tensor *k, foci_tensor *temperature);
/* x (B, H, N, D), any strides with D contiguous, times factors of its channels, (B, H, D) or (H*D) -> (B, N, H*D) */
foci_tensor *foci_gate(foci_graph *g, foci_tensor *x, foci_tensor *gate);
/* probabilities (B, H, N, M) before dropout; for inspection, no gradient */
foci_tensor *foci_attention_map(foci_graph *g, foci_tensor *q, foci_tensor *k, const foci_sdpa_options *options);
/* at most 3 of (B, H, N, D), any strides with D contiguous, each times its factor, summed, the heads joined ->
 * (B, N, H*D) */
foci_tensor *foci_combine_heads(foci_graph *g, int count, foci_tensor *const *x, const double *factor);
/* Every token sees the L tokens before it and not itself: q (B, H, T, D), k, v (B, H, L + T, D), of L earlier tokens
 * and of the window -> (B, T, H*D); scores scale (q * metric) . (k of token t - L + l, plus position l) */
foci_tensor *foci_span_attention(foci_graph *g, foci_tensor *q, foci_tensor *k, foci_tensor *v,
                                 const foci_span_options *options);
/* its probabilities (B, H, T, L) before dropout; for inspection, no gradient */
foci_tensor *foci_span_attention_map(foci_graph *g, foci_tensor *q, foci_tensor *k, const foci_span_options *options);
/* sum over the chosen experts e of a token of a_e (U_e relu(W_e x + b_e) + c_e), like x */
foci_tensor *foci_experts(foci_graph *g, const foci_experts_options *options);
/* logits (.., E) -> a (.., E), 0 where an expert was not chosen; for inspection, no gradient */
foci_tensor *foci_route(foci_graph *g, foci_tensor *logits, int64_t top_k, foci_gating gate);
/* logits (n, E) -> (1): E sum over e of (share of the choices that fell on e) (mean softmax of e) / top_k */
foci_tensor *foci_expert_balance(foci_graph *g, foci_tensor *logits, int64_t top_k);
/* k (B, H, M, D) -> (B, H, M): log(prior) - factor |k|^2, a key_bias; prior NULL: 1; (1), or (H, 1, 1, M or more),
 * clamped to [0, 1]; complement: 1 - prior, without a gradient */
foci_tensor *foci_gaussian_bias(foci_graph *g, foci_tensor *k, foci_tensor *prior, double factor, bool complement);
/* attentions of q with log sums l, (B, N, H*E + H) each -> (S_0 y_0 + S_1 y_1) / (S_0 + S_1 + eps) (B, N, H*E), S_c =
 * exp(l_c - factor_c |q|^2) */
foci_tensor *foci_gaussian_mixture(foci_graph *g, foci_tensor *const y[2], foci_tensor *q, const double factor[2],
                                   double eps);
/* the buffer pi (H, 1, 1, L) and what it is after this pass, which graphs that train leave in it -> (2, H, 1, L) */
foci_tensor *foci_mixture_prior(foci_graph *g, foci_tensor *q, foci_tensor *const k[2], foci_tensor *pi,
                                const double factor[2]);
/* softmax(max over c of -factor_c |q - k_c|^2 + bias) v -> (B, N, H*E); bias (B, M) or NULL */
foci_tensor *foci_nearer_key_attention(foci_graph *g, foci_tensor *q, foci_tensor *const k[2], foci_tensor *v,
                                       foci_tensor *bias, const double factor[2], bool causal);
/* vectors q1, k1, q2, k2 of one length -> (1): exp(q1 k1) - exp(q2 k2) + start */
foci_tensor *foci_diff_lambda(foci_graph *g, foci_tensor *const vectors[4], double start);
/* (B, H, 1, D) or causal (B, H, N, D); a constant in the backward pass, like those below */
foci_tensor *foci_elliptical_metric(foci_graph *g, const foci_elliptical_metric_options *options);
/* how much the output of attention moves with each coordinate of q */
foci_tensor *foci_finite_difference_metric(foci_graph *g, foci_tensor *q, foci_tensor *k, foci_tensor *v,
                                           const foci_sdpa_options *options, foci_metric_scale scale);
/* like (B, H, N, D) -> (B, H, 1, D) uniform in [bottom, 1) over its max */
foci_tensor *foci_random_metric(foci_graph *g, foci_tensor *like, double bottom);
/* A buffer of FOCI_DRAWN, drawn anew in every `every`-th training step by (seed, its name, step), and that is what the
 * buffer then holds; in evaluation what it holds, or with `evaluation` another draw, the same in every pass. The buffer
 * itself where nothing of this is to be done (every 0: it is drawn once). */
foci_tensor *foci_redraw(foci_graph *g, foci_tensor *buffer, uint64_t seed, int64_t every, bool evaluation);
/* x (B, H, N, D), any strides with D contiguous -> a copy without gaps */
foci_tensor *foci_contiguous(foci_graph *g, foci_tensor *x);
/* likewise: rows times their token's number in mask (B, N), 0 or 1; no gradient of that. x itself where mask is NULL */
foci_tensor *foci_mask_tokens(foci_graph *g, foci_tensor *x, foci_tensor *mask);
/* likewise: elu(x) + 1, which is above 0 */
foci_tensor *foci_elu_one(foci_graph *g, foci_tensor *x);
/* likewise: (elu(x) + 1) over the sum of its row */
foci_tensor *foci_elu_shares(foci_graph *g, foci_tensor *x);
/* likewise: [max(x, 0) cos(a_i), max(x, 0) sin(a_i)] (B, H, N, 2 D), a_i = pi i / 2 N of token i */
foci_tensor *foci_turned_features(foci_graph *g, foci_tensor *x);
/* likewise: x minus row `part` of mu (P, H, D), one for a head */
foci_tensor *foci_shift(foci_graph *g, foci_tensor *x, foci_tensor *mu, int64_t part);
/* a, b (B, H, N, D) without gaps, p, r (H, L) with L >= N -> p_j a_j + weight r_j b_j, p and r held within [0, 1] */
foci_tensor *foci_mix_keys(foci_graph *g, foci_tensor *a, foci_tensor *b, foci_tensor *p, foci_tensor *r,
                           double weight);
/* x (B, H, N, D), any strides, e (H, R, L) with L >= N -> e x (B, H, R, D): the first N columns of e */
foci_tensor *foci_project_tokens(foci_graph *g, foci_tensor *e, foci_tensor *x);
/* x (B, H, N, D), any strides -> (B, H, runs, D): means of runs of consecutive tokens, the last N mod runs one longer
 */
foci_tensor *foci_run_means(foci_graph *g, foci_tensor *x, int64_t runs);
/* a (B, H, N, D), b (B, H, D, M), or (B, H, M, D) where its transpose is meant, any strides -> factor a b (B, H, N, M)
 */
foci_tensor *foci_head_product(foci_graph *g, foci_tensor *a, foci_tensor *b, bool transposed, double factor);
/* f (B, H, m, m) without gaps, rows above 0 of sum 1 -> z near its inverse: z <- z/4 (13 - f z (15 - f z (7 - f z))),
 * so many times, from ft over its largest sum of a column, of each head or of all heads and samples */
foci_tensor *foci_newton_inverse(foci_graph *g, foci_tensor *f, int64_t iterations, bool over_all);
/* x (B, H, N, D), any strides, w (H, 1, c, 1), c odd -> (B, N, H*D): sum_t w_t x_(n + t - c/2), zeros beyond the ends
 */
foci_tensor *foci_token_convolution(foci_graph *g, foci_tensor *x, foci_tensor *w);
/* x (B, H, N, D), any strides: rows of length exp(log_length), (H) a head each; NULL: 1 */
foci_tensor *foci_normalise(foci_graph *g, foci_tensor *x, foci_tensor *log_length);
/* x (B, H, N, D), any strides, w (M, D) random rows -> (B, H, N, M), or (B, H, N, 2 M) of pairs */
foci_tensor *foci_random_features(foci_graph *g, foci_tensor *x, foci_tensor *w,
                                  const foci_random_features_options *options);
/* features q, k (B, H, N, F) without gaps, v (B, H, N, D), any strides: factor (q kt v) / denominators -> (B, N, H*D);
 * no N x N */
foci_tensor *foci_linear_attention(foci_graph *g, foci_tensor *q, foci_tensor *k, foci_tensor *v,
                                   const foci_linear_options *options);
/* its weights (B, H, N, N); for inspection, no gradient */
foci_tensor *foci_linear_attention_map(foci_graph *g, foci_tensor *q, foci_tensor *k,
                                       const foci_linear_options *options);
/* (B, H, N, D) each -> (B, N, H*D): no N x N; q may be of the last tokens alone */
foci_tensor *foci_window_attention(foci_graph *g, foci_tensor *q, foci_tensor *k, foci_tensor *v,
                                   const foci_window_options *options);
/* its probabilities (B, H, N, N); for inspection, no gradient */
foci_tensor *foci_window_attention_map(foci_graph *g, foci_tensor *q, foci_tensor *k,
                                       const foci_window_options *options);
/* (B, H, N, D) each, any strides with D contiguous; radius (1) or (D): weights prod_d (sin x_d / x_d)^power at x =
 * radius (q - k), divided by their sum and eps -> (B, N, H*D); no N x N */
foci_tensor *foci_fourier_attention(foci_graph *g, foci_tensor *q, foci_tensor *k, foci_tensor *v, foci_tensor *radius,
                                    const foci_fourier_options *options);
/* its weights (B, H, N, N); for inspection, no gradient */
foci_tensor *foci_fourier_map(foci_graph *g, foci_tensor *q, foci_tensor *k, foci_tensor *radius,
                              const foci_fourier_options *options);
/* k (B, H, N, D) -> (B, H): the limit of principal component pursuit: lambda mu, or not as published lambda / mu, mu =
 * N width / (4 sum |k|) */
foci_tensor *foci_pursuit_limit(foci_graph *g, foci_tensor *k, double lambda, double width, bool published);
/* The next round of pursuit: what is to attend to itself, (B, N, H*D); `low` (B, N, H*D) is what attention made of that
 * in the round before, NULL in the first. */
foci_tensor *foci_pursuit_step(foci_graph *g, foci_pursuit *p, foci_tensor *low);
/* x (B, H, N, D), rotations (H, D, rounds, buckets / 2), mask (B, N) or NULL -> (B, H, rounds, N): whole numbers, that
 * of padding is `buckets`; a constant in the backward pass */
foci_tensor *foci_lsh_buckets(foci_graph *g, foci_tensor *x, foci_tensor *rotations, foci_tensor *mask);
/* q, v (B, H, N, D) -> (B, N, H*D): tokens see those of like buckets; no N x N */
foci_tensor *foci_lsh_attention(foci_graph *g, foci_tensor *q, foci_tensor *v, const foci_lsh_options *options);
/* its probabilities (B, H, N, N); for inspection, no gradient */
foci_tensor *foci_lsh_attention_map(foci_graph *g, foci_tensor *q, const foci_lsh_options *options);
/* Blocks (K, size) of token numbers, -1 for none: the number of the one in the middle, for all (1), for each head (B,
 * H) or each query (B, H, N); a constant in the backward pass */
foci_tensor *foci_choose_block(foci_graph *g, foci_tensor *q, foci_tensor *k, foci_tensor *blocks,
                               const foci_block_options *options);
/* softmax(scale q kt) v over the keys of the block chosen -> (B, N, H*D); no N x N */
foci_tensor *foci_block_attention(foci_graph *g, foci_tensor *q, foci_tensor *k, foci_tensor *v, foci_tensor *blocks,
                                  foci_tensor *choice, double scale, bool causal);
/* its probabilities (B, H, N, N); for inspection, no gradient */
foci_tensor *foci_block_map(foci_graph *g, foci_tensor *q, foci_tensor *k, foci_tensor *blocks, foci_tensor *choice,
                            double scale, bool causal);
/* (B, H, N): sum_j w_j exp(-factor |x_i - x_j|^2), x keys (B, H, N, D), or keys and values side by side; w NULL: 1/N */
foci_tensor *foci_gram_sum(foci_graph *g, foci_tensor *k, foci_tensor *v, foci_tensor *w, double factor);
/* (B, H, N): the next weights, from those sums and the weights that they were made with */
foci_tensor *foci_robust_weights(foci_graph *g, foci_tensor *densities, foci_tensor *w,
                                 const foci_robust_options *options);
/* (B, H, N): the mean over samples and heads, in all of them */
foci_tensor *foci_pool_weights(foci_graph *g, foci_tensor *w);
/* Weights of sum 1 by a quadratic programme of the keys divided by their length, and values: (B, H, 1, N), or with
 * `pool` (1, 1, 1, N), K averaged first; constants in the backward pass */
foci_weights foci_simplex_weights(foci_graph *g, foci_tensor *k, foci_tensor *v, double factor, double outlier,
                                  bool pool);
/* sum_j joint_j e^s_ij v_j / sum_j marginal_j e^s_ij, s = scale q kt; weights (B, H, N), or constants (N): (B, N, H*E)
 */
foci_tensor *foci_weighted_attention(foci_graph *g, foci_tensor *q, foci_tensor *k, foci_tensor *v, foci_tensor *joint,
                                     foci_tensor *marginal, double scale);
/* what multiplies v there (B, H, N, N), causal with weights (B, H, N, N) too; for inspection, no gradient */
foci_tensor *foci_weighted_map(foci_graph *g, foci_tensor *q, foci_tensor *k, foci_tensor *joint, foci_tensor *marginal,
                               double scale, bool causal);
/* the same attention, causal, scale = 2 factor, with robust weights of every prefix -> (B, N, H*E) */
foci_tensor *foci_prefix_attention(foci_graph *g, foci_tensor *q, foci_tensor *k, foci_tensor *v,
                                   const foci_robust_options *options, double factor);
/* those weights (B, H, N, N), v NULL: of keys; for inspection, no gradient */
foci_tensor *foci_prefix_weights_of(foci_graph *g, foci_tensor *k, foci_tensor *v, const foci_robust_options *options,
                                    double factor);
/* logits (.., K); labels (..) int, or soft targets (.., K) -> (1) mean */
foci_tensor *foci_cross_entropy(foci_graph *g, foci_tensor *logits, foci_tensor *labels, foci_tensor *soft_targets,
                                double label_smoothing, int32_t ignore_index);
/* two labels a row, the first of weight shares (..), the second of the rest */
foci_tensor *foci_mixed_cross_entropy(foci_graph *g, foci_tensor *logits, foci_tensor *labels, foci_tensor *partners,
                                      foci_tensor *shares, double label_smoothing);
/* x (B, .., K), a row for each cell -> (B, height, width, K), bilinear, align_corners False */
foci_tensor *foci_upsample(foci_graph *g, foci_tensor *x, const foci_pixels *to);
/* Its cross-entropy with labels (B, height, width) int -> (1): the sum over the pixels that are not ignored, divided by
 * their number, or by `count` (1), which is the same for all parts of a batch */
foci_tensor *foci_upsampled_cross_entropy(foci_graph *g, foci_tensor *maps, foci_tensor *labels, foci_tensor *count,
                                          const foci_pixels *to, int32_t ignore_index);
/* -> nll of every target, (B*T) */
foci_tensor *foci_adaptive_softmax(foci_graph *g, const foci_adaptive_softmax_options *a);
/* any shape -> (1): mean of all elements */
foci_tensor *foci_average(foci_graph *g, foci_tensor *x);
/* Log-probabilities of the whole vocabulary, (B, T, n_token); for inspection, no gradient. */
foci_tensor *foci_adaptive_log_prob(foci_graph *g, const foci_adaptive_softmax_options *a);

#endif
