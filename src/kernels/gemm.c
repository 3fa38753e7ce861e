/* Matrix products: by foci's own kernels (body_gemm.h), or by OpenBLAS, which never gets to use threads of its own. */
#include "kernels/gemm.h"

#include <string.h>

#include "base/error.h"
#include "base/parallel.h"
#include "kernels/bf16.h"
#include "kernels/kernels.h"
#include "kernels/openblas.h"

/* foci's kernels are the faster ones on AVX2 and AVX-512, and held to be so on NEON; elsewhere OpenBLAS, where it is to
 * be had. */
static enum { UNDECIDED, FOCI, OPENBLAS } provider;
static const foci_openblas *blas; /* of OPENBLAS */

static void decide(void) {
    const bool own = strcmp(foci_kernel()->isa, "generic") != 0;
    const bool loaded = !own && foci_openblas_load(&blas) == FOCI_OK;
    if (!own && !loaded) foci_log(FOCI_LOG_WARN, "%s: products are foci's own, and slower", foci_error_message());
    provider = loaded ? OPENBLAS : FOCI;
}

static bool own_kernels(void) {
    if (provider == UNDECIDED) {
#pragma omp critical(foci_gemm_provider)
        if (provider == UNDECIDED) decide();
    }
    return provider == FOCI;
}

static bool in_bf16(const foci_product *p) { return p->bf16 && p->depth && foci_bf16_supported(); }

/* Reals that a column of a packed B takes: two numbers share one in bfloat16. */
static int64_t packed_depth(const foci_product *p) { return in_bf16(p) ? foci_bf16_pairs(p->depth) : p->depth; }

/* Rows r, columns s and depth t of a product. */
static foci_product part_of(const foci_product *p, foci_range r, foci_range s, foci_range t) {
    foci_product q = *p;
    q.rows = r.end - r.first;
    q.columns = s.end - s.first;
    q.depth = t.end - t.first;
    q.a = foci_matrix_from(p->a, r.first, t.first);
    q.b = foci_matrix_from(p->b, t.first, s.first);
    if (p->c) q.c = p->c + r.first * p->ldc + s.first;
    if (p->rounded) q.rounded = p->rounded + r.first * p->ldc + s.first;
    if (p->bias) q.bias = p->bias + s.first;
    if (p->packed) q.packed = p->packed + s.first * packed_depth(p);
    return q;
}

/* So few rows that reading B is all there is to do. */
static bool suits_few(const foci_product *p) {
    return p->rows <= FOCI_GEMM_FEW && p->b.transposed && !p->a.transposed && !p->packed && !in_bf16(p);
}

/* On the calling thread; the block of B at work lies in memory of the thread. */
static void own_product(const foci_product *p) {
    static _Thread_local foci_real block[FOCI_GEMM_DEPTH * FOCI_GEMM_COLUMNS] __attribute__((aligned(64)));
    if (in_bf16(p)) foci_bf16_gemm(p, block);
    else if (suits_few(p)) foci_kernel()->gemm_few(p);
    else foci_kernel()->gemm(p, block);
}

static void blas_product(const foci_product *p) {
    for (int64_t i = 0; p->bias && i < p->rows; i++)
        memcpy(p->c + i * p->ldc, p->bias, (size_t)p->columns * sizeof *p->c);
    blas->gemm(FOCI_BLAS_ROWS, p->a.transposed ? FOCI_BLAS_TRANSPOSED : FOCI_BLAS_PLAIN,
               p->b.transposed ? FOCI_BLAS_TRANSPOSED : FOCI_BLAS_PLAIN, (int)p->rows, (int)p->columns, (int)p->depth,
               1, p->a.data, (int)p->a.ld, p->b.data, (int)p->b.ld, p->add || p->bias, p->c, (int)p->ldc);
}

/* C in bfloat16: made in float32 beside its place, as much at a time as stays in the second-level cache. */
enum { ROUNDED_ROWS = 96, ROUNDED_COLUMNS = FOCI_GEMM_COLUMNS };
static void rounded_product(const foci_product *p) {
    static _Thread_local foci_real beside[ROUNDED_ROWS * ROUNDED_COLUMNS] __attribute__((aligned(64)));
    const int64_t across = foci_tiles(p->columns, ROUNDED_COLUMNS), down = foci_tiles(p->rows, ROUNDED_ROWS);
    for (int64_t tile = 0; tile < across * down; tile++) {
        const foci_range r = foci_tile(p->rows, ROUNDED_ROWS, tile % down),
                         s = foci_tile(p->columns, ROUNDED_COLUMNS, tile / down);
        foci_product q = part_of(p, r, s, (foci_range){0, p->depth});
        q.rounded = NULL;
        q.c = beside;
        q.ldc = q.columns;
        own_product(&q);
        foci_bf16_round(q.rows, q.columns, beside, q.ldc, p->rounded + r.first * p->ldc + s.first, p->ldc);
    }
}

