/* Cosine attention: softmax(cos(q, k) t) v, with the temperature t learnt, one per head (as its logarithm: Liu et al., "Swin
 * Transformer V2", 2022), or fixed. A score cannot exceed t, however long queries and keys grow. */
#include <math.h>

#include "foci/plugin.h"

static const foci_key keys[] = {
    {"temperature", FOCI_KEY_REAL, "10", 1e-3, 1e3, NULL, "factor of the cosine before the softmax, where training starts"},
    {"learnt", FOCI_KEY_BOOL, "true", 0, 0, NULL, "the temperature is a parameter, one per head; or it is fixed"},
    {0}};

static foci_tensor *forward(const foci_attention_io *io) {
    foci_graph *g = io->graph;
    const double temperature = foci_config_real(io->config, "attention.temperature");
    const bool learnt = foci_config_bool(io->config, "attention.learnt");
    foci_tensor *log_temperature = NULL;
    if (learnt)
        log_temperature = foci_parameter(g, "log_temperature", FOCI_NORMAL(log(temperature), 0), FOCI_SHAPE(io->q->shape[1]));
    foci_tensor *q = foci_normalise(g, io->q, log_temperature), *k = foci_normalise(g, io->k, NULL);
    return foci_scaled_dot_product_attention(
        g, q, k, io->v,
        &(foci_sdpa_options){
            .scale = learnt ? 1 : temperature, .causal = io->causal, .dropout = io->dropout, .bias = io->bias});
}

const foci_attention foci_attention_cosine = {
    .name = "cosine", .summary = "softmax of the cosine of query and key times a temperature", .keys = keys, .forward = forward};
