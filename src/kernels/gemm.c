/* Matrix products: by foci's own kernels (body_gemm.h), or by OpenBLAS, which never gets to use threads of its own. */
#include "kernels/gemm.h"

#include <cblas.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/parallel.h"
#include "kernels/kernels.h"

/* foci's kernels are the faster ones wherever there are wide registers. */
static enum { UNDECIDED, FOCI, OPENBLAS } provider;

static bool own_kernels(void) {
    if (provider == UNDECIDED) provider = strcmp(foci_kernel()->isa, "generic") ? FOCI : OPENBLAS;
    return provider == FOCI;
}

static void blas_product(bool transpose_a, bool transpose_b, int64_t m, int64_t n, int64_t k, foci_real alpha,
                    const foci_real *a, int64_t lda, const foci_real *b, int64_t ldb, foci_real beta, foci_real *c,
                    int64_t ldc) {
#ifdef FOCI_DOUBLE
    cblas_dgemm
#else
    cblas_sgemm
#endif
        (CblasRowMajor, transpose_a ? CblasTrans : CblasNoTrans, transpose_b ? CblasTrans : CblasNoTrans, (blasint)m,
         (blasint)n, (blasint)k, alpha, a, (blasint)lda, b, (blasint)ldb, beta, c, (blasint)ldc);
}

/* On the calling thread; the block of B that is at work lies in memory of the thread. */
static void own_product(bool transpose_a, bool transpose_b, int64_t m, int64_t n, int64_t k, foci_real alpha,
                        const foci_real *a, int64_t lda, const foci_real *b, int64_t ldb, foci_real beta, foci_real *c,
                        int64_t ldc) {
    static _Thread_local foci_real block[FOCI_GEMM_DEPTH * FOCI_GEMM_COLUMNS] __attribute__((aligned(64)));
    foci_kernel()->gemm(&(foci_gemm_operands){transpose_a, transpose_b, m, n, k, alpha, beta, a, b, c, lda, ldb, ldc}, block);
}

/* OpenBLAS uses one thread exactly when it is called inside a parallel region, so there is always one. */
void foci_gemm(bool transpose_a, bool transpose_b, int64_t m, int64_t n, int64_t k, foci_real alpha,
               const foci_real *a, int64_t lda, const foci_real *b, int64_t ldb, foci_real beta, foci_real *c,
               int64_t ldc) {
    if (own_kernels()) {
        own_product(transpose_a, transpose_b, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc);
        return;
    }
    if (omp_in_parallel()) {
        blas_product(transpose_a, transpose_b, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc);
        return;
    }
    FOCI_PARALLEL_FOR
    for (int once = 0; once < 1; once++) blas_product(transpose_a, transpose_b, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc);
}

/* Tiles of C: large enough that packing the operands does not count, small enough that there are some for every thread.
 * They depend on the shape alone. */
typedef struct grid {
    int64_t rows, columns;       /* of a tile */
    int64_t row_tiles, column_tiles;
} grid;

enum { TILE_ROWS = 256, TILE_COLUMNS = 512, ENOUGH_TILES = 16 };

static grid make_grid(int64_t m, int64_t n) {
    int64_t row_tiles = foci_tiles(m, TILE_ROWS);
    int64_t columns = row_tiles >= ENOUGH_TILES ? n : TILE_COLUMNS;
    return (grid){TILE_ROWS, columns, row_tiles, foci_tiles(n, columns)};
}

void foci_gemm_parallel(bool transpose_a, bool transpose_b, int64_t m, int64_t n, int64_t k, foci_real alpha,
                        const foci_real *a, int64_t lda, const foci_real *b, int64_t ldb, foci_real beta,
                        foci_real *c, int64_t ldc) {
    grid g = make_grid(m, n);
    FOCI_PARALLEL_FOR
    for (int64_t tile = 0; tile < g.row_tiles * g.column_tiles; tile++) {
        foci_range r = foci_tile(m, g.rows, tile / g.column_tiles), s = foci_tile(n, g.columns, tile % g.column_tiles);
        foci_gemm(transpose_a, transpose_b, r.end - r.first, s.end - s.first, k, alpha,
                  a + (transpose_a ? r.first : r.first * lda), lda, b + (transpose_b ? s.first * ldb : s.first), ldb,
                  beta, c + r.first * ldc + s.first, ldc);
    }
}

