#include "images/resize.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/kernels.h"
#include "kernels/taps.h"

enum { MOST = 1 << 28 /* pixels */ };

/* Which inputs make an output, and their weights in fixed point. */
typedef struct taps {
    int most;    /* weights per output */
    int *first;  /* (n) */
    int *count;  /* (n) */
    int *weight; /* (n, most) */
} taps;

static bool make_taps(taps *t, int in, int n, foci_interpolation how) {
    const foci_filter filter = how == FOCI_BICUBIC ? FOCI_FILTER_CUBIC : FOCI_FILTER_TRIANGLE;
    t->most = foci_taps_most(in, n, filter);
    size_t row = (size_t)t->most;
    t->first = malloc((size_t)n * (2 + row) * sizeof(int));
    double *w = malloc(row * sizeof *w);
    if (!t->first || !w) {
        free(w);
        return false;
    }
    t->count = t->first + n;
    t->weight = t->count + n;
    for (int i = 0; i < n; i++) {
        t->count[i] = foci_taps(in, n, filter, i, &t->first[i], w);
        for (int k = 0; k < t->count[i]; k++)
            t->weight[(size_t)i * row + (size_t)k] = (int)floor(w[k] * (1 << FOCI_RESAMPLE_BITS) + 0.5);
    }
    free(w);
    return true;
}

static void copy(unsigned char *out, const foci_image_view *in) {
    size_t row = (size_t)3 * (size_t)in->width;
    for (int y = 0; y < in->height; y++) memcpy(out + (size_t)y * row, in->pixels + y * in->stride, row);
}

/* n rows of `row` bytes from those of `in`. */
static void resample_rows(unsigned char *out, const unsigned char *in, const taps *t, int n, int64_t row) {
    for (int64_t i = 0; i < n; i++)
        foci_kernel()->resample(row, t->count[i], t->weight + i * t->most, in + t->first[i] * row, out + i * row);
}

enum { STRIP = 16 }; /* rows that are turned together */

/* Columns of pixels become rows and back: (height <= STRIP, width, 3) and (width, STRIP, 3). */
static void turn(unsigned char *out, const unsigned char *in, int64_t stride, int height, int width) {
    for (int y = 0; y < height; y++)
        for (int64_t x = 0; x < width; x++) memcpy(out + 3 * (x * STRIP + y), in + y * stride + 3 * x, 3);
}
static void turn_back(unsigned char *out, const unsigned char *in, int height, int width) {
    for (int y = 0; y < height; y++)
        for (int64_t x = 0; x < width; x++) memcpy(out + 3 * ((int64_t)y * width + x), in + 3 * (x * STRIP + y), 3);
}

static foci_status resample(foci_image *out, const foci_image_view *in, foci_interpolation how) {
    int n = out->width, height = in->height;
    taps across = {0}, down = {0};
    unsigned char *between = malloc((size_t)3 * (size_t)n * (size_t)height);
    unsigned char *strip = calloc((size_t)in->width + (size_t)n, 3 * STRIP);
    bool ok = between && strip && make_taps(&across, in->width, n, how) && make_taps(&down, height, out->height, how);
    for (int y = 0; ok && y < height; y += STRIP) {
        int rows = height - y < STRIP ? height - y : STRIP;
        unsigned char *narrow = strip + (int64_t)in->width * 3 * STRIP;
        turn(strip, in->pixels + y * in->stride, in->stride, rows, in->width);
        resample_rows(narrow, strip, &across, n, 3 * STRIP);
        turn_back(between + (int64_t)3 * n * y, narrow, rows, n);
    }
    if (ok) resample_rows(out->pixels, between, &down, out->height, (int64_t)3 * n);
    free(across.first);
    free(down.first);
    free(between);
    free(strip);
    return ok ? FOCI_OK
              : foci_fail(FOCI_ERR_RUNTIME, "out of memory for an image of %d x %d pixels", out->width, out->height);
}

foci_status foci_image_resize(foci_image *out, const foci_image_view *in, int64_t width, int64_t height,
                              foci_interpolation how) {
    *out = (foci_image){0};
    if (width > MOST / height || width > MOST / in->height) /* the result, and what lies between the two passes */
        return foci_fail(FOCI_ERR_DATA, "%d x %d pixels are too long and thin to be resized to %" PRId64 " x %" PRId64,
                         in->width, in->height, width, height);
    *out = (foci_image){(int)width, (int)height, malloc((size_t)3 * (size_t)width * (size_t)height)};
    if (!out->pixels)
        return foci_fail(FOCI_ERR_RUNTIME, "out of memory for an image of %d x %d pixels", out->width, out->height);
    foci_status status = FOCI_OK;
    if (width == in->width && height == in->height) copy(out->pixels, in);
    else status = resample(out, in, how);
    if (status) foci_image_free(out);
    return status;
}
