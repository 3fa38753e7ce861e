/* The built-in image set: two shapes on a textured ground, and a class that needs both of them.
 *
 * Five shapes make the large figure; the small one beside it has the same shape ("circle-pair") or another one
 * ("circle-odd"): ten classes. Colours, places, turns, the slope and grain of the ground and a few specks are drawn at
 * random and say nothing about the class, so a model has to find two places, tell their shapes and compare them. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/parallel.h"
#include "base/philox.h"
#include "data/generate.h"
#include "data/maker.h"
#include "images/images.h"

enum { SHAPES = 5, CLASSES = 2 * SHAPES, FINE = 3 /* samples along the side of a pixel */, SPECKS = 3 };
static const char *const shape_name[SHAPES] = {"circle", "cross", "square", "star", "triangle"};
static const double TURN = 0.4; /* radians */

/* ------------------------------------------------------------------------------------------------- figures */

/* Is (x, y) in the shape of radius 1 around 0? */
static bool inside(int shape, double x, double y) {
    double r = hypot(x, y);
    if (r > 1) return false;
    switch (shape) {
    case 0: return r < 0.85;
    case 1: return fabs(x) < 0.28 || fabs(y) < 0.28;
    case 2: return fabs(x) < 0.7 && fabs(y) < 0.7;
    case 3: return r < 0.62 + 0.38 * cos(5 * atan2(y, x));
    default: return y > -0.5 && y < 1 - 1.7320508 * fabs(x);
    }
}

typedef struct figure {
    int shape;
    double x, y, radius, cosine, sine; /* of the turn; lengths in sides of the image */
    double colour[3];
} figure;

static bool covers(const figure *f, double x, double y) {
    double dx = (x - f->x) / f->radius, dy = (y - f->y) / f->radius;
    return inside(f->shape, f->cosine * dx + f->sine * dy, f->cosine * dy - f->sine * dx);
}

static double between(foci_rng *r, double low, double high) { return low + (high - low) * foci_rng_uniform(r); }

/* The ground is dark, figures are bright; which colour they have says nothing. */
static void draw_colour(foci_rng *r, double low, double high, double colour[3]) {
    for (int c = 0; c < 3; c++) colour[c] = between(r, low, high);
}

/* Turned by up to TURN, anywhere at least `margin` from the border. */
static figure draw_figure(foci_rng *r, int shape, double small, double large, double margin) {
    figure f = {.shape = shape, .radius = between(r, small, large)};
    double turn = between(r, -TURN, TURN);
    f.cosine = cos(turn);
    f.sine = sin(turn);
    f.x = between(r, margin, 1 - margin);
    f.y = between(r, margin, 1 - margin);
    draw_colour(r, 0.45, 1, f.colour);
    return f;
}

/* -------------------------------------------------------------------------------------------------- scene */

typedef struct scene {
    double ground[3], slope[3][2]; /* colour at the centre, and its change over the image */
    double grain;
    figure figure[2 + SPECKS];
} scene;

static scene draw_scene(foci_rng *r, int label) {
    scene s = {.grain = between(r, 0.02, 0.08)};
    int shape = label / 2, other = shape;
    if (label % 2 == 0) other = (shape + 1 + (int)foci_rng_below(r, SHAPES - 1)) % SHAPES; /* "odd" is before "pair" */
    draw_colour(r, 0, 0.4, s.ground);
    for (int c = 0; c < 3; c++)
        for (int k = 0; k < 2; k++) s.slope[c][k] = between(r, -0.2, 0.2);
    figure *large = &s.figure[0], *small = &s.figure[1];
    *large = draw_figure(r, shape, 0.22, 0.29, 0.34);
    do *small = draw_figure(r, other, 0.14, 0.17, 0.17);
    while (hypot(large->x - small->x, large->y - small->y) < large->radius + small->radius);
    for (int i = 0; i < SPECKS; i++) s.figure[2 + i] = draw_figure(r, 0, 0.02, 0.04, 0.05);
    return s;
}

static void colour_at(const scene *s, double x, double y, double colour[3]) {
    for (int c = 0; c < 3; c++) colour[c] = s->ground[c] + s->slope[c][0] * (x - 0.5) + s->slope[c][1] * (y - 0.5);
    for (int i = 0; i < 2 + SPECKS; i++)
        if (covers(&s->figure[i], x, y)) memcpy(colour, s->figure[i].colour, sizeof s->figure[i].colour);
}

