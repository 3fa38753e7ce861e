/* Scaled and projected kernel density estimation (Han et al., "Designing Robust Transformers using Robust Kernel
 * Density Estimation", NeurIPS 2023): kde, whose tokens have weights from a quadratic programme, constants in the
 * backward pass; some of them are 0. */
#include "attention/robust.h"

#define POOLS(X) X(POOL_BATCH, "batch") X(POOL_HEAD, "head")

typedef struct settings {
    double outlier;
    enum { POOLS(FOCI_CHOICE_NUMBER) } pool;
} settings;

static const foci_key keys[] = {
    FOCI_KEY(settings, outlier, "0.05", 0, 0.99, NULL, "share of outliers (the published main script: 0.1)"),
    FOCI_KEY(settings, pool, "batch", 0, 0, POOLS(FOCI_CHOICE_WORD),
             "batch (published): one programme for all samples and heads, those of a micro-batch or of an evaluation's "
             "batch at a time; head: one for each head of a sample"),
    {0}};

static foci_tensor *forward(const foci_attention_io *io) {
    const settings *o = io->options;
    if (foci_attention_refuses(io, FOCI_REFUSES_MASK | FOCI_REFUSES_DROPOUT)) return NULL;
    const foci_weights w = foci_simplex_weights(io->graph, io->k, io->v, io->scale, o->outlier, o->pool == POOL_BATCH);
    return foci_attend_by_weights(io, foci_normalise(io->graph, io->k, NULL), w);
}

const foci_attention foci_attention_spkde = {
    .name = "spkde",
    .summary = "robust kernel density estimation: weights of tokens from a quadratic programme (NeurIPS 2023)",
    .cost = "N^2 D + N^3",
    .whole = true,
    .exactly = "outlier: 0", /* all weights are 1/N then */
    .keys = keys,
    .forward = forward};
