/* Differential attention (Ye et al., "Differential Transformer", 2024): a head's queries and keys are cut into halves,
 * each with a softmax of its own, and the second map is subtracted from the first:
 *
 *     o = (softmax(q1 k1t / sqrt(D/2)) - lambda softmax(q2 k2t / sqrt(D/2))) v
 *     out = (1 - lambda_init) o / sqrt(mean of o^2 + 1e-5) subln.weight, over a head's D coordinates
 *     lambda = exp(lambda_q1 lambda_k1) - exp(lambda_q2 lambda_k2) + lambda_init,  lambda_init = 0.8 - 0.6 e^(-0.3
 * layer)
 *
 * with one lambda for all heads. A model has half as many heads as it would have otherwise. */
#include <math.h>

#include "attention/map.h"

typedef struct settings {
    bool affine;
} settings;

static const foci_key keys[] = {
    FOCI_KEY(settings, affine, "true", 0, 0, NULL,
             "what is left has a weight per coordinate, subln.weight (the published training code under diff/: false)"),
    {0}};

/* (B, H, N, D/2) */
static foci_tensor *half(foci_tensor *x, int which) {
    const int64_t *s = x->shape, width = s[3] / 2;
    return foci_view(x, which * width, FOCI_SHAPE(s[0], s[1], s[2], width), x->stride);
}

static foci_tensor *lambda(const foci_attention_io *io, double start) {
    static const char *const names[] = {"lambda_q1", "lambda_k1", "lambda_q2", "lambda_k2"};
    foci_tensor *vectors[4];
    for (int i = 0; i < 4; i++)
        vectors[i] = foci_parameter(io->graph, names[i], FOCI_NORMAL(0, 0.1), FOCI_SHAPE(io->q->shape[3] / 2));
    return foci_diff_lambda(io->graph, vectors, start);
}

/* (map 1 - share map 2) v */
static foci_tensor *difference(const foci_attention_io *io, foci_tensor *v, foci_tensor *share) {
    const foci_sdpa_options options = {
        .scale = io->scale * sqrt(2), .causal = io->causal, .dropout = io->dropout, .bias = io->bias, .inner = true};
    foci_tensor *y[2];
    for (int i = 0; i < 2; i++)
        y[i] = foci_scaled_dot_product_attention(io->graph, half(io->q, i), half(io->k, i), v, &options);
    return foci_subtract(io->graph, y[0], y[1], share);
}

static foci_tensor *forward(const foci_attention_io *io) {
    foci_graph *g = io->graph;
    const double start = 0.8 - 0.6 * exp(-0.3 * io->layer);
    const int64_t *s = io->q->shape;
    foci_tensor *weight = NULL;
    if (s[3] % 2)
        return foci_graph_fail(g, "%s: attention.kind diff cuts heads into halves: their width must be even, not %lld",
                               foci_config_place(io->config, "attention.kind"), (long long)s[3]);
    foci_tensor *share = lambda(io, start);
    if (((const settings *)io->options)->affine)
        weight = foci_parameter(g, "subln.weight", FOCI_ONES, FOCI_SHAPE(s[3]));
    if (foci_graph_observes(g)) foci_observe_map(io, difference(io, foci_identity_values(io), share));
    foci_tensor *o = difference(io, io->v, share);
    o = foci_rms_norm(g, foci_reshape(g, o, FOCI_SHAPE(s[0], s[2], s[1], s[3])), weight, 1e-5, 1 - start);
    return foci_reshape(g, o, FOCI_SHAPE(s[0], s[2], s[1] * s[3]));
}

static unsigned abilities(const void *options) {
    (void)options;
    return FOCI_LAST_QUERY | FOCI_INCREMENTAL;
}

const foci_attention foci_attention_diff = {.name = "diff",
                                            .summary = "difference of two softmax maps of half width (2024)",
                                            .cost = "1.5 N^2 D",
                                            .extra = "lambda_q1 lambda_k1 lambda_q2 lambda_k2 subln.weight",
                                            .adds = true,
                                            .keys = keys,
                                            .forward = forward,
                                            .abilities = abilities};
