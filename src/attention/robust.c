#include "attention/robust.h"

void foci_observe_weights(const foci_attention_io *io, foci_tensor *k, foci_weights w) {
    foci_observe(io->graph, "weights_joint", w.joint);
    foci_observe(io->graph, "weights_marginal", w.marginal);
    foci_observe(io->graph, "prob",
                 foci_weighted_map(io->graph, io->q, k, w.joint, w.marginal, 2 * io->scale, io->causal));
}

foci_tensor *foci_attend_by_weights(const foci_attention_io *io, foci_tensor *k, foci_weights w) {
    if (foci_graph_observes(io->graph)) foci_observe_weights(io, k, w);
    return foci_weighted_attention(io->graph, io->q, k, io->v, w.joint, w.marginal, 2 * io->scale);
}
