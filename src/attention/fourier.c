/* FourierFormer (Nguyen et al., NeurIPS 2022): the weight of key j for query i is prod_d sinc(R_d (q_id - k_jd))^power,
 * divided by the sum over the keys and eps. */
#include "attention/refuse.h"

#define RADII(X) X(SCALAR, "scalar") X(COORDINATE, "coordinate")

typedef struct settings {
    int64_t power;
    double eps;
    enum { RADII(FOCI_CHOICE_NUMBER) } radius;
    double initial;
} settings;

static const foci_key keys[] = {
    FOCI_KEY(settings, power, "4", 1, 64, NULL, "exponent of sin x / x"),
    FOCI_KEY(settings, eps, "1e-6", 0, 1, NULL,
             "added to the sum of a row's weights; in wide heads these are far below it, and the output 0: 0 there"),
    FOCI_KEY(settings, radius, "scalar", 0, 0, RADII(FOCI_CHOICE_WORD),
             "one for a layer (the published parameter; the published kernel reads beyond its end), or one for each "
             "coordinate"),
    FOCI_KEY(settings, initial, "1", 1e-6, 1e6, NULL,
             "the radius where training starts (published: 1 for images, 2 for text)"),
    {0}};

static foci_tensor *forward(const foci_attention_io *io) {
    const settings *o = io->options;
    const foci_fourier_options options = {.power = o->power, .eps = o->eps, .causal = io->causal};
    if (foci_attention_refuses(io, FOCI_REFUSES_MASK | FOCI_REFUSES_DROPOUT)) return NULL;
    foci_tensor *radius = foci_parameter(io->graph, "paramR", FOCI_NORMAL(o->initial, 0),
                                         FOCI_SHAPE(o->radius == SCALAR ? 1 : io->q->shape[3]));
    if (foci_graph_observes(io->graph))
        foci_observe(io->graph, "prob", foci_fourier_map(io->graph, io->q, io->k, radius, &options));
    return foci_fourier_attention(io->graph, io->q, io->k, io->v, radius, &options);
}

const foci_attention foci_attention_fourier = {
    .name = "fourier",
    .summary = "FourierFormer: a product of sin x / x over the coordinates of q - k (NeurIPS 2022)",
    .cost = "N^2 D sines",
    .extra = "paramR",
    .keys = keys,
    .forward = forward};
