/* OpenBLAS, loaded when it is first asked for: its mere start takes memory for every thread, and waits for ever where
 * that is not to be had. */
#ifndef FOCI_KERNELS_OPENBLAS_H
#define FOCI_KERNELS_OPENBLAS_H

#include "foci/foci.h"
#include "foci/real.h"

/* cblas_sgemm, or cblas_dgemm where reals are double; the first three as cblas.h numbers them. */
enum { FOCI_BLAS_ROWS = 101, FOCI_BLAS_PLAIN = 111, FOCI_BLAS_TRANSPOSED = 112 };
typedef void foci_blas_gemm(int order, int transposed_a, int transposed_b, int m, int n, int k, foci_real alpha,
                            const foci_real *a, int lda, const foci_real *b, int ldb, foci_real beta, foci_real *c,
                            int ldc);
typedef struct foci_openblas {
    foci_blas_gemm *gemm;
    char name[64]; /* "OpenBLAS 0.3.21 (OpenMP)" */
} foci_openblas;

/* Its own threads are off. FOCI_ERR_RUNTIME: it is not installed, is a build that may not be called from several
 * threads at once, or has no room to start; the same answer every time. From any thread. */
foci_status foci_openblas_load(const foci_openblas **blas);

#endif
