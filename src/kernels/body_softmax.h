/* Softmax, log-softmax and log-sum-exp of rows. The largest element is taken off before exp. */

/* The largest element, found among the bits read as integers in the same order: compilers vectorise a maximum
 * of integers, but not one of floating-point numbers, because of NaN (which here counts as larger than all).
 */
#ifdef FOCI_DOUBLE
#define MAGNITUDE INT64_MAX
#else
#define MAGNITUDE INT32_MAX
#endif

static inline bits_ in_order(bits_ b) { return b < 0 ? b ^ MAGNITUDE : b; } /* its own inverse */

static inline real row_max(int64_t c, const real *restrict x, real start) {
    bits_ largest;
    memcpy(&largest, &start, sizeof largest);
    largest = in_order(largest);
#pragma omp simd reduction(max : largest)
    for (int64_t i = 0; i < c; i++) {
        bits_ b;
        memcpy(&b, &x[i], sizeof b);
        b = in_order(b);
        largest = b > largest ? b : largest;
    }
    largest = in_order(largest);
    real m;
    memcpy(&m, &largest, sizeof m);
    return m;
}

static void softmax(int64_t rows, int64_t c, const real *restrict x, real *restrict y) {
    for (int64_t r = 0; r < rows; r++) {
        const real *a = x + r * c;
        real *b = y + r * c, total = 0;
        const real m = row_max(c, a, -INFINITY);
#pragma omp simd reduction(+ : total)
        for (int64_t i = 0; i < c; i++) total += b[i] = exp_(a[i] - m);
        const real inverse = 1 / total;
#pragma omp simd
        for (int64_t i = 0; i < c; i++) b[i] *= inverse;
    }
}

/* dx = y (dy - sum(dy y)) */
static void softmax_backward(int64_t rows, int64_t c, const real *restrict y, const real *restrict dy,
                             real *restrict dx, bool accumulate) {
    for (int64_t r = 0; r < rows; r++) {
        const real *p = y + r * c, *d = dy + r * c;
        real *out = dx + r * c, inner = 0;
#pragma omp simd reduction(+ : inner)
        for (int64_t i = 0; i < c; i++) inner += d[i] * p[i];
#pragma omp simd
        for (int64_t i = 0; i < c; i++) out[i] = (accumulate ? out[i] : 0) + p[i] * (d[i] - inner);
    }
}

static void softmax_dropout_backward(int64_t c, const real *restrict y, const real *restrict kept,
                                     const real *restrict dy, real *restrict dx) {
    real inner = 0;
#pragma omp simd reduction(+ : inner)
    for (int64_t i = 0; i < c; i++) inner += kept[i] * dy[i];
#pragma omp simd
    for (int64_t i = 0; i < c; i++) dx[i] = kept[i] * dy[i] - y[i] * inner;
}

static void log_softmax(int64_t rows, int64_t c, const real *restrict x, real *restrict y) {
    for (int64_t r = 0; r < rows; r++) {
        const real *a = x + r * c;
        real *b = y + r * c, total = 0;
        const real m = row_max(c, a, -INFINITY);
#pragma omp simd reduction(+ : total)
        for (int64_t i = 0; i < c; i++) total += exp_(a[i] - m);
        const real log_total = (real)log((double)total);
#pragma omp simd
        for (int64_t i = 0; i < c; i++) b[i] = a[i] - m - log_total;
    }
}

/* dx = dy - exp(y) sum(dy) */
static void log_softmax_backward(int64_t rows, int64_t c, const real *restrict y, const real *restrict dy,
                                 real *restrict dx, bool accumulate) {
    for (int64_t r = 0; r < rows; r++) {
        const real *l = y + r * c, *d = dy + r * c;
        real *out = dx + r * c, total = 0;
#pragma omp simd reduction(+ : total)
        for (int64_t i = 0; i < c; i++) total += d[i];
#pragma omp simd
        for (int64_t i = 0; i < c; i++) out[i] = (accumulate ? out[i] : 0) + d[i] - exp_(l[i]) * total;
    }
}

static void exp_sums(int64_t rows, int64_t c, const real *restrict x, int64_t ld, real *restrict max,
                     real *restrict sums) {
    for (int64_t r = 0; r < rows; r++) {
        const real *a = x + r * ld;
        const real m = row_max(c, a, max[r]);
        real total = 0;
#pragma omp simd reduction(+ : total)
        for (int64_t i = 0; i < c; i++) total += exp_(a[i] - m);
        if (sums[r] > 0) total += sums[r] * exp_(max[r] - m);
        max[r] = m;
        sums[r] = total;
    }
}

/* The same down columns, x (words, rows): every column is a softmax, and its words come in tiles. */
static void column_exp(int64_t words, int64_t rows, real *restrict x, int64_t ld, const real *restrict bias,
                       real *restrict max, real *restrict sum) {
    for (int64_t i = 0; i < rows; i++) {
        max[i] = -INFINITY;
        sum[i] = 0;
    }
    for (int64_t w = 0; w < words; w++) {
        const real *a = x + w * ld, b = bias ? bias[w] : 0;
#pragma omp simd
        for (int64_t i = 0; i < rows; i++) max[i] = a[i] + b > max[i] ? a[i] + b : max[i];
    }
    for (int64_t w = 0; w < words; w++) {
        real *a = x + w * ld, b = bias ? bias[w] : 0;
#pragma omp simd
        for (int64_t i = 0; i < rows; i++) sum[i] += a[i] = exp_below_(a[i] + b - max[i]);
    }
}

static void column_lse(int64_t tiles, int64_t rows, const real *restrict max, real *restrict sum, real *restrict lse) {
    memcpy(lse, max, (size_t)rows * sizeof *lse);
    for (int64_t t = 1; t < tiles; t++) {
#pragma omp simd
        for (int64_t i = 0; i < rows; i++) lse[i] = max[t * rows + i] > lse[i] ? max[t * rows + i] : lse[i];
    }
#pragma omp simd
    for (int64_t i = 0; i < rows; i++) sum[i] *= exp_(max[i] - lse[i]);
    for (int64_t t = 1; t < tiles; t++) {
#pragma omp simd
        for (int64_t i = 0; i < rows; i++) sum[i] += sum[t * rows + i] * exp_(max[t * rows + i] - lse[i]);
    }
    for (int64_t i = 0; i < rows; i++) lse[i] += (real)log((double)sum[i]);
}

static void column_softmax(int64_t words, int64_t rows, real *restrict x, int64_t ld, real *restrict max,
                           const real *restrict lse, const real *restrict d, real *restrict sums) {
#pragma omp simd
    for (int64_t i = 0; i < rows; i++) max[i] = d[i] * exp_(max[i] - lse[i]);
    for (int64_t w = 0; w < words; w++) {
        real *a = x + w * ld, total = 0;
#pragma omp simd reduction(+ : total)
        for (int64_t i = 0; i < rows; i++) total += a[i] *= max[i];
        if (sums) sums[w] += total;
    }
}

static void cross_entropy_backward(int64_t c, const real *restrict x, real lse, real total, const real *restrict soft,
                                   real uniform, real factor, real *restrict dx, bool accumulate) {
#pragma omp simd
    for (int64_t i = 0; i < c; i++) {
        real d = total * exp_(x[i] - lse) - (soft ? soft[i] : 0) - uniform;
        dx[i] = (accumulate ? dx[i] : 0) + factor * d;
    }
}
