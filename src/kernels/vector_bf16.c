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

void foci_bf16_pack(const foci_matrix *b, int64_t depth, int64_t columns, foci_real *to) {
    gemm_pack(b, depth, columns, to);
}
void foci_bf16_gemm(const foci_product *p, foci_real *scratch) { gemm(p, scratch); }
void foci_bf16_attention_forward(const foci_attention_head *h, int64_t first_query, int64_t end_query,
                                 foci_real *scratch) {
    attention_forward(h, first_query, end_query, scratch);
}
void foci_bf16_attention_backward(const foci_attention_head *h, foci_real *scratch) { attention_backward(h, scratch); }

#else

void foci_bf16_pack(const foci_matrix *b, int64_t depth, int64_t columns, foci_real *to) {
    foci_kernel()->gemm_pack(b, depth, columns, to);
}
void foci_bf16_gemm(const foci_product *p, foci_real *scratch) { foci_kernel()->gemm(p, scratch); }
void foci_bf16_attention_forward(const foci_attention_head *h, int64_t first_query, int64_t end_query,
                                 foci_real *scratch) {
    foci_kernel()->attention_forward(h, first_query, end_query, scratch);
}
void foci_bf16_attention_backward(const foci_attention_head *h, foci_real *scratch) {
    foci_kernel()->attention_backward(h, scratch);
}

#endif
