/* Products of sinc(x) = sin x / x over the coordinates of a difference of query and key: FourierFormer's kernel. A
 * product is a mantissa in [1, 2) with its sign and an exponent of its own: in 64 coordinates it falls below any real.
 * Lanes are keys, so keys lie transposed, (width, N). */

#ifdef FOCI_DOUBLE
#define MANTISSA_BITS 52
#define EXPONENT_BIAS 1023
static inline real sin_(real x) { return sin(x); }
static inline real cos_(real x) { return cos(x); }
static const real least_factor = 1e-60;
#else
#define MANTISSA_BITS 23
#define EXPONENT_BIAS 127

/* x - n pi for n = round(x / pi), pi in three parts, n times the first exact; *turn: the sign bit of (-1)^n. Of numbers
 * beyond a million float knows too little: they are cut off there. */
static inline float half_turns(float x, bits_ *turn) {
    const float shift = 0x1.8p23f, most = 1e6f;
    const float y = x > most ? most : x < -most ? -most : x;
    const float sum = y * 0.318309886f + shift, n = sum - shift;
    memcpy(turn, &sum, sizeof sum);
    *turn = (bits_)((uint32_t)*turn << 31);
    return ((y - n * 3.140625f) - n * 9.67502593994140625e-4f) - n * 1.509957990978376432e-7f;
}
static inline float turned(float x, bits_ turn) {
    bits_ bits;
    memcpy(&bits, &x, sizeof bits);
    bits ^= turn;
    memcpy(&x, &bits, sizeof bits);
    return x;
}
/* Minimax polynomials on [-pi/2, pi/2]: the sine to 6e-9 of itself, the cosine to 3e-10. */
static inline float sin_(float x) {
    bits_ turn;
    const float r = half_turns(x, &turn), y = r * r;
    float p = 0x1.5db8cfp-19f;
    p = p * y - 0x1.9f6fa7p-13f;
    p = p * y + 0x1.110ed1p-7f;
    p = p * y - 0x1.55554bp-3f;
    return turned(r + r * y * p, turn);
}
static inline float cos_(float x) {
    bits_ turn;
    const float r = half_turns(x, &turn), y = r * r;
    float p = -0x1.17fc43p-22f;
    p = p * y + 0x1.9f6f29p-16f;
    p = p * y - 0x1.6c137dp-10f;
    p = p * y + 0x1.555548p-5f;
    p = p * y - 0.5f;
    return turned(p * y + 1.0f, turn);
}
static const real least_factor = 1e-9f;
#endif

/* What is closer to 0 than this counts as this much: four of them still are a real, and sinc(0) is 1. */
static inline real no_zero(real x) { return x < least_factor && x > -least_factor ? least_factor : x; }

/* Takes the exponent out of m. */
static inline void normal_form(real *m, real *exponent) {
    bits_ bits;
    memcpy(&bits, m, sizeof bits);
    *exponent += (real)(((bits >> MANTISSA_BITS) & (2 * EXPONENT_BIAS + 1)) - EXPONENT_BIAS);
    bits &= ~((bits_)(2 * EXPONENT_BIAS + 1) << MANTISSA_BITS);
    bits |= (bits_)EXPONENT_BIAS << MANTISSA_BITS;
    memcpy(m, &bits, sizeof bits);
}

/* mantissa, exponent (keys): of prod_d sinc(radius_d (q_d - k_jd)); width a multiple of 4, k (width, ld). */
static void sinc_product(int64_t keys, int64_t width, const real *restrict q, const real *restrict radius,
                         const real *restrict k, int64_t ld, real *restrict mantissa, real *restrict exponent) {
    for (int64_t j = 0; j < keys; j++) mantissa[j] = 1, exponent[j] = 0;
    for (int64_t d = 0; d < width; d += 4) {
        const real *restrict a = k + d * ld, *restrict b = a + ld, *restrict c = b + ld, *restrict e = c + ld;
#pragma omp simd
        for (int64_t j = 0; j < keys; j++) {
            const real x = no_zero(radius[d] * (q[d] - a[j])), y = no_zero(radius[d + 1] * (q[d + 1] - b[j]));
            const real z = no_zero(radius[d + 2] * (q[d + 2] - c[j])), t = no_zero(radius[d + 3] * (q[d + 3] - e[j]));
            const real sines = no_zero(sin_(x)) * no_zero(sin_(y)) * (no_zero(sin_(z)) * no_zero(sin_(t)));
            real m = mantissa[j] * (sines / (x * y * (z * t))), power = exponent[j];
            normal_form(&m, &power);
            mantissa[j] = m;
            exponent[j] = power;
        }
    }
}

/* w (keys) = (mantissa 2^(exponent - top))^power; top: the largest exponent. */
static void sinc_weights(int64_t keys, int64_t power, real top, const real *restrict mantissa,
                         const real *restrict exponent, real *restrict w) {
    memcpy(w, mantissa, (size_t)keys * sizeof *w);
    for (int64_t p = 1; p < power; p++)
        for (int64_t j = 0; j < keys; j++) w[j] *= mantissa[j];
#pragma omp simd
    for (int64_t j = 0; j < keys; j++) {
        const real n = (real)power * (exponent[j] - top), seen = n < -EXPONENT_BIAS ? -EXPONENT_BIAS : n;
        const bits_ bits = ((bits_)seen + EXPONENT_BIAS) << MANTISSA_BITS; /* 2^n, or 0 */
        real factor;
        memcpy(&factor, &bits, sizeof factor);
        w[j] *= factor;
    }
}

/* (cot x - 1/x): by its series near 0, where the two cancel. */
static inline real log_sinc_slope(real x) {
    const real y = x * x, s = no_zero(sin_(x)), far = no_zero(x);
    real p = (real)(12.0 / 18243225);
    p = p * y + (real)(4146.0 / 638512875);
    p = p * y + (real)(2.0 / 31185);
    p = p * y + (real)(1.0 / 1575);
    p = p * y + (real)(2.0 / 315);
    p = p * y + (real)(1.0 / 15);
    return y < (real)0.25 ? x * (p * y + 1) * (real)(-1.0 / 3) : (far * cos_(x) - s) / (far * s);
}

/* With c = slope(radius_d (q_d - k_jd)) g_j: dq_d = sum c, dk_jd -= c, dradius_d += sum c (q_d - k_jd). dq and dk lack
 * the factor radius_d. */
static void sinc_gradient(int64_t keys, int64_t width, const real *restrict q, const real *restrict radius,
                          const real *restrict k, int64_t ld, const real *restrict g, real *restrict dq,
                          real *restrict dk, double *restrict dradius) {
    for (int64_t d = 0; d < width; d++) {
        const real *restrict kd = k + d * ld;
        real *restrict to = dk + d * ld, sum = 0, along = 0;
        const real at = q[d], r = radius[d];
#pragma omp simd reduction(+ : sum, along)
        for (int64_t j = 0; j < keys; j++) {
            const real x = at - kd[j], c = log_sinc_slope(r * x) * g[j];
            sum += c;
            along += c * x;
            to[j] -= c;
        }
        dq[d] = sum;
        dradius[d] += (double)along;
    }
}
