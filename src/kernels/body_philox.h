/* Philox 4x32-10 (base/philox.h) for a run of counters at once. A 32-bit word of the state lies in the lower half of a
 * 64-bit lane, where the product of two of them has room; what is in the upper half never matters. */
#if defined(__x86_64__)
#include <immintrin.h>
#elif defined(__ARM_NEON)
#include <arm_neon.h>
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
#elif defined(__ARM_NEON)
    return (wide)vmull_u32(vmovn_u64((uint64x2_t)a), vmovn_u64((uint64x2_t)factor));
#else
    return (a & 0xffffffffu) * factor;
#endif
}

/* The keys of all rounds, and the part of the counter that blocks share. */
enum { PHILOX_ROUNDS = 10 };
typedef struct philox {
    uint64_t step, key[PHILOX_ROUNDS][2];
} philox;
static philox philox_of(const foci_dropout_mask *mask) {
    const uint64_t key = mask->seed ^ (mask->stream * 0x9E3779B97F4A7C15u);
    uint32_t k0 = (uint32_t)key, k1 = (uint32_t)(key >> 32);
    philox p = {.step = mask->step};
    for (int round = 0; round < PHILOX_ROUNDS; round++, k0 += 0x9E3779B9u, k1 += 0xBB67AE85u)
        p.key[round][0] = k0, p.key[round][1] = k1;
    return p;
}

/* c[k] = word k of the blocks with these numbers */
static inline void philox_rounds(const philox *p, const wide number[PHILOX_VECTORS], wide c[4][PHILOX_VECTORS]) {
    for (int v = 0; v < PHILOX_VECTORS; v++) {
        c[0][v] = number[v];
        c[1][v] = number[v] >> 32;
        c[2][v] = (wide){0} + p->step;
        c[3][v] = (wide){0} + (p->step >> 32);
    }
    UNROLL (int round = 0; round < PHILOX_ROUNDS; round++) {
        UNROLL (int v = 0; v < PHILOX_VECTORS; v++) {
            const wide p0 = multiply(c[0][v], 0xD2511F53u), p1 = multiply(c[2][v], 0xCD9E8D57u);
            c[0][v] = (p1 >> 32) ^ c[1][v] ^ p->key[round][0];
            c[2][v] = (p0 >> 32) ^ c[3][v] ^ p->key[round][1];
            c[1][v] = p1;
            c[3][v] = p0;
        }
    }
}

/* The lower halves of `first` and `second`, in turn (little-endian). */
static inline wide in_turn(wide first, wide second) { return (first & 0xffffffffu) | second << 32; }

/* halves[8 i + k] is half k of block counter + i, the lower half of a word first (little-endian) */
static inline void philox_halves(const philox *p, uint64_t counter, uint16_t halves[2 * PHILOX_WORDS]) {
    wide number[PHILOX_VECTORS], c[4][PHILOX_VECTORS];
    for (int v = 0; v < PHILOX_VECTORS; v++) {
        wide n = {0};
        for (int i = 0; i < WIDE; i++) n[i] = counter + (uint64_t)(v * WIDE + i);
        number[v] = n;
    }
    philox_rounds(p, number, c);
    for (int v = 0; v < PHILOX_VECTORS; v++) {
        const wide low = in_turn(c[0][v], c[1][v]), high = in_turn(c[2][v], c[3][v]);
        for (int i = 0; i < WIDE; i++) {
            const uint64_t pair[2] = {low[i], high[i]};
            memcpy(halves + 8 * (v * WIDE + i), pair, sizeof pair);
        }
    }
}

/* Lane i has block first + i row. Neighbours are in two vectors, so that in_turn joins them. */
static inline void philox_numbers(uint64_t first, uint64_t row, wide number[PHILOX_VECTORS]) {
    enum { PAIR = 2 * WIDE };
    uint64_t lane[PHILOX_VECTORS][WIDE];
    for (int i = 0; i < PHILOX_LANES; i++) lane[i / PAIR * 2 + i % 2][i % PAIR / 2] = first + (uint64_t)i * row;
    memcpy(number, lane, sizeof lane);
}

/* One word of every lane; the same lanes as truth values, and as reals and their bits. */
typedef uint32_t lane_words __attribute__((vector_size(4 * PHILOX_LANES)));
typedef int32_t lane_truths __attribute__((vector_size(4 * PHILOX_LANES)));
typedef bits_ lane_bits __attribute__((vector_size(PHILOX_LANES * sizeof(real))));
typedef real lane_reals __attribute__((vector_size(PHILOX_LANES * sizeof(real)), aligned(sizeof(real)), may_alias));

/* words[k] is word k of the blocks */
static inline void philox_lanes(const philox *p, const wide number[PHILOX_VECTORS], lane_words words[4]) {
    wide c[4][PHILOX_VECTORS];
    philox_rounds(p, number, c);
    for (int k = 0; k < 4; k++)
        for (int v = 0; v < PHILOX_VECTORS; v += 2) {
            const wide joined = in_turn(c[k][v], c[k][v + 1]);
            memcpy((uint32_t *)&words[k] + v * WIDE, &joined, sizeof joined);
        }
}
