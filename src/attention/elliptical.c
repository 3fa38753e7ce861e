/* Elliptical attention (Nielsen et al., NeurIPS 2024): softmax(q diag(m) kt / sqrt(D)) v. The metric m
 * stretches the axes of the space in which query and key are compared, by how far the values moved along each
 * over one layer. It is a constant in the backward pass, and multiplies q inside ordinary fused attention. */
#include "foci/plugin.h"

#define METRICS(X) X(OVER_LAYERS, "over_layers") X(FINITE_DIFFERENCE, "finite_difference") X(RANDOM, "random")
#define NUM(X) X(NUM_V, "v") X(NUM_K, "k") X(NUM_Q, "q")
#define DEN(X) X(DEN_DELTA, "delta") X(DEN_K, "k") X(DEN_Q, "q")
#define SCOPES(X) X(SEQUENCE, "sequence") X(CAUSAL, "causal")
#define METRIC_ON(X) X(ON_PAIR, "pair") X(ON_ROTATED, "rotated") X(ON_UNROTATED, "unrotated")
#define REDUCTIONS(X) X(MEAN, "mean") X(MEDIAN, "median")

typedef struct settings {
    int64_t first;
    enum { METRICS(FOCI_CHOICE_NUMBER) } metric;
    enum { NUM(FOCI_CHOICE_NUMBER) } num;
    enum { DEN(FOCI_CHOICE_NUMBER) } den;
    double delta, attenuation;
    foci_metric_scale scale;
    enum { SCOPES(FOCI_CHOICE_NUMBER) } scope;
    enum { REDUCTIONS(FOCI_CHOICE_NUMBER) } reduce;
    enum { METRIC_ON(FOCI_CHOICE_NUMBER) } metric_on;
    bool keep_scale;
    double bottom;
} settings;

static const foci_key keys[] = {
    FOCI_KEY(settings, first, "1", 1, 1000, NULL, "first elliptical layer; those before use the dot product"),
    FOCI_KEY(settings, metric, "over_layers", 0, 0, METRICS(FOCI_CHOICE_WORD),
             "how the metric is estimated: change of num over one layer; central differences of the output (slow); "
             "not at all"),
    FOCI_KEY(settings, num, "v", 0, 0, NUM(FOCI_CHOICE_WORD), "over_layers: whose change is measured"),
    FOCI_KEY(settings, den, "delta", 0, 0, DEN(FOCI_CHOICE_WORD),
             "over_layers: what the change is divided by: the constant delta, or entrywise by the change of k or q "
             "plus attenuation"),
    FOCI_KEY(settings, delta, "1", 1e-12, 1e12, NULL, "over_layers: the constant; cancels unless scale is none"),
    FOCI_KEY(settings, attenuation, "1e-3", 1e-12, 1e12, NULL, "over_layers: added to the change of k or q"),
    FOCI_KEY(settings, scale, "max", 0, 0, FOCI_METRIC_SCALES(FOCI_CHOICE_WORD),
             "the metric is divided by the largest or the mean of its coordinates"),
    FOCI_KEY(settings, scope, "sequence", 0, 0, SCOPES(FOCI_CHOICE_WORD),
             "sequence: one metric from all tokens (the paper); causal: token i has its own, from tokens 0..i"),
    FOCI_KEY(settings, reduce, "mean", 0, 0, REDUCTIONS(FOCI_CHOICE_WORD),
             "over the tokens; median only with scope sequence"),
    FOCI_KEY(settings, metric_on, "pair", 0, 0, METRIC_ON(FOCI_CHOICE_WORD),
             "of rotary positions: both coordinates of a pair have one weight, so that distances alone count; each has "
             "its own, after or before the rotation"),
    FOCI_KEY(settings, keep_scale, "true", 0, 0, NULL,
             "keep the factor 1/sqrt(D) in elliptical layers (the published language model does not)"),
    FOCI_KEY(settings, bottom, "0", 0, 0.999, NULL,
             "random: coordinates are uniform in [bottom, 1) before division by the largest"),
    {0}};

