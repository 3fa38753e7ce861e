/* Corruptions by blur. */
#include <stdlib.h>
#include <string.h>

#include "shift/picture.h"

static foci_status gaussian(foci_picture *p, const double *c, foci_rng *r) {
    (void)r;
    return foci_picture_gaussian(p, c[0], FOCI_TRUNCATE, FOCI_NEAREST);
}

const foci_corruption foci_corruption_gaussian_blur = {
    .name = "gaussian_blur",
    .summary = "a Gaussian of c pixels (extra)",
    .apply = gaussian,
    .large = {{1}, {2}, {3}, {4}, {6}},
    .small = {{.4}, {.6}, {.7}, {.8}, {1}},
};

/* ----------------------------------------------------------------------------------------- out of focus */

/* A disk, its edge softened by a Gaussian of 3 x 3 or 5 x 5 pixels. Normalised; returns the side. */
enum { MOST_SIDE = 21 };
static int make_disk(double radius, double soft, float disk[MOST_SIDE * MOST_SIDE]) {
    const int reach = radius <= 8 ? 8 : (int)radius, side = 2 * reach + 1, around = radius <= 8 ? 1 : 2;
    float sharp[MOST_SIDE * MOST_SIDE];
    double inside = 0, sum = 0;
    for (int y = -reach; y <= reach; y++)
        for (int x = -reach; x <= reach; x++)
            inside += sharp[(y + reach) * side + x + reach] = x * x + y * y <= radius * radius;
    for (int k = -around; k <= around; k++) sum += exp(-0.5 * k * k / (soft * soft));
    for (int y = 0; y < side; y++)
        for (int x = 0; x < side; x++) {
            double v = 0;
            for (int j = -around; j <= around; j++)
                for (int i = -around; i <= around; i++)
                    v += exp(-0.5 * (i * i + j * j) / (soft * soft)) *
                         sharp[foci_border_index(y + j, side, FOCI_REFLECT_101) * side +
                               foci_border_index(x + i, side, FOCI_REFLECT_101)];
            disk[y * side + x] = (float)(v / (sum * sum * inside));
        }
    return side;
}

static foci_status defocus(foci_picture *p, const double *c, foci_rng *r) {
    (void)r;
    float disk[MOST_SIDE * MOST_SIDE];
    const int side = make_disk(c[0], c[1], disk);
    return foci_picture_filter(p, disk, side);
}

const foci_corruption foci_corruption_defocus_blur = {
    .name = "defocus_blur",
    .summary = "the mean over a disk: its radius, the softness of its edge",
    .alexnet = 0.819880,
    .apply = defocus,
    .large = {{3, .1}, {4, .5}, {6, .5}, {8, .5}, {10, .5}},
    .small = {{.3, .4}, {.4, .5}, {.5, .6}, {1, .2}, {1.5, .1}},
};

/* ------------------------------------------------------------------------------------------ frosted glass */

/* The published code means to swap two pixels but, its pixels being views of one array, copies the other over the
 * first; the published images are made that way, and so are these. From the lower right, all but a margin. */
static void scatter(foci_picture *p, int reach, foci_rng *r) {
    for (int y = p->height - reach; y > reach; y--)
        for (int x = p->width - reach; x > reach; x--) {
            const int dx = (int)foci_rng_below(r, 2 * (uint32_t)reach) - reach,
                      dy = (int)foci_rng_below(r, 2 * (uint32_t)reach) - reach;
            memmove(foci_picture_pixel(p, x, y), foci_picture_pixel(p, x + dx, y + dy), 3 * sizeof *p->v);
        }
}

static foci_status glass(foci_picture *p, const double *c, foci_rng *r) {
    FOCI_TRY(foci_picture_gaussian(p, c[0], FOCI_TRUNCATE, FOCI_NEAREST));
    foci_picture_to_bytes(p);
    for (int i = 0; i < (int)c[2]; i++) scatter(p, (int)c[1], r);
    return foci_picture_gaussian(p, c[0], FOCI_TRUNCATE, FOCI_NEAREST);
}

const foci_corruption foci_corruption_glass_blur = {
    .name = "glass_blur",
    .summary = "pixels scattered between two blurs: sigma, distance, times",
    .alexnet = 0.826268,
    .apply = glass,
    .large = {{.7, 1, 2}, {.9, 2, 1}, {1, 2, 3}, {1.1, 3, 2}, {1.5, 4, 2}},
    .small = {{.05, 1, 1}, {.25, 1, 1}, {.4, 1, 1}, {.25, 1, 2}, {.4, 1, 2}},
};

/* ---------------------------------------------------------------------------------------------- in motion */

static foci_status motion(foci_picture *p, const double *c, foci_rng *r) {
    return foci_picture_motion(p, c[0], c[1], 90 * foci_rng_uniform(r) - 45);
}

const foci_corruption foci_corruption_motion_blur = {
    .name = "motion_blur",
    .summary = "along a line of -45 to 45 degrees: radius, sigma",
    .alexnet = 0.785948,
    .apply = motion,
    .large = {{10, 3}, {15, 5}, {15, 8}, {15, 12}, {20, 15}},
    .small = {{6, 1}, {6, 1.5}, {6, 2}, {8, 2}, {9, 2.5}},
};

/* The factors are those of the published code's arange: counted by the ceiling of a rounded quotient, which now and
 * then includes the end, and apart by what is left of the step when it was added to 1: from 1 by 0.01, factor 25 is
 * 1.2500000000000002, by which 26 of 32 pixels become 33, not 32. */
static foci_status zoom(foci_picture *p, const double *c, foci_rng *r) {
    (void)r;
    const int steps = (int)ceil((c[0] - 1) / c[1]);
    const double apart = (1 + c[1]) - 1;
    foci_picture sum;
    FOCI_TRY(foci_picture_copy(&sum, p));
    foci_status s = FOCI_OK;
    for (int k = 0; k < steps && !s; k++) {
        foci_picture near = {0};
        s = foci_picture_zoom(&near, p, 1 + k * apart);
        for (int64_t i = 0; i < foci_picture_count(p) && !s; i++) sum.v[i] += near.v[i];
        free(near.v);
    }
    for (int64_t i = 0; i < foci_picture_count(p); i++) p->v[i] = sum.v[i] / (float)(steps + 1);
    free(sum.v);
    return s;
}

const foci_corruption foci_corruption_zoom_blur = {
    .name = "zoom_blur",
    .summary = "the mean of enlarged centres: largest factor, step",
    .alexnet = 0.798360,
    .apply = zoom,
    .large = {{1.11, .01}, {1.16, .01}, {1.21, .02}, {1.26, .02}, {1.31, .03}},
    .small = {{1.06, .01}, {1.11, .01}, {1.16, .01}, {1.21, .01}, {1.26, .01}},
};
