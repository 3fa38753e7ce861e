/* From a decoded image to the network's input: where to cut, to what size, mirrored or not, and the scale of the
 * numbers. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "images/augment.h"
#include "images/resize.h"

/* (height, width, 3) bytes to (3, height, width) numbers. */
void foci_transform_normalise(const foci_transform *t, const foci_image *image, foci_real *out) {
    foci_real value[3][256];
    for (int c = 0; c < 3; c++) {
        double gain = 1 / (255 * t->std[c]), offset = -t->mean[c] / t->std[c];
        for (int v = 0; v < 256; v++) value[c][v] = (foci_real)(v * gain + offset);
    }
    const int64_t plane = (int64_t)t->height * t->width;
    const unsigned char *pixel = image->pixels;
    for (int y = 0; y < t->height; y++)
        for (int x = 0; x < t->width; x++, pixel += 3) {
            foci_real *to = out + (int64_t)y * t->width + x;
            to[0] = value[0][pixel[0]];
            to[plane] = value[1][pixel[1]];
            to[2 * plane] = value[2][pixel[2]];
        }
}

static int below(foci_rng *r, int n) { return (int)foci_rng_below(r, (uint32_t)n); }

/* torchvision's RandomResizedCrop: ten tries at an area and an aspect, then the largest central part of a fitting
 * aspect. */
static foci_image_view random_part(const foci_transform *t, const foci_image *image, foci_rng *r) {
    double area = (double)image->width * image->height, low = log(t->ratio_min), high = log(t->ratio_max);
    for (int try = 0; try < 10; try++) {
        double target = area * (t->scale_min + (t->scale_max - t->scale_min) * foci_rng_uniform(r));
        double aspect = exp(low + (high - low) * foci_rng_uniform(r));
        int w = (int)nearbyint(sqrt(target * aspect)), h = (int)nearbyint(sqrt(target / aspect));
        if (w < 1 || w > image->width || h < 1 || h > image->height) continue;
        int y = below(r, image->height - h + 1), x = below(r, image->width - w + 1);
        return foci_image_crop(image, x, y, w, h);
    }
    double aspect = (double)image->width / image->height;
    int w = image->width, h = image->height;
    if (aspect < t->ratio_min) h = (int)nearbyint(w / t->ratio_min);
    else if (aspect > t->ratio_max) w = (int)nearbyint(h * t->ratio_max);
    h = h < 1 ? 1 : h > image->height ? image->height : h;
    w = w < 1 ? 1 : w > image->width ? image->width : w;
    return foci_image_crop(image, (image->width - w) / 2, (image->height - h) / 2, w, h);
}

/* The image moved by up to `padding` pixels in both directions, black where nothing is: pad, then crop at random. */
static void shift(foci_image *image, int padding, foci_rng *r) {
    int dy = below(r, 2 * padding + 1) - padding, dx = below(r, 2 * padding + 1) - padding;
    /* rows in an order that reads each before it is overwritten */
    int w = image->width, h = image->height, step = dy < 0 ? -1 : 1;
    int from = dx > 0 ? dx : 0, to = dx > 0 ? 0 : -dx, n = w - abs(dx) > 0 ? w - abs(dx) : 0;
    for (int i = 0; i < h; i++) {
        int y = step > 0 ? i : h - 1 - i, source = y + dy;
        unsigned char *row = image->pixels + (int64_t)3 * w * y;
        if (source < 0 || source >= h || n == 0) {
            memset(row, 0, (size_t)3 * (size_t)w);
            continue;
        }
        memmove(row + 3 * to, image->pixels + (int64_t)3 * w * source + 3 * from, (size_t)3 * (size_t)n);
        memset(row, 0, (size_t)3 * (size_t)to);
        memset(row + (int64_t)3 * (to + n), 0, (size_t)3 * (size_t)(w - to - n));
    }
}

static void mirror(foci_image *image) {
    for (int y = 0; y < image->height; y++) {
        unsigned char *left = image->pixels + (int64_t)3 * image->width * y,
                      *right = left + (int64_t)3 * (image->width - 1);
        for (; left < right; left += 3, right -= 3) {
            unsigned char kept[3];
            memcpy(kept, left, 3);
            memcpy(left, right, 3);
            memcpy(right, kept, 3);
        }
    }
}

static foci_image_view whole(const foci_image *image) {
    return foci_image_crop(image, 0, 0, image->width, image->height);
}

/* Cut to height x width, and perhaps mirrored. */
static foci_status cut(const foci_transform *t, const foci_image *image, foci_rng *r, foci_image *out) {
    bool mirrored = foci_rng_uniform(r) < t->flip;
    bool all = t->padding > 0 || (t->scale_min >= 1 && t->scale_max >= 1);
    foci_image_view part = all ? whole(image) : random_part(t, image, r);
    FOCI_TRY(foci_image_resize(out, &part, t->width, t->height, t->interpolation));
    if (t->padding > 0) shift(out, t->padding, r);
    if (mirrored) mirror(out);
    return FOCI_OK;
}

static foci_status make_training(const foci_transform *t, const foci_image *image, foci_rng *r, foci_real *out) {
    foci_image made;
    FOCI_TRY(cut(t, image, r, &made));
    foci_status status = FOCI_OK;
    if (t->rand_augment.operations) status = foci_rand_augment_apply(t, &made, r);
    else if (t->color_jitter > 0) foci_color_jitter(t->color_jitter, &made, r);
    if (!status) foci_transform_normalise(t, &made, out);
    foci_image_free(&made);
    if (!status && t->erasing > 0) foci_random_erasing(t->erasing, out, t->height, t->width, r);
    return status;
}

/* The shorter side to size / crop_pct (rounded down, as timm does), the longer in proportion; then the centre. */
foci_status foci_transform_cut(const foci_transform *t, const foci_image *image, foci_image *out) {
    int64_t width = (int64_t)floor(t->width / t->crop_pct), height = (int64_t)floor(t->height / t->crop_pct);
    if ((double)width * image->height >= (double)height * image->width) height = width * image->height / image->width;
    else width = height * image->width / image->height;
    foci_image_view all = whole(image);
    if (width == t->width && height == t->height) return foci_image_resize(out, &all, width, height, t->interpolation);
    foci_image resized;
    FOCI_TRY(foci_image_resize(&resized, &all, width, height, t->interpolation));
    int x = (int)nearbyint((double)(width - t->width) / 2), y = (int)nearbyint((double)(height - t->height) / 2);
    foci_image_view centre = foci_image_crop(&resized, x, y, t->width, t->height);
    foci_status status = foci_image_resize(out, &centre, t->width, t->height, t->interpolation);
    foci_image_free(&resized);
    return status;
}

foci_status foci_transform_apply(const foci_transform *t, const foci_image *image, uint64_t seed, int64_t epoch,
                                 int64_t sample, foci_real *out) {
    if (t->train) {
        foci_rng r = foci_rng_make(seed, foci_stream("augment") + (uint64_t)epoch, (uint64_t)sample);
        return make_training(t, image, &r, out);
    }
    foci_image made;
    FOCI_TRY(foci_transform_cut(t, image, &made));
    foci_transform_normalise(t, &made, out);
    foci_image_free(&made);
    return FOCI_OK;
}
