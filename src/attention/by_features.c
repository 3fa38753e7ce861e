#include "attention/by_features.h"

#include "attention/refuse.h"

foci_tensor *foci_attend_by_features(const foci_attention_io *io, foci_tensor *q, foci_tensor *k, foci_tensor *v,
                                     const foci_linear_options *options) {
    if (foci_attention_refuses(io, FOCI_REFUSES_DROPOUT)) return NULL;
    if (foci_graph_observes(io->graph))
        foci_observe(io->graph, "prob", foci_linear_attention_map(io->graph, q, k, options));
    return foci_linear_attention(io->graph, q, k, v, options);
}
