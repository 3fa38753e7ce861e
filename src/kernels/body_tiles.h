/* The block of tiles that products are made of where the processor has them: in place of the block of registers of
 * body_product.h, of two tiles of rows with two of columns, whose sums never leave the tiles while they run down the
 * depth. */

enum { BLOCK_ROWS = 2 * TILE_ROWS }; /* A has as many, whether C has them or not */

/* Every store is of whole tiles: a C of fewer rows or columns is made beside its place. */
static bool whole_block(int64_t rows, int64_t columns) { return rows == BLOCK_ROWS && columns == 2 * LANES; }

/* Numbers of tiles: sums C00 to C11, two of A and two of B. The instructions want them as they are written. */
#define C00 0
#define C01 1
#define C10 2
#define C11 3
#define A0 4
#define A1 5
#define B0 6
#define B1 7

static inline __attribute__((always_inline)) void begin_sums(bool below, bool beside, const product *o) {
    const int64_t row = o->from_row * (int64_t)sizeof *o->from, down = TILE_ROWS * o->from_row;
    if (!o->from) {
        tile_zero(C00);
        tile_zero(C01);
        tile_zero(C10);
        tile_zero(C11);
        return;
    }
    tile_load(C00, o->from, row);
    if (beside) tile_load(C01, o->from + LANES, row);
    if (below) tile_load(C10, o->from + down, row);
    if (below && beside) tile_load(C11, o->from + down + LANES, row);
}

static inline __attribute__((always_inline)) void end_sums(bool below, bool beside, const product *o) {
    const int64_t row = o->c_row * (int64_t)sizeof *o->c, down = TILE_ROWS * o->c_row;
    tile_store(C00, o->c, row);
    if (beside) tile_store(C01, o->c + LANES, row);
    if (below) tile_store(C10, o->c + down, row);
    if (below && beside) tile_store(C11, o->c + down + LANES, row);
}

/* `below` and `beside`: with the second tile of rows, of columns. */
static inline __attribute__((always_inline)) void product_tiles(bool below, bool beside, int64_t depth,
                                                                const product *o) {
    const element *a = o->a.data, *b = o->b.data;
    const int64_t down = TILE_ROWS * o->a.row, a_row = o->a.row * (int64_t)sizeof *a,
                  b_row = o->b.column * (int64_t)sizeof *b;
    begin_sums(below, beside, o);
    for (int64_t p = 0; p < depth; p += TILE_ROWS, a += TILE_ROWS, b += TILE_ROWS * o->b.column) {
        tile_load(B0, b, b_row);
        tile_load(A0, a, a_row);
        tile_product(C00, A0, B0);
        if (beside) {
            tile_load(B1, b + LANES, b_row);
            tile_product(C01, A0, B1);
        }
        if (below) {
            tile_load(A1, a + down, a_row);
            tile_product(C10, A1, B0);
        }
        if (below && beside) tile_product(C11, A1, B1);
    }
    end_sums(below, beside, o);
}

static void product_panel(int64_t rows, int vectors, int64_t depth, product o) {
    const bool below = rows > TILE_ROWS, beside = vectors > 1;
    if (below && beside) product_tiles(true, true, depth, &o);
    else if (below) product_tiles(true, false, depth, &o);
    else if (beside) product_tiles(false, true, depth, &o);
    else product_tiles(false, false, depth, &o);
}
