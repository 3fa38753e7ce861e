/* exp for the insides of vectorised loops: no branch, no table and, in float, no call. */

#ifdef FOCI_DOUBLE
static inline real exp_(real x) { return exp(x); }
static inline real exp_below_(real x) { return exp(x); }
#else

/* e^x = 2^n e^r with n = round(x / ln 2), |r| <= ln 2 / 2, and e^r by its minimax polynomial of degree 6.
 * Relative error below 1.5e-7. Below -87.7 (and at -inf) exactly 0; above 88.3 infinity; a NaN stays one. */
static inline real exp_below_(real x) { /* for x up to 88.7, or NaN */
    const float shift = 0x1.8p23f; /* adding it rounds to an integer, which then stands in the low bits of the sum */
    float y = x < -88.0f ? -88.0f : x;
    float sum = y * 1.44269504f + shift, n = sum - shift;
    float r = y - n * 0.693359375f; /* ln 2 in two parts; n times the first is exact */
    r = r + n * 2.12194440e-4f;
    float p = 0.00138145401f;
    p = p * r + 0.00836874512f;
    p = p * r + 0.0416683908f;
    p = p * r + 0.166665204f;
    p = p * r + 0.499999934f;
    p = p * (r * r) + r + 1.0f;
    uint32_t bits;
    memcpy(&bits, &sum, sizeof bits);
    bits = (bits + 127u) << 23; /* 2^n: the exponent is 0 (zero) at n = -127, infinity at n = 128 */
    float power;
    memcpy(&power, &bits, sizeof power);
    return p * power;
}
static inline real exp_(real x) { return exp_below_(x > 88.7f ? 88.7f : x); }
#endif
