/* Mixture of Gaussian keys (Nguyen et al., "Improving Transformers with Probabilistic Attention Keys", 2022): two keys
 * at each position, e_c = -c_c |q - k_c|^2 / sqrt(D) with a precision c_c each, and
 *
 *     learnt, soft:  phi = pi_0 exp(e_0) + pi_1 exp(e_1),  p = phi / (sum over j of phi + eps)
 *     hard:          p = softmax(max(e_0, e_1))
 *
 * The sum over j of each part is one pass of fused attention: 2 c q k / sqrt(D) is its score, log(pi) - c |k|^2 /
 * sqrt(D) a bias of the key; the logarithms of the rows' sums then say how the parts are weighed. The published code
 * sums exponentials as they are: with eps = 0, a query far from all keys gets 0/0 there, here what the ratio tends to.
 */
#include "attention/key_pair.h"
#include "attention/map.h"
#include "attention/refuse.h"

#define MODES(X) X(LEARNT, "learnt") X(HARD, "hard") X(SOFT, "soft")
#define PRIORS(X) X(POSITION, "position") X(LAYER, "layer")

typedef struct settings {
    enum { MODES(FOCI_CHOICE_NUMBER) } mode;
    foci_key_pair_kind keys;
    enum { PRIORS(FOCI_CHOICE_NUMBER) } prior;
    foci_real_list precision;
    double eps;
    int64_t length;
} settings;

static const foci_key keys[] = {
    FOCI_KEY(
        settings, mode, "learnt", 0, 0, MODES(FOCI_CHOICE_WORD),
        "priors are parameters; the nearer key counts alone; priors follow what the keys answered for in training"),
    FOCI_KEY(settings, keys, "two", 0, 0, FOCI_KEY_PAIRS(FOCI_CHOICE_WORD), FOCI_KEY_PAIR_DOC),
    FOCI_KEY(settings, prior, "position", 0, 0, PRIORS(FOCI_CHOICE_WORD),
             "of mode learnt: per head and key position; or one pair for a layer"),
    FOCI_KEY(settings, precision, "[0.5, 1.5]", 1e-6, 1e6, NULL,
             "of the two kernels (language model; Long Range Arena: [0.5, 0.5])"),
    FOCI_KEY(settings, eps, "1e-6", 0, 1, NULL, "added to the sum of a row (Long Range Arena: 0)"),
    FOCI_KEY(settings, length, "0", 0, 1e9, NULL, FOCI_LENGTH_DOC),
    {0}};

static bool makes_sense(const foci_attention_io *io, const settings *o) {
    if (o->precision.count != 2)
        foci_graph_fail(io->graph, "%s: attention.precision has %d numbers, not 2",
                        foci_config_place(io->config, "attention.precision"), o->precision.count);
    return !foci_attention_refuses(io, FOCI_REFUSES_DROPOUT) && foci_graph_ok(io->graph);
}

static foci_tensor *part(foci_tensor *t, int64_t index, int ndim, const int64_t *shape) {
    int64_t stride[FOCI_MAX_DIMS], numel = 1;
    for (int i = ndim - 1; i >= 0; i--) stride[i] = numel, numel *= shape[i];
    return foci_view(t, index * numel, ndim, shape, stride);
}

/* What gaussian_bias takes; of mode soft, the second is the complement of the first. */
static void priors(const foci_attention_io *io, const settings *o, foci_tensor *const k[2], const double factor[2],
                   foci_tensor *prior[2]) {
    foci_graph *g = io->graph;
    const int64_t heads = io->k->shape[1];
    const foci_init half = FOCI_NORMAL(0.5, 0);
    if (o->mode == LEARNT && o->prior == LAYER) {
        foci_tensor *pi = foci_parameter(g, "pi", half, FOCI_SHAPE(2));
        for (int c = 0; c < 2; c++) prior[c] = part(pi, c, FOCI_SHAPE(1));
        return;
    }
    const int64_t length = foci_key_weights(io, o->length);
    if (!length) return;
    if (o->mode == SOFT) {
        prior[0] = prior[1] = foci_buffer(g, "pi", half, FOCI_SHAPE(heads, 1, 1, length));
        if (!foci_graph_trains(g) && !foci_graph_observes(g)) return;
        foci_tensor *both = foci_mixture_prior(g, io->q, k, prior[0], factor);
        prior[0] = prior[1] = part(both, 0, FOCI_SHAPE(heads, 1, 1, length));
        foci_observe(g, "pi_new", part(both, 1, FOCI_SHAPE(heads, 1, 1, length)));
    } else {
        prior[0] = foci_parameter(g, "pi0", half, FOCI_SHAPE(heads, 1, 1, length));
        prior[1] = foci_parameter(g, "pi1", half, FOCI_SHAPE(heads, 1, 1, length));
    }
}

/* What attends to v, by either mode. */
typedef struct mixture {
    const foci_attention_io *io;
    const settings *o;
    foci_tensor *k[2], *bias[2];
    double factor[2]; /* of the squared distances */
} mixture;

static foci_tensor *attend(const mixture *m, foci_tensor *v) {
    const foci_attention_io *io = m->io;
    foci_tensor *y[2];
    if (m->o->mode == HARD)
        return foci_nearer_key_attention(io->graph, io->q, m->k, v, io->bias, m->factor, io->causal);
    for (int c = 0; c < 2; c++)
        y[c] = foci_scaled_dot_product_attention(io->graph, io->q, m->k[c], v,
                                                 &(foci_sdpa_options){.scale = 2 * m->factor[c],
                                                                      .causal = io->causal,
                                                                      .bias = io->bias,
                                                                      .key_bias = m->bias[c],
                                                                      .log_sum = true,
                                                                      .inner = true});
    return foci_gaussian_mixture(io->graph, y, io->q, m->factor, m->o->eps);
}

static foci_tensor *forward(const foci_attention_io *io) {
    const settings *o = io->options;
    mixture m = {.io = io, .o = o};
    foci_tensor *prior[2] = {NULL};
    if (!makes_sense(io, o) || !foci_key_pair(io, o->keys, m.k)) return NULL;
    for (int c = 0; c < 2; c++) m.factor[c] = o->precision.value[c] * io->scale;
    if (o->mode != HARD) {
        priors(io, o, m.k, m.factor, prior);
        for (int c = 0; c < 2; c++)
            m.bias[c] = foci_gaussian_bias(io->graph, m.k[c], prior[c], m.factor[c], o->mode == SOFT && c == 1);
    }
    if (foci_graph_observes(io->graph)) foci_observe_map(io, attend(&m, foci_identity_values(io)));
    return attend(&m, io->v);
}

static unsigned projections(const void *options) {
    return foci_key_pair_projections(((const settings *)options)->keys);
}

static unsigned abilities(const void *options) {
    (void)options;
    return FOCI_LAST_QUERY | FOCI_INCREMENTAL;
}

const foci_attention foci_attention_mgk = {.name = "mgk",
                                           .summary = "mixture of two Gaussian keys at each position (2022)",
                                           .cost = "2 N^2 D",
                                           .extra = "mu pi0 pi1 pi",
                                           .keys = keys,
                                           .forward = forward,
                                           .abilities = abilities,
                                           .projections = projections};
