/* One scene: resize, crop, mirror, distort; and whole ones. */
#include "images/scene.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/philox.h"
#include "images/resize.h"

static int below(foci_rng *r, int64_t n) { return (int)foci_rng_below(r, (uint32_t)n); }
static double between(foci_rng *r, double low, double high) { return low + (high - low) * foci_rng_uniform(r); }
static bool by_chance(foci_rng *r) { return foci_rng_uniform(r) < 0.5; }

/* ------------------------------------------------------------------------------------------------- sizes */

/* The largest size within the sides, times a ratio. */
static void size_of(const foci_scene_transform *t, double ratio, int width, int height, int *to_width, int *to_height) {
    const double longer = floor((double)t->longer * ratio), shorter = floor((double)t->shorter * ratio);
    const double factor = t->shorter ? fmin(longer / fmax(width, height), shorter / fmin(width, height)) : ratio;
    *to_width = (int)fmax(1, floor(width * factor + 0.5));
    *to_height = (int)fmax(1, floor(height * factor + 0.5));
}

void foci_scene_size(const foci_scene_transform *t, int width, int height, int *to_width, int *to_height) {
    size_of(t, 1, width, height, to_width, to_height);
}

static foci_status resize(const foci_image *image, int width, int height, foci_image *out) {
    const foci_image_view all = foci_image_crop(image, 0, 0, image->width, image->height);
    return foci_image_resize(out, &all, width, height, FOCI_BILINEAR);
}

/* (3, height, width) numbers of an image */
static foci_status normalise(const foci_scene_transform *t, const foci_image *image, foci_real **out) {
    foci_transform plain = {.height = image->height, .width = image->width};
    memcpy(plain.mean, t->mean, sizeof plain.mean);
    memcpy(plain.std, t->std, sizeof plain.std);
    *out = malloc((size_t)3 * (size_t)image->width * (size_t)image->height * sizeof **out);
    if (!*out) return foci_fail(FOCI_ERR_RUNTIME, "out of memory for %d x %d pixels", image->width, image->height);
    foci_transform_normalise(&plain, image, *out);
    return FOCI_OK;
}

foci_status foci_scene_fit(const foci_scene_transform *t, const foci_image *image, foci_real **pixels, int *width,
                           int *height) {
    foci_image fitted;
    size_of(t, 1, image->width, image->height, width, height);
    FOCI_TRY(resize(image, *width, *height, &fitted));
    const foci_status s = normalise(t, &fitted, pixels);
    foci_image_free(&fitted);
    return s;
}

/* -------------------------------------------------------------------------------------------------- crop */

/* A box of a scaled image, and how it is seen. */
typedef struct crop {
    const unsigned char *classes; /* of the image itself */
    int image_width, image_height, scaled_width, scaled_height;
    int left, top, width, height;
    bool mirrored;
} crop;

/* The class at (x, y) of the box: that of the pixel there before scaling. */
static unsigned char class_at(const crop *c, int x, int y) {
    const int64_t column = (int64_t)(c->left + x) * c->image_width / c->scaled_width,
                  row = (int64_t)(c->top + y) * c->image_height / c->scaled_height;
    return c->classes[row * c->image_width + column];
}

/* Is there more than one class, and none with too large a share? */
static bool is_varied(const crop *c, double most) {
    int64_t count[256] = {0}, sum = 0, largest = 0;
    for (int y = 0; y < c->height; y++)
        for (int x = 0; x < c->width; x++) count[class_at(c, x, y)]++;
    for (int k = 0; k < FOCI_NO_CLASS; k++) {
        sum += count[k];
        largest = count[k] > largest ? count[k] : largest;
    }
    return largest < sum && (double)largest < most * (double)sum;
}

static void place(crop *c, const foci_scene_transform *t, foci_rng *r) {
    enum { TRIES = 10 };
    c->width = c->scaled_width < t->width ? c->scaled_width : t->width;
    c->height = c->scaled_height < t->height ? c->scaled_height : t->height;
    for (int i = 0; i < TRIES; i++) {
        c->top = below(r, c->scaled_height - c->height + 1);
        c->left = below(r, c->scaled_width - c->width + 1);
        if (t->most >= 1 || is_varied(c, t->most)) return;
    }
}

static void label(const crop *c, const foci_scene_transform *t, int32_t *labels) {
    for (int y = 0; y < t->height; y++)
        for (int x = 0; x < t->width; x++, labels++)
            *labels =
                y < c->height && x < c->width ? class_at(c, c->mirrored ? c->width - 1 - x : x, y) : FOCI_NO_CLASS;
}

/* ------------------------------------------------------------------------------------------- distortion */

static float clip(double v) { return (float)(v < 0 ? 0 : v > 255 ? 255 : v); }