void foci_gemm(const foci_product *p) {
    if (p->rounded) {
        rounded_product(p);
    } else if (p->bf16 || own_kernels()) {
        own_product(p);
    } else if (omp_in_parallel()) {
        blas_product(p);
    } else { /* OpenBLAS uses one thread exactly when it is called inside a parallel region, so there is always one */
        FOCI_PARALLEL_FOR
        for (int once = 0; once < 1; once++) blas_product(p);
    }
}

foci_product foci_gemm_columns(const foci_product *p, int64_t first, int64_t columns) {
    return part_of(p, (foci_range){0, p->rows}, (foci_range){first, first + columns}, (foci_range){0, p->depth});
}

enum { PACK_COLUMNS = 2 * FOCI_GEMM_STEP }; /* a multiple of every panel, as the step is */

int64_t foci_gemm_packed_size(int64_t depth, int64_t columns) {
    const int64_t least = foci_bf16_has_tiles() ? foci_bf16_pairs(depth) : 0;
    return foci_tiles(columns, PACK_COLUMNS) * PACK_COLUMNS * (depth > least ? depth : least);
}

void foci_gemm_pack(foci_product *p, foci_real *memory) {
    if (!p->bf16 && !own_kernels()) return;
    FOCI_PARALLEL_FOR
    for (int64_t tile = 0; tile < foci_tiles(p->columns, PACK_COLUMNS); tile++) {
        foci_range s = foci_tile(p->columns, PACK_COLUMNS, tile);
        const foci_matrix b = foci_matrix_from(p->b, 0, s.first);
        foci_real *to = memory + s.first * packed_depth(p);
        if (in_bf16(p)) foci_bf16_pack(&b, p->depth, s.end - s.first, to);
        else foci_kernel()->gemm_pack(&b, p->depth, s.end - s.first, to);
    }
    p->packed = memory;
}

/* Tiles of C: large enough that copying the operands does not count, small enough that there are some for every thread.
 */
typedef struct grid {
    int64_t rows, columns; /* of a tile */
    int64_t row_tiles, column_tiles;
} grid;

enum { TILE_ROWS = 256, TILE_COLUMNS = 512, ENOUGH_TILES = 16 };

static grid make_grid(int64_t rows, int64_t columns) {
    int64_t row_tiles = foci_tiles(rows, TILE_ROWS);
    int64_t width = row_tiles >= ENOUGH_TILES ? columns : TILE_COLUMNS;
    return (grid){TILE_ROWS, width, row_tiles, foci_tiles(columns, width)};
}

static int64_t round_up(int64_t n, int64_t multiple) { return foci_tiles(n, multiple) * multiple; }

/* foci's kernels give the same bits wherever C is cut, so the cut may follow the number of threads: four tiles for
 * each. */
enum { TILES_PER_THREAD = 4, LEAST_ROWS = 96, LEAST_COLUMNS = 256 };

static int64_t tile_rows(int64_t rows) {
    int64_t tiles = own_kernels() ? TILES_PER_THREAD * foci_threads() : ENOUGH_TILES;
    int64_t height = round_up(foci_tiles(rows, tiles), 48);
    return height < LEAST_ROWS ? LEAST_ROWS : height;
}

static grid fit_grid(int64_t rows, int64_t columns) {
    int64_t wanted = TILES_PER_THREAD * foci_threads(), height = tile_rows(rows);
    int64_t row_tiles = foci_tiles(rows, height),
            width = round_up(foci_tiles(columns, foci_tiles(wanted, row_tiles)), LEAST_COLUMNS);
    return (grid){height, width, row_tiles, foci_tiles(columns, width)};
}

void foci_gemm_parallel(const foci_product *p) {
    grid g = own_kernels() ? fit_grid(p->rows, p->columns) : make_grid(p->rows, p->columns);
    FOCI_PARALLEL_FOR
    for (int64_t tile = 0; tile < g.row_tiles * g.column_tiles; tile++) {
        foci_range r = foci_tile(p->rows, g.rows, tile / g.column_tiles);
        foci_range s = foci_tile(p->columns, g.columns, tile % g.column_tiles);
        foci_product q = part_of(p, r, s, (foci_range){0, p->depth});
        foci_gemm(&q);
    }
}

/* Columns of C that are made at a time: with all rows they stay in the second-level cache. */
enum { FEW_ROWS = 384, TURNED_ROWS = 48, TURNED_COLUMNS = 192, LEAST_TURNED = 48 };

bool foci_gemm_has_few_rows(int64_t rows, int64_t columns, int64_t depth) {
    return rows <= FEW_ROWS && 2 * rows <= columns && rows <= depth;
}

static foci_matrix turn(foci_matrix m) { return (foci_matrix){m.data, m.ld, !m.transposed, m.bf16}; }

