/* Corruptions by noise, each number by itself. */
#include <math.h>

#include "shift/picture.h"

/* --------------------------------------------------------------------------- normal, added and multiplied */

static foci_status gaussian(foci_picture *p, const double *c, foci_rng *r) {
    for (int64_t i = 0; i < foci_picture_count(p); i++) p->v[i] += (float)(c[0] * foci_rng_normal(r));
    return FOCI_OK;
}

const foci_corruption foci_corruption_gaussian_noise = {
    .name = "gaussian_noise",
    .summary = "normal noise of standard deviation c is added",
    .alexnet = 0.886428,
    .apply = gaussian,
    .large = {{.08}, {.12}, {.18}, {.26}, {.38}},
    .small = {{.04}, {.06}, {.08}, {.09}, {.10}},
};

static foci_status speckle(foci_picture *p, const double *c, foci_rng *r) {
    for (int64_t i = 0; i < foci_picture_count(p); i++) p->v[i] += p->v[i] * (float)(c[0] * foci_rng_normal(r));
    return FOCI_OK;
}

const foci_corruption foci_corruption_speckle_noise = {
    .name = "speckle_noise",
    .summary = "normal noise in proportion to the colour (extra)",
    .apply = speckle,
    .large = {{.15}, {.2}, {.35}, {.45}, {.6}},
    .small = {{.06}, {.1}, {.12}, {.16}, {.2}},
};

/* ------------------------------------------------------------------------------------------- few photons */

/* Poisson, by inversion: the values are walked through from the mode outwards until their probabilities exceed u. */
static int poisson(double mean, foci_rng *r) {
    if (mean <= 0) return 0;
    const int mode = (int)mean;
    int sign;
    double u = (foci_rng_u32(r) + 0.5) * 0x1p-32;
    const double most = exp(mode * log(mean) - mean - lgamma_r(mode + 1.0, &sign));
    double above = most, below = most;
    u -= most;
    for (int k = 1; u > 0; k++) {
        above *= mean / (mode + k);
        if ((u -= above) <= 0) return mode + k;
        below *= k <= mode ? (mode - k + 1) / mean : 0;
        if ((u -= below) <= 0 && below > 0) return mode - k;
        if (above + below < 1e-16) break; /* what rounding left over */
    }
    return mode;
}

static foci_status shot(foci_picture *p, const double *c, foci_rng *r) {
    for (int64_t i = 0; i < foci_picture_count(p); i++) p->v[i] = (float)(poisson(p->v[i] * c[0], r) / c[0]);
    return FOCI_OK;
}

const foci_corruption foci_corruption_shot_noise = {
    .name = "shot_noise",
    .summary = "each colour is counted in photons, c of them for white",
    .alexnet = 0.894468,
    .apply = shot,
    .large = {{60}, {25}, {12}, {5}, {3}},
    .small = {{500}, {250}, {100}, {75}, {50}},
};

/* ------------------------------------------------------------------------------------- salt and pepper */

static foci_status impulse(foci_picture *p, const double *c, foci_rng *r) {
    for (int64_t i = 0; i < foci_picture_count(p); i++) {
        const bool hit = foci_rng_uniform(r) <= c[0], salt = foci_rng_uniform(r) <= 0.5;
        if (hit) p->v[i] = salt;
    }
    return FOCI_OK;
}

const foci_corruption foci_corruption_impulse_noise = {
    .name = "impulse_noise",
    .summary = "a share c of the numbers becomes 0 or 1",
    .alexnet = 0.922640,
    .apply = impulse,
    .large = {{.03}, {.06}, {.09}, {.17}, {.27}},
    .small = {{.01}, {.02}, {.03}, {.05}, {.07}},
};