/* Saturation by a factor, hue by a part of the circle, in the cone of hue, saturation and value. */
static void turn(float v[3], double saturation, double hue) {
    const float high = fmaxf(v[0], fmaxf(v[1], v[2])), low = fminf(v[0], fminf(v[1], v[2])), range = high - low;
    if (range <= 0) return;
    const double part = v[0] == high   ? (v[1] - v[2]) / range
                        : v[1] == high ? 2 + (v[2] - v[0]) / range
                                       : 4 + (v[0] - v[1]) / range;
    const double at = part / 6 + hue, chroma = fmin(1, range / high * saturation) * high;
    for (int c = 0; c < 3; c++) { /* how near the hue is to the channel's own: 1 within a sixth, 0 beyond a third */
        const double from = at - c / 3.0, distance = fabs(from - nearbyint(from)) * 6;
        v[c] = clip(high - chroma * fmin(1, fmax(0, distance - 1)));
    }
}

typedef struct distortion {
    double brightness, saturation, hue;
    double contrast[2]; /* before, or after, the colours are turned */
} distortion;

static distortion draw_distortion(foci_rng *r) {
    distortion d = {0, 1, 0, {1, 1}};
    if (by_chance(r)) d.brightness = between(r, -32, 32);
    const int when = below(r, 2);
    if (by_chance(r)) d.contrast[when] = between(r, 0.5, 1.5);
    if (by_chance(r)) d.saturation = between(r, 0.5, 1.5);
    if (by_chance(r)) d.hue = between(r, -0.1, 0.1); /* 18 of 180 */
    return d;
}

static void distort(foci_image *image, const distortion *d) {
    unsigned char *p = image->pixels;
    for (int64_t i = 0; i < (int64_t)image->width * image->height; i++, p += 3) {
        float v[3];
        for (int c = 0; c < 3; c++) v[c] = clip(clip(p[c] + d->brightness) * d->contrast[0]);
        if (d->saturation != 1 || d->hue != 0) turn(v, d->saturation, d->hue);
        for (int c = 0; c < 3; c++) p[c] = (unsigned char)nearbyint(clip(v[c] * d->contrast[1]));
    }
}

/* ------------------------------------------------------------------------------------------------ together */

/* The box of the scaled image as an image, mirrored or not. */
static foci_status cut(const crop *c, const foci_image *scaled, foci_image *out) {
    *out = (foci_image){c->width, c->height, malloc((size_t)3 * (size_t)c->width * (size_t)c->height)};
    if (!out->pixels) return foci_fail(FOCI_ERR_RUNTIME, "out of memory for a crop");
    for (int y = 0; y < c->height; y++)
        for (int x = 0; x < c->width; x++)
            memcpy(out->pixels + 3 * ((int64_t)y * c->width + x),
                   scaled->pixels +
                       3 * ((int64_t)(c->top + y) * scaled->width + c->left + (c->mirrored ? c->width - 1 - x : x)),
                   3);
    return FOCI_OK;
}

/* At the top left of (3, height, width), zeros elsewhere. */
static foci_status put(const foci_scene_transform *t, const foci_image *part, foci_real *pixels) {
    foci_real *numbers;
    FOCI_TRY(normalise(t, part, &numbers));
    memset(pixels, 0, (size_t)3 * (size_t)t->height * (size_t)t->width * sizeof *pixels);
    for (int64_t row = 0; row < (int64_t)3 * part->height; row++)
        memcpy(pixels + (row / part->height * t->height + row % part->height) * t->width, numbers + row * part->width,
               (size_t)part->width * sizeof *pixels);
    free(numbers);
    return FOCI_OK;
}

foci_status foci_scene_augment(const foci_scene_transform *t, const foci_image *image, const unsigned char *classes,
                               uint64_t seed, int64_t epoch, int64_t sample, foci_real *pixels, int32_t *labels) {
    foci_rng r = foci_rng_make(seed, foci_stream("scene") + (uint64_t)epoch, (uint64_t)sample);
    crop c = {.classes = classes, .image_width = image->width, .image_height = image->height};
    foci_image scaled, part;
    size_of(t, between(&r, t->ratio_min, t->ratio_max), image->width, image->height, &c.scaled_width, &c.scaled_height);
    place(&c, t, &r);
    c.mirrored = foci_rng_uniform(&r) < t->flip;
    const distortion d = draw_distortion(&r);
    FOCI_TRY(resize(image, c.scaled_width, c.scaled_height, &scaled));
    foci_status s = cut(&c, &scaled, &part);
    foci_image_free(&scaled);
    FOCI_TRY(s);
    if (t->distort) distort(&part, &d);
    s = put(t, &part, pixels);
    foci_image_free(&part);
    label(&c, t, labels);
    return s;
}
