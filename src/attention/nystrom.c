/* Nystromformer (Xiong et al., "Nystromformer: A Nystrom-Based Algorithm for Approximating Self-Attention", 2021). With
 * landmarks q~, k~, means over m runs of tokens,
 *
 *     F1 = softmax(q k~t / sqrt(D)), F2 = softmax(q~ k~t / sqrt(D)), F3 = softmax(q~ kt / sqrt(D)),   out = F1 Z F3 v,
 *
 * Z near the inverse of F2 by iteration (ops/newton_inverse.c), and on request a convolution of v over the tokens.
 * Padding: zeros in queries and keys, which the means take in; no key for F3; zeros in the convolution. */
#include <math.h>

#include "attention/refuse.h"

#define STARTS(X) X(EXACT, "exact") X(ORIGINAL, "original")

typedef struct settings {
    int64_t landmarks, iterations, conv;
    enum { STARTS(FOCI_CHOICE_NUMBER) } init;
} settings;

static const foci_key keys[] = {
    FOCI_KEY(settings, landmarks, "64", 1, 4096, NULL,
             "runs of tokens that queries and keys are averaged over; at most N"),
    FOCI_KEY(settings, iterations, "6", 0, 100, NULL, "steps towards the inverse"),
    FOCI_KEY(settings, init, "exact", 0, 0, STARTS(FOCI_CHOICE_WORD),
             "what the first step divides by: the largest sum of a column, of each head; original: of all heads and "
             "samples (first release, Long Range Arena), so that a sample depends on its batch"),
    FOCI_KEY(settings, conv, "0", 0, 4095, NULL,
             "taps of a convolution of v over the tokens, a filter per head; odd, 0: none (Long Range Arena: 35)"),
    {0}};

static bool makes_sense(const foci_attention_io *io, const settings *o) {
    if (foci_attention_refuses(io, FOCI_REFUSES_DROPOUT)) return false;
    if (o->conv && o->conv % 2 == 0)
        foci_graph_fail(io->graph, "%s: attention.conv %lld is not odd, so that its output has more tokens",
                        foci_config_place(io->config, "attention.conv"), (long long)o->conv);
    return foci_graph_ok(io->graph);
}

typedef struct parts {
    foci_tensor *q, *k, *q_mean, *k_mean, *inverse;
    foci_sdpa_options to_means, of_means;
} parts;

static parts parts_of(const foci_attention_io *io, const settings *o) {
    foci_graph *g = io->graph;
    const int64_t tokens = io->q->shape[2], runs = o->landmarks < tokens ? o->landmarks : tokens;
    parts p = {.q = foci_mask_tokens(g, io->q, io->mask), .k = foci_mask_tokens(g, io->k, io->mask)};
    p.q_mean = foci_run_means(g, p.q, runs), p.k_mean = foci_run_means(g, p.k, runs);
    foci_tensor *f2 = foci_softmax(g, foci_head_product(g, p.q_mean, p.k_mean, true, io->scale));
    p.inverse = foci_newton_inverse(g, f2, o->iterations, o->init == ORIGINAL);
    p.to_means = (foci_sdpa_options){.scale = io->scale, .inner = true};
    p.of_means = (foci_sdpa_options){.scale = io->scale, .bias = io->bias, .inner = true};
    return p;
}

/* F1 Z F3 (B, H, N, N) */
static foci_tensor *map(foci_graph *g, const parts *p) {
    foci_tensor *f1 = foci_attention_map(g, p->q, p->k_mean, &p->to_means),
                *f3 = foci_attention_map(g, p->q_mean, p->k, &p->of_means);
    return foci_head_product(g, foci_head_product(g, f1, p->inverse, false, 1), f3, false, 1);
}

static foci_tensor *filter(const foci_attention_io *io, int64_t taps) {
    return foci_parameter(io->graph, "conv.weight", FOCI_UNIFORM(1 / sqrt((double)taps)),
                          FOCI_SHAPE(io->v->shape[1], 1, taps, 1));
}

static foci_tensor *forward(const foci_attention_io *io) {
    const settings *o = io->options;
    foci_graph *g = io->graph;
    if (!makes_sense(io, o)) return NULL;
    const parts p = parts_of(io, o);
    if (!foci_graph_ok(g)) return NULL;
    if (foci_graph_observes(g)) foci_observe(g, "prob", map(g, &p));
    foci_tensor *v = foci_scaled_dot_product_attention(g, p.q_mean, p.k, io->v, &p.of_means);
    v = foci_head_product(g, p.inverse, foci_heads(g, v, 1, 0, (int)io->v->shape[1]), false, 1);
    foci_tensor *out = foci_scaled_dot_product_attention(g, p.q, p.k_mean, v, &p.to_means);
    if (!o->conv) return out;
    return foci_add(g, out, foci_token_convolution(g, foci_mask_tokens(g, io->v, io->mask), filter(io, o->conv)));
}

const foci_attention foci_attention_nystrom = {.name = "nystrom",
                                               .summary = "attention through means of runs of tokens (2021)",
                                               .cost = "N m D + m^3",
                                               .extra = "conv.weight",
                                               .linear = true,
                                               .whole = true,
                                               .keys = keys,
                                               .forward = forward};
