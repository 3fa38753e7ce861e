/* Attention as a kernel density estimate (Han et al., "Designing Robust Transformers using Robust Kernel Density
 * Estimation", 2023): weights of a Gaussian kernel, exp(-|q - k|^2 / sqrt(D)), with keys of length 1 and queries as
 * they are. |q|^2 and |k|^2 cancel in the softmax, which leaves that of 2 q k / sqrt(D). The paper's kernel has a half
 * in the exponent; the published code, followed here, has not. */
#include "foci/plugin.h"

static const foci_key keys[] = {{0}};

static foci_tensor *forward(const foci_attention_io *io) {
    return foci_scaled_dot_product_attention(
        io->graph, io->q, foci_normalise(io->graph, io->k, NULL), io->v,
        &(foci_sdpa_options){.scale = 2 * io->scale, .causal = io->causal, .dropout = io->dropout, .bias = io->bias});
}

static unsigned abilities(const void *options) {
    (void)options;
    return FOCI_LAST_QUERY | FOCI_INCREMENTAL;
}

const foci_attention foci_attention_kde = {.name = "kde",
                                           .summary = "kernel density estimate, keys of length 1 (2023)",
                                           .keys = keys,
                                           .forward = forward,
                                           .abilities = abilities};
