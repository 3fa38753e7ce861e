/* Attention as models use it: the variant that attention.kind names, and what one layer hands to the next. */
#ifndef FOCI_ATTENTION_ATTEND_H
#define FOCI_ATTENTION_ATTEND_H

#include "foci/plugin.h"

typedef struct foci_heads_of_layer {
    foci_tensor *q, *k, *v; /* (B, H, N, D); NULL before the first layer */
} foci_heads_of_layer;

typedef struct foci_attend_options {
    int layer, depth;
    bool causal;
    double dropout; /* on the attention map */
} foci_attend_options;

/* FOCI_LAST_QUERY, FOCI_INCREMENTAL: of the variant that the config names. */
unsigned foci_attention_abilities(const foci_config *config);

/* Attends with q, k, v; `before` holds those of the layer before and is replaced by these. -> (B, N, H*D),
 * offered for inspection as `heads`; what a model makes of it before the residual sum, it offers as `out`. */
foci_tensor *foci_attend(foci_graph *g, const foci_config *config, foci_heads_of_layer now,
                         foci_heads_of_layer *before, const foci_attend_options *options);

#endif
