/* Matrix products of any size on one thread. B is copied block by block into panels that the register block of
 * body_product.h reads straight through; A is read where it lies.
 *
 * An element of C is summed over the depth in one order, whatever the rows and columns beside it: C may be cut into
 * tiles anywhere without changing a bit. */

/* A block of B fills half of a second-level cache of 1 MB. */
enum { GEMM_DEPTH = FOCI_GEMM_DEPTH, GEMM_COLUMNS = FOCI_GEMM_COLUMNS };

/* b (depth, columns) -> panels (columns / PANEL, depth, PANEL), the last filled up with zeros. */
static void pack_rows(int64_t depth, int64_t columns, real alpha, const real *b, int64_t ldb, real *to) {
    for (int64_t j = 0; j < columns; j += PANEL) {
        const int64_t width = columns - j < PANEL ? columns - j : PANEL;
        for (int64_t p = 0; p < depth; p++, to += PANEL) {
            const real *from = b + p * ldb + j;
            if (width == PANEL) {
                for (int l = 0; l < PANEL; l++) to[l] = alpha * from[l];
            } else {
                for (int64_t l = 0; l < width; l++) to[l] = alpha * from[l];
                for (int64_t l = width; l < PANEL; l++) to[l] = 0;
            }
        }
    }
}

/* The same from the transpose, b (columns, depth): squares of LANES x LANES, so that lines are used whole. */
static void pack_columns(int64_t depth, int64_t columns, real alpha, const real *b, int64_t ldb, real *to) {
    for (int64_t j = 0; j < columns; j += PANEL, to += depth * PANEL) {
        const int64_t width = columns - j < PANEL ? columns - j : PANEL;
        for (int64_t p = 0; p < depth; p += LANES) {
            const int64_t deep = depth - p < LANES ? depth - p : LANES;
            for (int64_t l = 0; l < width; l++)
                for (int64_t r = 0; r < deep; r++) to[(p + r) * PANEL + l] = alpha * b[(j + l) * ldb + p + r];
            for (int64_t r = 0; r < deep && width < PANEL; r++)
                for (int64_t l = width; l < PANEL; l++) to[(p + r) * PANEL + l] = 0;
        }
    }
}

/* The last columns, fewer than a panel: made beside C, then put in place. */
static void edge_columns(int64_t rows, int64_t width, int64_t depth, const product_operands *o, int64_t j, bool add) {
    real beside[BLOCK_ROWS * PANEL] __attribute__((aligned(64)));
    for (int64_t i = 0; i < rows; i += BLOCK_ROWS) {
        const int64_t n = rows - i < BLOCK_ROWS ? rows - i : BLOCK_ROWS;
        product_operands part = *o;
        part.a += i * o->a_row;
        part.b += j / PANEL * o->b_panel;
        part.c = beside;
        part.c_row = PANEL;
        product_panel(2, n, depth, &part, 0, false);
        for (int64_t r = 0; r < n; r++) {
            real *c = o->c + (i + r) * o->c_row + j;
            for (int64_t l = 0; l < width; l++) c[l] = (add ? c[l] : 0) + beside[r * PANEL + l];
        }
    }
}

/* Rows whose distance is a multiple of a large power of two compete for the same few places of the cache. */
static bool competes(int64_t distance) { return distance * (int64_t)sizeof(real) % 1024 == 0; }

/* A strip of A, copied where its lines would drive each other out of the first-level cache. */
static void copy_strip(int64_t rows, int64_t depth, product_operands *strip, real *to) {
    if (!competes(strip->a_row == 1 ? strip->a_column : strip->a_row)) return;
    if (strip->a_row == 1) {
        const real *from = strip->a;
        if (rows == BLOCK_ROWS)
            for (int64_t p = 0; p < depth; p++) memcpy(to + p * BLOCK_ROWS, from + p * strip->a_column, BLOCK_ROWS * sizeof *to);
        else
            for (int64_t p = 0; p < depth; p++) memcpy(to + p * BLOCK_ROWS, from + p * strip->a_column, (size_t)rows * sizeof *to);
        strip->a_column = BLOCK_ROWS;
    } else {
        for (int64_t r = 0; r < rows; r++) memcpy(to + r * GEMM_DEPTH, strip->a + r * strip->a_row, (size_t)depth * sizeof *to);
        strip->a_row = GEMM_DEPTH;
    }
    strip->a = to;
}

/* Rows of A in strips that stay in the first-level cache, each against all panels. */
static void packed_product(int64_t rows, int64_t columns, int64_t depth, const product_operands *o, bool add) {
    const int64_t whole = columns / PANEL * PANEL;
    real copy[BLOCK_ROWS * GEMM_DEPTH] __attribute__((aligned(64)));
    for (int64_t i = 0; i < rows; i += BLOCK_ROWS) {
        const int64_t n = rows - i < BLOCK_ROWS ? rows - i : BLOCK_ROWS;
        product_operands strip = *o;
        strip.a += i * o->a_row;
        strip.c += i * o->c_row;
        copy_strip(n, depth, &strip, copy);
        for (int64_t j = 0; j < whole; j += PANEL) product_panel(2, n, depth, &strip, j, add);
        if (whole < columns) edge_columns(n, columns - whole, depth, &strip, whole, add);
    }
}

static void scale_rows(int64_t rows, int64_t columns, real factor, real *c, int64_t ldc) {
    for (int64_t i = 0; i < rows; i++)
        for (int64_t j = 0; j < columns; j++) c[i * ldc + j] = factor ? factor * c[i * ldc + j] : 0;
}

static void gemm(const foci_gemm_operands *o, real *scratch) {
    const int64_t blocks = (o->depth + GEMM_DEPTH - 1) / GEMM_DEPTH, size = blocks ? (o->depth + blocks - 1) / blocks : 0;
    if (o->beta != 1 && (o->beta != 0 || o->depth == 0)) scale_rows(o->rows, o->columns, o->beta, o->c, o->ldc);
    for (int64_t j = 0; j < o->columns; j += GEMM_COLUMNS) {
        const int64_t columns = o->columns - j < GEMM_COLUMNS ? o->columns - j : GEMM_COLUMNS;
        for (int64_t p = 0; p < o->depth; p += size) {
            const int64_t depth = o->depth - p < size ? o->depth - p : size;
            if (o->transpose_b) pack_columns(depth, columns, o->alpha, o->b + j * o->ldb + p, o->ldb, scratch);
            else pack_rows(depth, columns, o->alpha, o->b + p * o->ldb + j, o->ldb, scratch);
            const product_operands block = {.a = o->a + (o->transpose_a ? p * o->lda : p),
                                            .a_row = o->transpose_a ? 1 : o->lda,
                                            .a_column = o->transpose_a ? o->lda : 1,
                                            .b = scratch,
                                            .b_row = PANEL,
                                            .b_panel = depth * PANEL,
                                            .c = o->c + j,
                                            .c_row = o->ldc};
            packed_product(o->rows, columns, depth, &block, p > 0 || o->beta != 0);
        }
    }
}
