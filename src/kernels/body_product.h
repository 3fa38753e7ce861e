/* The block of registers that all products are made of: of a few rows with a few vectors of columns, whose sums never
 * leave the registers while they run down the depth. */

#if defined(__AVX512F__)
enum { BLOCK = 24 }; /* registers for sums */
#else
enum { BLOCK = 12 };
#endif

/* Cache lines from afar that are needed soon, asked for part by part while the block is at work: too many at a time,
 * and what is near has to wait behind them. */
typedef struct fetch {
    const real *first;
    int64_t row, line, lines; /* from row to row of the block, from line to line, lines of a row */
} fetch;

/* C (rows, columns) = a (rows, depth) b (columns, depth)^T, whose rows are neighbours. Columns are whole vectors. */
typedef struct product {
    operand a, b;
    real *c;
    int64_t c_row;
    const real *from; /* what the sums start from, from_row from row to row (0: a bias), NULL: zeros */
    int64_t from_row;
    const fetch *ahead; /* or NULL */
} product;

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
