/* cosFormer (Qin et al., "cosFormer: Rethinking Softmax in Attention", 2022): the weight of key j for query i is
 *
 *     max(q_i, 0) max(k_j, 0) cos(pi (i - j) / 2 N),
 *
 * which is linear in the tokens, since cos(x - y) = cos x cos y + sin x sin y. N is the length of the sequence at hand,
 * so that what a token gets depends on how many will follow. */
#include "attention/by_features.h"
#include "attention/refuse.h"

typedef struct settings {
    double eps;
} settings;

static const foci_key keys[] = {
    FOCI_KEY(settings, eps, "1e-6", 0, 1, NULL, "the least that a sum of weights is taken for (published)"), {0}};

static foci_tensor *forward(const foci_attention_io *io) {
    if (foci_attention_refuses(io, FOCI_REFUSES_MASK)) return NULL;
    return foci_attend_by_features(io, foci_turned_features(io->graph, io->q), foci_turned_features(io->graph, io->k),
                                   io->v,
                                   &(foci_linear_options){.causal = io->causal,
                                                          .denominator = FOCI_DIVIDE_BY_AT_LEAST,
                                                          .eps = ((const settings *)io->options)->eps,
                                                          .factor = 1});
}

const foci_attention foci_attention_cosformer = {
    .name = "cosformer",
    .summary = "linear attention of what is above 0, near tokens weighing more by a cosine (2022)",
    .cost = "N D^2",
    .linear = true,
    .keys = keys,
    .forward = forward};
