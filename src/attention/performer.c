/* Performer (Choromanski et al., "Rethinking Attention with Performers", 2021): softmax attention estimated by random
 * features, linear in the tokens (ops/random_features.c). The rows of the projection come in orthogonal blocks
 * (FAVOR+), which makes the estimate better. All features get eps added; with eps 0 whatever a query's features or all
 * keys' share cancels. Otherwise the largest product over all keys, which keeps theirs in range, stays in the result:
 * in causal attention a trace of later tokens. */
#include <math.h>

#include "attention/by_features.h"
#include "base/philox.h"

typedef struct settings {
    foci_random_feature features;
    int64_t num_features, redraw;
    bool redraw_evaluation, scale_twice;
    double eps, denominator_eps;
} settings;

static const foci_key keys[] = {
    FOCI_KEY(
        settings, features, "softmax", 0, 0, FOCI_RANDOM_FEATURES(FOCI_CHOICE_WORD),
        "softmax: of FAVOR+ (performer-pytorch, Long Range Arena); relu: generalised attention; pair: exp(w x) and "
        "exp(-w x), x not scaled (published WikiText baseline)"),
    FOCI_KEY(
        settings, num_features, "0", 0, 65536, NULL,
        "random rows per head; 0: D ln D of the head's width D, rounded down (Long Range Arena: 256; WikiText: 16)"),
    FOCI_KEY(settings, eps, "1e-4", 0, 1, NULL, "added to every feature (published; relu: 1e-3; the paper: 0)"),
    FOCI_KEY(
        settings, denominator_eps, "1e-6", 0, 1, NULL,
        "causal: times the sum of a query's features, added to what it is divided by; pair: added to that (1e-5 as "
        "published)"),
    FOCI_KEY(settings, scale_twice, "false", 0, 0, NULL,
             "queries and keys times D^-1/2 each in place of D^-1/4 (published Long Range Arena code)"),
    FOCI_KEY(
        settings, redraw, "1000", 0, 1e9, NULL,
        "the rows are drawn anew in every so many training steps (performer-pytorch: 1000; WikiText and Long Range "
        "Arena: 1); 0: never"),
    FOCI_KEY(settings, redraw_evaluation, "false", 0, 0, NULL,
             "and for evaluation, which then does not see the rows of training (Long Range Arena)"),
    {0}};

/* ------------------------------------------------------------------------------------------------- projection */

static double dot(int64_t n, int64_t step, const foci_real *a, const foci_real *b) {
    double sum = 0;
    for (int64_t i = 0; i < n; i++) sum += (double)a[i * step] * (double)b[i * step];
    return sum;
}

static void scale(int64_t n, int64_t step, foci_real *x, double factor) {
    for (int64_t i = 0; i < n; i++) x[i * step] = (foci_real)((double)x[i * step] * factor);
}

/* `rows` normal vectors of n numbers, `step` apart, each orthogonal to those before it in its block of n
 * (Gram-Schmidt).
 */
static void draw_orthogonal(foci_rng *random, int64_t rows, int64_t row, int64_t n, int64_t step, foci_real *x) {
    for (int64_t r = 0; r < rows; r++) {
        foci_real *a = x + r * row;
        for (int64_t i = 0; i < n; i++) a[i * step] = (foci_real)foci_rng_normal(random);
        for (int64_t other = r / n * n; other < r; other++) {
            const foci_real *b = x + other * row;
            const double part = dot(n, step, a, b) / dot(n, step, b, b);
            for (int64_t i = 0; i < n; i++) a[i * step] -= (foci_real)(part * (double)b[i * step]);
        }
    }
}

/* (M, D): rows in orthogonal blocks of D, each as long as a normal vector. */
static void draw_rows(foci_rng *random, int64_t of, const int64_t *shape, foci_real *x) {
    const int64_t d = shape[1];
    (void)of;
    draw_orthogonal(random, shape[0], d, d, 1, x);
    for (int64_t m = 0; m < shape[0]; m++) {
        double squares = 0;
        for (int64_t i = 0; i < d; i++) {
            const double z = foci_rng_normal(random);
            squares += z * z;
        }
        scale(d, 1, x + m * d, sqrt(squares / dot(d, 1, x + m * d, x + m * d)));
    }
}

/* (M, D): columns in orthogonal blocks of M, of length sqrt(M). */
static void draw_columns(foci_rng *random, int64_t of, const int64_t *shape, foci_real *x) {
    const int64_t m = shape[0], d = shape[1];
    (void)of;
    draw_orthogonal(random, d, 1, m, d, x);
    for (int64_t i = 0; i < d; i++) scale(m, d, x + i, sqrt((double)m / dot(m, d, x + i, x + i)));
}

static foci_tensor *projection(const foci_attention_io *io, const settings *o) {
    const int64_t d = io->q->shape[3], most = (int64_t)((double)d * log((double)d));
    const int64_t rows = o->num_features ? o->num_features : most > 0 ? most : 1;
    foci_tensor *w =
        foci_buffer(io->graph, "projection_matrix",
                    FOCI_DRAWN(o->features == FOCI_FEATURES_PAIR ? draw_columns : draw_rows, 0), FOCI_SHAPE(rows, d));
    return foci_redraw(io->graph, w, io->seed, o->redraw, o->redraw_evaluation);
}

/* -------------------------------------------------------------------------------------------------- attention */

static foci_linear_options division(const foci_attention_io *io, const settings *o) {
    foci_linear_options d = {.causal = io->causal, .factor = 1};
    if (o->features == FOCI_FEATURES_PAIR) /* f sum + eps, of weights times f */
        d.denominator = FOCI_DIVIDE_BY_SUM_PLUS, d.eps = o->denominator_eps / io->scale;
    else if (io->causal) d.denominator = FOCI_DIVIDE_BY_SUM_PLUS_QUERY, d.eps = o->denominator_eps;
    return d;
}

static foci_tensor *forward(const foci_attention_io *io) {
    const settings *o = io->options;
    foci_graph *g = io->graph;
    const foci_linear_options options = division(io, o);
    const bool plain = o->features == FOCI_FEATURES_SOFTMAX && o->eps == 0;
    foci_random_features_options f = {.kind = o->features, .eps = o->eps, .scale = 1, .cancels = plain};
    if (o->features != FOCI_FEATURES_PAIR) f.scale = o->scale_twice ? io->scale : sqrt(io->scale);
    foci_tensor *w = projection(io, o), *q = foci_random_features(g, io->q, w, &f);
    f.keys = true;
    f.cancels = plain && options.eps == 0;
    foci_tensor *k = foci_random_features(g, foci_mask_tokens(g, io->k, io->mask), w, &f);
    return foci_attend_by_features(io, q, k, foci_mask_tokens(g, io->v, io->mask), &options);
}

const foci_attention foci_attention_performer = {
    .name = "performer",
    .summary = "softmax attention estimated by orthogonal random features, FAVOR+ (2021)",
    .cost = "N M D",
    .extra = "projection_matrix",
    .linear = true,
    .exactly = "eps: 0, denominator_eps: 0",
    .keys = keys,
    .forward = forward};
