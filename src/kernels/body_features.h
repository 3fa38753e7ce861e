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

/* A row's elu(x) + 1, times e^-most where the largest x is most < 0, which keeps the row from vanishing; and its sum.
 */
static inline real elu_row(int64_t n, const real *restrict x, real *restrict e) {
    real most = row_max(n, x, -INFINITY), sum = 0;
    most = most < 0 ? most : 0;
#pragma omp simd reduction(+ : sum)
    for (int64_t i = 0; i < n; i++) {
        e[i] = x[i] > 0 ? x[i] + 1 : exp_(x[i] - most);
        sum += e[i];
    }
    return sum;
}

static void elu_shares(int64_t n, const real *restrict x, real *restrict y) {
    const real factor = 1 / elu_row(n, x, y);
#pragma omp simd
    for (int64_t i = 0; i < n; i++) y[i] *= factor;
}

/* With e = elu(x) + 1, y = e / sum(e): dx = (dy - y dy) / sum(e), times 1 where x > 0, else times e. */
static void elu_shares_backward(int64_t n, const real *restrict x, const real *restrict y, const real *restrict dy,
                                real *restrict dx, bool accumulate, real *restrict scratch) {
    const real factor = 1 / elu_row(n, x, scratch);
    real along = 0;
#pragma omp simd reduction(+ : along)
    for (int64_t i = 0; i < n; i++) along += y[i] * dy[i];
#pragma omp simd
    for (int64_t i = 0; i < n; i++) {
        const real d = factor * (dy[i] - along);
        dx[i] = (accumulate ? dx[i] : 0) + (x[i] > 0 ? d : d * scratch[i]);
    }
}

/* y (2 n) = [max(x, 0) c, max(x, 0) s] */
static void turned_features(int64_t n, real c, real s, const real *restrict x, real *restrict y) {
#pragma omp simd
    for (int64_t i = 0; i < n; i++) {
        const real above = x[i] > 0 ? x[i] : 0;
        y[i] = above * c;
        y[n + i] = above * s;
    }
}

static void turned_features_backward(int64_t n, real c, real s, const real *restrict x, const real *restrict dy,
                                     real *restrict dx, bool accumulate) {
#pragma omp simd
    for (int64_t i = 0; i < n; i++) dx[i] = (accumulate ? dx[i] : 0) + (x[i] > 0 ? c * dy[i] + s * dy[n + i] : 0);
}

/* A row, times a metric where there is one, its pairs (i, i + n / 2) turned by angles (n): n / 2 cosines, then as many
 * sines; NULL: not at all. y may be x. */
static void turn(int64_t n, const real *metric, const real *angles, const real *x, real *y) {
    if (!angles) {
#pragma omp simd
        for (int64_t i = 0; i < n; i++) y[i] = x[i] * (metric ? metric[i] : 1);
        return;
    }
    const int64_t half = n / 2;
#pragma omp simd
    for (int64_t i = 0; i < half; i++) {
        const real a = x[i] * (metric ? metric[i] : 1), b = x[half + i] * (metric ? metric[half + i] : 1);
        y[i] = a * angles[i] - b * angles[half + i];
        y[half + i] = b * angles[i] + a * angles[half + i];
    }
}

static void turn_back(int64_t n, const real *metric, const real *angles, const real *restrict dy, real *restrict dx,
                      bool accumulate) {
    if (!angles) {
#pragma omp simd
        for (int64_t i = 0; i < n; i++) dx[i] = (accumulate ? dx[i] : 0) + dy[i] * (metric ? metric[i] : 1);
        return;
    }
    const int64_t half = n / 2;
#pragma omp simd
    for (int64_t i = 0; i < half; i++) {
        const real a = dy[i] * angles[i] + dy[half + i] * angles[half + i],
                   b = dy[half + i] * angles[i] - dy[i] * angles[half + i];
        dx[i] = (accumulate ? dx[i] : 0) + a * (metric ? metric[i] : 1);
        dx[half + i] = (accumulate ? dx[half + i] : 0) + b * (metric ? metric[half + i] : 1);
    }
}

