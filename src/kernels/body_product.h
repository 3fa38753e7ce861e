/* Products of small matrices in cache, from and to rows of whole vectors: what matrix products are made of. */

#if defined(__AVX512F__)
enum { VECTOR_BYTES = 64, BLOCK_ROWS = 12 };
#elif defined(__AVX2__)
enum { VECTOR_BYTES = 32, BLOCK_ROWS = 6 };
#else
enum { VECTOR_BYTES = 16, BLOCK_ROWS = 6 };
#endif
typedef real vector __attribute__((vector_size(VECTOR_BYTES), aligned(sizeof(real)), may_alias));
enum { LANES = VECTOR_BYTES / sizeof(real), PANEL = 2 * LANES, LINE = 64 / sizeof(real) };

#if defined(__clang__)
#define UNROLL _Pragma("clang loop unroll(full)")
#else
#define UNROLL _Pragma("GCC unroll 16")
#endif

/* Keeps a sum in the register where it is: compilers like to move them about. */
#if defined(__AVX2__)
#define KEEP(x) __asm__("" : "+v"(x))
#else
#define KEEP(x)
#endif

/* c (rows, columns) = or += a (rows, depth) b (depth, columns). Entry (i, p) of a is a[i a_row + p a_column],
 * so that a may be a transpose; b comes in panels of PANEL columns. Columns are a multiple of LANES. */
typedef struct product_operands {
    const real *a;
    int64_t a_row, a_column;
    const real *b;
    int64_t b_row, b_panel; /* from row to row of a panel, from panel to panel */
    real *c;
    int64_t c_row;
    const real *bias; /* (columns) that the sums start from, where they do not add to C; NULL: zeros */
    const real *soon; /* part of the rows of a that come next, soon_row apart, `lines` cache lines of each: asked for meanwhile */
    int64_t soon_row, lines;
} product_operands;

/* A block of C that stays in registers. `rows` and `vectors` are constants in every call. */
static inline __attribute__((always_inline)) void
product_block(int rows, int vectors, int64_t depth, const product_operands *o, int64_t i, int64_t j, bool add) {
    const real *a = o->a + i * o->a_row, *b = o->b + j / PANEL * o->b_panel;
    real *c = o->c + i * o->c_row + j;
    const int64_t a_row = o->a_row, a_column = o->a_column, b_row = o->b_row, c_row = o->c_row;
    vector sum[BLOCK_ROWS][2] = {0};
    const real *from = add ? c : o->bias ? o->bias + j : NULL;
    const int64_t from_row = add ? c_row : 0;
    if (from) {
        UNROLL for (int r = 0; r < rows; r++)
            UNROLL for (int w = 0; w < vectors; w++) sum[r][w] = *(const vector *)(from + r * from_row + w * LANES);
    }
    /* A pointer for every fourth row: with twelve of them there are no registers left. */
    const real *every4[(BLOCK_ROWS + 3) / 4];
    UNROLL for (int r = 0; r < rows; r += 4) every4[r / 4] = a + r * a_row;
    const int64_t a_row2 = 2 * a_row, a_row3 = 3 * a_row;
    int64_t p = 0;
    for (int part = 0; part < rows; part++) {
        /* Lines from afar are asked for one by one: too many at a time and what is near has to wait behind them. */
        for (int w = 0; w < vectors; w++) __builtin_prefetch(c + part * c_row + PANEL + w * LANES, 1);
        for (int64_t l = 0; l < o->lines; l++) __builtin_prefetch(o->soon + part * o->soon_row + l * LINE);
        for (const int64_t end = depth * (part + 1) / rows; p < end; p++) {
            UNROLL for (int r = 0; r < rows; r++) {
                const real x = every4[r / 4][r % 4 == 0 ? 0 : r % 4 == 1 ? a_row : r % 4 == 2 ? a_row2 : a_row3];
                UNROLL for (int w = 0; w < vectors; w++) {
                    sum[r][w] += x * *(const vector *)(b + w * LANES);
                    KEEP(sum[r][w]);
                }
            }
            UNROLL for (int r = 0; r < rows; r += 4) every4[r / 4] += a_column;
            b += b_row;
        }
    }
    UNROLL for (int r = 0; r < rows; r++)
        UNROLL for (int w = 0; w < vectors; w++) *(vector *)(c + r * c_row + w * LANES) = sum[r][w];
}

static inline __attribute__((always_inline)) void
product_panel(int vectors, int64_t rows, int64_t depth, const product_operands *o, int64_t j, bool add) {
    int64_t i = 0;
    for (; i + BLOCK_ROWS <= rows; i += BLOCK_ROWS) product_block(BLOCK_ROWS, vectors, depth, o, i, j, add);
    for (; i + 4 <= rows; i += 4) product_block(4, vectors, depth, o, i, j, add);
    for (; i < rows; i++) product_block(1, vectors, depth, o, i, j, add);
}
