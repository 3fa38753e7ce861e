/* Layer normalisation: y = (x - mean) rstd weight + bias, rstd = 1 / sqrt(variance + eps), biased variance.
 */

/* Rows at a time: step by step for all of them, so that none waits for its own sums and root. */
enum { NORM_ROWS = 8 };

static inline real row_sum(int64_t c, const real *restrict a) {
    real total = 0;
#pragma omp simd reduction(+ : total)
    for (int64_t i = 0; i < c; i++) total += a[i];
    return total;
}
static inline real row_squares(int64_t c, const real *restrict a, real m) {
    real squares = 0;
#pragma omp simd reduction(+ : squares)
    for (int64_t i = 0; i < c; i++) squares += (a[i] - m) * (a[i] - m);
    return squares;
}

static void layer_norm(int64_t rows, int64_t c, const real *restrict x, const real *restrict weight,
                       const real *restrict bias, double eps, real *restrict y, real *restrict mean,
                       real *restrict rstd) {
    for (int64_t first = 0; first < rows; first += NORM_ROWS) {
        const int64_t end = smaller(first + NORM_ROWS, rows);
        for (int64_t r = first; r < end; r++) mean[r] = row_sum(c, x + r * c) / (real)c;
        for (int64_t r = first; r < end; r++) rstd[r] = row_squares(c, x + r * c, mean[r]);
        for (int64_t r = first; r < end; r++) rstd[r] = (real)(1 / sqrt((double)rstd[r] / (double)c + eps));
        for (int64_t r = first; r < end; r++) {
            const real *a = x + r * c, m = mean[r], s = rstd[r];
            real *b = y + r * c;
#pragma omp simd
            for (int64_t i = 0; i < c; i++) b[i] = (a[i] - m) * s * (weight ? weight[i] : 1) + (bias ? bias[i] : 0);
        }
    }
}

/* With z = (x - mean) rstd and g = dy weight:  dx = rstd (g - avg(g) - z avg(g z)) */
static void layer_norm_backward(int64_t rows, int64_t c, const real *restrict x, const real *restrict weight,
                                const real *restrict mean, const real *restrict rstd, const real *restrict dy,
                                real *restrict dx, bool accumulate) {
    for (int64_t first = 0; first < rows; first += NORM_ROWS) {
        const int64_t end = smaller(first + NORM_ROWS, rows);
        real g_mean[NORM_ROWS], gz_mean[NORM_ROWS];
        for (int64_t r = first; r < end; r++) {
            const real *a = x + r * c, *d = dy + r * c, m = mean[r], s = rstd[r];
            real g_sum = 0, gz_sum = 0;
#pragma omp simd reduction(+ : g_sum, gz_sum)
            for (int64_t i = 0; i < c; i++) {
                real g = d[i] * (weight ? weight[i] : 1);
                g_sum += g;
                gz_sum += g * ((a[i] - m) * s);
            }
            g_mean[r - first] = g_sum / (real)c, gz_mean[r - first] = gz_sum / (real)c;
        }
        for (int64_t r = first; r < end; r++) {
            const real *a = x + r * c, *d = dy + r * c, m = mean[r], s = rstd[r];
            const real g_all = g_mean[r - first], gz_all = gz_mean[r - first];
            real *out = dx + r * c;
#pragma omp simd
            for (int64_t i = 0; i < c; i++) {
                real g = d[i] * (weight ? weight[i] : 1);
                out[i] = (accumulate ? out[i] : 0) + s * (g - g_all - (a[i] - m) * s * gz_all);
            }
        }
    }
}

/* dweight += sum of dy z, dbias += sum of dy, over the rows */
static void layer_norm_sums(int64_t rows, int64_t c, const real *restrict x, const real *restrict mean,
                            const real *restrict rstd, const real *restrict dy, real *restrict dweight,
                            real *restrict dbias) {
    for (int64_t r = 0; r < rows; r++) {
        const real *a = x + r * c, *d = dy + r * c, m = mean[r], s = rstd[r];
#pragma omp simd
        for (int64_t i = 0; i < c; i++) {
            dweight[i] += d[i] * ((a[i] - m) * s);
            dbias[i] += d[i];
        }
    }
}