/* Columns s of C, by `turned`, the transpose of the whole product. An element is summed in the same order. */
static void columns_of(const foci_product *p, const foci_product *turned, foci_range s) {
    static _Thread_local foci_real tile[FEW_ROWS * TURNED_COLUMNS] __attribute__((aligned(64)));
    const int64_t columns = s.end - s.first;
    foci_product q = *turned;
    q.rows = columns;
    q.a = foci_matrix_from(turned->a, s.first, 0);
    q.c = tile;
    q.ldc = p->rows;
    q.add = p->add || p->bias;
    if (p->add) foci_kernel()->turn_matrix(p->rows, columns, p->c + s.first, p->ldc, tile, p->rows);
    for (int64_t j = 0; j < columns && p->bias; j++)
        for (int64_t i = 0; i < p->rows; i++) tile[j * p->rows + i] = p->bias[s.first + j];
    foci_gemm(&q);
    if (!p->rounded) foci_kernel()->turn_matrix(columns, p->rows, tile, p->rows, p->c + s.first, p->ldc);
    for (int64_t i = 0; i < p->rows && p->rounded; i += TURNED_ROWS) {
        static _Thread_local foci_real back[TURNED_ROWS * TURNED_COLUMNS];
        const int64_t rows = p->rows - i < TURNED_ROWS ? p->rows - i : TURNED_ROWS;
        foci_kernel()->turn_matrix(columns, rows, tile + i, p->rows, back, columns);
        foci_bf16_round(rows, columns, back, columns, p->rounded + i * p->ldc + s.first, p->ldc);
    }
}

void foci_gemm_spread(const foci_product *p, foci_real *memory) {
    foci_product q = *p;
    if (own_kernels() && suits_few(p)) {
        foci_gemm_parallel(p);
        return;
    }
    if (!foci_gemm_has_few_rows(p->rows, p->columns, p->depth) || !(in_bf16(p) || own_kernels())) {
        foci_gemm_pack(&q, memory);
        foci_gemm_parallel(&q);
        return;
    }
    q = (foci_product){.columns = p->rows, .depth = p->depth, .a = turn(p->b), .b = turn(p->a), .bf16 = p->bf16};
    foci_gemm_pack(&q, memory);
    int64_t width = round_up(foci_tiles(p->columns, TILES_PER_THREAD * foci_threads()), LEAST_TURNED);
    if (width > TURNED_COLUMNS) width = TURNED_COLUMNS;
    FOCI_PARALLEL_FOR
    for (int64_t i = 0; i < foci_tiles(p->columns, width); i++) columns_of(p, &q, foci_tile(p->columns, width, i));
}

enum { LEAST_CHUNK = 512 }; /* of the depth */

int64_t foci_gemm_chunks(int64_t rows, int64_t columns, int64_t depth) {
    grid g = make_grid(rows, columns);
    int64_t wanted = foci_tiles(ENOUGH_TILES, g.row_tiles * g.column_tiles), most = foci_tiles(depth, LEAST_CHUNK);
    return wanted < most ? wanted : most;
}

static void add_partial(const foci_product *p, int64_t chunks, const foci_real *partial) {
    FOCI_PARALLEL_FOR
    for (int64_t row = 0; row < p->rows; row++)
        for (int64_t i = 0; i < chunks; i++)
            foci_kernel()->scale(p->columns, 1, partial + (i * p->rows + row) * p->columns, p->c + row * p->ldc,
                                 i > 0 || p->add);
}

void foci_gemm_long(const foci_product *p, foci_real *partial) {
    int64_t chunks = foci_gemm_chunks(p->rows, p->columns, p->depth), size = foci_tiles(p->depth, chunks);
    if (chunks == 1) {
        foci_gemm_parallel(p);
        return;
    }
    grid g = make_grid(p->rows, p->columns);
    foci_product whole = *p; /* with a C of its own for every chunk */
    whole.ldc = p->columns;
    whole.add = false;
    FOCI_PARALLEL_FOR
    for (int64_t task = 0; task < chunks * g.row_tiles * g.column_tiles; task++) {
        int64_t chunk = task % chunks, tile = task / chunks;
        foci_product q = whole;
        q.c = partial + chunk * p->rows * p->columns;
        q = part_of(&q, foci_tile(p->rows, g.rows, tile / g.column_tiles),
                    foci_tile(p->columns, g.columns, tile % g.column_tiles), foci_tile(p->depth, size, chunk));
        foci_gemm(&q);
    }
    add_partial(p, chunks, partial);
}

const char *foci_gemm_provider(void) { return own_kernels() ? "foci" : blas->name; }

foci_status foci_gemm_choose(const char *name) {
    provider = UNDECIDED;
    if (!name || !*name) return FOCI_OK;
    if (strcmp(name, "foci") == 0) {
        provider = FOCI;
        return FOCI_OK;
    }
    if (strcmp(name, "openblas") != 0)
        return foci_fail(FOCI_ERR_CONFIG, "FOCI_GEMM: `%s` is not foci or openblas", name);
    foci_status s = foci_openblas_load(&blas);
    if (s) return foci_context(s, "FOCI_GEMM=openblas");
    provider = OPENBLAS;
    return FOCI_OK;
}
