#include "kernels/bf16.h"

#include <string.h>

#include "kernels/kernels.h"

#if defined(__x86_64__) && !defined(FOCI_DOUBLE)
#include <immintrin.h>

#define BF16 __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx512bf16")))
#if defined(__clang__)
#define UNROLL(...) _Pragma("clang loop unroll(full)") for (__VA_ARGS__)
#else
#define UNROLL(...) _Pragma("GCC unroll 16") for (__VA_ARGS__)
#endif

bool foci_bf16_supported(void) {
    return __builtin_cpu_supports("avx512bf16") && strcmp(foci_kernel()->isa, "avx512") == 0;
}

enum { LANES = 16 };

static inline __mmask16 first_lanes(int64_t n) { return (__mmask16)(n >= LANES ? 0xffff : (1u << n) - 1); }

BF16 void foci_bf16_round(int64_t n, const float *x, uint16_t *y) {
    for (int64_t i = 0; i < n; i += LANES)
        _mm256_mask_storeu_epi16(y + i, first_lanes(n - i),
                                 (__m256i)_mm512_cvtneps_pbh(_mm512_maskz_loadu_ps(first_lanes(n - i), x + i)));
}

BF16 void foci_bf16_widen(int64_t n, const uint16_t *x, float *y) {
    for (int64_t i = 0; i < n; i += LANES) {
        const __m512i wide = _mm512_cvtepu16_epi32(_mm256_maskz_loadu_epi16(first_lanes(n - i), x + i));
        _mm512_mask_storeu_ps(y + i, first_lanes(n - i), (__m512)_mm512_slli_epi32(wide, 16));
    }
}

BF16 void foci_bf16_peak(int64_t rounds, double *operations) {
    enum { CHAINS = 12 };
    __m512 sum[CHAINS];
    const __m512bh x = (__m512bh)_mm512_set1_epi32(0x3f003f00), y = (__m512bh)_mm512_set1_epi32(0x3a003a00);
    UNROLL (int i = 0; i < CHAINS; i++) sum[i] = _mm512_setzero_ps();
    for (int64_t n = 0; n < rounds; n++) {
        UNROLL (int i = 0; i < CHAINS; i++) {
            sum[i] = _mm512_dpbf16_ps(sum[i], x, y);
            __asm__("" : "+v"(sum[i])); /* not to be computed once for all chains */
        }
    }
    float total = 0;
    UNROLL (int i = 0; i < CHAINS; i++) total += _mm512_reduce_add_ps(sum[i]);
    *operations = 4.0 * CHAINS * LANES * (double)rounds + (total == -1 ? 1 : 0);
}

#else

void foci_bf16_peak(int64_t rounds, double *operations) { foci_kernel()->peak(rounds, operations); }
bool foci_bf16_supported(void) { return false; }
void foci_bf16_round(int64_t n, const foci_real *x, uint16_t *y) { (void)n, (void)x, (void)y; }
void foci_bf16_widen(int64_t n, const uint16_t *x, foci_real *y) { (void)n, (void)x, (void)y; }

#endif
