/* The block of registers that all products are made of: of a few rows with a few vectors of columns, whose sums never
 * leave the registers while they run down the depth. */

#if defined(__AVX512F__) || defined(__ARM_NEON)
enum { BLOCK = 24 }; /* registers for sums, of 32 */
#else
enum { BLOCK = 12 };
#endif
enum { BLOCK_ROWS = BLOCK / 2 }; /* beside two vectors */

/* `rows`, `vectors` and whether there is an `ahead` are constants in every call. */
static inline __attribute__((always_inline)) void product_block(int rows, int vectors, int64_t depth,
                                                                const product *o) {
    vector sum[BLOCK][3] = {0};
    if (o->from) {
        UNROLL (int r = 0; r < rows; r++)
            UNROLL (int w = 0; w < vectors; w++) sum[r][w] = *(const vector *)(o->from + r * o->from_row + w * LANES);
    }
    /* A pointer for every fourth row: for one each there are no registers left. */
    const element *fourth[BLOCK / 4], *b = o->b.data;
    UNROLL (int r = 0; r < rows; r += 4) fourth[r / 4] = o->a.data + r * o->a.row;
    const int64_t step[4] = {0, o->a.row, 2 * o->a.row, 3 * o->a.row}, a_column = o->a.column, b_column = o->b.column;
    const int parts = o->ahead ? rows : 1;
    int64_t p = 0;
    for (int part = 0; part < parts; part++) {
        if (o->ahead) {
            for (int w = 0; w < vectors; w++) __builtin_prefetch(o->c + part * o->c_row + (vectors + w) * LANES, 1);
            for (int64_t l = 0; l < o->ahead->lines; l++)
                __builtin_prefetch(o->ahead->first + part * o->ahead->row + l * o->ahead->line);
        }
        for (const int64_t end = depth * (part + 1) / parts; p < end; p++) {
            UNROLL (int r = 0; r < rows; r++) {
                const element x = fourth[r / 4][step[r % 4]];
                UNROLL (int w = 0; w < vectors; w++) {
                    sum[r][w] = add_product(sum[r][w], x, b + w * LANES);
                    KEEP(sum[r][w]);
                }
            }
            UNROLL (int r = 0; r < rows; r += 4) fourth[r / 4] += a_column;
            b += b_column;
        }
    }
    UNROLL (int r = 0; r < rows; r++)
        UNROLL (int w = 0; w < vectors; w++) *(vector *)(o->c + r * o->c_row + w * LANES) = sum[r][w];
}

static inline product below(product o, int64_t rows) {
    o.a.data += rows * o.a.row;
    o.c += rows * o.c_row;
    if (o.from) o.from += rows * o.from_row;
    return o;
}

/* Of rows there may be as few as there are. */
static bool whole_block(int64_t rows, int64_t columns) {
    (void)rows;
    return columns == 2 * LANES;
}

/* A strip of A against the first vectors of a panel of B. */
static inline __attribute__((always_inline)) void product_panel(int64_t rows, int vectors, int64_t depth, product o) {
    for (; rows >= BLOCK_ROWS; rows -= BLOCK_ROWS, o = below(o, BLOCK_ROWS))
        product_block(BLOCK_ROWS, vectors, depth, &o);
    for (; rows >= 4; rows -= 4, o = below(o, 4)) product_block(4, vectors, depth, &o);
    for (; rows > 0; rows--, o = below(o, 1)) product_block(1, vectors, depth, &o);
}
