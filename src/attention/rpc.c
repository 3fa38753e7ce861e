/* RPC-Attention (Teo & Nguyen, NeurIPS 2024): keys, which are queries too, are cleaned by principal component pursuit;
 * the low-rank part is softmax attention over them. The published runs use it in layer 0 alone (attention.layers: [0]).
 */
#include "attention/refuse.h"

#define THRESHOLDS(X) X(PUBLISHED, "published") X(PAPER, "paper")

typedef struct settings {
    int64_t iterations;
    double lambda, width;
    enum { THRESHOLDS(FOCI_CHOICE_NUMBER) } threshold;
} settings;

static const foci_key keys[] = {
    FOCI_KEY(settings, iterations, "1", 1, 100, NULL, "rounds (published: 4 in layer 0 alone, or 2 in all layers)"),
    FOCI_KEY(settings, lambda, "4", 1e-9, 1e9, NULL, "factor of the threshold"),
    FOCI_KEY(settings, threshold, "published", 0, 0, THRESHOLDS(FOCI_CHOICE_WORD),
             "published: lambda mu; paper: lambda / mu, as pursuit is usually written; mu = N width / (4 sum |k|)"),
    FOCI_KEY(settings, width, "0", 0, 1e9, NULL, "width in mu; 0: that of all heads, as published (a head's own: D)"),
    {0}};

static unsigned projections(const void *options) {
    (void)options;
    return FOCI_PROJECT_K | FOCI_PROJECT_V;
}

static foci_tensor *forward(const foci_attention_io *io) {
    foci_graph *g = io->graph;
    const settings *o = io->options;
    if (foci_attention_refuses(io, FOCI_REFUSES_MASK)) return NULL;
    const int64_t heads = io->k->shape[1];
    const double width = o->width > 0 ? o->width : (double)(heads * io->k->shape[3]);
    foci_pursuit p = {.k = io->k, .limit = foci_pursuit_limit(g, io->k, o->lambda, width, o->threshold == PUBLISHED)};
    foci_tensor *low = NULL;
    for (int64_t i = 0; i < o->iterations; i++) {
        foci_tensor *x = foci_heads(g, foci_pursuit_step(g, &p, low), 1, 0, (int)heads);
        low = foci_scaled_dot_product_attention(
            g, x, x, io->v,
            &(foci_sdpa_options){.scale = io->scale, .dropout = io->dropout, .inner = i + 1 < o->iterations});
    }
    return low;
}

const foci_attention foci_attention_rpc = {
    .name = "rpc",
    .summary = "RPC-Attention: softmax attention over keys cleaned by principal component pursuit (NeurIPS 2024)",
    .cost = "iterations N^2 D",
    .whole = true,
    .keys = keys,
    .forward = forward,
    .projections = projections};
