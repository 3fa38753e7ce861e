/* Corruptions of colours and by processing. */
#include <stdlib.h>
#include <turbojpeg.h>

#include "shift/picture.h"

/* ------------------------------------------------------------------------------------------------ colours */

static float brightest(const float *v) { return fmaxf(v[0], fmaxf(v[1], v[2])); }
static float darkest(const float *v) { return fminf(v[0], fminf(v[1], v[2])); }

/* HSV's value, the largest of the three, grows by c; hue and saturation stay, so all three grow by one factor. */
static foci_status brightness(foci_picture *p, const double *c, foci_rng *r) {
    (void)r;
    for (int64_t i = 0; i < foci_picture_count(p); i += 3) {
        float *v = p->v + i;
        const float value = brightest(v), wanted = foci_clip_to_unit(value + (float)c[0]);
        for (int k = 0; k < 3; k++) v[k] = value > 0 ? v[k] / value * wanted : wanted;
    }
    return FOCI_OK;
}

const foci_corruption foci_corruption_brightness = {
    .name = "brightness",
    .summary = "the value of HSV grows by c",
    .alexnet = 0.564592,
    .apply = brightness,
    .large = {{.1}, {.2}, {.3}, {.4}, {.5}},
    .small = {{.05}, {.1}, {.15}, {.2}, {.3}},
};

/* HSV's saturation, (value - darkest) / value. Grey has the hue of red, so what is added to its saturation turns it
 * reddish, in the published images too. */
static foci_status saturate(foci_picture *p, const double *c, foci_rng *r) {
    (void)r;
    for (int64_t i = 0; i < foci_picture_count(p); i += 3) {
        float *v = p->v + i;
        const float value = brightest(v), range = value - darkest(v);
        const float wanted = foci_clip_to_unit((value > 0 ? range / value : 0) * (float)c[0] + (float)c[1]);
        for (int k = 0; k < 3; k++) v[k] = value - (range > 0 ? (value - v[k]) / range : k > 0) * value * wanted;
    }
    return FOCI_OK;
}

const foci_corruption foci_corruption_saturate = {
    .name = "saturate",
    .summary = "the saturation of HSV: factor, added (extra)",
    .apply = saturate,
    .large = {{.3, 0}, {.1, 0}, {2, 0}, {5, .1}, {20, .2}},
    .small = {{.3, 0}, {.1, 0}, {1.5, 0}, {2, .1}, {2.5, .2}},
};

/* Towards the mean of each channel. */
static foci_status contrast(foci_picture *p, const double *c, foci_rng *r) {
    (void)r;
    double mean[3] = {0, 0, 0};
    const int64_t count = foci_picture_count(p);
    for (int64_t i = 0; i < count; i++) mean[i % 3] += p->v[i];
    for (int k = 0; k < 3; k++) mean[k] /= (double)(count / 3);
    for (int64_t i = 0; i < count; i++) p->v[i] = (float)((p->v[i] - mean[i % 3]) * c[0] + mean[i % 3]);
    return FOCI_OK;
}

const foci_corruption foci_corruption_contrast = {
    .name = "contrast",
    .summary = "distances from the mean times c",
    .alexnet = 0.853204,
    .apply = contrast,
    .large = {{.4}, {.3}, {.2}, {.1}, {.05}},
    .small = {{.75}, {.5}, {.4}, {.3}, {.15}},
};

/* ------------------------------------------------------------------------------------------------ elastic */

/* x' = m0 x + m1 y + m2, y' = m3 x + m4 y + m5 that takes to[i] to from[i]; false where to[] lie on a line. */
static bool solve_affine(const double from[3][2], const double to[3][2], double m[6]) {
    const double ax = to[1][0] - to[0][0], ay = to[1][1] - to[0][1], bx = to[2][0] - to[0][0], by = to[2][1] - to[0][1];
    const double area = ax * by - ay * bx;
    if (fabs(area) < 1e-6) return false;
    for (int k = 0; k < 2; k++) {
        const double a = from[1][k] - from[0][k], b = from[2][k] - from[0][k];
        m[3 * k] = (a * by - b * ay) / area;
        m[3 * k + 1] = (b * ax - a * bx) / area;
        m[3 * k + 2] = from[0][k] - m[3 * k] * to[0][0] - m[3 * k + 1] * to[0][1];
    }
    return true;
}

