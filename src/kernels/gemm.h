/* The one seam to matrix products, row-major, leading dimensions in elements. An element of C is summed in an order that
 * depends on k alone. */
#ifndef FOCI_KERNELS_GEMM_H
#define FOCI_KERNELS_GEMM_H

#include "foci/foci.h"

/* C (m, n) = alpha * op(A) (m, k) * op(B) (k, n) + beta * C, on the calling thread alone. beta 0 never reads
 * C. */
void foci_gemm(bool transpose_a, bool transpose_b, int64_t m, int64_t n, int64_t k, foci_real alpha,
               const foci_real *a, int64_t lda, const foci_real *b, int64_t ldb, foci_real beta, foci_real *c,
               int64_t ldc);

/* The same over all threads: C is cut into fixed tiles of rows (and of columns where rows are few). */
void foci_gemm_parallel(bool transpose_a, bool transpose_b, int64_t m, int64_t n, int64_t k, foci_real alpha,
                        const foci_real *a, int64_t lda, const foci_real *b, int64_t ldb, foci_real beta,
                        foci_real *c, int64_t ldc);

/* C = op(A) op(B) (+ C) over all threads for small m and n and a long k (the gradient of a weight: k runs
 * over the batch). k is cut into a fixed number of chunks, whose products lie in `partial` (chunks * m * n)
 * and are added in order. */
int64_t foci_gemm_chunks(int64_t m, int64_t n, int64_t k);
void foci_gemm_long(bool transpose_a, bool transpose_b, int64_t m, int64_t n, int64_t k, const foci_real *a,
                    int64_t lda, const foci_real *b, int64_t ldb, bool accumulate, foci_real *c, int64_t ldc,
                    foci_real *partial);

/* Name and version of what computes them: "foci", or "OpenBLAS 0.3.21 (OpenMP)". */
const char *foci_gemm_provider(void);
/* "foci" or "openblas"; NULL: foci where the processor has wide registers. Call before the first product: it turns
 * OpenBLAS's own threads off. FOCI_ERR_CONFIG for another name, FOCI_ERR_RUNTIME where OpenBLAS is a build that may not be
 * called from several threads at once. */
foci_status foci_gemm_choose(const char *provider);

#endif
