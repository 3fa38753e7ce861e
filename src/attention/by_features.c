#include "attention/by_features.h"

foci_tensor *foci_attend_by_features(const foci_attention_io *io, foci_tensor *q, foci_tensor *k) {
    if (io->dropout > 0)
        return foci_graph_fail(io->graph, "this attention makes no map: dropout on it must be 0, not %g", io->dropout);
    if (io->bias) return foci_graph_fail(io->graph, "this attention makes no scores that a bias could be added to");
    if (foci_graph_observes(io->graph))
        foci_observe(io->graph, "prob", foci_linear_attention_map(io->graph, q, k, io->causal));
    return foci_linear_attention(io->graph, q, k, io->v, io->causal);
}
