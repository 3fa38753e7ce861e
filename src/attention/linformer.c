/* Linformer (Wang et al., "Linformer: Self-Attention with Linear Complexity", 2020): keys and values are brought from N
 * tokens to `rank` by a matrix E that each head has of its own: softmax(q (E k)t / sqrt(D)) E v. One E serves keys and
 * values, and all layers. Padding becomes zeros, of which E k still counts. */
#include "foci/plugin.h"

typedef struct settings {
    int64_t rank;
} settings;

static const foci_key keys[] = {FOCI_KEY(settings, rank, "256", 1, 65536, NULL,
                                         "tokens that keys and values are brought to (Long Range Arena: 256)"),
                                {0}};

/* (H, rank, longest): that of the first layer, which the others name as their own. */
static foci_tensor *projection(const foci_attention_io *io) {
    const int64_t rank = ((const settings *)io->options)->rank;
    if (io->shared && *io->shared) {
        foci_tie_here(io->graph, "E", *io->shared);
        return *io->shared;
    }
    foci_tensor *e =
        foci_parameter(io->graph, "E", FOCI_NORMAL(0, 0.02), FOCI_SHAPE(io->k->shape[1], rank, io->longest));
    if (io->shared) *io->shared = e;
    return e;
}

static foci_tensor *forward(const foci_attention_io *io) {
    foci_graph *g = io->graph;
    foci_tensor *e = projection(io), *k = foci_project_tokens(g, e, foci_mask_tokens(g, io->k, io->mask)),
                *v = foci_project_tokens(g, e, foci_mask_tokens(g, io->v, io->mask));
    if (!foci_graph_ok(g)) return NULL;
    return foci_scaled_dot_product_attention(g, io->q, k, v,
                                             &(foci_sdpa_options){.scale = io->scale, .dropout = io->dropout});
}

const foci_attention foci_attention_linformer = {.name = "linformer",
                                                 .summary =
                                                     "attention to keys and values that a matrix makes fewer of (2020)",
                                                 .cost = "N rank D",
                                                 .extra = "E",
                                                 .linear = true,
                                                 .whole = true,
                                                 .adds = true,
                                                 .keys = keys,
                                                 .forward = forward};
