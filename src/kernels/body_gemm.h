/* Matrix products of any size on one thread. B is copied block by block into panels that the register block of
 * body_product.h reads straight through; A is read where it lies.
 *
 * An element of C is summed over the depth in one order, whatever the rows and columns beside it: C may be cut into
 * tiles anywhere without changing a bit. */

/* A block of B fills half of a second-level cache of 1 MB. */
enum { GEMM_DEPTH = FOCI_GEMM_DEPTH, GEMM_COLUMNS = FOCI_GEMM_COLUMNS };

/* b (depth, columns) -> panels (columns / PANEL, depth, PANEL), the last filled up with zeros. */
static void pack_rows(int64_t depth, int64_t columns, const real *b, int64_t ldb, real *to) {
    for (int64_t j = 0; j < columns; j += PANEL) {
        const int64_t width = columns - j < PANEL ? columns - j : PANEL;
        for (int64_t p = 0; p < depth; p++, to += PANEL) {
            const real *from = b + p * ldb + j;
            if (width == PANEL) {
                memcpy(to, from, PANEL * sizeof *to);
            } else {
                memcpy(to, from, (size_t)width * sizeof *to);
                memset(to + width, 0, (size_t)(PANEL - width) * sizeof *to);
            }
        }
    }
}

/* The same from the transpose, b (columns, depth): squares of LANES x LANES, so that lines are used whole. */
static void pack_columns(int64_t depth, int64_t columns, const real *b, int64_t ldb, real *to) {
    for (int64_t j = 0; j < columns; j += PANEL, to += depth * PANEL) {
        const int64_t width = columns - j < PANEL ? columns - j : PANEL;
        for (int64_t p = 0; p < depth; p += LANES) {
            const int64_t deep = depth - p < LANES ? depth - p : LANES;
            for (int64_t l = 0; l < width; l++)
                for (int64_t r = 0; r < deep; r++) to[(p + r) * PANEL + l] = b[(j + l) * ldb + p + r];
            for (int64_t r = 0; r < deep && width < PANEL; r++)
                for (int64_t l = width; l < PANEL; l++) to[(p + r) * PANEL + l] = 0;
        }
    }
}

static void gemm_pack(const foci_matrix *b, int64_t depth, int64_t columns, real *to) {
    if (b->transposed) pack_columns(depth, columns, b->data, b->ld, to);
    else pack_rows(depth, columns, b->data, b->ld, to);
}

/* The last columns, fewer than a panel: made beside C, then put in place. */
static void edge_columns(int64_t rows, int64_t width, int64_t depth, const product_operands *o, int64_t j, bool add) {
    real beside[BLOCK_ROWS * PANEL] __attribute__((aligned(64))) = {0}, bias[PANEL] = {0};
    product_operands edge = *o;
    edge.b += j / PANEL * o->b_panel;
    edge.c = beside;
    edge.c_row = PANEL;
    if (o->bias) edge.bias = memcpy(bias, o->bias + j, (size_t)width * sizeof *bias);
    for (int64_t r = 0; r < rows && add; r++) memcpy(beside + r * PANEL, o->c + r * o->c_row + j, (size_t)width * sizeof(real));
    product_panel(2, rows, depth, &edge, 0, add);
    for (int64_t r = 0; r < rows; r++) memcpy(o->c + r * o->c_row + j, beside + r * PANEL, (size_t)width * sizeof(real));
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

/* The next strip of A is asked for panel by panel: some lines of every row; of a transpose, where every step along the depth
 * is a line of its own, some steps. */
static void ask_while(const product_operands *o, int64_t depth, int64_t columns, product_operands *strip) {
    const int64_t panels = (columns + PANEL - 1) / PANEL, share = o->a_row == 1 ? panels * BLOCK_ROWS : panels * LINE;
    strip->lines = (depth + share - 1) / share;
    strip->soon_row = o->a_row == 1 ? strip->lines * o->a_column : o->a_row;
    strip->soon_line = o->a_row == 1 ? o->a_column : LINE;
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
        if (i + BLOCK_ROWS < rows) ask_while(o, depth, columns, &strip);
        for (int64_t j = 0; j < whole; j += PANEL) {
            strip.soon = o->a + (i + BLOCK_ROWS) * o->a_row + j / PANEL * strip.lines * (o->a_row == 1 ? BLOCK_ROWS * o->a_column : LINE);
            product_panel(2, n, depth, &strip, j, add);
        }
        if (whole < columns) edge_columns(n, columns - whole, depth, &strip, whole, add);
    }
}

static void clear_rows(int64_t rows, int64_t columns, real *c, int64_t ldc) {
    for (int64_t i = 0; i < rows; i++) memset(c + i * ldc, 0, (size_t)columns * sizeof *c);
}

static void gemm(const foci_product *o, real *scratch) {
    const int64_t blocks = (o->depth + GEMM_DEPTH - 1) / GEMM_DEPTH;
    if (blocks == 0 && !o->add) clear_rows(o->rows, o->columns, o->c, o->ldc);
    for (int64_t j = 0; j < o->columns && blocks; j += GEMM_COLUMNS) {
        const int64_t columns = o->columns - j < GEMM_COLUMNS ? o->columns - j : GEMM_COLUMNS;
        const int64_t size = (o->depth + blocks - 1) / blocks;
        for (int64_t p = 0; p < o->depth; p += size) {
            const int64_t depth = o->depth - p < size ? o->depth - p : size;
            const foci_matrix b = {o->b.data + (o->b.transposed ? j * o->b.ld + p : p * o->b.ld + j), o->b.ld, o->b.transposed};
            if (!o->packed) gemm_pack(&b, depth, columns, scratch);
            const product_operands block = {.a = o->a.data + (o->a.transposed ? p * o->a.ld : p),
                                            .a_row = o->a.transposed ? 1 : o->a.ld,
                                            .a_column = o->a.transposed ? o->a.ld : 1,
                                            .b = o->packed ? o->packed + j * o->depth + p * PANEL : scratch,
                                            .b_row = PANEL,
                                            .b_panel = (o->packed ? o->depth : depth) * PANEL,
                                            .c = o->c + j,
                                            .c_row = o->ldc,
                                            .bias = p == 0 && o->bias ? o->bias + j : NULL};
            packed_product(o->rows, columns, depth, &block, p > 0 || o->add);
        }
    }
}
