#include "attention/map.h"

#include "core/graph.h"

foci_tensor *foci_identity_values(const foci_attention_io *io) {
    const int64_t batch = io->k->shape[0], heads = io->k->shape[1], tokens = io->k->shape[2];
    foci_real *ones = foci_graph_alloc(io->graph, (size_t)(tokens * tokens) * sizeof *ones);
    for (int64_t i = 0; ones && i < tokens; i++) ones[i * tokens + i] = 1;
    foci_tensor *t = ones ? foci_constant(io->graph, "identity", FOCI_REAL, FOCI_SHAPE(tokens, tokens), ones) : NULL;
    return foci_view(t, 0, FOCI_SHAPE(batch, heads, tokens, tokens), (int64_t[]){0, 0, tokens, 1});
}

void foci_observe_map(const foci_attention_io *io, foci_tensor *joined) {
    foci_tensor *map = foci_heads(io->graph, joined, 1, 0, (int)io->q->shape[1]);
    foci_observe(io->graph, "prob", foci_contiguous(io->graph, map));
}
