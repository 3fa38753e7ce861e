/* What attention without a softmax makes of queries and keys, row by row. */

/* elu(x) + 1, which is above 0; its slope is 1 or the value itself. */
static void elu_one(int64_t n, const real *restrict x, real *restrict y) {
#pragma omp simd
    for (int64_t i = 0; i < n; i++) y[i] = x[i] > 0 ? x[i] + 1 : exp_(x[i]);
}

static void elu_one_backward(int64_t n, const real *restrict y, const real *restrict dy, real *restrict dx,
                             bool accumulate) {
#pragma omp simd
    for (int64_t i = 0; i < n; i++) dx[i] = (accumulate ? dx[i] : 0) + dy[i] * (y[i] > 1 ? 1 : y[i]);
}

/* 1 / |x|; the addend keeps a row of zeros from becoming NaN. */
static inline real inverse_norm(int64_t n, const real *restrict x) {
    real squares = (real)1e-12;
#pragma omp simd reduction(+ : squares)
    for (int64_t i = 0; i < n; i++) squares += x[i] * x[i];
    return 1 / sqrt_(squares);
}

static void normalise(int64_t n, real length, const real *restrict x, real *restrict y) {
    const real factor = length * inverse_norm(n, x);
#pragma omp simd
    for (int64_t i = 0; i < n; i++) y[i] = factor * x[i];
}

/* With u = x / |x|: dx = length (dy - u (u dy)) / |x|;  the gradient of log(length) is dy y. */
static void normalise_backward(int64_t n, real length, const real *restrict x, const real *restrict dy,
                               real *restrict dx, bool accumulate, real *restrict inner) {
    const real r = inverse_norm(n, x);
    real along = 0;
#pragma omp simd reduction(+ : along)
    for (int64_t i = 0; i < n; i++) along += x[i] * dy[i];
    *inner = along * r * length;
    const real a = length * r, b = a * r * r * along;
    if (!dx) return;
#pragma omp simd
    for (int64_t i = 0; i < n; i++) dx[i] = (accumulate ? dx[i] : 0) + (a * dy[i] - b * x[i]);
}

/* exp(y - factor |x|^2 / 2 - shift), y (rows, f), x (rows, d) */
static void positive_features(int64_t rows, int64_t f, int64_t d, const real *restrict y, const real *restrict x,
                              real factor, real shift, real *restrict out) {
    for (int64_t r = 0; r < rows; r++) {
        real squares = 0;
#pragma omp simd reduction(+ : squares)
        for (int64_t i = 0; i < d; i++) squares += x[r * d + i] * x[r * d + i];
        const real less = shift + factor / 2 * squares;
#pragma omp simd
        for (int64_t i = 0; i < f; i++) out[r * f + i] = exp_(y[r * f + i] - less);
    }
}

/* dy = dout out,  dx = -factor x sum(dout out); a gradient that is not wanted is NULL */
static void positive_features_backward(int64_t rows, int64_t f, int64_t d, const real *restrict out,
                                       const real *restrict dout, const real *restrict x, real factor,
                                       real *restrict dy, bool add_dy, real *restrict dx, bool add_dx) {
    for (int64_t r = 0; r < rows; r++) {
        const real *a = out + r * f, *b = dout + r * f;
        real total = 0;
#pragma omp simd reduction(+ : total)
        for (int64_t i = 0; i < f; i++) total += a[i] * b[i];
        if (dy) {
#pragma omp simd
            for (int64_t i = 0; i < f; i++) dy[r * f + i] = (add_dy ? dy[r * f + i] : 0) + a[i] * b[i];
        }
        if (dx) {
#pragma omp simd
            for (int64_t i = 0; i < d; i++)
                dx[r * d + i] = (add_dx ? dx[r * d + i] : 0) - factor * total * x[r * d + i];
        }
    }
}
