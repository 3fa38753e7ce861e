/* Neutreno (Nguyen et al., "Mitigating Over-smoothing in Transformers via Regularized Nonlocal Functionals", 2023):
 * softmax(q kt / sqrt(D)) v + lambda (v_first - v), with the values of layer 0, which get the gradient. Layer 0 itself
 * is the dot product's. */
#include "foci/plugin.h"

typedef struct settings {
    double lambda;
} settings;

static const foci_key keys[] = {
    FOCI_KEY(settings, lambda, "0.6", -1e6, 1e6, NULL,
             "factor of what is added, v of layer 0 less v of this layer (images: 0.6; language model: 0.4)"),
    {0}};

/* Of the tokens that ask: all, or the last. */
static foci_tensor *of_queries(const foci_attention_io *io, foci_tensor *v) {
    const int64_t queries = io->q->shape[2], before = v->shape[2] - queries;
    return foci_view(v, before * v->stride[2], FOCI_SHAPE(v->shape[0], v->shape[1], queries, v->shape[3]), v->stride);
}

static foci_tensor *forward(const foci_attention_io *io) {
    foci_graph *g = io->graph;
    const double lambda = ((const settings *)io->options)->lambda;
    foci_tensor *y = foci_scaled_dot_product_attention(
        g, io->q, io->k, io->v,
        &(foci_sdpa_options){.scale = io->scale, .causal = io->causal, .dropout = io->dropout, .bias = io->bias});
    if (!io->v_first) return y;
    foci_tensor *const parts[] = {foci_heads(g, y, 1, 0, (int)io->q->shape[1]), of_queries(io, io->v_first),
                                  of_queries(io, io->v)};
    return foci_combine_heads(g, 3, parts, (double[]){1, lambda, -lambda});
}

static unsigned abilities(const void *options) {
    (void)options;
    return FOCI_LAST_QUERY | FOCI_INCREMENTAL;
}

const foci_attention foci_attention_neutreno = {
    .name = "neutreno",
    .summary = "dot-product attention with a share of how the values differ from those of layer 0 (2023)",
    .adds = true,
    .keys = keys,
    .forward = forward,
    .abilities = abilities};
