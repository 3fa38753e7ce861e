/* Position-aware attention scaling (Mao et al., "Towards Robust Vision Transformer", 2022): a learnt factor between 0
 * and 1 for every head, query and key, softmax(sigmoid(att_mask) * q kt / sqrt(D)) v. The original has it in the first
 * 10 layers (RVT-Ti*) or 5 (RVT-S*) (attention.layers), and begins att_mask with whatever its memory held; here it
 * begins at 0. */
#include "foci/plugin.h"

typedef struct settings {
    bool normalise;
} settings;

static const foci_key keys[] = {
    FOCI_KEY(settings, normalise, "false", 0, 0, NULL,
             "keys of length 1, as in the copy that papers on robust attention compare with"),
    {0}};

static foci_tensor *forward(const foci_attention_io *io) {
    foci_graph *g = io->graph;
    const int64_t heads = io->k->shape[1], tokens = io->k->shape[2];
    if (tokens != io->longest)
        return foci_graph_fail(g, "%s: attention.kind rvt has a factor for each pair of %lld tokens; here are %lld",
                               foci_config_place(io->config, "attention.kind"), (long long)io->longest,
                               (long long)tokens);
    foci_tensor *mask = foci_parameter(g, "att_mask", FOCI_ZEROS, FOCI_SHAPE(heads, tokens, tokens));
    foci_tensor *k = ((const settings *)io->options)->normalise ? foci_normalise(g, io->k, NULL) : io->k;
    return foci_scaled_dot_product_attention(
        g, io->q, k, io->v,
        &(foci_sdpa_options){
            .scale = io->scale, .dropout = io->dropout, .bias = io->bias, .score_factor = foci_sigmoid(g, mask)});
}

const foci_attention foci_attention_rvt = {.name = "rvt",
                                           .summary =
                                               "dot-product attention with a learnt factor of every score (2022)",
                                           .extra = "att_mask",
                                           .whole = true,
                                           .keys = keys,
                                           .forward = forward};