/* What a row is shortest, so that one of zeros is divided by something (PyTorch's normalize). */
static const real shortest = (real)1e-12;

/* 1 / max(|x|, shortest) */
static inline real inverse_norm(int64_t n, const real *restrict x) {
    real squares = 0;
#pragma omp simd reduction(+ : squares)
    for (int64_t i = 0; i < n; i++) squares += x[i] * x[i];
    const real norm = sqrt_(squares);
    return 1 / (norm > shortest ? norm : shortest);
}

static void normalise(int64_t n, real length, const real *restrict x, real *restrict y) {
    const real factor = length * inverse_norm(n, x);
#pragma omp simd
    for (int64_t i = 0; i < n; i++) y[i] = factor * x[i];
}

/* With u = x / |x|: dx = length (dy - u (u dy)) / |x|, without the second term where |x| is below the shortest;  the
 * gradient of log(length) is dy y. */
static void normalise_backward(int64_t n, real length, const real *restrict x, const real *restrict dy,
                               real *restrict dx, bool accumulate, real *restrict inner) {
    const real r = inverse_norm(n, x);
    real along = 0;
#pragma omp simd reduction(+ : along)
    for (int64_t i = 0; i < n; i++) along += x[i] * dy[i];
    *inner = along * r * length;
    const real a = length * r, b = r * shortest < 1 ? a * r * r * along : 0;
    if (!dx) return;
#pragma omp simd
    for (int64_t i = 0; i < n; i++) dx[i] = (accumulate ? dx[i] : 0) + (a * dy[i] - b * x[i]);
}

/* The largest of n >= 1. */
static void largest(int64_t n, const real *restrict x, real *restrict result) { *result = row_max(n, x, -INFINITY); }

/* factor (exp(sign y - less) + eps), where y may be where the result goes. Nothing above e^36 comes out, so that
 * products of two, and sums of many of these, are still floats. */
static void exp_features(int64_t n, real sign, real less, real eps, real factor, const real *y, real *out) {
    const real most = 36;
#pragma omp simd
    for (int64_t i = 0; i < n; i++) {
        const real x = sign * y[i] - less;
        out[i] = factor * (exp_(x < most ? x : most) + eps);
    }
}

/* From the output: dy (+)= sign dout factor exp(..), whose sum without the sign is added to *total. */
static void exp_features_backward(int64_t n, real sign, real eps, real factor, const real *restrict out,
                                  const real *restrict dout, real *restrict dy, bool accumulate, real *restrict total) {
    const real added = factor * eps;
    real sum = 0;
#pragma omp simd reduction(+ : sum)
    for (int64_t i = 0; i < n; i++) {
        const real d = dout[i] * (out[i] - added);
        dy[i] = (accumulate ? dy[i] : 0) + sign * d;
        sum += d;
    }
    *total += sum;
}

/* max(y, 0) + eps, in place of y */
static void relu_features(int64_t n, real eps, real *restrict y) {
#pragma omp simd
    for (int64_t i = 0; i < n; i++) y[i] = (y[i] > 0 ? y[i] : 0) + eps;
}

static void relu_features_backward(int64_t n, real eps, const real *restrict out, const real *restrict dout,
                                   real *restrict dy) {
#pragma omp simd
    for (int64_t i = 0; i < n; i++) dy[i] = out[i] > eps ? dout[i] : 0;
}

/* x = exp(-factor |a - b_i|^2) from x = a b_i, own = |a|^2 and length = |b_i|^2; rounding makes no distance negative.
 */
static void gaussians(int64_t n, real factor, real own, const real *restrict length, real *restrict x) {
#pragma omp simd
    for (int64_t i = 0; i < n; i++) {
        const real near = factor * (2 * x[i] - own - length[i]);
        x[i] = exp_(near > 0 ? 0 : near);
    }
}
