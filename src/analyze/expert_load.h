/* How the experts of a model are used: what its layers offer as `route` and `gate` (nn/experts.h), over windows of the
 * validation text in their order, what the model carries taken along. */
#ifndef FOCI_ANALYZE_EXPERT_LOAD_H
#define FOCI_ANALYZE_EXPERT_LOAD_H

#include "base/arena.h"
#include "base/watch.h"
#include "config/config.h"

typedef struct foci_expert_layer {
    const char *name;    /* "layers.3" */
    double *share;       /* (experts) of all choices; they sum to 1 */
    double gate_entropy; /* of the softmax over all experts, mean over tokens, nats */
    double used;         /* exp of the entropy of the shares: so many experts used alike */
} foci_expert_layer;

typedef struct foci_expert_load {
    int layers;
    int64_t experts, top_k; /* top_k: choices of a token */
    int64_t tokens, windows;
    foci_expert_layer *layer;
    double gate_entropy, used; /* means over the layers */
    foci_arena memory;
} foci_expert_load;

/* Over the first `windows` (0: all). FOCI_ERR_CONFIG where the model has no experts. */
foci_status foci_expert_load_measure(const foci_config *config, const char *weights, int64_t windows,
                                     const foci_watch *watch, foci_expert_load *load);
void foci_expert_load_free(foci_expert_load *load);

#endif
