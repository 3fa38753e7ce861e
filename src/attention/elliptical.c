/* Elliptical attention (Nielsen et al., NeurIPS 2024): softmax(q diag(m) kt / sqrt(D)) v. The metric m
 * stretches the axes of the space in which query and key are compared, by how far the values moved along each
 * over one layer. It is a constant in the backward pass, and multiplies q inside ordinary fused attention. */
#include <string.h>

#include "foci/plugin.h"

static const foci_key keys[] = {
    {"first", FOCI_KEY_INT, "1", 1, 1000, NULL, "first elliptical layer; those before use the dot product"},
    {"metric", FOCI_KEY_CHOICE, "over_layers", 0, 0, "over_layers finite_difference random",
     "how the metric is estimated: change of num over one layer; central differences of the output (slow); "
     "not at all"},
    {"num", FOCI_KEY_CHOICE, "v", 0, 0, "v k q", "over_layers: whose change is measured"},
    {"den", FOCI_KEY_CHOICE, "delta", 0, 0, "delta k q",
     "over_layers: what the change is divided by: the constant delta, or entrywise by the change of k or q "
     "plus attenuation"},
    {"delta", FOCI_KEY_REAL, "1", 1e-12, 1e12, NULL,
     "over_layers: the constant; cancels unless scale is none"},
    {"attenuation", FOCI_KEY_REAL, "1e-3", 1e-12, 1e12, NULL, "over_layers: added to the change of k or q"},
    {"scale", FOCI_KEY_CHOICE, "max", 0, 0, "max mean none",
     "the metric is divided by the largest or the mean of its coordinates"},
    {"scope", FOCI_KEY_CHOICE, "sequence", 0, 0, "sequence causal",
     "sequence: one metric from all tokens (the paper); causal: token i has its own, from tokens 0..i"},
    {"reduce", FOCI_KEY_CHOICE, "mean", 0, 0, "mean median",
     "over the tokens; median only with scope sequence"},
    {"keep_scale", FOCI_KEY_BOOL, "true", 0, 0, NULL,
     "keep the factor 1/sqrt(D) in elliptical layers (the published language model does not)"},
    {"bottom", FOCI_KEY_REAL, "0", 0, 0.999, NULL,
     "random: coordinates are uniform in [bottom, 1) before division by the largest"},
    {0}};

static bool chosen(const foci_config *c, const char *key, const char *value) {
    return strcmp(foci_config_string(c, key), value) == 0;
}

/* Combinations that mean nothing. */
static bool makes_sense(const foci_attention_io *io) {
    const foci_config *c = io->config;
    if (!chosen(c, "attention.scope", "causal")) return true;
    if (chosen(c, "attention.reduce", "median"))
        foci_graph_fail(io->graph, "%s: attention.reduce median needs attention.scope sequence",
                        foci_config_place(c, "attention.reduce"));
    else if (!chosen(c, "attention.metric", "over_layers"))
        foci_graph_fail(io->graph, "%s: attention.metric %s needs attention.scope sequence",
                        foci_config_place(c, "attention.metric"), foci_config_string(c, "attention.metric"));
    return foci_graph_ok(io->graph);
}

static foci_metric_scale scale_of(const foci_config *c) {
    if (chosen(c, "attention.scale", "max")) return FOCI_SCALE_MAX;
    return chosen(c, "attention.scale", "mean") ? FOCI_SCALE_MEAN : FOCI_SCALE_NONE;
}

/* The tensor that num or den names, of this layer or of the one before; NULL for delta. */
static foci_tensor *named(const foci_attention_io *io, const char *key, bool before) {
    if (chosen(io->config, key, "v")) return before ? io->v_before : io->v;
    if (chosen(io->config, key, "k")) return before ? io->k_before : io->k;
    if (chosen(io->config, key, "q")) return before ? io->q_before : io->q;
    return NULL;
}

/* (B, H, 1, D), or (B, H, N, D) with scope causal */
static foci_tensor *metric(const foci_attention_io *io, const foci_sdpa_options *dot_product) {
    const foci_config *c = io->config;
    const bool last_query = io->q->shape[2] < io->v->shape[2]; /* its own metric is that of all tokens */
    if (chosen(c, "attention.metric", "random"))
        return foci_random_metric(io->graph, io->q, foci_config_real(c, "attention.bottom"));
    if (chosen(c, "attention.metric", "finite_difference"))
        return foci_finite_difference_metric(io->graph, io->q, io->k, io->v, dot_product, scale_of(c));
    return foci_elliptical_metric(io->graph, &(foci_elliptical_metric_options){
                                                 .num = named(io, "attention.num", false),
                                                 .num_before = named(io, "attention.num", true),
                                                 .den = named(io, "attention.den", false),
                                                 .den_before = named(io, "attention.den", true),
                                                 .delta = foci_config_real(c, "attention.delta"),
                                                 .attenuation = foci_config_real(c, "attention.attenuation"),
                                                 .scale = scale_of(c),
                                                 .causal = chosen(c, "attention.scope", "causal") && !last_query,
                                                 .median = chosen(c, "attention.reduce", "median")});
}

static foci_tensor *forward(const foci_attention_io *io) {
    foci_sdpa_options options = {
        .scale = io->scale, .causal = io->causal, .dropout = io->dropout, .bias = io->bias};
    if (!makes_sense(io)) return NULL;
    if (io->layer >= foci_config_int(io->config, "attention.first")) {
        options.metric =
            metric(io, &(foci_sdpa_options){.scale = io->scale, .causal = io->causal, .bias = io->bias});
        if (!options.metric) return NULL;
        foci_observe(io->graph, "metric", options.metric);
        if (!foci_config_bool(io->config, "attention.keep_scale")) options.scale = 1;
    }
    return foci_scaled_dot_product_attention(io->graph, io->q, io->k, io->v, &options);
}

/* The metric of the last token needs its own query and those of no others unless it measures queries. */
static unsigned abilities(const foci_config *c) {
    if (!chosen(c, "attention.metric", "over_layers") || chosen(c, "attention.num", "q") || chosen(c, "attention.den", "q")) return 0;
    return FOCI_LAST_QUERY | (chosen(c, "attention.scope", "causal") ? FOCI_INCREMENTAL : 0);
}

const foci_attention foci_attention_elliptical = {
    .name = "elliptical",
    .summary =
        "dot-product attention in a space stretched by how far the values moved over a layer (NeurIPS 2024)",
    .keys = keys,
    .forward = forward,
    .abilities = abilities};
