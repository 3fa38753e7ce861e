/* Twicing attention (Abdullaev and Nguyen, 2025): (2 A - A A) v with the map A of the dot product, which smoothes less:
 * A v, and A once more of what A v leaves over. The map is never made: A (2 v - A v) is two passes. The published
 * language model has it in the layers from 14 on, of 16 (attention.layers). */
#include "attention/map.h"
#include "attention/refuse.h"

static const foci_key keys[] = {{0}};

static foci_tensor *twice(const foci_attention_io *io, foci_tensor *v) {
    foci_graph *g = io->graph;
    const int heads = (int)io->q->shape[1];
    const foci_sdpa_options options = {.scale = io->scale, .causal = io->causal, .bias = io->bias, .inner = true};
    foci_tensor *y = foci_scaled_dot_product_attention(g, io->q, io->k, v, &options);
    foci_tensor *const parts[] = {v, foci_heads(g, y, 1, 0, heads)};
    foci_tensor *left = foci_combine_heads(g, 2, parts, (double[]){2, -1});
    return foci_scaled_dot_product_attention(g, io->q, io->k, foci_heads(g, left, 1, 0, heads), &options);
}

static foci_tensor *forward(const foci_attention_io *io) {
    if (foci_attention_refuses(io, FOCI_REFUSES_DROPOUT)) return NULL;
    if (foci_graph_observes(io->graph)) foci_observe_map(io, twice(io, foci_identity_values(io)));
    return twice(io, io->v);
}

const foci_attention foci_attention_twicing = {
    .name = "twicing",
    .summary = "dot-product attention of the values and of what it leaves over (2025)",
    .cost = "2 N^2 D",
    .keys = keys,
    .forward = forward};
