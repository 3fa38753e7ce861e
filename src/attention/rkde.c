/* Robust kernel density estimation (Han et al., "Designing Robust Transformers using Robust Kernel Density Estimation",
 * NeurIPS 2023): kde, whose tokens have weights from a robust loss of their distance to all others in the kernel's
 * space, of keys and values in the numerator, of keys in the denominator. In causal form every query has those of its
 * prefix; that form is ours: the published one takes the mask for its complement, which makes it kde. */
#include "attention/robust.h"

#define DISTANCES(X) X(PUBLISHED, "published") X(RKHS, "rkhs")
#define POOLS(X) X(POOL_BATCH, "batch") X(POOL_HEAD, "head")

typedef struct settings {
    foci_robust_loss loss;
    double a;
    int64_t iterations;
    enum { DISTANCES(FOCI_CHOICE_NUMBER) } distance;
    enum { POOLS(FOCI_CHOICE_NUMBER) } pool;
} settings;

static const foci_key keys[] = {
    FOCI_KEY(settings, loss, "huber", 0, 0, FOCI_ROBUST_LOSSES(FOCI_CHOICE_WORD), "robust loss"),
    FOCI_KEY(
        settings, a, "0.2", 1e-6, 1e6, NULL,
        "where the loss bends; with distance published huber up to 1 is one and the same, hampel up to 1/3 is kde"),
    FOCI_KEY(settings, iterations, "1", 1, 100, NULL, "rounds of weights; causal: 1"),
    FOCI_KEY(settings, distance, "published", 0, 0, DISTANCES(FOCI_CHOICE_WORD),
             "published: 1 + a_i + c, a sign that gives outliers the larger weight; rkhs (the paper): 1 - 2 a_i + c"),
    FOCI_KEY(settings, pool, "batch", 0, 0, POOLS(FOCI_CHOICE_WORD),
             "before a second round weights become their mean: batch (published) over the samples and heads at hand, "
             "those of a micro-batch or of an evaluation's batch; head: they do not"),
    {0}};

/* (B, H, 1, N) of keys and values, v NULL: of keys */
static foci_tensor *weights(const foci_attention_io *io, foci_tensor *k, foci_tensor *v, const foci_robust_options *r) {
    const settings *o = io->options;
    foci_tensor *w = NULL;
    for (int64_t i = 0; i < o->iterations; i++) {
        if (i && o->pool == POOL_BATCH) w = foci_pool_weights(io->graph, w);
        w = foci_robust_weights(io->graph, foci_gram_sum(io->graph, k, v, w, io->scale), w, r);
    }
    if (!w) return NULL;
    const int64_t *s = w->shape;
    return foci_view(w, 0, 4, (int64_t[]){s[0], s[1], 1, s[2]}, (int64_t[]){s[1] * s[2], s[2], s[2], 1});
}

static foci_tensor *causal(const foci_attention_io *io, foci_tensor *k, const foci_robust_options *r) {
    const settings *o = io->options;
    if (o->iterations > 1)
        return foci_graph_fail(io->graph, "%s: attention.kind rkde has a causal form only with attention.iterations 1",
                               foci_config_place(io->config, "attention.iterations"));
    if (foci_graph_observes(io->graph))
        foci_observe_weights(io, k,
                             (foci_weights){foci_prefix_weights_of(io->graph, k, io->v, r, io->scale),
                                            foci_prefix_weights_of(io->graph, k, NULL, r, io->scale)});
    return foci_prefix_attention(io->graph, io->q, k, io->v, r, io->scale);
}

static foci_tensor *forward(const foci_attention_io *io) {
    const settings *o = io->options;
    const foci_robust_options robust = {.loss = o->loss, .a = o->a, .published = o->distance == PUBLISHED};
    if (foci_attention_refuses(io, FOCI_REFUSES_MASK | FOCI_REFUSES_DROPOUT)) return NULL;
    foci_tensor *k = foci_normalise(io->graph, io->k, NULL);
    if (io->causal) return causal(io, k, &robust);
    const foci_weights w = {weights(io, k, io->v, &robust), weights(io, k, NULL, &robust)};
    return foci_attend_by_weights(io, k, w);
}

const foci_attention foci_attention_rkde = {
    .name = "rkde",
    .summary = "robust kernel density estimation: weights of tokens from a robust loss (NeurIPS 2023)",
    .keys = keys,
    .forward = forward};
