/* Attention with the operands of its products in bfloat16: the body of the kernels attention_forward and
 * attention_backward, compiled once more, for AVX512-BF16 (see the Makefile). */
#include "kernels/bf16.h"

#include <math.h>
#include <string.h>

#include "kernels/kernels.h"

#if defined(__AVX512BF16__) && !defined(FOCI_DOUBLE)

#define FOCI_BF16_OPERANDS
#include "kernels/body_product.h"
#include "kernels/body_philox.h"
#include "kernels/body_tile.h"
#include "kernels/body_attention.h"

void foci_bf16_attention_forward(const foci_attention_head *h, int64_t first_query, int64_t end_query, foci_real *scratch) {
    attention_forward(h, first_query, end_query, scratch);
}
void foci_bf16_attention_backward(const foci_attention_head *h, foci_real *scratch) { attention_backward(h, scratch); }

#else

void foci_bf16_attention_forward(const foci_attention_head *h, int64_t first_query, int64_t end_query, foci_real *scratch) {
    foci_kernel()->attention_forward(h, first_query, end_query, scratch);
}
void foci_bf16_attention_backward(const foci_attention_head *h, foci_real *scratch) {
    foci_kernel()->attention_backward(h, scratch);
}

#endif
