#include "data/image_resize.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Weights are 22-bit fixed point: 8 bits for the pixel, 2 for the overshoot of bicubic. */
enum { PRECISION = 32 - 8 - 2, MOST = 1 << 28 /* pixels */ };

static double triangle(double x) { return x < 1 ? 1 - x : 0; }

/* Keys' cubic with a = -1/2. */
static double cubic(double x) {
    if (x < 1) return (1.5 * x - 2.5) * x * x + 1;
    return x < 2 ? ((-0.5 * x + 2.5) * x - 4) * x + 2 : 0;
}

/* Which inputs make an output, and their weights. */
typedef struct taps {
    int most;     /* weights per output */
    int *first;   /* (n) */
    int *count;   /* (n) */
    int *weight;  /* (n, most) */
} taps;

static bool make_taps(taps *t, int in, int n, foci_interpolation how) {
    double scale = (double)in / n, widening = scale > 1 ? scale : 1; /* antialiasing: the filter covers what it shrinks */
    double support = (how == FOCI_BICUBIC ? 2.0 : 1.0) * widening;
    t->most = 2 * (int)ceil(support) + 1;
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
        double centre = (i + 0.5) * scale, sum = 0;
        int first = (int)fmax(centre - support + 0.5, 0), end = (int)fmin(centre + support + 0.5, in);
        for (int k = first; k < end; k++) {
            double x = fabs((k + 0.5 - centre) / widening);
            sum += w[k - first] = how == FOCI_BICUBIC ? cubic(x) : triangle(x);
        }
        for (int k = first; k < end; k++)
            t->weight[(size_t)i * row + (size_t)(k - first)] = (int)floor(w[k - first] / sum * (1 << PRECISION) + 0.5);
        t->first[i] = first;
        t->count[i] = end - first;
    }
    free(w);
    return true;
}

static inline unsigned char to_byte(int sum) {
    int v = sum >> PRECISION;
    return (unsigned char)(v < 0 ? 0 : v > 255 ? 255 : v);
}

/* Rows of `in` to rows of t's width: out is (height, n, 3). */
static void along_rows(unsigned char *out, const foci_image_view *in, const taps *t, int n) {
    for (int y = 0; y < in->height; y++) {
        const unsigned char *row = in->pixels + y * in->stride;
        for (int x = 0; x < n; x++) {
            const unsigned char *p = row + (int64_t)3 * t->first[x];
            const int *w = t->weight + (int64_t)x * t->most;
            int r = 1 << (PRECISION - 1), g = r, b = r;
            for (int k = 0; k < t->count[x]; k++) {
                r += w[k] * p[3 * k];
                g += w[k] * p[3 * k + 1];
                b += w[k] * p[3 * k + 2];
            }
            *out++ = to_byte(r);
            *out++ = to_byte(g);
            *out++ = to_byte(b);
        }
    }
}

/* Columns: in is (any, row bytes), out is (n, row bytes); `sum` holds one row. */
static void along_columns(unsigned char *out, const unsigned char *in, const taps *t, int n, int64_t row, int *sum) {
    for (int y = 0; y < n; y++, out += row) {
        const int *w = t->weight + (int64_t)y * t->most;
        for (int64_t x = 0; x < row; x++) sum[x] = 1 << (PRECISION - 1);
        for (int k = 0; k < t->count[y]; k++) {
            const unsigned char *p = in + (t->first[y] + k) * row;
            for (int64_t x = 0; x < row; x++) sum[x] += w[k] * p[x];
        }
        for (int64_t x = 0; x < row; x++) out[x] = to_byte(sum[x]);
    }
}

static void copy(unsigned char *out, const foci_image_view *in) {
    size_t row = (size_t)3 * (size_t)in->width;
    for (int y = 0; y < in->height; y++) memcpy(out + (size_t)y * row, in->pixels + y * in->stride, row);
}

static foci_status resample(foci_image *out, const foci_image_view *in, foci_interpolation how) {
    size_t row = (size_t)3 * (size_t)out->width;
    taps across = {0}, down = {0};
    unsigned char *between = malloc(row * (size_t)in->height);
    int *sum = malloc(row * sizeof *sum);
    bool ok = between && sum && make_taps(&across, in->width, out->width, how) && make_taps(&down, in->height, out->height, how);
    if (ok) {
        along_rows(between, in, &across, out->width);
        along_columns(out->pixels, between, &down, out->height, (int64_t)row, sum);
    }
    free(across.first);
    free(down.first);
    free(between);
    free(sum);
    return ok ? FOCI_OK : foci_fail(FOCI_ERR_RUNTIME, "out of memory for an image of %d x %d pixels", out->width, out->height);
}

foci_status foci_image_resize(foci_image *out, const foci_image_view *in, int64_t width, int64_t height, foci_interpolation how) {
    *out = (foci_image){0};
    if (width > MOST / height || width > MOST / in->height) /* the result, and what lies between the two passes */
        return foci_fail(FOCI_ERR_DATA, "%d x %d pixels are too long and thin to be resized to %" PRId64 " x %" PRId64, in->width, in->height, width, height);
    *out = (foci_image){(int)width, (int)height, malloc((size_t)3 * (size_t)width * (size_t)height)};
    if (!out->pixels) return foci_fail(FOCI_ERR_RUNTIME, "out of memory for an image of %d x %d pixels", out->width, out->height);
    foci_status status = FOCI_OK;
    if (width == in->width && height == in->height) copy(out->pixels, in);
    else status = resample(out, in, how);
    if (status) foci_image_free(out);
    return status;
}
