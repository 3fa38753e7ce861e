/* Philox 4x32-10 (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", 2011): random numbers as a
 * function of a key and a counter. Nothing is stored and nothing is shared, so masks can be recomputed and
 * the number of threads does not matter.
 *
 * foci's key is (seed, stream): the stream names the use (a node of the graph, an augmentation, an
 * initialisation). The counter is (step, index). */
#ifndef FOCI_BASE_PHILOX_H
#define FOCI_BASE_PHILOX_H

#include <math.h>
#include <stdint.h>

typedef struct foci_u32x4 {
    uint32_t v[4];
} foci_u32x4;

static inline foci_u32x4 foci_philox(uint64_t seed, uint64_t stream, uint64_t step, uint64_t index) {
    uint64_t key = seed ^ (stream * 0x9E3779B97F4A7C15u); /* distinct streams of one seed: distinct keys */
    uint32_t k0 = (uint32_t)key, k1 = (uint32_t)(key >> 32);
    uint32_t c0 = (uint32_t)index, c1 = (uint32_t)(index >> 32), c2 = (uint32_t)step, c3 = (uint32_t)(step >> 32);
    for (int round = 0; round < 10; round++) {
        uint64_t p0 = (uint64_t)0xD2511F53u * c0, p1 = (uint64_t)0xCD9E8D57u * c2;
        uint32_t n0 = (uint32_t)(p1 >> 32) ^ c1 ^ k0, n2 = (uint32_t)(p0 >> 32) ^ c3 ^ k1;
        c1 = (uint32_t)p1;
        c3 = (uint32_t)p0;
        c0 = n0;
        c2 = n2;
        k0 += 0x9E3779B9u;
        k1 += 0xBB67AE85u;
    }
    return (foci_u32x4){{c0, c1, c2, c3}};
}

/* [0, 1), 24 bits: exact in float. */
static inline double foci_uniform(uint32_t u) { return (double)(u >> 8) * 0x1p-24; }

/* Standard normal from two words (Box-Muller). */
static inline double foci_normal(uint32_t a, uint32_t b) {
    double u = ((double)a + 1.0) * 0x1p-32; /* (0, 1] */
    return sqrt(-2.0 * log(u)) * cos(6.283185307179586 * ((double)b * 0x1p-32));
}

/* A sequence for code that draws one number after another (augmentation, generated data, shuffles). */
typedef struct foci_rng {
    uint64_t seed, stream, step, next;
    foci_u32x4 buffer;
} foci_rng;
static inline foci_rng foci_rng_make(uint64_t seed, uint64_t stream, uint64_t step) {
    return (foci_rng){.seed = seed, .stream = stream, .step = step};
}
static inline uint32_t foci_rng_u32(foci_rng *r) {
    if (r->next % 4 == 0) r->buffer = foci_philox(r->seed, r->stream, r->step, r->next / 4);
    return r->buffer.v[r->next++ % 4];
}
static inline double foci_rng_uniform(foci_rng *r) { return foci_uniform(foci_rng_u32(r)); }
static inline double foci_rng_normal(foci_rng *r) {
    uint32_t a = foci_rng_u32(r), b = foci_rng_u32(r);
    return foci_normal(a, b);
}
/* 0 .. n-1, n >= 1 (multiply-shift; the bias of at most n / 2^32 does not matter here). */
static inline uint32_t foci_rng_below(foci_rng *r, uint32_t n) {
    return (uint32_t)(((uint64_t)foci_rng_u32(r) * n) >> 32);
}

/* FNV-1a: a stream number from a name. */
static inline uint64_t foci_stream(const char *name) {
    uint64_t h = 0xcbf29ce484222325u;
    for (; *name; name++) h = (h ^ (unsigned char)*name) * 0x100000001b3u;
    return h;
}

#endif
