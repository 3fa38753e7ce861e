/* Products of a few rows with a large matrix of which every number is used once: B (columns, depth) is read where it
 * lies, a square of it turned at a time. Sums run down the depth as gemm's do: the bits are the same. */

enum { FEW = FOCI_GEMM_FEW, SIDE = PAD };
typedef real side __attribute__((vector_size(SIDE * sizeof(real)), aligned(sizeof(real)), may_alias));

/* SIDE rows of b become SIDE columns. */
static inline __attribute__((always_inline)) void turn_block(real *restrict to, const real *restrict b, int64_t ldb) {
    for (int64_t i = 0; i < SIDE; i += 4)
        for (int64_t t = 0; t < SIDE; t += 4) turn_square(to + t * SIDE + i, SIDE, b + i * ldb + t, ldb);
}

/* Columns j .. j + width - 1 of C, SIDE of them or the last ones; `rows`, a constant, may be more than those of A. */
static inline __attribute__((always_inline)) void few_columns(int rows, const foci_product *o, int64_t j,
                                                              int64_t width) {
    const int64_t ldb = o->b.ld, whole = width < SIDE ? 0 : o->depth - o->depth % SIDE;
    const real *b = (const real *)o->b.data + j * ldb, *a[FEW];
    side sum[FEW] = {0};
    UNROLL (int r = 0; r < rows; r++) {
        const int64_t row = smaller(r, o->rows - 1);
        const real *from = o->add ? o->c + row * o->ldc : o->bias;
        a[r] = (const real *)o->a.data + row * o->a.ld;
        if (from) memcpy(&sum[r], from + j, (size_t)width * sizeof *from);
    }
    real turned[SIDE * SIDE] __attribute__((aligned(64))) = {0};
    for (int64_t p = 0; p < whole; p += SIDE) {
        turn_block(turned, b + p, ldb);
        for (int64_t t = 0; t < SIDE; t++)
            UNROLL (int r = 0; r < rows; r++) sum[r] += a[r][p + t] * *(const side *)(turned + t * SIDE);
    }
    for (int64_t p = whole; p < o->depth; p++) {
        for (int64_t i = 0; i < width; i++) turned[i] = b[i * ldb + p];
        UNROLL (int r = 0; r < rows; r++) sum[r] += a[r][p] * *(const side *)turned;
    }
    UNROLL (int r = 0; r < rows; r++)
        if (r < o->rows) memcpy(o->c + r * o->ldc + j, &sum[r], (size_t)width * sizeof *o->c);
}

static void gemm_few(const foci_product *o) {
    for (int64_t j = 0; j < o->columns; j += SIDE) {
        const int64_t width = smaller(SIDE, o->columns - j);
        if (o->rows == 1) few_columns(1, o, j, width);
        else if (o->rows <= 4) few_columns(4, o, j, width);
        else few_columns(FEW, o, j, width);
    }
}
