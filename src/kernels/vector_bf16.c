/* Products and attention with operands in bfloat16: the bodies of the kernels gemm_pack, gemm, attention_forward and
 * attention_backward, compiled once more, for AVX512-BF16 (see the Makefile). */
#include "kernels/bf16.h"

#include <math.h>
#include <string.h>

#include "kernels/kernels.h"

#if defined(__AVX512BF16__) && !defined(FOCI_DOUBLE)

#include <immintrin.h>

#define FOCI_BF16_OPERANDS
#include "kernels/body_operand.h"
#include "kernels/body_product.h"
#include "kernels/body_philox.h"
#include "kernels/body_gemm.h"
#include "kernels/body_tile.h"
#include "kernels/body_attention.h"

void foci_bf16_attention_forward(const foci_attention_head *h, int64_t first_query, int64_t end_query,
                                 foci_real *scratch) {
    attention_forward(h, first_query, end_query, scratch);
}
void foci_bf16_attention_backward(const foci_attention_head *h, foci_real *scratch) { attention_backward(h, scratch); }

static void peak(int64_t rounds, double *operations) {
    enum { CHAINS = 12 };
    __m512 sum[CHAINS];
    const __m512bh x = (__m512bh)_mm512_set1_epi32(0x3f003f00), y = (__m512bh)_mm512_set1_epi32(0x3a003a00);
    UNROLL (int i = 0; i < CHAINS; i++) sum[i] = _mm512_setzero_ps();
    for (int64_t n = 0; n < rounds; n++) {
        UNROLL (int i = 0; i < CHAINS; i++) {
            sum[i] = _mm512_dpbf16_ps(sum[i], x, y);
            KEEP(sum[i]); /* not to be computed once for all chains */
        }
    }
    float total = 0;
    UNROLL (int i = 0; i < CHAINS; i++) total += _mm512_reduce_add_ps(sum[i]);
    *operations = 4.0 * CHAINS * LANES * (double)rounds + (total == -1 ? 1 : 0);
}

const foci_bf16_products foci_bf16_vectors = {1, gemm_pack, gemm, peak};

#else

void foci_bf16_attention_forward(const foci_attention_head *h, int64_t first_query, int64_t end_query,
                                 foci_real *scratch) {
    foci_kernel()->attention_forward(h, first_query, end_query, scratch);
}
void foci_bf16_attention_backward(const foci_attention_head *h, foci_real *scratch) {
    foci_kernel()->attention_backward(h, scratch);
}

static void pack(const foci_matrix *b, int64_t depth, int64_t columns, foci_real *to) {
    foci_kernel()->gemm_pack(b, depth, columns, to);
}
static void gemm(const foci_product *p, foci_real *scratch) { foci_kernel()->gemm(p, scratch); }
static void peak(int64_t rounds, double *operations) { foci_kernel()->peak(rounds, operations); }

const foci_bf16_products foci_bf16_vectors = {1, pack, gemm, peak};

#endif
