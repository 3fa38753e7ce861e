/* Losses of one image, from its logits; value and gradient side by side. */
#include <math.h>

#include "attack/engine.h"

int64_t foci_argmax(const foci_real *z, int64_t classes) {
    int64_t best = 0;
    for (int64_t k = 1; k < classes; k++)
        if (z[k] > z[best]) best = k;
    return best;
}

static int64_t best_but(const foci_real *z, int64_t classes, int64_t but) {
    int64_t best = but == 0;
    for (int64_t k = best + 1; k < classes; k++)
        if (k != but && z[k] > z[best]) best = k;
    return best;
}

static double difference(const foci_real *z, int64_t up, int64_t down, foci_real *dz) {
    dz[up] += 1;
    dz[down] -= 1;
    return (double)z[up] - (double)z[down];
}

/* sign * (log sum exp z - z_c) */
static double cross_entropy(const foci_real *z, int64_t classes, int32_t c, double sign, foci_real *dz) {
    double top = (double)z[foci_argmax(z, classes)], sum = 0;
    for (int64_t k = 0; k < classes; k++) sum += exp((double)z[k] - top);
    for (int64_t k = 0; k < classes; k++) dz[k] = (foci_real)(sign * (exp((double)z[k] - top) / sum - (k == c)));
    return sign * (log(sum) + top - (double)z[c]);
}

double foci_head_cross_entropy(const foci_real *z, int64_t classes, int32_t label, int32_t target, foci_real *dz) {
    (void)target;
    return cross_entropy(z, classes, label, 1, dz);
}
double foci_head_cross_entropy_target(const foci_real *z, int64_t classes, int32_t label, int32_t target,
                                      foci_real *dz) {
    (void)label;
    return cross_entropy(z, classes, target, -1, dz);
}

double foci_head_margin(const foci_real *z, int64_t classes, int32_t label, int32_t target, foci_real *dz) {
    (void)target;
    return difference(z, best_but(z, classes, label), label, dz);
}
double foci_head_margin_target(const foci_real *z, int64_t classes, int32_t label, int32_t target, foci_real *dz) {
    (void)label;
    return difference(z, target, best_but(z, classes, target), dz);
}
double foci_head_difference(const foci_real *z, int64_t classes, int32_t label, int32_t target, foci_real *dz) {
    (void)classes;
    return difference(z, target, label, dz);
}

/* The indices of the four largest logits, or of all where there are fewer. */
static void largest_four(const foci_real *z, int64_t classes, int64_t order[4]) {
    int found = 0;
    for (int64_t k = 0; k < classes; k++) {
        int at = found < 4 ? found++ : 4;
        for (; at > 0 && z[k] > z[order[at - 1]]; at--)
            if (at < 4) order[at] = order[at - 1];
        if (at < 4) order[at] = k;
    }
}

/* N / D for N already in dz, and D = z[a] - (z[b] + z[c]) / 2; 1e-12 as in the authors' code, against 0 / 0. */
static double over_spread(const foci_real *z, int64_t classes, double n, int64_t a, int64_t b, int64_t c,
                          foci_real *dz) {
    double d = (double)z[a] - 0.5 * ((double)z[b] + (double)z[c]) + 1e-12, back = -n / (d * d);
    for (int64_t k = 0; k < classes; k++) dz[k] = (foci_real)((double)dz[k] / d);
    dz[a] += (foci_real)back;
    dz[b] -= (foci_real)(0.5 * back);
    dz[c] -= (foci_real)(0.5 * back);
    return n / d;
}

/* (best other - label) / (1st - 3rd largest) */
double foci_head_dlr(const foci_real *z, int64_t classes, int32_t label, int32_t target, foci_real *dz) {
    int64_t order[4];
    largest_four(z, classes, order);
    double n = foci_head_margin(z, classes, label, target, dz);
    return over_spread(z, classes, n, order[0], order[2], order[2], dz);
}
/* (target - label) / (1st - mean of 3rd and 4th largest) */
double foci_head_dlr_target(const foci_real *z, int64_t classes, int32_t label, int32_t target, foci_real *dz) {
    int64_t order[4];
    largest_four(z, classes, order);
    double n = foci_head_difference(z, classes, label, target, dz);
    return over_spread(z, classes, n, order[0], order[2], order[3], dz);
}
