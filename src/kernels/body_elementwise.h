/* Element by element: sums, products, activations; and elements put in another order. */

static void add(int64_t n, const real *restrict a, const real *restrict b, real *restrict y) {
#pragma omp simd
    for (int64_t i = 0; i < n; i++) y[i] = a[i] + b[i];
}

static void scale(int64_t n, real factor, const real *restrict x, real *restrict y, bool accumulate) {
#pragma omp simd
    for (int64_t i = 0; i < n; i++) y[i] = (accumulate ? y[i] : 0) + factor * x[i];
}

static void lerp(int64_t n, real weight, const real *restrict x, real *restrict y) {
#pragma omp simd
    for (int64_t i = 0; i < n; i++) y[i] += weight * (x[i] - y[i]);
}

static void relu(int64_t n, const real *restrict x, real *restrict y) {
#pragma omp simd
    for (int64_t i = 0; i < n; i++) y[i] = x[i] < 0 ? 0 : x[i]; /* a NaN stays one */
}

static void relu_backward(int64_t n, const real *restrict y, const real *restrict dy, real *restrict dx,
                          bool accumulate) {
#pragma omp simd
    for (int64_t i = 0; i < n; i++) dx[i] = (accumulate ? dx[i] : 0) + (y[i] > 0 ? dy[i] : 0);
}

static void sigmoid(int64_t n, const real *restrict x, real *restrict y) {
#pragma omp simd
    for (int64_t i = 0; i < n; i++) y[i] = 1 / (1 + exp_(-x[i]));
}

static void sigmoid_backward(int64_t n, const real *restrict y, const real *restrict dy, real *restrict dx,
                             bool accumulate) {
#pragma omp simd
    for (int64_t i = 0; i < n; i++) dx[i] = (accumulate ? dx[i] : 0) + dy[i] * y[i] * (1 - y[i]);
}

/* Phi(-a) for a >= 0, given e = exp(-a^2/2). In float: e times a polynomial in t = 1 / (1 + 0.26 a), the
 * minimax one of degree 9 without constant term; off by at most 7e-9 before rounding. */
static inline real normal_tail(real a, real e) {
#ifdef FOCI_DOUBLE
    (void)e;
    return 0.5 * erfc(a * 0.70710678118654752440);
#else
    float t = 1.0f / (1.0f + 0.26f * a);
    float p = 0.032545857f;
    p = p * t - 0.162706629f;
    p = p * t + 0.271819697f;
    p = p * t - 0.174131056f;
    p = p * t + 0.176933308f;
    p = p * t + 0.0442173734f;
    p = p * t + 0.104777466f;
    p = p * t + 0.102770305f;
    p = p * t + 0.103773681f;
    return p * t * e;
#endif
}

/* Phi(x), given e = exp(-x^2/2): the tail or one minus the tail, without a branch. */
static inline real normal_cdf(real x, real e) {
    real side = x < 0 ? 0 : 1, sign = x < 0 ? 1 : -1;
    return side + sign * normal_tail(abs_(x), e);
}

static void gelu(int64_t n, const real *x, real *y) {
#pragma omp simd
    for (int64_t i = 0; i < n; i++) y[i] = x[i] * normal_cdf(x[i], exp_(-x[i] * x[i] / 2));
}

/* d/dx x Phi(x) = Phi(x) + x phi(x) */
static inline void gelu_slopes(int64_t n, const real *restrict x, const real *restrict dy, real *restrict dx,
                               bool accumulate) {
    const real density = (real)0.39894228040143267794; /* 1 / sqrt(2 pi) */
#pragma omp simd
    for (int64_t i = 0; i < n; i++) {
        real e = exp_(-x[i] * x[i] / 2), slope = normal_cdf(x[i], e) + x[i] * e * density;
        dx[i] = (accumulate ? dx[i] : 0) + dy[i] * slope;
    }
}

/* Two loops: this one is too long for a compiler to make two of it by itself. */
static void gelu_backward(int64_t n, const real *restrict x, const real *restrict dy, real *restrict dx,
                          bool accumulate) {
    if (accumulate) gelu_slopes(n, x, dy, dx, true);
    else gelu_slopes(n, x, dy, dx, false);
}

