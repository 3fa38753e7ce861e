/* Linear attention (Katharopoulos et al., "Transformers are RNNs", 2020): the weight of key j for query i is
 * f(q_i) f(k_j), f(x) = elu(x) + 1, so that sums over keys are made once for all queries. */
#include <math.h>

#include "attention/by_features.h"
#include "attention/refuse.h"

typedef struct settings {
    double denominator_eps;
    bool divide;
} settings;

static const foci_key keys[] = {
    FOCI_KEY(settings, denominator_eps, "0", 0, 1, NULL,
             "added to the sums of weights, with D^-1/2 in each (published language model: 1e-5)"),
    FOCI_KEY(settings, divide, "true", 0, 0, NULL,
             "divide by the sums of weights, as the paper does; false: features times N^-1/4 in its place (published "
             "Long Range Arena code)"),
    {0}};

static foci_tensor *forward(const foci_attention_io *io) {
    const settings *o = io->options;
    foci_linear_options options = {.causal = io->causal, .factor = 1};
    if (foci_attention_refuses(io, FOCI_REFUSES_MASK)) return NULL;
    if (!o->divide) options.denominator = FOCI_DIVIDE_BY_NOTHING, options.factor = 1 / sqrt((double)io->k->shape[2]);
    else if (o->denominator_eps > 0)
        options.denominator = FOCI_DIVIDE_BY_SUM_PLUS, options.eps = o->denominator_eps / io->scale;
    return foci_attend_by_features(io, foci_elu_one(io->graph, io->q), foci_elu_one(io->graph, io->k), io->v, &options);
}

const foci_attention foci_attention_linear = {.name = "linear",
                                              .summary = "linear attention: elu(x) + 1 in place of the softmax (2020)",
                                              .cost = "N D^2",
                                              .linear = true,
                                              .keys = keys,
                                              .forward = forward};
