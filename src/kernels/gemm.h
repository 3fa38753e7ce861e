/* The one seam to matrix products. An element of C is summed in an order that depends on the depth alone. */
#ifndef FOCI_KERNELS_GEMM_H
#define FOCI_KERNELS_GEMM_H

#include "foci/foci.h"
#include "foci/real.h"
#include "kernels/types.h"

/* B copied once, over all threads, into the order in which products read it, where many tiles of rows share it: sets
 * p->packed. `memory`: foci_gemm_packed_size(depth, columns) reals, 64-byte aligned. (OpenBLAS has no use for it.) */
int64_t foci_gemm_packed_size(int64_t depth, int64_t columns);
void foci_gemm_pack(foci_product *p, foci_real *memory);

/* Columns first .. first + columns - 1 of a product; first is a multiple of FOCI_GEMM_STEP where B is packed. */
enum { FOCI_GEMM_STEP = 32 };
foci_product foci_gemm_columns(const foci_product *p, int64_t first, int64_t columns);

/* On the calling thread alone. */
void foci_gemm(const foci_product *p);

/* Over all threads: C is cut into tiles. */
void foci_gemm_parallel(const foci_product *p);

/* The same, with what the tiles share copied once: B or, where the rows are so few that copying B would cost more than
 * what is made of it, A: B, a large weight, is read where it lies then, and C comes about in columns. The bits are the
 * same. `memory`: foci_gemm_packed_size(depth, columns) reals, 64-byte aligned. */
void foci_gemm_spread(const foci_product *p, foci_real *memory);
bool foci_gemm_has_few_rows(int64_t rows, int64_t columns, int64_t depth);

/* Over all threads, for few rows and columns and a great depth (the gradient of a weight: the depth is the batch). The
 * depth is cut into a fixed number of chunks, whose products lie in `partial` (chunks * rows * columns) and are added
 * in order. No bias. */
int64_t foci_gemm_chunks(int64_t rows, int64_t columns, int64_t depth);
void foci_gemm_long(const foci_product *p, foci_real *partial);

/* Name and version of what computes them: "foci", or "OpenBLAS 0.3.21 (OpenMP)". */
const char *foci_gemm_provider(void);
/* "foci" or "openblas"; NULL: foci where the processor has wide registers, elsewhere OpenBLAS if it is to be had, which
 * is loaded by the first product then. FOCI_ERR_CONFIG for another name; FOCI_ERR_RUNTIME where OpenBLAS is asked for
 * and cannot be loaded (openblas.h). */
foci_status foci_gemm_choose(const char *provider);

#endif