static void render(const scene *s, foci_rng *r, const foci_image *image) {
    int n = image->width;
    for (int y = 0; y < n; y++)
        for (int x = 0; x < n; x++) {
            double sum[3] = {0}, grain = s->grain * foci_rng_normal(r);
            for (int k = 0; k < FINE * FINE; k++) {
                double colour[3];
                colour_at(s, (x + (k % FINE + 0.5) / FINE) / n, (y + (k / FINE + 0.5) / FINE) / n, colour);
                for (int c = 0; c < 3; c++) sum[c] += colour[c] / (FINE * FINE);
            }
            for (int c = 0; c < 3; c++)
                image->pixels[3 * ((int64_t)y * n + x) + c] =
                    (unsigned char)(255 * fmin(fmax(sum[c] + grain, 0), 1) + 0.5);
        }
}

/* -------------------------------------------------------------------------------------------------- files */

static const char *const split_name[] = {"train", "val"};

static void class_name(int label, char name[32]) {
    snprintf(name, 32, "%s-%s", shape_name[label / 2], label % 2 ? "pair" : "odd");
}

static foci_status make_folders(const char *dir) {
    for (int i = 0; i < 2 * CLASSES; i++) {
        char path[4096], class[32];
        class_name(i % CLASSES, class);
        if (snprintf(path, sizeof path, "%s/%s/%s", dir, split_name[i / CLASSES], class) >= (int)sizeof path)
            return foci_fail(FOCI_ERR_IO, "%.64s...: path too long", dir);
        FOCI_TRY(foci_make_dirs(path));
    }
    return FOCI_OK;
}

typedef struct job {
    const char *dir;
    int split;
    const foci_shapes_options *options;
} job;

/* Every third file is a JPEG. */
static foci_status make_one(void *context, int64_t i) {
    const job *j = context;
    const foci_shapes_options *o = j->options;
    foci_image image = {o->size, o->size, malloc((size_t)3 * (size_t)o->size * (size_t)o->size)};
    if (!image.pixels) return foci_out_of_memory();
    foci_rng r = foci_rng_make(o->seed, foci_stream(split_name[j->split]), (uint64_t)i);
    int label = (int)(i % CLASSES);
    bool jpeg = i / CLASSES % 3 == 0;
    scene s = draw_scene(&r, label);
    render(&s, &r, &image);
    char path[4096], class[32];
    class_name(label, class);
    snprintf(path, sizeof path, "%s/%s/%s/%05lld.%s", j->dir, split_name[j->split], class, (long long)(i / CLASSES),
             jpeg ? "jpg" : "png");
    foci_status status = foci_image_write(path, &image, jpeg ? 95 : 0);
    foci_image_free(&image);
    return status;
}

static foci_status make_all(const char *dir, const void *options) {
    const foci_shapes_options *o = options;
    FOCI_TRY(make_folders(dir));
    FOCI_TRY(foci_each(o->train, make_one, &(job){dir, 0, o}));
    return foci_each(o->val, make_one, &(job){dir, 1, o});
}

foci_status foci_make_images(const char *dir, const foci_shapes_options *o) {
    const int64_t most = 10000000;
    if (o->size < 16 || o->size > 512)
        return foci_fail(FOCI_ERR_CONFIG, "built-in images of %" PRId64 " pixels: 16 to 512 are possible", o->size);
    if (o->train < CLASSES || o->val < CLASSES || o->train > most || o->val > most)
        return foci_fail(FOCI_ERR_CONFIG, "a built-in image set has %d to %" PRId64 " images in each split", CLASSES,
                         most);
    char marker[256];
    snprintf(marker, sizeof marker,
             "{\"foci_images\": 1, \"size\": %" PRId64 ", \"train\": %" PRId64 ", \"val\": %" PRId64
             ", \"seed\": %" PRId64 "}\n",
             o->size, o->train, o->val, o->seed);
    return foci_generate(dir, "foci-images.json", marker, make_all, o);
}

static const foci_key keys[] = {FOCI_KEY(foci_shapes_options, size, "32", 16, 512, NULL, "side in pixels"),
                                FOCI_KEY(foci_shapes_options, train, "6000", CLASSES, 1e7, NULL, "images for training"),
                                FOCI_KEY(foci_shapes_options, val, "1000", CLASSES, 1e7, NULL, "images for validation"),
                                FOCI_KEY(foci_shapes_options, seed, "0", 0, 9e15, NULL, "of what is drawn"),
                                {0}};

static foci_status make(const char *dir, const void *options) { return foci_make_images(dir, options); }

const foci_maker foci_maker_images = {
    .name = "images",
    .summary = "an ImageFolder of ten classes that differ in shapes and in which of them stand together",
    .keys = keys,
    .size = sizeof(foci_shapes_options),
    .make = make,
};
