#include "images/mix.h"

#include <math.h>

#include "base/philox.h"

/* Marsaglia and Tsang (2000); below 1 by way of shape + 1. */
static double draw_gamma(double shape, foci_rng *r) {
    if (shape < 1) return draw_gamma(shape + 1, r) * pow(1 - foci_rng_uniform(r), 1 / shape);
    double d = shape - 1.0 / 3, c = 1 / sqrt(9 * d);
    for (;;) {
        double x = foci_rng_normal(r), v = 1 + c * x, u = 1 - foci_rng_uniform(r);
        if (v <= 0) continue;
        v = v * v * v;
        if (log(u) < 0.5 * x * x + d * (1 - v + log(v))) return d * v;
    }
}

static double draw_beta(double alpha, foci_rng *r) {
    double a = draw_gamma(alpha, r), b = draw_gamma(alpha, r);
    return a + b > 0 ? a / (a + b) : 0.5;
}

static int clipped(int v, int most) { return v < 0 ? 0 : v > most ? most : v; }

/* A box of the share 1 - lambda of the area about any pixel, clipped; lambda is what remains. */
static void draw_box(foci_mixture *m, int height, int width, foci_rng *r) {
    double side = sqrt(1 - m->share);
    int h = (int)(height * side) / 2, w = (int)(width * side) / 2;
    int y = (int)foci_rng_below(r, (uint32_t)height), x = (int)foci_rng_below(r, (uint32_t)width);
    m->top = clipped(y - h, height);
    m->bottom = clipped(y + h, height);
    m->left = clipped(x - w, width);
    m->right = clipped(x + w, width);
    m->share = 1 - (double)(m->bottom - m->top) * (m->right - m->left) / ((double)height * width);
}

foci_mixture foci_mix_draw(const foci_mix *mix, int height, int width, uint64_t seed, int64_t epoch, int64_t group) {
    foci_rng r = foci_rng_make(seed, foci_stream("mix") + (uint64_t)epoch, (uint64_t)group);
    foci_mixture m = {.share = 1};
    if (foci_rng_uniform(&r) >= mix->probability) return m;
    bool cut = foci_rng_uniform(&r) < mix->switching;
    if (!(mix->mixup > 0 && mix->cutmix > 0)) cut = mix->cutmix > 0;
    m.cut = cut;
    m.share = draw_beta(cut ? mix->cutmix : mix->mixup, &r);
    if (cut) draw_box(&m, height, width, &r);
    return m;
}

static void exchange(foci_real *a, foci_real *b, int64_t n) {
    for (int64_t i = 0; i < n; i++) {
        foci_real kept = a[i];
        a[i] = b[i];
        b[i] = kept;
    }
}

void foci_mix_pair(const foci_mixture *m, int height, int width, foci_real *a, foci_real *b) {
    if (m->cut) {
        for (int64_t row = 0; row < 3 * height; row++)
            if (row % height >= m->top && row % height < m->bottom)
                exchange(a + row * width + m->left, b + row * width + m->left, m->right - m->left);
        return;
    }
    foci_real own = (foci_real)m->share, other = 1 - own;
    for (int64_t i = 0; i < (int64_t)3 * height * width; i++) {
        foci_real x = a[i], y = b[i];
        a[i] = own * x + other * y;
        b[i] = own * y + other * x;
    }
}
