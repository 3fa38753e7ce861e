#include "attention/key_pair.h"

#include "base/philox.h"

unsigned foci_key_pair_projections(foci_key_pair_kind kind) {
    const unsigned one = FOCI_PROJECT_Q | FOCI_PROJECT_K | FOCI_PROJECT_V;
    return kind == FOCI_KEYS_TWO ? one | FOCI_PROJECT_K2 : one;
}

/* The first is 0, the second normal(0, 0.5). */
static void begin_shifts(foci_rng *random, int64_t of, const int64_t *shape, foci_real *mu) {
    const int64_t each = shape[1] * shape[2];
    (void)of;
    for (int64_t i = 0; i < each; i++) mu[i] = 0, mu[each + i] = (foci_real)(0.5 * foci_rng_normal(random));
}

bool foci_key_pair(const foci_attention_io *io, foci_key_pair_kind kind, foci_tensor *pair[2]) {
    pair[0] = io->k, pair[1] = io->k2;
    if (kind == FOCI_KEYS_SHIFT) {
        foci_tensor *mu = foci_parameter(io->graph, "mu", FOCI_DRAWN(begin_shifts, 0),
                                         FOCI_SHAPE(2, io->k->shape[1], io->k->shape[3]));
        for (int i = 0; i < 2; i++) pair[i] = foci_shift(io->graph, io->k, mu, i);
    }
    return foci_graph_ok(io->graph);
}

int64_t foci_key_weights(const foci_attention_io *io, int64_t length) {
    const int64_t weights = length ? length : io->longest, tokens = io->k->shape[2];
    if (weights >= tokens) return weights;
    foci_graph_fail(io->graph, "%s: attention.length %lld is less than the %lld tokens",
                    foci_config_place(io->config, "attention.length"), (long long)weights, (long long)tokens);
    return 0;
}
