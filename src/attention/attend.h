/* Attention as models use it: the variant that attention.kind names, and what one layer hands to the next. */
#ifndef FOCI_ATTENTION_ATTEND_H
#define FOCI_ATTENTION_ATTEND_H

#include "foci/plugin.h"
#include "nn/project.h"

/* What the layers of a model share while it is recorded. */
typedef struct foci_attending {
    const foci_attention *variant; /* NULL after an error, which the graph has */
    foci_int_list layers;          /* that use it, the others the dot product; none: all use it */
    unsigned wanted;               /* FOCI_PROJECT_*: by the variant */
    unsigned projections;          /* what the block of the next layer has to project to */
    foci_attention_io next;        /* of the layer that is recorded next */
    foci_attention_turning turning;
} foci_attending;

typedef struct foci_attend_options {
    int depth;
    int64_t longest; /* tokens */
    bool causal, forward_only;
    double dropout;                  /* on the attention map */
    foci_tensor *mask;               /* (B, N): 1, or 0 where a token is padding; NULL: there is none */
    const foci_attention_span *span; /* lives as long as the recording; NULL: there is none */
    double rope_theta;               /* queries and keys are turned by their positions; 0: they are not */
    double norm_eps;                 /* of their norms, foci_heads_of_layer */
} foci_attend_options;

/* "attention.KEY" whatever the variant. */
extern const foci_key foci_attending_keys[];

/* FOCI_LAST_QUERY, FOCI_INCREMENTAL: of the variant that the config names. */
unsigned foci_attention_abilities(const foci_config *config);

/* Before the first layer: with the variant that the config names, or with this one. */
foci_attending foci_attending_begin(foci_graph *g, const foci_config *config, const foci_attend_options *options);
foci_attending foci_attending_with(const foci_attention *variant, foci_graph *g, const foci_config *config,
                                   const foci_attend_options *options);
/* The dot product, over these projections, whatever the config says: a decoder's. */
foci_attending foci_attending_dot_product(foci_graph *g, const foci_config *config, const foci_attend_options *options,
                                          unsigned projections);

/* The next layer: attends with the heads of x (B, N, C). -> (B, N, H*D), offered for inspection as `heads`; what a
 * model makes of it before the residual sum, it offers as `out`. */
foci_tensor *foci_attend(foci_attending *a, foci_tensor *x, foci_heads_of_layer now);

/* One layer by itself, with the variant that io->config names and its options; q and k are what is projected. */
foci_tensor *foci_attend_once(foci_attention_io *io);

#endif
