#include "shift/picture.h"

#include <stdlib.h>
#include <string.h>

int foci_border_index(int64_t i, int n, foci_border border) {
    if (i >= 0 && i < n) return (int)i;
    if (n == 1 || border == FOCI_NEAREST) return i < 0 ? 0 : n - 1;
    const int64_t period = border == FOCI_REFLECT ? 2 * (int64_t)n : 2 * ((int64_t)n - 1);
    i %= period;
    if (i < 0) i += period;
    if (i < n) return (int)i;
    return (int)(border == FOCI_REFLECT ? period - 1 - i : period - i);
}

static foci_status out_of_memory(void) { return foci_fail(FOCI_ERR_RUNTIME, "out of memory for corrupting an image"); }

foci_status foci_picture_make(foci_picture *p, int width, int height, int channels) {
    *p = (foci_picture){width, height, channels, NULL};
    p->v = calloc((size_t)foci_picture_count(p), sizeof *p->v);
    return p->v ? FOCI_OK : out_of_memory();
}

foci_status foci_picture_copy(foci_picture *copy, const foci_picture *p) {
    FOCI_TRY(foci_picture_make(copy, p->width, p->height, p->channels));
    memcpy(copy->v, p->v, (size_t)foci_picture_count(p) * sizeof *p->v);
    return FOCI_OK;
}

/* -------------------------------------------------------------------------------------------------- blurs */

/* n numbers, `step` apart, each replaced by the weighted sum of its neighbours. line: n + 2 radius numbers of scratch.
 */
static void convolve_line(float *v, int n, int64_t step, const float *weights, int radius, foci_border border,
                          float *line) {
    for (int i = -radius; i < n + radius; i++) line[i + radius] = v[foci_border_index(i, n, border) * step];
    for (int i = 0; i < n; i++) {
        float sum = 0;
        for (int k = 0; k <= 2 * radius; k++) sum += weights[k] * line[i + k];
        v[i * step] = sum;
    }
}

foci_status foci_picture_gaussian(foci_picture *p, double sigma, double truncate, foci_border border) {
    const int radius = (int)(truncate * sigma + 0.5), longer = p->width > p->height ? p->width : p->height;
    if (radius == 0) return FOCI_OK;
    float *weights = malloc((size_t)(2 * radius + 1) * sizeof *weights),
          *line = malloc((size_t)(longer + 2 * radius) * sizeof *line);
    if (!weights || !line) {
        free(weights);
        free(line);
        return out_of_memory();
    }
    double sum = 0;
    for (int k = -radius; k <= radius; k++) sum += exp(-0.5 * k * k / (sigma * sigma));
    for (int k = -radius; k <= radius; k++) weights[k + radius] = (float)(exp(-0.5 * k * k / (sigma * sigma)) / sum);
    const int64_t row = (int64_t)p->width * p->channels;
    for (int64_t i = 0; i < row; i++) convolve_line(p->v + i, p->height, row, weights, radius, border, line);
    for (int y = 0; y < p->height; y++)
        for (int c = 0; c < p->channels; c++)
            convolve_line(p->v + y * row + c, p->width, p->channels, weights, radius, border, line);
    free(weights);
    free(line);
    return FOCI_OK;
}

/* Neighbours with weights at offsets (dx, dy). */
typedef struct tap {
    int dx, dy;
    float weight;
} tap;

/* The picture with `margin` pixels more on every side, by the rule of the border. */
static foci_status pad(foci_picture *wide, const foci_picture *p, int margin, foci_border border) {
    FOCI_TRY(foci_picture_make(wide, p->width + 2 * margin, p->height + 2 * margin, p->channels));
    for (int y = 0; y < wide->height; y++)
        for (int x = 0; x < wide->width; x++)
            memcpy(foci_picture_pixel(wide, x, y),
                   foci_picture_pixel(p, foci_border_index(x - margin, p->width, border),
                                      foci_border_index(y - margin, p->height, border)),
                   (size_t)p->channels * sizeof *p->v);
    return FOCI_OK;
}

static foci_status gather(foci_picture *p, const tap *taps, int count, foci_border border) {
    int margin = 0;
    for (int k = 0; k < count; k++) margin = abs(taps[k].dx) > margin ? abs(taps[k].dx) : margin;
    for (int k = 0; k < count; k++) margin = abs(taps[k].dy) > margin ? abs(taps[k].dy) : margin;
    foci_picture wide;
    FOCI_TRY(pad(&wide, p, margin, border));
    const int row = p->width * p->channels;
    for (int y = 0; y < p->height; y++) {
        float *to = foci_picture_pixel(p, 0, y);
        memset(to, 0, (size_t)row * sizeof *to);
        for (int k = 0; k < count; k++) {
            const float *from = foci_picture_pixel(&wide, margin + taps[k].dx, margin + y + taps[k].dy),
                        weight = taps[k].weight;
            for (int x = 0; x < row; x++) to[x] += weight * from[x];
        }
    }
    free(wide.v);
    return FOCI_OK;
}

foci_status foci_picture_filter(foci_picture *p, const float *weights, int size) {
    tap taps[21 * 21];
    int count = 0;
    for (int i = 0; i < size * size; i++)
        if (weights[i] != 0) taps[count++] = (tap){i % size - size / 2, i / size - size / 2, weights[i]};
    return gather(p, taps, count, FOCI_REFLECT_101);
}

