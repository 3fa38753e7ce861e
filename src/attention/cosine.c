/* Cosine attention: softmax(cos(q, k) t) v, with the temperature t learnt, one per head (as its logarithm: Liu et al.,
 * "Swin Transformer V2", 2022), or fixed. A score cannot exceed t, however long queries and keys grow. Without the
 * softmax the cosines themselves are the weights, which needs no map. */
#include <math.h>

#include "attention/by_features.h"
#include "attention/refuse.h"

typedef struct settings {
    double temperature;
    bool learnt, softmax;
} settings;

static const foci_key keys[] = {
    FOCI_KEY(settings, temperature, "10", 1e-3, 1e3, NULL,
             "factor of the cosine before the softmax, where training starts"),
    FOCI_KEY(settings, learnt, "true", 0, 0, NULL, "the temperature is a parameter, one per head; or it is fixed"),
    FOCI_KEY(settings, softmax, "true", 0, 0, NULL,
             "false: the cosines times N^-1/2 are the weights, no softmax, no temperature, linear in N (published Long "
             "Range Arena code)"),
    {0}};

static foci_tensor *without_softmax(const foci_attention_io *io) {
    const foci_linear_options options = {
        .causal = io->causal, .denominator = FOCI_DIVIDE_BY_NOTHING, .factor = 1 / sqrt((double)io->k->shape[2])};
    if (foci_attention_refuses(io, FOCI_REFUSES_MASK)) return NULL;
    return foci_attend_by_features(io, foci_normalise(io->graph, io->q, NULL), foci_normalise(io->graph, io->k, NULL),
                                   io->v, &options);
}

static foci_tensor *forward(const foci_attention_io *io) {
    foci_graph *g = io->graph;
    const settings *o = io->options;
    const int64_t heads = io->q->shape[1];
    if (!o->softmax) return without_softmax(io);
    foci_tensor *log_temperature = NULL;
    if (o->learnt)
        log_temperature = foci_parameter(g, "log_temperature", FOCI_NORMAL(log(o->temperature), 0), FOCI_SHAPE(heads));
    foci_tensor *q = foci_normalise(g, io->q, log_temperature), *k = foci_normalise(g, io->k, NULL);
    return foci_scaled_dot_product_attention(
        g, q, k, io->v,
        &(foci_sdpa_options){
            .scale = o->learnt ? 1 : o->temperature, .causal = io->causal, .dropout = io->dropout, .bias = io->bias});
}

const foci_attention foci_attention_cosine = {.name = "cosine",
                                              .summary = "softmax of the cosine of query and key times a temperature",
                                              .extra = "log_temperature",
                                              .keys = keys,
                                              .forward = forward};
