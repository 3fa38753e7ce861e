/* Depthwise convolution, 3 x 3, of channels that lie side by side: each has nine weights of its own. */

/* The nine pixels around pixel j of the middle line; zeros beyond the edges. */
static inline void taps_around(const foci_depthwise_line *l, int64_t j, const real *tap[9]) {
    for (int t = 0; t < 9; t++) {
        const int64_t at = j + t % 3 - 1;
        const bool inside = l->line[t / 3] && at >= 0 && at < l->width;
        tap[t] = inside ? l->line[t / 3] + at * l->channels : l->zeros;
    }
}

static void depthwise(const foci_depthwise_line *l, const real *restrict weight, const real *restrict bias,
                      real *restrict y, bool accumulate) {
    const int64_t c = l->channels;
    for (int64_t j = 0; j < l->width; j++) {
        const real *t[9];
        real *out = y + j * c;
        taps_around(l, j, t);
#pragma omp simd
        for (int64_t i = 0; i < c; i++) {
            const real above = t[0][i] * weight[i] + t[1][i] * weight[c + i] + t[2][i] * weight[2 * c + i];
            const real at = t[3][i] * weight[3 * c + i] + t[4][i] * weight[4 * c + i] + t[5][i] * weight[5 * c + i];
            const real below = t[6][i] * weight[6 * c + i] + t[7][i] * weight[7 * c + i] + t[8][i] * weight[8 * c + i];
            out[i] = (accumulate ? out[i] : 0) + (bias ? bias[i] : 0) + above + at + below;
        }
    }
}

/* sum (10, channels) += the nine products of taps and dy, and dy itself */
static void depthwise_sums(const foci_depthwise_line *l, const real *restrict dy, real *restrict sum) {
    const int64_t c = l->channels;
    for (int64_t j = 0; j < l->width; j++) {
        const real *t[9], *d = dy + j * c;
        taps_around(l, j, t);
#pragma omp simd
        for (int64_t i = 0; i < c; i++) {
            const real g = d[i];
            sum[i] += t[0][i] * g;
            sum[c + i] += t[1][i] * g;
            sum[2 * c + i] += t[2][i] * g;
            sum[3 * c + i] += t[3][i] * g;
            sum[4 * c + i] += t[4][i] * g;
            sum[5 * c + i] += t[5][i] * g;
            sum[6 * c + i] += t[6][i] * g;
            sum[7 * c + i] += t[7][i] * g;
            sum[8 * c + i] += t[8][i] * g;
            sum[9 * c + i] += g;
        }
    }
}