/* Three points about the centre are moved by up to `most` pixels each way, and the image with them. */
static foci_status shear(foci_picture *p, double most, foci_rng *r) {
    /* whole numbers */
    const double x = p->width / 2, y = p->height / 2, side = (p->width < p->height ? p->width : p->height) / 3;
    const double from[3][2] = {{x + side, y + side}, {x + side, y - side}, {x - side, y - side}};
    double to[3][2], m[6];
    for (int i = 0; i < 6; i++) to[i / 2][i % 2] = from[i / 2][i % 2] + most * (2 * foci_rng_uniform(r) - 1);
    if (side < 1 || !solve_affine(from, to, m)) return FOCI_OK;
    foci_picture before;
    FOCI_TRY(foci_picture_copy(&before, p));
    for (int row = 0; row < p->height; row++)
        for (int column = 0; column < p->width; column++)
            for (int k = 0; k < 3; k++)
                foci_picture_pixel(p, column, row)[k] = foci_picture_at(
                    &before, m[0] * column + m[1] * row + m[2], m[3] * column + m[4] * row + m[5], k, FOCI_REFLECT_101);
    free(before.v);
    return FOCI_OK;
}

/* Uniform noise, smoothed, times `gain`: how far each pixel moves. */
static foci_status field(foci_picture *f, const foci_picture *p, double gain, double sigma, foci_rng *r) {
    FOCI_TRY(foci_picture_make(f, p->width, p->height, 1));
    for (int64_t i = 0; i < foci_picture_count(f); i++) f->v[i] = (float)(gain * (2 * foci_rng_uniform(r) - 1));
    return foci_picture_gaussian(f, sigma, 3, FOCI_REFLECT);
}

static foci_status wobble(foci_picture *p, double gain, double sigma, foci_rng *r) {
    foci_picture before = {0}, dx = {0}, dy = {0};
    foci_status s = foci_picture_copy(&before, p);
    if (!s) s = field(&dx, p, gain, sigma, r);
    if (!s) s = field(&dy, p, gain, sigma, r);
    for (int y = 0; y < p->height && !s; y++)
        for (int x = 0; x < p->width; x++)
            for (int k = 0; k < 3; k++)
                foci_picture_pixel(p, x, y)[k] = foci_picture_at(&before, x + *foci_picture_pixel(&dx, x, y),
                                                                 y + *foci_picture_pixel(&dy, x, y), k, FOCI_REFLECT);
    free(before.v);
    free(dx.v);
    free(dy.v);
    return s;
}

static foci_status elastic(foci_picture *p, const double *c, foci_rng *r) {
    FOCI_TRY(shear(p, c[2], r));
    return c[0] > 0 ? wobble(p, c[0], c[1], r) : FOCI_OK;
}

const foci_corruption foci_corruption_elastic_transform = {
    .name = "elastic_transform",
    .summary = "bent and sheared: distance, its smoothness, shear",
    .alexnet = 0.646056,
    .apply = elastic,
    .large = {{488, 170.8, 24.4}, {488, 19.52, 48.8}, {12.2, 2.44, 4.88}, {17.08, 2.44, 4.88}, {29.28, 2.44, 4.88}},
    .small = {{0, 0, 2.56}, {1.6, 6.4, 2.24}, {2.56, 1.92, 1.92}, {3.2, 1.28, 1.6}, {3.2, .96, .96}},
};

/* ----------------------------------------------------------------------------------------------- pixelate */

/* One axis of PIL's BOX resampling: the mean of what lies under an output pixel, rounded to 8 bits. Number (i, line, k)
 * of the input is at v[i * step + line * line_step + k]. */