/* Combinations that mean nothing. */
static bool makes_sense(const foci_attention_io *io, const settings *o) {
    static const char *const metrics[] = {METRICS(FOCI_CHOICE_NAME)};
    if (io->span && (o->metric == FINITE_DIFFERENCE || o->num == NUM_Q || o->den == DEN_Q))
        return foci_graph_fail(io->graph,
                               "%s: over a span the metric is that of keys or values, whose memory is there, not of "
                               "queries or differences of the output",
                               foci_config_place(io->config, "attention.kind"));
    if (o->scope == SEQUENCE && io->forward_only && !foci_config_is_set(io->config, "attention.scope"))
        return foci_graph_fail(io->graph,
                               "%s: attention.scope: with causal a metric is made of the tokens so far, with sequence "
                               "of those to come too; this model asks which",
                               foci_config_place(io->config, "attention.kind"));
    if (o->scope != CAUSAL) return true;
    if (o->reduce == MEDIAN)
        foci_graph_fail(io->graph, "%s: attention.reduce median needs attention.scope sequence",
                        foci_config_place(io->config, "attention.reduce"));
    else if (o->metric != OVER_LAYERS)
        foci_graph_fail(io->graph, "%s: attention.metric %s needs attention.scope sequence",
                        foci_config_place(io->config, "attention.metric"), metrics[o->metric]);
    return foci_graph_ok(io->graph);
}

static bool turns(const foci_attention_io *io) { return io->turning && io->turning->theta > 0; }

/* (B, H, 1, D), or (B, H, N, D) with scope causal; with the heads of keys and values where these alone are measured */
static foci_tensor *metric(const foci_attention_io *io, const settings *o, const foci_sdpa_options *dot_product) {
    const bool last_query = !io->span && io->q->shape[2] < io->v->shape[2]; /* its own metric is that of all tokens */
    foci_tensor *const num[] = {[NUM_V] = io->v, [NUM_K] = io->k_projected, [NUM_Q] = io->q_projected};
    foci_tensor *const num_before[] = {[NUM_V] = io->v_before, [NUM_K] = io->k_before, [NUM_Q] = io->q_before};
    foci_tensor *const den[] = {[DEN_DELTA] = NULL, [DEN_K] = io->k_projected, [DEN_Q] = io->q_projected};
    foci_tensor *const den_before[] = {[DEN_DELTA] = NULL, [DEN_K] = io->k_before, [DEN_Q] = io->q_before};
    if (o->metric == RANDOM) return foci_random_metric(io->graph, io->q, o->bottom);
    if (o->metric == FINITE_DIFFERENCE)
        return foci_finite_difference_metric(io->graph, io->q, foci_repeat_heads(io->graph, io->k, io->q->shape[1]),
                                             foci_repeat_heads(io->graph, io->v, io->q->shape[1]), dot_product,
                                             o->scale);
    return foci_elliptical_metric(io->graph,
                                  &(foci_elliptical_metric_options){.num = num[o->num],
                                                                    .num_before = num_before[o->num],
                                                                    .den = den[o->den],
                                                                    .den_before = den_before[o->den],
                                                                    .delta = o->delta,
                                                                    .attenuation = o->attenuation,
                                                                    .scale = o->scale,
                                                                    .causal = o->scope == CAUSAL && !last_query,
                                                                    .median = o->reduce == MEDIAN,
                                                                    .pairs = turns(io) && o->metric_on == ON_PAIR,
                                                                    .memory = io->span ? io->span->length : 0,
                                                                    .filled = io->span ? io->span->filled : NULL});
}

/* The metric stretches the query before it is turned, and is no metric of the scores any more. */
static foci_tensor *unrotated(const foci_attention_io *io, foci_sdpa_options options) {
    foci_attention_io stretched = *io;
    stretched.q = foci_attention_stretched_query(io, options.metric);
    options.metric = NULL;
    return foci_attention_dot(&stretched, &options);
}

static foci_tensor *forward(const foci_attention_io *io) {
    const settings *o = io->options;
    const foci_sdpa_options dot_product = {.scale = io->scale, .causal = io->causal, .bias = io->bias};
    foci_sdpa_options options = dot_product;
    options.dropout = io->dropout;
    if (!makes_sense(io, o)) return NULL;
    if (io->layer >= o->first || io->span) { /* over a span the model says which layers are */
        options.metric = metric(io, o, &dot_product);
        if (!options.metric) return NULL;
        foci_observe(io->graph, "metric", options.metric);
        if (!o->keep_scale) options.scale = 1;
        if (turns(io) && o->metric_on == ON_UNROTATED) return unrotated(io, options);
    }
    return foci_attention_dot(io, &options);
}

/* The metric of the last token needs its own query and those of no others unless it measures queries. */
static unsigned abilities(const void *options) {
    const settings *o = options;
    if (o->metric != OVER_LAYERS || o->num == NUM_Q || o->den == DEN_Q) return 0;
    return FOCI_LAST_QUERY | (o->scope == CAUSAL ? FOCI_INCREMENTAL : 0);
}

const foci_attention foci_attention_elliptical = {
    .name = "elliptical",
    .summary = "dot-product attention in a space stretched by how far the values moved over a layer (NeurIPS 2024)",
    .keys = keys,
    .forward = forward,
    .abilities = abilities,
    .spans = true,
    .groups = true};
