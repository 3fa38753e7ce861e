/* Corruptions by weather: snow, frost, fog. */
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

/* -------------------------------------------------------------------------------------------------- frost */

/* The published frost is cut out of six photographs of frozen windows, which are not foci's to give away. This one is
 * grown: feathers of ice, each a bent stem with barbs to both sides at 60 degrees, which have barbs in turn, over a
 * cloudy film. Its mean colour and spread are those of such photographs, about 0.5 and 0.2; the mixing is the published
 * one. Lengths are shares of the shorter side. */
typedef struct frozen {
    foci_picture *ice;
    foci_rng *r;
    double side; /* pixels */
} frozen;

static void crystal(const frozen *f, double x, double y, float light) {
    const int column = (int)floor(x), row = (int)floor(y);
    for (int i = 0; i < 4; i++) { /* shared out among the four pixels around the point */
        const int at_x = column + i % 2, at_y = row + i / 2;
        if (at_x < 0 || at_y < 0 || at_x >= f->ice->width || at_y >= f->ice->height) continue;
        float *v = foci_picture_pixel(f->ice, at_x, at_y);
        *v = fmaxf(*v, light * (float)((1 - fabs(x - at_x)) * (1 - fabs(y - at_y))));
    }
}

enum { FEATHERS = 22, BARBS = 14, LEVELS = 3 };

static void grow(const frozen *f, double x, double y, double angle, double length, float light, int level) {
    const double bend = (foci_rng_uniform(f->r) - 0.5) * 0.8 / (length + 1), gap = fmax(length / BARBS, 3);
    double next = gap;
    for (double s = 0; s < length; s += 0.5) {
        x += 0.5 * cos(angle);
        y += 0.5 * sin(angle);
        angle += bend;
        crystal(f, x, y, light * (float)(1 - 0.5 * s / length));
        if (s < next || level + 1 == LEVELS) continue;
        next += gap * (0.7 + 0.6 * foci_rng_uniform(f->r));
        const double barb = (length - s) * (0.3 + 0.3 * foci_rng_uniform(f->r));
        for (int side = -1; side <= 1; side += 2)
            grow(f, x, y, angle + side * 1.0471975511965976, barb, 0.85f * light, level + 1);
    }
}

static foci_status grow_frost(foci_picture *ice, foci_picture *film, int width, int height, foci_rng *r) {
    FOCI_TRY(foci_picture_plasma(film, width, height, 1.8, r));
    FOCI_TRY(foci_picture_make(ice, width, height, 1));
    const frozen f = {ice, r, width < height ? width : height};
    for (int i = 0; i < FEATHERS; i++) {
        const double x = foci_rng_uniform(r) * width, y = foci_rng_uniform(r) * height,
                     angle = 6.283185307179586 * foci_rng_uniform(r);
        grow(&f, x, y, angle, f.side * (0.25 + 0.45 * foci_rng_uniform(r)), (float)(0.6 + 0.4 * foci_rng_uniform(r)),
             0);
    }
    return foci_picture_gaussian(ice, f.side / 280, FOCI_TRUNCATE, FOCI_NEAREST);
}

static foci_status frost(foci_picture *p, const double *c, foci_rng *r) {
    static const float tint[3] = {.88f, .97f, 1.f}; /* ice is a little blue */
    foci_picture ice = {0}, film = {0};
    foci_status s = grow_frost(&ice, &film, p->width, p->height, r);
    for (int64_t i = 0; i < foci_picture_count(p) && !s; i++) {
        const float frosted = foci_clip_to_unit(.08f + .45f * film.v[i / 3] + 1.1f * ice.v[i / 3]) * tint[i % 3];
        p->v[i] = (float)c[0] * p->v[i] + (float)c[1] * frosted;
    }
    free(ice.v);
    free(film.v);
    return s;
}

const foci_corruption foci_corruption_frost = {
    .name = "frost",
    .summary = "feathers of ice, generated: share of the image, of the ice",
    .alexnet = 0.826572,
    .apply = frost,
    .large = {{1, .4}, {.8, .6}, {.7, .7}, {.65, .7}, {.6, .75}},
    .small = {{1, .2}, {1, .3}, {.9, .4}, {.85, .4}, {.75, .45}},
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
