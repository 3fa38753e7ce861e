/* Products of matrices within an operation, one a line. */
#ifndef FOCI_OPS_PRODUCT_H
#define FOCI_OPS_PRODUCT_H

#include "kernels/gemm.h"

/* c (rows, columns) = or += a b over `depth`; TRANSPOSED: the transpose is meant */
typedef enum turn { AS_IS, TRANSPOSED } turn;
static inline void product(int64_t rows, int64_t columns, int64_t depth, const real *a, int64_t lda, turn ta,
                           const real *b, int64_t ldb, turn tb, real *c, int64_t ldc, bool add) {
    foci_gemm(&(foci_product){.rows = rows,
                              .columns = columns,
                              .depth = depth,
                              .a = {a, lda, ta == TRANSPOSED},
                              .b = {b, ldb, tb == TRANSPOSED},
                              .c = c,
                              .ldc = ldc,
                              .add = add});
}

#endif