/* Where the activation was not kept: it and its gradient cost one exponential together. y may be x, dx may be dy. */
static void gelu_again(int64_t n, const real *x, const real *dy, real *y, real *dx) {
    const real density = (real)0.39894228040143267794;
#pragma omp simd
    for (int64_t i = 0; i < n; i++) {
        const real a = x[i], d = dy[i], e = exp_(-a * a / 2), cdf = normal_cdf(a, e);
        y[i] = a * cdf;
        dx[i] = d * (cdf + a * e * density);
    }
}

/* The GELU of GPT-2, x / (1 + exp(-2 u)) with u = sqrt(2/pi) (x + 0.044715 x^3), which is x (1 + tanh u) / 2. */
static inline real tanh_share(real x) {
    const real twice = (real)1.59576912160573071176; /* 2 sqrt(2/pi) */
    return 1 / (1 + exp_(-twice * (x + (real)0.044715 * x * x * x)));
}
/* Its slope, given that share: s + x s (1 - s) 2 u'. */
static inline real tanh_slope(real x, real s) {
    const real twice = (real)1.59576912160573071176;
    return s + x * s * (1 - s) * twice * (1 + (real)0.134145 * x * x);
}

static void gelu_tanh(int64_t n, const real *x, real *y) {
#pragma omp simd
    for (int64_t i = 0; i < n; i++) y[i] = x[i] * tanh_share(x[i]);
}

static void gelu_tanh_again(int64_t n, const real *x, const real *dy, real *y, real *dx) {
#pragma omp simd
    for (int64_t i = 0; i < n; i++) {
        const real a = x[i], d = dy[i], s = tanh_share(a);
        y[i] = a * s;
        dx[i] = d * tanh_slope(a, s);
    }
}

/* silu(x) = x s with s = 1 / (1 + exp(-x)), of slope s + x s (1 - s): y = silu(gate) up; y may be either. */
static void swiglu(int64_t n, const real *gate, const real *up, real *y) {
#pragma omp simd
    for (int64_t i = 0; i < n; i++) y[i] = gate[i] / (1 + exp_(-gate[i])) * up[i];
}

/* The same again, and the gradients of both; y may be gate, dup may be dy. */
static void swiglu_again(int64_t n, const real *gate, const real *up, const real *dy, real *y, real *dgate, real *dup) {
#pragma omp simd
    for (int64_t i = 0; i < n; i++) {
        const real x = gate[i], u = up[i], d = dy[i], s = 1 / (1 + exp_(-x));
        y[i] = x * s * u;
        dgate[i] = d * u * s * (1 + x * (1 - s));
        dup[i] = d * x * s;
    }
}

/* x (rows, columns) -> y (columns, rows), by squares whose lines are read and written whole: rows may lie so far apart
 * that they compete for one place of the cache. */
static void turn_matrix(int64_t rows, int64_t columns, const real *restrict x, int64_t ldx, real *restrict y,
                        int64_t ldy) {
    enum { SQUARE = 16 };
    const int64_t down = rows - rows % SQUARE, across = columns - columns % SQUARE;
    for (int64_t j = 0; j < across; j += SQUARE)
        for (int64_t i = 0; i < down; i += SQUARE) {
            real turned[SQUARE * SQUARE] __attribute__((aligned(64)));
            for (int64_t r = 0; r < SQUARE; r += 4)
                for (int64_t k = 0; k < SQUARE; k += 4)
                    turn_square(turned + k * SQUARE + r, SQUARE, x + (i + r) * ldx + j + k, ldx);
            for (int64_t k = 0; k < SQUARE; k++)
                memcpy(y + (j + k) * ldy + i, turned + k * SQUARE, SQUARE * sizeof *turned);
        }
    for (int64_t i = 0; i < rows; i++)
        for (int64_t k = i < down ? across : 0; k < columns; k++) y[k * ldy + i] = x[i * ldx + k];
}