enum { LEAST_CHUNK = 512 }; /* of the inner dimension */

int64_t foci_gemm_chunks(int64_t m, int64_t n, int64_t k) {
    grid g = make_grid(m, n);
    int64_t wanted = foci_tiles(ENOUGH_TILES, g.row_tiles * g.column_tiles), most = foci_tiles(k, LEAST_CHUNK);
    return wanted < most ? wanted : most;
}

/* c = beta c + partial products in order */
static void add_partial(int64_t m, int64_t n, int64_t chunks, const foci_real *partial, bool accumulate, foci_real *c,
                        int64_t ldc) {
    FOCI_PARALLEL_FOR
    for (int64_t row = 0; row < m; row++)
        for (int64_t i = 0; i < chunks; i++)
            foci_kernel()->scale(n, 1, partial + (i * m + row) * n, c + row * ldc, i > 0 || accumulate);
}

void foci_gemm_long(bool transpose_a, bool transpose_b, int64_t m, int64_t n, int64_t k, const foci_real *a, int64_t lda,
                    const foci_real *b, int64_t ldb, bool accumulate, foci_real *c, int64_t ldc, foci_real *partial) {
    int64_t chunks = foci_gemm_chunks(m, n, k), size = foci_tiles(k, chunks);
    if (chunks == 1) {
        foci_gemm_parallel(transpose_a, transpose_b, m, n, k, 1, a, lda, b, ldb, accumulate, c, ldc);
        return;
    }
    grid g = make_grid(m, n);
    FOCI_PARALLEL_FOR
    for (int64_t task = 0; task < chunks * g.row_tiles * g.column_tiles; task++) {
        int64_t chunk = task % chunks, tile = task / chunks;
        foci_range r = foci_tile(m, g.rows, tile / g.column_tiles), s = foci_tile(n, g.columns, tile % g.column_tiles);
        foci_range t = foci_tile(k, size, chunk);
        foci_gemm(transpose_a, transpose_b, r.end - r.first, s.end - s.first, t.end - t.first, 1,
                  a + (transpose_a ? t.first * lda + r.first : r.first * lda + t.first), lda,
                  b + (transpose_b ? s.first * ldb + t.first : t.first * ldb + s.first), ldb, 0,
                  partial + (chunk * m + r.first) * n + s.first, n);
    }
    add_partial(m, n, chunks, partial, accumulate, c, ldc);
}

const char *foci_gemm_provider(void) {
    static char text[64];
    static const char *const kinds[] = {"serial", "pthread", "OpenMP"};
    char version[32] = "?";
    if (own_kernels()) return "foci";
    int kind = openblas_get_parallel();
    sscanf(openblas_get_config(), "OpenBLAS %31s", version);
    snprintf(text, sizeof text, "OpenBLAS %s (%s)", version, kind >= 0 && kind <= 2 ? kinds[kind] : "?");
    return text;
}

foci_status foci_gemm_choose(const char *name) {
    if (!name || !*name) provider = UNDECIDED;
    else if (strcmp(name, "foci") == 0) provider = FOCI;
    else if (strcmp(name, "openblas") == 0) provider = OPENBLAS;
    else return foci_fail(FOCI_ERR_CONFIG, "FOCI_GEMM: `%s` is not foci or openblas", name);
    if (own_kernels()) return FOCI_OK;
    switch (openblas_get_parallel()) {
    case OPENBLAS_OPENMP: return FOCI_OK;
    case OPENBLAS_THREAD: openblas_set_num_threads(1); return FOCI_OK; /* its pool stays asleep */
    default:
        return foci_fail(FOCI_ERR_RUNTIME, "%s is not safe to call from several threads: build with libopenblas-openmp-dev",
                         foci_gemm_provider());
    }
}
