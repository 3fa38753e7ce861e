/* Products of sinc(x) = sin x / x over the coordinates of a difference of query and key: FourierFormer's kernel. A
 * product is a mantissa in [1, 2) with its sign and an exponent of its own: in 64 coordinates it falls below any real.
 * Lanes are keys, so keys lie transposed, (width, N). */

#ifdef FOCI_DOUBLE
#define MANTISSA_BITS 52
#define EXPONENT_BIAS 1023
static inline vector sin_(vector x) {
    for (int l = 0; l < LANES; l++) x[l] = sin(x[l]);
    return x;
}
static inline vector cos_(vector x) {
    for (int l = 0; l < LANES; l++) x[l] = cos(x[l]);
    return x;
}
static const real least_factor = 1e-60;
#else
#define MANTISSA_BITS 23
#define EXPONENT_BIAS 127

/* x - n pi for n = round(x / pi), pi in three parts, n times the first exact; *turn: the sign bit of (-1)^n. Of numbers
 * beyond a million float knows too little: they are cut off there. */
static inline vector half_turns(vector x, vector_bits *turn) {
    const float shift = 0x1.8p23f;
    const vector most = (vector){0} + 1e6f, y = choose(x > most, most, choose(x < -most, -most, x));
    const vector sum = y * 0.318309886f + shift, n = sum - shift;
    *turn = (vector_bits)sum << 31;
    return ((y - n * 3.140625f) - n * 9.67502593994140625e-4f) - n * 1.509957990978376432e-7f;
}
static inline vector turned(vector x, vector_bits turn) { return (vector)((vector_bits)x ^ turn); }
/* Minimax polynomials on [-pi/2, pi/2]: the sine to 6e-9 of itself, the cosine to 3e-10. */
static inline vector sin_(vector x) {
    vector_bits turn;
    const vector r = half_turns(x, &turn), y = r * r;
    vector p = y * 0x1.5db8cfp-19f - 0x1.9f6fa7p-13f;
    p = p * y + 0x1.110ed1p-7f;
    p = p * y - 0x1.55554bp-3f;
    return turned(r + r * y * p, turn);
}
static inline vector cos_(vector x) {
    vector_bits turn;
    const vector r = half_turns(x, &turn), y = r * r;
    vector p = y * -0x1.17fc43p-22f + 0x1.9f6f29p-16f;
    p = p * y - 0x1.6c137dp-10f;
    p = p * y + 0x1.555548p-5f;
    p = p * y - 0.5f;
    return turned(p * y + 1.0f, turn);
}
static const real least_factor = 1e-9f;
#endif

/* What is closer to 0 than this counts as this much: four of them still are a real, and sinc(0) is 1. */
static inline vector no_zero(vector x) {
    const vector least = (vector){0} + least_factor;
    return choose((x < least) & (x > -least), least, x);
}

/* Takes the exponent out of m. */
static inline void normal_form(vector *m, vector *exponent) {
    const bits_ field = 2 * EXPONENT_BIAS + 1, one = (bits_)EXPONENT_BIAS << MANTISSA_BITS;
    const vector_bits bits = (vector_bits)*m;
    *exponent += __builtin_convertvector(((bits >> MANTISSA_BITS) & field) - EXPONENT_BIAS, vector);
    *m = (vector)((bits & ~(field << MANTISSA_BITS)) | one);
}

/* The first n of a vector's numbers; the others are 0. */
static inline vector load(const real *from, int64_t n) {
    vector v = {0};
    if (n >= LANES) return *(const vector *)from;
    memcpy(&v, from, (size_t)n * sizeof *from);
    return v;
}
static inline void store(real *to, vector v, int64_t n) {
    if (n >= LANES) *(vector *)to = v;
    else memcpy(to, &v, (size_t)n * sizeof *to);
}

/* mantissa, exponent (keys): of prod_d sinc(radius_d (q_d - k_jd)); width a multiple of 4, k (width, ld). */
static void sinc_product(int64_t keys, int64_t width, const real *restrict q, const real *restrict radius,
                         const real *restrict k, int64_t ld, real *restrict mantissa, real *restrict exponent) {
    for (int64_t j = 0; j < keys; j += LANES) {
        vector m = (vector){0} + 1, power = {0};
        for (int64_t d = 0; d < width; d += 4) {
            vector x[4];
            for (int i = 0; i < 4; i++)
                x[i] = no_zero(radius[d + i] * (q[d + i] - load(k + (d + i) * ld + j, keys - j)));
            const vector sines =
                no_zero(sin_(x[0])) * no_zero(sin_(x[1])) * (no_zero(sin_(x[2])) * no_zero(sin_(x[3])));
            m *= sines / (x[0] * x[1] * (x[2] * x[3]));
            normal_form(&m, &power);
        }
        store(mantissa + j, m, keys - j);
        store(exponent + j, power, keys - j);
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
static inline vector log_sinc_slope(vector x) {
    const vector y = x * x, s = no_zero(sin_(x)), far = no_zero(x);
    vector p = y * (real)(12.0 / 18243225) + (real)(4146.0 / 638512875);
    p = p * y + (real)(2.0 / 31185);
    p = p * y + (real)(1.0 / 1575);
    p = p * y + (real)(2.0 / 315);
    p = p * y + (real)(1.0 / 15);
    const vector near = x * (p * y + 1) * (real)(-1.0 / 3);
    return choose(y < (vector){0} + (real)0.25, near, (far * cos_(x) - s) / (far * s));
}

/* With c = slope(radius_d (q_d - k_jd)) g_j: dq_d = sum c, dk_jd -= c, dradius_d += sum c (q_d - k_jd). dq and dk lack
 * the factor radius_d. */
static void sinc_gradient(int64_t keys, int64_t width, const real *restrict q, const real *restrict radius,
                          const real *restrict k, int64_t ld, const real *restrict g, real *restrict dq,
                          real *restrict dk, double *restrict dradius) {
    for (int64_t d = 0; d < width; d++) {
        vector sum = {0}, along = {0};
        dq[d] = 0;
        for (int64_t j = 0; j < keys; j += LANES) {
            const int64_t n = keys - j;
            const vector x = q[d] - load(k + d * ld + j, n), c = log_sinc_slope(radius[d] * x) * load(g + j, n);
            sum += c;
            along += c * x;
            store(dk + d * ld + j, load(dk + d * ld + j, n) - c, n);
        }
        for (int l = 0; l < LANES; l++) {
            dq[d] += sum[l];
            dradius[d] += (double)along[l];
        }
    }
}