/* y = factor x rstd weight, rstd = 1 / sqrt(mean of x^2 + eps) */
static void rms_norm(int64_t rows, int64_t c, const real *restrict x, const real *restrict weight, double eps,
                     real factor, real *restrict y, real *restrict rstd) {
    for (int64_t r = 0; r < rows; r++) {
        const real *a = x + r * c;
        real *b = y + r * c, squares = 0;
#pragma omp simd reduction(+ : squares)
        for (int64_t i = 0; i < c; i++) squares += a[i] * a[i];
        const real s = (real)(1 / sqrt((double)squares / (double)c + eps));
#pragma omp simd
        for (int64_t i = 0; i < c; i++) b[i] = a[i] * (s * factor) * (weight ? weight[i] : 1);
        rstd[r] = s;
    }
}

/* With z = x rstd and g = factor dy weight:  dx = rstd (g - z avg(g z)),  dweight += factor times the sum of dy z over
 * the rows */
static void rms_norm_backward(int64_t rows, int64_t c, const real *restrict x, const real *restrict weight, real factor,
                              const real *restrict rstd, const real *restrict dy, real *restrict dx, bool accumulate,
                              real *restrict dweight) {
    for (int64_t r = 0; r < rows; r++) {
        const real *a = x + r * c, *d = dy + r * c, s = rstd[r];
        real gz_sum = 0;
#pragma omp simd reduction(+ : gz_sum)
        for (int64_t i = 0; i < c; i++) gz_sum += d[i] * (weight ? weight[i] : 1) * (a[i] * s);
        const real gz_mean = gz_sum / (real)c, slope = s * factor;
        if (dweight) {
#pragma omp simd
            for (int64_t i = 0; i < c; i++) dweight[i] += d[i] * (a[i] * slope);
        }
        if (!dx) continue;
        real *out = dx + r * c;
#pragma omp simd
        for (int64_t i = 0; i < c; i++)
            out[i] = (accumulate ? out[i] : 0) + slope * (d[i] * (weight ? weight[i] : 1) - a[i] * s * gz_mean);
    }
}

/* Batch normalisation: by columns. sum (c) += (x - mean)^2 */
static void column_squares(int64_t rows, int64_t c, const real *restrict x, const real *restrict mean,
                           real *restrict sum) {
    for (int64_t r = 0; r < rows; r++) {
#pragma omp simd
        for (int64_t i = 0; i < c; i++) sum[i] += (x[r * c + i] - mean[i]) * (x[r * c + i] - mean[i]);
    }
}

/* y = (x - mean) factor + bias */
static void batch_norm(int64_t rows, int64_t c, const real *restrict x, const real *restrict mean,
                       const real *restrict factor, const real *restrict bias, real *restrict y) {
    for (int64_t r = 0; r < rows; r++) {
#pragma omp simd
        for (int64_t i = 0; i < c; i++) y[r * c + i] = (x[r * c + i] - mean[i]) * factor[i] + bias[i];
    }
}

/* sum (c) += dy,  moment (c) += dy (x - mean) */
static void batch_norm_sums(int64_t rows, int64_t c, const real *restrict x, const real *restrict mean,
                            const real *restrict dy, real *restrict sum, real *restrict moment) {
    for (int64_t r = 0; r < rows; r++) {
#pragma omp simd
        for (int64_t i = 0; i < c; i++) {
            sum[i] += dy[r * c + i];
            moment[i] += dy[r * c + i] * (x[r * c + i] - mean[i]);
        }
    }
}

/* dx = factor (dy - even - (x - mean) slope) */
static void batch_norm_backward(int64_t rows, int64_t c, const real *restrict x, const real *restrict mean,
                                const real *restrict dy, const real *restrict factor, const real *restrict even,
                                const real *restrict slope, real *restrict dx, bool accumulate) {
    for (int64_t r = 0; r < rows; r++) {
        const real *a = x + r * c, *d = dy + r * c;
        real *out = dx + r * c;
#pragma omp simd
        for (int64_t i = 0; i < c; i++)
            out[i] = (accumulate ? out[i] : 0) + factor[i] * (d[i] - even[i] - (a[i] - mean[i]) * slope[i]);
    }
}
