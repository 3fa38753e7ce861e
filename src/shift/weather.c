/* Corruptions by weather: snow, fog. */
#include <stdlib.h>

#include "shift/picture.h"

/* --------------------------------------------------------------------------------------------------- snow */

/* Normal noise, enlarged, of which only the brightest flakes stay; blown along a line. One channel. */
static foci_status snowfall(foci_picture *flakes, int width, int height, const double *c, foci_rng *r) {
    foci_picture noise;
    FOCI_TRY(foci_picture_make(&noise, width, height, 1));
    for (int64_t i = 0; i < foci_picture_count(&noise); i++) noise.v[i] = (float)(c[0] + c[1] * foci_rng_normal(r));
    foci_status s = foci_picture_zoom(flakes, &noise, c[2]);
    free(noise.v);
    if (s) return s;
    for (int64_t i = 0; i < foci_picture_count(flakes); i++)
        flakes->v[i] = flakes->v[i] < (float)c[3] ? 0 : flakes->v[i];
    foci_picture_to_bytes(flakes);
    s = foci_picture_motion(flakes, c[4], c[5], -45 - 90 * foci_rng_uniform(r));
    if (!s) foci_picture_to_bytes(flakes);
    return s;
}

/* The image fades towards a bright grey of itself; the flakes fall on it, and once more turned by 180 degrees. */
static foci_status snow(foci_picture *p, const double *c, foci_rng *r) {
    foci_picture flakes = {0};
    foci_status s = snowfall(&flakes, p->width, p->height, c, r);
    const int64_t pixels = (int64_t)p->width * p->height;
    for (int64_t i = 0; i < pixels && !s; i++) {
        float *v = p->v + 3 * i;
        const float pale = (.299f * v[0] + .587f * v[1] + .114f * v[2]) * 1.5f + .5f,
                    fallen = flakes.v[i] + flakes.v[pixels - 1 - i];
        for (int k = 0; k < 3; k++) v[k] = (float)c[6] * v[k] + (float)(1 - c[6]) * fmaxf(v[k], pale) + fallen;
    }
    free(flakes.v);
    return s;
}

const foci_corruption foci_corruption_snow = {
    .name = "snow",
    .summary = "paled, and flakes: mean, sigma, size, threshold, radius, sigma of the motion, share kept",
    .alexnet = 0.866816,
    .apply = snow,
    .large = {{.1, .3, 3, .5, 10, 4, .8},
              {.2, .3, 2, .5, 12, 4, .7},
              {.55, .3, 4, .9, 12, 8, .7},
              {.55, .3, 4.5, .85, 12, 8, .65},
              {.55, .3, 2.5, .85, 12, 12, .55}},
    .small = {{.1, .2, 1, .6, 8, 3, .95},
              {.1, .2, 1, .5, 10, 4, .9},
              {.15, .3, 1.75, .55, 10, 4, .9},
              {.25, .3, 2.25, .6, 12, 6, .85},
              {.3, .3, 1.25, .65, 14, 12, .8}},
};

/* ---------------------------------------------------------------------------------------------------- fog */

/* Plasma is added, and the sum scaled so that the brightest possible stays what it was. */
static foci_status fog(foci_picture *p, const double *c, foci_rng *r) {
    foci_picture clouds;
    FOCI_TRY(foci_picture_plasma(&clouds, p->width, p->height, c[1], r));
    float brightest = 0;
    for (int64_t i = 0; i < foci_picture_count(p); i++) brightest = fmaxf(brightest, p->v[i]);
    for (int64_t i = 0; i < foci_picture_count(p); i++)
        p->v[i] = (p->v[i] + (float)c[0] * clouds.v[i / 3]) * brightest / (brightest + (float)c[0]);
    free(clouds.v);
    return FOCI_OK;
}

const foci_corruption foci_corruption_fog = {
    .name = "fog",
    .summary = "clouds of plasma: how much, how smooth",
    .alexnet = 0.819324,
    .apply = fog,
    .large = {{1.5, 2}, {2, 2}, {2.5, 1.7}, {2.5, 1.5}, {3, 1.4}},
    .small = {{.2, 3}, {.5, 3}, {.75, 2.5}, {1, 2}, {1.5, 1.75}},
};
