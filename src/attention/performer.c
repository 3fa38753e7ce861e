/* Performer (Choromanski et al., "Rethinking Attention with Performers", 2021): softmax attention estimated by random
 * features, linear in the tokens. For x = sqrt(scale) q, y = sqrt(scale) k and normal w,
 *
 *     exp(x y) = E[ exp(w x - |x|^2 / 2) exp(w y - |y|^2 / 2) ].
 *
 * The w come in orthogonal blocks (FAVOR+), which makes the estimate better. Whatever a query's features share cancels
 * in attention: they are a softmax over the features. Keys cannot be scaled one by one, so a constant keeps them in
 * range: w y - |y|^2 / 2 is at most |w|^2 / 2. The published code adds 1e-4 to all features; here nothing is added. */
#include <math.h>
#include <stdlib.h>

#include "attention/by_features.h"
#include "base/philox.h"

typedef struct settings {
    int64_t features;
} settings;

static const foci_key keys[] = {FOCI_KEY(settings, features, "0", 0, 65536, NULL,
                                         "random features per head; 0: D log D of the head's width D, in sixteens"),
                                {0}};

static double dot(int64_t n, const double *a, const double *b) {
    double sum = 0;
    for (int64_t i = 0; i < n; i++) sum += a[i] * b[i];
    return sum;
}

/* w (features, d): blocks of d orthogonal rows (Gram-Schmidt on normal ones), each as long as a normal vector. */
static void draw(int64_t features, int64_t d, foci_rng *rng, double *w) {
    for (int64_t f = 0; f < features; f++) {
        double *row = w + f * d, squares = 0, length;
        for (int64_t i = 0; i < d; i++) row[i] = foci_rng_normal(rng);
        for (int64_t other = f / d * d; other < f; other++) {
            const double *r = w + other * d, part = dot(d, row, r) / dot(d, r, r);
            for (int64_t i = 0; i < d; i++) row[i] -= part * r[i];
        }
        for (int64_t i = 0; i < d; i++) {
            double x = foci_rng_normal(rng);
            squares += x * x;
        }
        length = sqrt(squares / dot(d, row, row));
        for (int64_t i = 0; i < d; i++) row[i] *= length;
    }
}

/* (d, features) as a constant, times sqrt(scale); *bound: the largest |w|^2 / 2. The same for every run of a seed, in
 * training and evaluation. */
static foci_tensor *projection(const foci_attention_io *io, int64_t features, int64_t d, double *bound) {
    foci_rng rng = foci_rng_make(io->seed, foci_stream("attention.features"), (uint64_t)io->layer);
    double *w = malloc((size_t)(features * d) * sizeof *w);
    foci_real *turned = malloc((size_t)(features * d) * sizeof *turned);
    foci_tensor *t = NULL;
    *bound = 0;
    if (w && turned) {
        draw(features, d, &rng, w);
        for (int64_t f = 0; f < features; f++) {
            *bound = fmax(*bound, dot(d, w + f * d, w + f * d) / 2);
            for (int64_t i = 0; i < d; i++) turned[i * features + f] = (foci_real)(w[f * d + i] * sqrt(io->scale));
        }
        t = foci_constant(io->graph, "features", FOCI_REAL, FOCI_SHAPE(d, features), turned);
    } else {
        foci_graph_fail(io->graph, "out of memory for random features");
    }
    free(w);
    free(turned);
    return t;
}

static foci_tensor *forward(const foci_attention_io *io) {
    foci_graph *g = io->graph;
    const double most = 60; /* e^60 times millions of tokens and features is still a float */
    const int64_t d = io->q->shape[3], wanted = ((const settings *)io->options)->features;
    const int64_t features = wanted ? wanted : 16 * (1 + (int64_t)((double)d * log((double)d) / 16));
    double bound;
    foci_tensor *w = projection(io, features, d, &bound);
    foci_tensor *q = foci_softmax(g, foci_matmul(g, foci_contiguous(g, io->q), w)), *k = foci_contiguous(g, io->k);
    foci_tensor *features_of_k = foci_positive_features(g, foci_matmul(g, k, w), k, io->scale, fmax(0, bound - most));
    return foci_attend_by_features(io, q, features_of_k);
}

const foci_attention foci_attention_performer = {
    .name = "performer",
    .summary = "softmax attention estimated by orthogonal random features, FAVOR+ (2021)",
    .cost = "N D F",
    .linear = true,
    .keys = keys,
    .forward = forward};
