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

static inline __mmask16 first_lanes(int64_t n) { return (__mmask16)(n >= LANES ? 0xffff : (1u << n) - 1); }

BF16 void foci_bf16_round(int64_t rows, int64_t columns, const float *x, int64_t ldx, uint16_t *y, int64_t ldy) {
    for (int64_t r = 0; r < rows; r++, x += ldx, y += ldy)
        for (int64_t i = 0; i < columns; i += LANES) {
            const __mmask16 lanes = first_lanes(columns - i);
            _mm256_mask_storeu_epi16(y + i, lanes, (__m256i)_mm512_cvtneps_pbh(_mm512_maskz_loadu_ps(lanes, x + i)));
        }
}

BF16 void foci_bf16_widen(int64_t rows, int64_t columns, const uint16_t *x, int64_t ldx, float *y, int64_t ldy) {
    for (int64_t r = 0; r < rows; r++, x += ldx, y += ldy)
        for (int64_t i = 0; i < columns; i += LANES) {
            const __mmask16 lanes = first_lanes(columns - i);
            const __m512i wide = _mm512_cvtepu16_epi32(_mm256_maskz_loadu_epi16(lanes, x + i));
            _mm512_mask_storeu_ps(y + i, lanes, (__m512)_mm512_slli_epi32(wide, 16));
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
