/* Matrix products of numbers rounded to bfloat16, summed in float32: by vectors, where one instruction multiplies 32
 * pairs (AVX512-BF16), or by tiles, where one multiplies 256 by 256 of them (AMX). */
#ifndef FOCI_KERNELS_BF16_H
#define FOCI_KERNELS_BF16_H

#include "kernels/types.h"

/* The processor has AVX512-BF16, foci computes in float32, and FOCI_ISA does not forbid it. */
bool foci_bf16_supported(void);
/* It has AMX too, and the kernel lets the process use it. */
bool foci_bf16_has_tiles(void);

/* Name of the instruction set in use: that of the kernels, or "amx". */
const char *foci_bf16_isa(void);

/* Matrices (rows, columns) rounded to nearest even, and back. */
void foci_bf16_round(int64_t rows, int64_t columns, const foci_real *x, int64_t ldx, uint16_t *y, int64_t ldy);
void foci_bf16_widen(int64_t rows, int64_t columns, const uint16_t *x, int64_t ldx, foci_real *y, int64_t ldy);

/* As the kernel gemm_pack: b rounded and in pairs along the depth, foci_bf16_pairs(depth) reals a column. */
int64_t foci_bf16_pairs(int64_t depth);
void foci_bf16_pack(const foci_matrix *b, int64_t depth, int64_t columns, foci_real *to);

/* As the kernel gemm, with op(A) and op(B) rounded to nearest even; scratch FOCI_GEMM_DEPTH * FOCI_GEMM_COLUMNS reals,
 * 64-byte aligned. An element is summed in an order that depends on the depth alone. */
void foci_bf16_gemm(const foci_product *p, foci_real *scratch);

/* As the kernels, where foci_bf16_supported; softmax stays in float32. */
void foci_bf16_attention_forward(const foci_attention_head *h, int64_t first_query, int64_t end_query,
                                 foci_real *scratch);
void foci_bf16_attention_backward(const foci_attention_head *h, foci_real *scratch);

/* Products and sums of pairs that depend on nothing but registers, as the kernel `peak`. */
void foci_bf16_peak(int64_t rounds, double *operations);

/* The two ways that products are made. */
typedef struct foci_bf16_products {
    int64_t step; /* a packed column has a multiple of so many pairs */
    void (*pack)(const foci_matrix *b, int64_t depth, int64_t columns, foci_real *to);
    void (*gemm)(const foci_product *p, foci_real *scratch);
    void (*peak)(int64_t rounds, double *operations);
} foci_bf16_products;
extern const foci_bf16_products foci_bf16_vectors, foci_bf16_tiles;

#endif
