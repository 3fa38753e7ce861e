/* Corruption by splashes: of water, and at severities 4 and 5 of mud.
 *
 * Smoothed normal noise above a threshold is the liquid. Water is lit along its edges: the distance from them
 * up to 20 pixels, its histogram made even, and an emboss filter (all on 8 bits, as in the published code). */
#include <stdlib.h>
#include <string.h>

#include "shift/edges.h"
#include "shift/picture.h"

/* ------------------------------------------------------------------------------------------- the distance */

/* To the nearest edge, at most `most`, in steps to the neighbours and of the knight (Borgefors 1986): two sweeps. */
static void distances(foci_picture *d, const unsigned char *edge, float most) {
    static const struct {
        int dx, dy;
        float length;
    } step[] = {{-1, 0, 1},        {0, -1, 1},       {-1, -1, 1.4f},    {1, -1, 1.4f},
                {-2, -1, 2.1969f}, {2, -1, 2.1969f}, {-1, -2, 2.1969f}, {1, -2, 2.1969f}};
    const int width = d->width, height = d->height;
    for (int64_t i = 0; i < foci_picture_count(d); i++) d->v[i] = edge[i] ? 0 : most;
    for (int sign = 1; sign >= -1; sign -= 2)
        for (int row = 0; row < height; row++)
            for (int column = 0; column < width; column++) {
                const int x = sign > 0 ? column : width - 1 - column, y = sign > 0 ? row : height - 1 - row;
                float *v = foci_picture_pixel(d, x, y);
                for (size_t k = 0; k < sizeof step / sizeof *step; k++) {
                    const int nx = x + sign * step[k].dx, ny = y + sign * step[k].dy;
                    if (nx >= 0 && ny >= 0 && nx < width && ny < height)
                        *v = fminf(*v, *foci_picture_pixel(d, nx, ny) + step[k].length);
                }
            }
}

/* Whole numbers 0..255, spread so that each range of equal width holds equally many. */
static void equalise(foci_picture *d) {
    int64_t count[256] = {0}, sum = 0;
    const int64_t n = foci_picture_count(d);
    int first = 0;
    unsigned char to[256];
    for (int64_t i = 0; i < n; i++) count[(unsigned char)d->v[i]]++;
    while (!count[first]) first++;
    if (count[first] == n) return;
    for (int k = 0; k < 256; k++) {
        sum += k > first ? count[k] : 0;
        to[k] = (unsigned char)nearbyint(255.0 * (double)sum / (double)(n - count[first]));
    }
    for (int64_t i = 0; i < n; i++) d->v[i] = to[(unsigned char)d->v[i]];
}

/* How brightly each point of the water shines, 0 .. `most`. Scales liquid. */
static foci_status light_water(foci_picture *liquid, float most) {
    static const float box[9] = {1 / 9.f, 1 / 9.f, 1 / 9.f, 1 / 9.f, 1 / 9.f, 1 / 9.f, 1 / 9.f, 1 / 9.f, 1 / 9.f};
    static const float emboss[9] = {-2, -1, 0, -1, 1, 1, 0, 1, 2};
    const int64_t n = foci_picture_count(liquid);
    foci_picture far = {0};
    unsigned char *edge = malloc((size_t)n);
    foci_status s = edge ? foci_picture_make(&far, liquid->width, liquid->height, 1)
                         : foci_fail(FOCI_ERR_RUNTIME, "out of memory for spatter");
    if (!s) {
        foci_picture_to_bytes(liquid);
        s = foci_find_edges(liquid, 50, 150, edge);
    }
    if (!s) {
        distances(&far, edge, 20);
        s = foci_picture_filter(&far, box, 3);
    }
    if (!s) {
        for (int64_t i = 0; i < n; i++) far.v[i] = floorf(far.v[i] + 1e-3f);
        equalise(&far);
        s = foci_picture_filter(&far, emboss, 3);
    }
    if (!s) {
        for (int64_t i = 0; i < n; i++) far.v[i] = fminf(255, fmaxf(0, far.v[i]));
        s = foci_picture_filter(&far, box, 3);
    }
    float brightest = 0;
    for (int64_t i = 0; i < n && !s; i++) brightest = fmaxf(brightest, liquid->v[i] *= far.v[i]);
    for (int64_t i = 0; i < n && brightest > 0; i++) liquid->v[i] *= most / brightest;
    free(far.v);
    free(edge);
    return s;
}

/* -------------------------------------------------------------------------------------------------- spatter */

static foci_status splash(foci_picture *liquid, const foci_picture *p, const double *c, foci_rng *r) {
    FOCI_TRY(foci_picture_make(liquid, p->width, p->height, 1));
    for (int64_t i = 0; i < foci_picture_count(liquid); i++) liquid->v[i] = (float)(c[0] + c[1] * foci_rng_normal(r));
    FOCI_TRY(foci_picture_gaussian(liquid, c[2], FOCI_TRUNCATE, FOCI_NEAREST));
    const bool mud = c[5] > 0;
    for (int64_t i = 0; i < foci_picture_count(liquid); i++)
        liquid->v[i] = liquid->v[i] <= (float)c[3] ? 0 : mud ? 1 : liquid->v[i];
    if (!mud) return light_water(liquid, (float)c[4]);
    FOCI_TRY(foci_picture_gaussian(liquid, c[4], FOCI_TRUNCATE, FOCI_NEAREST));
    for (int64_t i = 0; i < foci_picture_count(liquid); i++) liquid->v[i] = liquid->v[i] < .8f ? 0 : liquid->v[i];
    return FOCI_OK;
}

static foci_status spatter(foci_picture *p, const double *c, foci_rng *r) {
    static const float turquoise[3] = {175 / 255.f, 238 / 255.f, 238 / 255.f},
                       brown[3] = {63 / 255.f, 42 / 255.f, 20 / 255.f};
    foci_picture liquid = {0};
    foci_status s = splash(&liquid, p, c, r);
    for (int64_t i = 0; i < foci_picture_count(p) && !s; i++) {
        const float m = liquid.v[i / 3];
        p->v[i] = c[5] > 0 ? p->v[i] * (1 - m) + brown[i % 3] * m : p->v[i] + turquoise[i % 3] * m;
    }
    free(liquid.v);
    return s;
}

const foci_corruption foci_corruption_spatter = {
    .name = "spatter",
    .summary = "water, then mud: mean, sigma, smoothness, threshold, strength, mud or not (extra)",
    .apply = spatter,
    .large = {{.65, .3, 4, .69, .6, 0},
              {.65, .3, 3, .68, .6, 0},
              {.65, .3, 2, .68, .5, 0},
              {.65, .3, 1, .65, 1.5, 1},
              {.67, .4, 1, .65, 1.5, 1}},
    .small = {{.62, .1, .7, .7, .5, 0},
              {.65, .1, .8, .7, .5, 0},
              {.65, .3, 1, .69, .5, 0},
              {.65, .1, .7, .69, .6, 1},
              {.65, .1, .5, .68, .6, 1}},
};
