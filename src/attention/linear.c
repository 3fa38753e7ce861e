/* Linear attention (Katharopoulos et al., "Transformers are RNNs", 2020): the weight of key j for query i is
 * f(q_i) f(k_j), f(x) = elu(x) + 1, so that sums over keys are made once for all queries. */
#include "attention/by_features.h"

static const foci_key keys[] = {{0}};

static foci_tensor *forward(const foci_attention_io *io) {
    return foci_attend_by_features(io, foci_elu_one(io->graph, io->q), foci_elu_one(io->graph, io->k));
}

const foci_attention foci_attention_linear = {.name = "linear",
                                              .summary = "linear attention: elu(x) + 1 in place of the softmax (2020)",
                                              .cost = "N D^2",
                                              .linear = true,
                                              .keys = keys,
                                              .forward = forward};
