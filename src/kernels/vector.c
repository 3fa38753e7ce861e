/* Compiled once per instruction set (see the Makefile), with FOCI_VECTOR_ISA = generic, neon, avx2 or avx512. */
#include "kernels/bf16.h"
#include "kernels/kernels.h"

#include <math.h>
#include <string.h>

#if defined(FOCI_DOUBLE) && defined(__clang__) /* the oracle calls erfc, which no loop can be vectorised around */
#pragma clang diagnostic ignored "-Wpass-failed"
#endif

#ifdef FOCI_DOUBLE
#define abs_ fabs
#define sqrt_ sqrt
#else
#define abs_ fabsf
#define sqrt_ sqrtf
#endif

#include "kernels/body_exp.h"
#include "kernels/body_operand.h"
#include "kernels/body_product.h"
#include "kernels/body_philox.h"
#include "kernels/body_elementwise.h"
#include "kernels/body_sums.h"
#include "kernels/body_norm.h"
#include "kernels/body_softmax.h"
#include "kernels/body_features.h"
#include "kernels/body_channels.h"
#include "kernels/body_convolution.h"
#include "kernels/body_dropout.h"
#include "kernels/body_optimizer.h"
#include "kernels/body_gemm.h"
#include "kernels/body_few.h"
#include "kernels/body_peak.h"
#include "kernels/body_resample.h"
#include "kernels/body_tile.h"
#include "kernels/body_blend.h"
#include "kernels/body_attention.h"
#include "kernels/body_attention_map.h"
#include "kernels/body_pieces.h"
#include "kernels/body_metric.h"
#include "kernels/body_sinc.h"

#define PASTE_(a, b) a##b
#define PASTE(a, b) PASTE_(a, b)
#define TEXT_(a) #a
#define TEXT(a) TEXT_(a)

extern const foci_kernels PASTE(foci_kernels_, FOCI_VECTOR_ISA);
const foci_kernels PASTE(foci_kernels_, FOCI_VECTOR_ISA) = {
    .isa = TEXT(FOCI_VECTOR_ISA),
#define FOCI_KERNEL(name, args) .name = name,
#include "kernels/list.h"
#undef FOCI_KERNEL
};
