/* Philox 4x32-10 (base/philox.h) for a run of counters at once. A 32-bit word of the state lies in the lower half of a
 * 64-bit lane, where the product of two of them has room; what is in the upper half never matters. */
#if defined(__x86_64__)
#include <immintrin.h>
#endif

typedef uint64_t wide __attribute__((vector_size(VECTOR_BYTES)));

enum { WIDE = VECTOR_BYTES / 8, PHILOX_LANES = 16, PHILOX_WORDS = 4 * PHILOX_LANES, PHILOX_VECTORS = PHILOX_LANES / WIDE };

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

/* words[4 i + k] is word k of block counter + i */
static inline void philox_words(uint64_t seed, uint64_t stream, uint64_t step, uint64_t counter,
                                uint32_t words[PHILOX_WORDS]) {
    const uint64_t key = seed ^ (stream * 0x9E3779B97F4A7C15u);
    uint32_t k0 = (uint32_t)key, k1 = (uint32_t)(key >> 32);
    wide c0[PHILOX_VECTORS], c1[PHILOX_VECTORS], c2[PHILOX_VECTORS], c3[PHILOX_VECTORS];
    for (int v = 0; v < PHILOX_VECTORS; v++) {
        wide number = {0};
        for (int i = 0; i < WIDE; i++) number[i] = counter + (uint64_t)(v * WIDE + i);
        c0[v] = number;
        c1[v] = number >> 32;
        c2[v] = (wide){0} + step;
        c3[v] = (wide){0} + (step >> 32);
    }
    for (int round = 0; round < 10; round++, k0 += 0x9E3779B9u, k1 += 0xBB67AE85u) {
        UNROLL for (int v = 0; v < PHILOX_VECTORS; v++) {
            const wide p0 = multiply(c0[v], 0xD2511F53u), p1 = multiply(c2[v], 0xCD9E8D57u);
            c0[v] = (p1 >> 32) ^ c1[v] ^ k0;
            c2[v] = (p0 >> 32) ^ c3[v] ^ k1;
            c1[v] = p1;
            c3[v] = p0;
        }
    }
    for (int v = 0; v < PHILOX_VECTORS; v++) {
        const wide low = (c0[v] & 0xffffffffu) | c1[v] << 32, high = (c2[v] & 0xffffffffu) | c3[v] << 32;
        for (int i = 0; i < WIDE; i++) {
            const uint64_t pair[2] = {low[i], high[i]}; /* words 0, 1 and 2, 3: little-endian */
            memcpy(words + 4 * (v * WIDE + i), pair, sizeof pair);
        }
    }
}
