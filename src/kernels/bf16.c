#include "kernels/bf16.h"

#include <string.h>

#include "kernels/kernels.h"

#if defined(__x86_64__) && !defined(FOCI_DOUBLE)
#include <immintrin.h>

#define BF16 __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx512bf16")))

bool foci_bf16_supported(void) {
    return __builtin_cpu_supports("avx512bf16") && strcmp(foci_kernel()->isa, "avx512") == 0;
}

bool foci_bf16_has_tiles(void) {
    static int has = -1; /* the same value whichever thread writes it first */
    int known = __atomic_load_n(&has, __ATOMIC_RELAXED);
    if (known < 0) {
        foci_isa isa;
        known = foci_isa_choose(&isa) == FOCI_OK && isa == FOCI_ISA_AMX;
        __atomic_store_n(&has, known, __ATOMIC_RELAXED);
    }
    return known;
}

enum { LANES = 16 };

/* The rest of a row, under a mask: stores under one are slow, and loads that follow them wait. */
BF16 static void round_rest(int64_t n, const float *x, uint16_t *y) {
    const __mmask16 lanes = (__mmask16)((1u << n) - 1);
    _mm256_mask_storeu_epi16(y, lanes, (__m256i)_mm512_cvtneps_pbh(_mm512_maskz_loadu_ps(lanes, x)));
}
BF16 static inline __m512 wide(__m256i x) { return (__m512)_mm512_slli_epi32(_mm512_cvtepu16_epi32(x), 16); }
BF16 static void widen_rest(int64_t n, const uint16_t *x, float *y) {
    const __mmask16 lanes = (__mmask16)((1u << n) - 1);
    _mm512_mask_storeu_ps(y, lanes, wide(_mm256_maskz_loadu_epi16(lanes, x)));
}

BF16 void foci_bf16_round(int64_t rows, int64_t columns, const float *x, int64_t ldx, uint16_t *y, int64_t ldy) {
    for (int64_t r = 0; r < rows; r++, x += ldx, y += ldy) {
        int64_t i = 0;
        for (; i + 2 * LANES <= columns; i += 2 * LANES)
            _mm512_storeu_si512(y + i,
                                (__m512i)_mm512_cvtne2ps_pbh(_mm512_loadu_ps(x + i + LANES), _mm512_loadu_ps(x + i)));
        for (; i + LANES <= columns; i += LANES)
            _mm256_storeu_si256((__m256i *)(y + i), (__m256i)_mm512_cvtneps_pbh(_mm512_loadu_ps(x + i)));
        if (i < columns) round_rest(columns - i, x + i, y + i);
    }
}

/* Rows far apart are asked for some rows ahead. */
enum { ROWS_AHEAD = 8, LINE = 64 / sizeof(uint16_t) };

BF16 void foci_bf16_widen(int64_t rows, int64_t columns, const uint16_t *x, int64_t ldx, float *y, int64_t ldy) {
    for (int64_t r = 0; r < rows; r++, x += ldx, y += ldy) {
        int64_t i = 0;
        for (int64_t j = 0; j < columns && r + ROWS_AHEAD < rows; j += LINE)
            __builtin_prefetch(x + ROWS_AHEAD * ldx + j);
        for (; i + LANES <= columns; i += LANES)
            _mm512_storeu_ps(y + i, wide(_mm256_loadu_si256((const __m256i *)(x + i))));
        if (i < columns) widen_rest(columns - i, x + i, y + i);
    }
}

#else

bool foci_bf16_supported(void) { return false; }
bool foci_bf16_has_tiles(void) { return false; }
void foci_bf16_round(int64_t rows, int64_t columns, const foci_real *x, int64_t ldx, uint16_t *y, int64_t ldy) {
    (void)rows, (void)columns, (void)x, (void)ldx, (void)y, (void)ldy;
}
void foci_bf16_widen(int64_t rows, int64_t columns, const uint16_t *x, int64_t ldx, foci_real *y, int64_t ldy) {
    (void)rows, (void)columns, (void)x, (void)ldx, (void)y, (void)ldy;
}

#endif

const char *foci_bf16_isa(void) { return foci_bf16_has_tiles() ? foci_isa_name(FOCI_ISA_AMX) : foci_kernel()->isa; }

static const foci_bf16_products *products(void) {
    return foci_bf16_has_tiles() ? &foci_bf16_tiles : &foci_bf16_vectors;
}

int64_t foci_bf16_pairs(int64_t depth) {
    const int64_t step = products()->step;
    return (depth + 2 * step - 1) / (2 * step) * step;
}
void foci_bf16_pack(const foci_matrix *b, int64_t depth, int64_t columns, foci_real *to) {
    products()->pack(b, depth, columns, to);
}
void foci_bf16_gemm(const foci_product *p, foci_real *scratch) { products()->gemm(p, scratch); }
void foci_bf16_peak(int64_t rounds, double *operations) { products()->peak(rounds, operations); }
