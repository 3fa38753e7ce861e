#include "attention/attend.h"

#include <math.h>

#include "attention/attention.h"

unsigned foci_attention_abilities(const foci_config *config) {
    const foci_attention *variant = foci_attention_find(foci_config_string(config, "attention.kind"));
    return variant && variant->abilities ? variant->abilities(config) : 0;
}

foci_tensor *foci_attend(foci_graph *g, const foci_config *config, foci_heads_of_layer now,
                         foci_heads_of_layer *before, const foci_attend_options *options) {
    if (!now.q || !now.k || !now.v) return NULL;
    const char *kind = foci_config_string(config, "attention.kind");
    const foci_attention *variant = foci_attention_find(kind);
    if (!variant) return foci_graph_fail(g, "attention.kind: there is no attention variant %s", kind);
    foci_attention_io io = {
        .graph = g,
        .config = config,
        .q = now.q,
        .k = now.k,
        .v = now.v,
        .q_before = before->q,
        .k_before = before->k,
        .v_before = before->v,
        .layer = options->layer,
        .depth = options->depth,
        .causal = options->causal,
        .scale = 1 / sqrt((double)now.q->shape[3]),
        .dropout = options->dropout,
    };
    *before = now;
    foci_tensor *heads = variant->forward(&io);
    foci_observe(g, "heads", heads);
    return heads;
}
