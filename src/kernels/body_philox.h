/* Philox 4x32-10 (base/philox.h) for a run of counters at once. A 32-bit word of the state lies in the lower half of a
 * 64-bit lane, where the product of two of them has room; what is in the upper half never matters. */
#if defined(__x86_64__)
#include <immintrin.h>
#endif

typedef uint64_t wide __attribute__((vector_size(VECTOR_BYTES)));

enum {
    WIDE = VECTOR_BYTES / 8,
    PHILOX_LANES = 16,
    PHILOX_WORDS = 4 * PHILOX_LANES,
    PHILOX_VECTORS = PHILOX_LANES / WIDE
};

/* The full products of the lower halves. */
static inline wide multiply(wide a, uint32_t b) {
    const wide factor = (wide){0} + b;
#if defined(__AVX512F__)
    return (wide)_mm512_mul_epu32((__m512i)a, (__m512i)factor);
#elif defined(__AVX2__)
    return (wide)_mm256_mul_epu32((__m256i)a, (__m256i)factor);
#elif defined(__SSE2__)
    return (wide)_mm_mul_epu32((__m128i)a, (__m128i)factor);
#else
    return (a & 0xffffffffu) * factor;
#endif
}

/* c[k] = word k of the blocks with these numbers */
static inline void philox_rounds(uint64_t seed, uint64_t stream, uint64_t step, const wide number[PHILOX_VECTORS],
                                 wide c[4][PHILOX_VECTORS]) {
    const uint64_t key = seed ^ (stream * 0x9E3779B97F4A7C15u);
    uint32_t k0 = (uint32_t)key, k1 = (uint32_t)(key >> 32);
    for (int v = 0; v < PHILOX_VECTORS; v++) {
        c[0][v] = number[v];
        c[1][v] = number[v] >> 32;
        c[2][v] = (wide){0} + step;
        c[3][v] = (wide){0} + (step >> 32);
    }
    for (int round = 0; round < 10; round++, k0 += 0x9E3779B9u, k1 += 0xBB67AE85u) {
        UNROLL (int v = 0; v < PHILOX_VECTORS; v++) {
            const wide p0 = multiply(c[0][v], 0xD2511F53u), p1 = multiply(c[2][v], 0xCD9E8D57u);
            c[0][v] = (p1 >> 32) ^ c[1][v] ^ k0;
            c[2][v] = (p0 >> 32) ^ c[3][v] ^ k1;
            c[1][v] = p1;
            c[3][v] = p0;
        }
    }
}

/* The lower halves of `first` and `second`, in turn (little-endian). */
static inline wide in_turn(wide first, wide second) { return (first & 0xffffffffu) | second << 32; }

/* words[4 i + k] is word k of block counter + i */
static inline void philox_words(uint64_t seed, uint64_t stream, uint64_t step, uint64_t counter,
                                uint32_t words[PHILOX_WORDS]) {
    wide number[PHILOX_VECTORS], c[4][PHILOX_VECTORS];
    for (int v = 0; v < PHILOX_VECTORS; v++) {
        wide n = {0};
        for (int i = 0; i < WIDE; i++) n[i] = counter + (uint64_t)(v * WIDE + i);
        number[v] = n;
    }
    philox_rounds(seed, stream, step, number, c);
    for (int v = 0; v < PHILOX_VECTORS; v++) {
        const wide low = in_turn(c[0][v], c[1][v]), high = in_turn(c[2][v], c[3][v]);
        for (int i = 0; i < WIDE; i++) {
            const uint64_t pair[2] = {low[i], high[i]};
            memcpy(words + 4 * (v * WIDE + i), pair, sizeof pair);
        }
    }
}

/* Lane i of PHILOX_LANES blocks is in this vector, at this place: neighbours in two vectors, so that in_turn joins
 * them. */
enum { PAIR = 2 * WIDE };
static inline void philox_set_lane(wide number[PHILOX_VECTORS], int lane, uint64_t block) {
    number[lane / PAIR * 2 + lane % 2][lane % PAIR / 2] = block;
}

/* One word of every lane; the same lanes as truth values and as reals. */
typedef uint32_t lane_words __attribute__((vector_size(4 * PHILOX_LANES)));
typedef int32_t lane_truths __attribute__((vector_size(4 * PHILOX_LANES)));
typedef real lane_reals __attribute__((vector_size(PHILOX_LANES * sizeof(real)), aligned(sizeof(real)), may_alias));

/* words[k] is word k of the blocks */
static inline void philox_lanes(uint64_t seed, uint64_t stream, uint64_t step, const wide number[PHILOX_VECTORS],
                                lane_words words[4]) {
    wide c[4][PHILOX_VECTORS];
    philox_rounds(seed, stream, step, number, c);
    for (int k = 0; k < 4; k++)
        for (int v = 0; v < PHILOX_VECTORS; v += 2) {
            const wide joined = in_turn(c[k][v], c[k][v + 1]);
            memcpy((uint32_t *)&words[k] + v * WIDE, &joined, sizeof joined);
        }
}
