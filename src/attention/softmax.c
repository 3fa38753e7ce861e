/* Dot-product attention: softmax(q kt / sqrt(D)) v (Vaswani et al., 2017). */
#include "foci/plugin.h"

static const foci_key keys[] = {{0}};

static foci_tensor *forward(const foci_attention_io *io) {
    return foci_attention_dot(
        io, &(foci_sdpa_options){.scale = io->scale, .causal = io->causal, .dropout = io->dropout, .bias = io->bias});
}

static unsigned abilities(const void *options) {
    (void)options;
    return FOCI_LAST_QUERY | FOCI_INCREMENTAL;
}

const foci_attention foci_attention_softmax = {.name = "softmax",
                                               .summary = "dot-product attention",
                                               .keys = keys,
                                               .forward = forward,
                                               .abilities = abilities,
                                               .groups = true,
                                               .spans = true};