foci_status foci_picture_motion(foci_picture *p, double radius, double sigma, double degrees) {
    enum { MOST = 64 };
    tap taps[MOST];
    const double angle = degrees * 3.14159265358979323846 / 180;
    const int count = 2 * (int)ceil(radius) + 1 < MOST ? 2 * (int)ceil(radius) + 1 : MOST;
    double sum = 0;
    for (int i = 0; i < count; i++) sum += exp(-0.5 * i * i / (sigma * sigma));
    for (int i = 0; i < count; i++)
        taps[i] = (tap){(int)ceil(i * cos(angle) - 0.5), (int)ceil(i * sin(angle) - 0.5),
                        (float)(exp(-0.5 * i * i / (sigma * sigma)) / sum)};
    return gather(p, taps, count, FOCI_NEAREST);
}

void foci_picture_to_bytes(foci_picture *p) {
    for (int64_t i = 0; i < foci_picture_count(p); i++)
        p->v[i] = floorf(foci_clip_to_unit(p->v[i]) * 255 + 1e-3f) / 255;
}

/* --------------------------------------------------------------------------------------------------- zoom */

float foci_picture_at(const foci_picture *p, double x, double y, int channel, foci_border border) {
    const double left = floor(x), top = floor(y);
    const float dx = (float)(x - left), dy = (float)(y - top);
    int column[2], row[2];
    for (int i = 0; i < 2; i++) {
        column[i] = foci_border_index((int64_t)left + i, p->width, border);
        row[i] = foci_border_index((int64_t)top + i, p->height, border);
    }
    const float above = foci_picture_pixel(p, column[0], row[0])[channel] * (1 - dx) +
                        foci_picture_pixel(p, column[1], row[0])[channel] * dx;
    const float below = foci_picture_pixel(p, column[0], row[1])[channel] * (1 - dx) +
                        foci_picture_pixel(p, column[1], row[1])[channel] * dx;
    return above * (1 - dy) + below * dy;
}

/* Along one axis: ceil(n / factor) pixels from `first` on become round(that * factor), first to first and last to last,
 * of which the n in the middle are kept. Output pixel i lies at first + (i + trimmed) * step. */
typedef struct stretched {
    double first, trimmed, step;
} stretched;
static stretched stretch(int n, double factor) {
    const int kept = (int)ceil(n / factor), made = (int)nearbyint(kept * factor);
    return (stretched){(n - kept) / 2, made > n ? (made - n) / 2 : 0, made > 1 ? (kept - 1.0) / (made - 1.0) : 0};
}

foci_status foci_picture_zoom(foci_picture *out, const foci_picture *p, double factor) {
    FOCI_TRY(foci_picture_make(out, p->width, p->height, p->channels));
    const stretched across = stretch(p->width, factor), down = stretch(p->height, factor);
    for (int y = 0; y < p->height; y++)
        for (int x = 0; x < p->width; x++)
            for (int c = 0; c < p->channels; c++)
                foci_picture_pixel(out, x, y)[c] =
                    foci_picture_at(p, across.first + (x + across.trimmed) * across.step,
                                    down.first + (y + down.trimmed) * down.step, c, FOCI_NEAREST);
    return FOCI_OK;
}

/* ------------------------------------------------------------------------------------------------- plasma */

enum { LARGEST_MAP = 1024 };

/* On a torus of n x n points: the mean of four, `half` away along the axes or (diagonal) both, and a random part. */
static void displace(float *map, int n, int x, int y, int half, bool diagonal, double amplitude, foci_rng *r) {
    const int m = n - 1, dx = half, dy = diagonal ? half : 0; /* n is a power of 2 */
    const float sum = map[((y - dy) & m) * n + ((x - dx) & m)] + map[((y + dy) & m) * n + ((x + dx) & m)] +
                      map[((y - dx) & m) * n + ((x + dy) & m)] + map[((y + dx) & m) * n + ((x - dy) & m)];
    map[y * n + x] = sum / 4 + (float)(amplitude * (2 * foci_rng_uniform(r) - 1));
}

static void fill_plasma(float *map, int n, double decay, foci_rng *r) {
    double wobble = 100;
    map[0] = 0;
    for (int step = n; step >= 2; step /= 2, wobble /= decay) {
        const int half = step / 2;
        const double amplitude = wobble * wobble;
        for (int y = half; y < n; y += step)
            for (int x = half; x < n; x += step) displace(map, n, x, y, half, true, amplitude, r);
        for (int y = 0; y < n; y += half)
            for (int x = y % step ? 0 : half; x < n; x += step) displace(map, n, x, y, half, false, amplitude, r);
    }
    float low = map[0], high = map[0];
    for (int i = 0; i < n * n; i++) {
        low = fminf(low, map[i]);
        high = fmaxf(high, map[i]);
    }
    for (int i = 0; i < n * n; i++) map[i] = high > low ? (map[i] - low) / (high - low) : 0;
}

foci_status foci_picture_plasma(foci_picture *layer, int width, int height, double decay, foci_rng *r) {
    int n = 2;
    while (n < LARGEST_MAP && (n < width || n < height)) n *= 2;
    foci_picture map;
    FOCI_TRY(foci_picture_make(&map, n, n, 1));
    fill_plasma(map.v, n, decay, r);
    foci_status s = foci_picture_make(layer, width, height, 1);
    for (int y = 0; y < height && !s; y++)
        for (int x = 0; x < width; x++) *foci_picture_pixel(layer, x, y) = map.v[y % n * n + x % n];
    free(map.v);
    return s;
}
