/* Sums: in double where one number comes out, in real by columns. */

static void sum(int64_t n, const real *restrict x, double *restrict out) {
    double s = 0;
#pragma omp simd reduction(+ : s)
    for (int64_t i = 0; i < n; i++) s += (double)x[i];
    *out = s;
}

static void sum_squares(int64_t n, const real *restrict x, double *restrict out) {
    double s = 0;
#pragma omp simd reduction(+ : s)
    for (int64_t i = 0; i < n; i++) s += (double)x[i] * (double)x[i];
    *out = s;
}

static void dot(int64_t n, const real *restrict a, const real *restrict b, double *restrict out) {
    double s = 0;
#pragma omp simd reduction(+ : s)
    for (int64_t i = 0; i < n; i++) s += (double)a[i] * (double)b[i];
    *out = s;
}

static void double_dot(int64_t n, const double *restrict a, const double *restrict b, double *restrict out) {
    double s = 0;
#pragma omp simd reduction(+ : s)
    for (int64_t i = 0; i < n; i++) s += a[i] * b[i];
    *out = s;
}

static void column_sums(int64_t rows, int64_t c, const real *restrict x, int64_t ld, real *restrict out) {
    int64_t r = 0;
    for (; r + 4 <= rows; r += 4) { /* four rows for one pass over the sums */
        const real *a = x + r * ld;
#pragma omp simd
        for (int64_t i = 0; i < c; i++) out[i] += (a[i] + a[ld + i]) + (a[2 * ld + i] + a[3 * ld + i]);
    }
    for (; r < rows; r++) {
        const real *a = x + r * ld;
#pragma omp simd
        for (int64_t i = 0; i < c; i++) out[i] += a[i];
    }
}