static void box(const float *v, int n, int64_t step, int64_t line_step, float *out, int made, int64_t out_step,
                int64_t out_line_step, int lines) {
    const double scale = (double)n / made, support = 0.5 * (scale > 1 ? scale : 1);
    for (int i = 0; i < made; i++) {
        const double centre = (i + 0.5) * scale;
        int first = (int)(centre - support + 0.5), end = (int)(centre + support + 0.5);
        if (first < 0) first = 0;
        if (end > n) end = n;
        for (int line = 0; line < lines; line++)
            for (int k = 0; k < 3; k++) {
                double sum = 0;
                for (int j = first; j < end; j++) sum += v[j * step + line * line_step + k];
                out[i * out_step + line * out_line_step + k] = (float)(floor(sum / (end - first) * 255 + 0.5) / 255);
            }
    }
}

static foci_status resize_box(foci_picture *out, const foci_picture *p, int width, int height) {
    foci_picture across = {0};
    *out = (foci_picture){0};
    foci_status s = foci_picture_make(&across, width, p->height, 3);
    if (!s) s = foci_picture_make(out, width, height, 3);
    if (!s) {
        box(p->v, p->width, 3, 3 * (int64_t)p->width, across.v, width, 3, 3 * (int64_t)width, p->height);
        box(across.v, p->height, 3 * (int64_t)width, 3, out->v, height, 3 * (int64_t)width, 3, width);
    }
    free(across.v);
    return s;
}

static int reduced(int n, double c) { return (int)(n * c) > 1 ? (int)(n * c) : 1; }

static foci_status pixelate(foci_picture *p, const double *c, foci_rng *r) {
    (void)r;
    foci_picture few, many = {0};
    foci_status s = resize_box(&few, p, reduced(p->width, c[0]), reduced(p->height, c[0]));
    if (!s) s = resize_box(&many, &few, p->width, p->height);
    free(few.v);
    if (s) {
        free(many.v);
        return s;
    }
    free(p->v);
    p->v = many.v;
    return FOCI_OK;
}

const foci_corruption foci_corruption_pixelate = {
    .name = "pixelate",
    .summary = "reduced to c of the size and enlarged again",
    .alexnet = 0.717840,
    .apply = pixelate,
    .large = {{.6}, {.5}, {.4}, {.3}, {.25}},
    .small = {{.95}, {.9}, {.85}, {.75}, {.65}},
};

/* --------------------------------------------------------------------------------------------------- JPEG */

static foci_status code(tjhandle in, tjhandle out, unsigned char *bytes, int width, int height, int quality) {
    unsigned char *file = NULL;
    unsigned long size = 0;
    foci_status s = FOCI_OK;
    if (tjCompress2(in, bytes, width, 0, height, TJPF_RGB, &file, &size, TJSAMP_420, quality, TJFLAG_ACCURATEDCT))
        s = foci_fail(FOCI_ERR_RUNTIME, "JPEG of %d x %d pixels: %s", width, height, tjGetErrorStr2(in));
    else if (tjDecompress2(out, file, size, bytes, width, 0, height, TJPF_RGB, TJFLAG_ACCURATEDCT))
        s = foci_fail(FOCI_ERR_RUNTIME, "JPEG of %d x %d pixels: %s", width, height, tjGetErrorStr2(out));
    tjFree(file);
    return s;
}

static foci_status jpeg(foci_picture *p, const double *c, foci_rng *r) {
    (void)r;
    const int64_t count = foci_picture_count(p);
    unsigned char *bytes = malloc((size_t)count);
    tjhandle in = tjInitCompress(), out = tjInitDecompress();
    foci_status s = bytes && in && out ? FOCI_OK : foci_fail(FOCI_ERR_RUNTIME, "out of memory for a JPEG");
    if (!s) {
        for (int64_t i = 0; i < count; i++) bytes[i] = (unsigned char)(p->v[i] * 255 + 0.5f);
        s = code(in, out, bytes, p->width, p->height, (int)c[0]);
    }
    for (int64_t i = 0; i < count && !s; i++) p->v[i] = (float)bytes[i] / 255;
    if (in) tjDestroy(in);
    if (out) tjDestroy(out);
    free(bytes);
    return s;
}

const foci_corruption foci_corruption_jpeg_compression = {
    .name = "jpeg_compression",
    .summary = "JPEG of quality c, colours at half the resolution",
    .alexnet = 0.606500,
    .apply = jpeg,
    .large = {{25}, {18}, {15}, {10}, {7}},
    .small = {{80}, {65}, {58}, {50}, {40}},
};
