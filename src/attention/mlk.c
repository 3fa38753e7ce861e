/* Mixture of linear keys, MLK (Nguyen et al., "Improving Transformers with Probabilistic Attention Keys", 2022): linear
 * attention to two keys in each position, which the position's weights make one of:
 *
 *     g(x) = (elu(x) + 1) / sum(elu(x) + 1),   key_j = pi0_j g(k0_j) + weight pi1_j g(k1_j),
 *     p_ij = g(q_i) key_j / (sum_j g(q_i) key_j + eps),  times D^-1/2 as published.
 *
 * (The Long Range Arena code has another form, with one pi for all positions and no denominator.) */
#include "attention/by_features.h"
#include "attention/key_pair.h"
#include "attention/refuse.h"

typedef struct settings {
    foci_key_pair_kind keys;
    double weight, eps;
    bool scale_output;
    int64_t length;
} settings;

static const foci_key keys[] = {
    FOCI_KEY(settings, keys, "two", 0, 0, FOCI_KEY_PAIRS(FOCI_CHOICE_WORD), FOCI_KEY_PAIR_DOC),
    FOCI_KEY(settings, weight, "1", 0, 1e6, NULL, "of the second key beside the first"),
    FOCI_KEY(settings, eps, "1e-5", 0, 1, NULL, "added to the sums of weights (published)"),
    FOCI_KEY(settings, scale_output, "true", 0, 0, NULL, "the output times D^-1/2 (published code; not in the paper)"),
    FOCI_KEY(settings, length, "0", 0, 1e9, NULL, FOCI_LENGTH_DOC),
    {0}};

static foci_tensor *prior(const foci_attention_io *io, const char *name, int64_t length) {
    return foci_parameter(io->graph, name, FOCI_NORMAL(0.5, 0), FOCI_SHAPE(io->k->shape[1], length));
}

static foci_tensor *forward(const foci_attention_io *io) {
    const settings *o = io->options;
    foci_graph *g = io->graph;
    const int64_t length = foci_key_weights(io, o->length);
    foci_tensor *pair[2];
    if (!length || foci_attention_refuses(io, FOCI_REFUSES_MASK) || !foci_key_pair(io, o->keys, pair)) return NULL;
    for (int i = 0; i < 2; i++) pair[i] = foci_elu_shares(g, pair[i]);
    foci_tensor *key =
        foci_mix_keys(g, pair[0], pair[1], prior(io, "pi0", length), prior(io, "pi1", length), o->weight);
    return foci_attend_by_features(io, foci_elu_shares(g, io->q), key, io->v,
                                   &(foci_linear_options){.causal = io->causal,
                                                          .denominator = FOCI_DIVIDE_BY_SUM_PLUS,
                                                          .eps = o->eps,
                                                          .factor = o->scale_output ? io->scale : 1});
}

static unsigned projections(const void *options) {
    return foci_key_pair_projections(((const settings *)options)->keys);
}

const foci_attention foci_attention_mlk = {.name = "mlk",
                                           .summary =
                                               "linear attention to a mixture of two keys in each position (2022)",
                                           .cost = "N D^2",
                                           .extra = "pi0 pi1 mu",
                                           .linear = true,
                                           .keys = keys,
                                           .forward = forward,
                                           .projections = projections};
