/* Matrix products of any size on one thread. B is copied block by block into panels that the block of registers
 * (body_product.h) or tiles (body_tiles.h) reads straight through; A is read where it lies, or (pairs in bfloat16)
 * copied strip by strip.
 *
 * An element of C is summed over the depth in one order, whatever the rows and columns beside it: C may be cut into
 * tiles anywhere without changing a bit. */

/* Columns of a block of registers or tiles. */
enum { PANEL = 2 * LANES };

/* A block of B, in elements, fills half of a second-level cache of 1 MB; tiles read what is in the first-level cache
 * twice as fast as they multiply, so there strip and panel are shorter. */
#ifdef FOCI_TILES
enum { GEMM_DEPTH = FOCI_GEMM_DEPTH / 2, GEMM_COLUMNS = FOCI_GEMM_COLUMNS * 2 };
#else
enum { GEMM_DEPTH = FOCI_GEMM_DEPTH, GEMM_COLUMNS = FOCI_GEMM_COLUMNS };
#endif

/* -------------------------------------------------------------------------------------------------- B in panels */

/* b (depth, columns) -> panels (columns / PANEL, deep(depth), PANEL), the last filled up with zeros. */
static void pack_rows(int64_t depth, int64_t columns, foci_numbers b, int64_t ldb, element *to) {
    for (int64_t j = 0; j < columns; j += PANEL, to += deep(depth) * PANEL)
        copy_down(to, PANEL, foci_numbers_at(b, j), ldb, depth, smaller(PANEL, columns - j));
}

/* LANES columns of a panel, of which b has `width`, as rows: LANES along the depth at a time, so that lines are used
 * whole. */
static void pack_half(int64_t depth, int64_t width, foci_numbers b, int64_t ldb, element *to) {
    element room[LANES * LANES] __attribute__((aligned(64)));
    for (int64_t p = 0; p < deep(depth); p += LANES, to += LANES * PANEL) {
        const int64_t n = smaller(LANES, deep(depth) - p), numbers = smaller(DEEP * LANES, depth - DEEP * p);
        const operand lines = along(room, LANES, foci_numbers_at(b, DEEP * p), ldb, width, numbers);
        const element *restrict line = lines.data;
        int64_t l = 0;
        for (; l + 4 <= width && n % 4 == 0; l += 4, line += 4 * lines.row)
            for (int64_t r = 0; r < n; r += 4)
                turn_square((real *)to + r * PANEL + l, PANEL, (const real *)line + r, lines.row);
        for (; l < width; l++, line += lines.row)
            for (int64_t r = 0; r < n; r++) to[r * PANEL + l] = line[r];
        for (int64_t r = 0; r < n && width < LANES; r++)
            for (int64_t k = width; k < LANES; k++) to[r * PANEL + k] = 0;
    }
}

/* The same from the transpose, b (columns, depth). */
static void pack_columns(int64_t depth, int64_t columns, foci_numbers b, int64_t ldb, element *to) {
    for (int64_t j = 0; j < columns; j += PANEL, to += deep(depth) * PANEL)
        for (int64_t h = 0; h < PANEL; h += LANES) {
            const int64_t left = columns - j - h;
            pack_half(depth, left < 0 ? 0 : smaller(LANES, left), foci_numbers_at(b, (j + h) * ldb), ldb, to + h);
        }
}

static void gemm_pack(const foci_matrix *b, int64_t depth, int64_t columns, real *to) {
    const foci_numbers first = foci_matrix_at(b, 0, 0);
    if (b->transposed) pack_columns(depth, columns, first, b->ld, (element *)to);
    else pack_rows(depth, columns, first, b->ld, (element *)to);
}

/* -------------------------------------------------------------------------------------------------- A in strips */

#ifndef FOCI_TILES
/* Rows whose distance, in elements, is a multiple of a large power of two compete for the same few places of the
 * first-level cache: only then is a strip of elements copied. */
static bool competes(int64_t distance) { return distance * (int64_t)sizeof(element) % 1024 == 0; }
#endif

#if defined(FOCI_TILES)
/* Rows far enough from a power of two not to compete for the same places of the cache. */
enum { STRIP_ROW = GEMM_DEPTH + TILE_ROWS, STRIP = BLOCK_ROWS * STRIP_ROW };

/* As below, in rows, which tiles want; those that A has not are zeros. */
static operand strip_of(const foci_matrix *a, int64_t i, int64_t p, int64_t rows, int64_t depth, element *room) {
    if (rows < BLOCK_ROWS) memset(room + rows * STRIP_ROW, 0, (size_t)((BLOCK_ROWS - rows) * STRIP_ROW) * sizeof *room);
    const foci_numbers from = foci_matrix_at(a, i, p);
    if (!a->transposed) return along(room, STRIP_ROW, from, a->ld, rows, depth);
    element turned[TILE_ROWS * BLOCK_ROWS] __attribute__((aligned(64)));
    for (int64_t q = 0; q < depth; q += DEEP * TILE_ROWS) {
        copy_down(turned, BLOCK_ROWS, foci_numbers_at(from, q * a->ld), a->ld, smaller(DEEP * TILE_ROWS, depth - q),
                  rows);
        for (int64_t r = 0; r < rows; r += 4)
            for (int64_t t = 0; t < TILE_ROWS; t += 4)
                turn_square((real *)room + r * STRIP_ROW + q / DEEP + t, STRIP_ROW,
                            (const real *)turned + t * BLOCK_ROWS + r, BLOCK_ROWS);
    }
    return (operand){room, STRIP_ROW, 1};
}
#elif defined(FOCI_BF16_OPERANDS)
enum { STRIP_ROWS = LANES, STRIP = STRIP_ROWS * GEMM_DEPTH };

/* Rows i .. i + rows - 1 of A, depth p .. p + depth - 1; `room` holds STRIP elements. Whole pairs are read where they
 * lie. */
static operand strip_of(const foci_matrix *a, int64_t i, int64_t p, int64_t rows, int64_t depth, element *room) {
    const foci_numbers from = foci_matrix_at(a, i, p);
    const bool pairs = a->bf16 && a->ld % 2 == 0 && depth % 2 == 0 && (uintptr_t)from.first % sizeof(element) == 0;
    if (a->transposed) return copy_down(room, STRIP_ROWS, from, a->ld, depth, rows);
    if (pairs && !competes(a->ld / 2)) return (operand){from.first, a->ld / 2, 1};
    return along(room, GEMM_DEPTH, from, a->ld, rows, depth);
}
#else
enum { STRIP = BLOCK_ROWS * GEMM_DEPTH };

static operand strip_of(const foci_matrix *a, int64_t i, int64_t p, int64_t rows, int64_t depth, element *room) {
    const real *from = foci_matrix_at(a, i, p).first;
    if (!competes(a->ld)) return a->transposed ? (operand){from, 1, a->ld} : (operand){from, a->ld, 1};
    if (a->transposed) return copy_down(room, BLOCK_ROWS, foci_reals(from), a->ld, depth, rows);
    for (int64_t r = 0; r < rows; r++) memcpy(room + r * GEMM_DEPTH, from + r * a->ld, (size_t)depth * sizeof *room);
    return (operand){room, GEMM_DEPTH, 1};
}
#endif

/* The strip from row i on, asked for panel by panel: some lines of every row; of a transpose, where every step along
 * the depth is a line of its own, some steps. */
static fetch next_strip(const foci_product *o, int64_t i, int64_t p, int64_t depth, int64_t panels) {
    const int64_t packed = o->a.bf16 ? sizeof(real) / sizeof(uint16_t) : 1; /* numbers in the place of a real */
    const int64_t ld = o->a.ld / packed, share = panels * (o->a.transposed ? BLOCK_ROWS : LINE * packed);
    const int64_t lines = i < o->rows ? (depth + share - 1) / share : 0;
    const real *first = foci_matrix_at(&o->a, i, p).first;
    return (fetch){first, o->a.transposed ? lines * ld : ld, o->a.transposed ? ld : LINE, lines};
}

/* ------------------------------------------------------------------------------------------------------ products */

/* Rows and columns that are no whole block: made beside C, then put in place. */
static void edge(int64_t rows, int64_t columns, int64_t depth, product o) {
    real beside[BLOCK_ROWS * PANEL] __attribute__((aligned(64))) = {0};
    const fetch next = *o.ahead;
    real *const c = o.c;
    const int64_t c_row = o.c_row;
    for (int64_t r = 0; r < rows && o.from; r++)
        memcpy(beside + r * PANEL, o.from + r * o.from_row, (size_t)columns * sizeof *beside);
    o.from = o.c = beside;
    o.from_row = o.c_row = PANEL;
    o.ahead = &next;
    if (columns <= LANES) product_panel(rows, 1, depth, o);
    else product_panel(rows, 2, depth, o);
    for (int64_t r = 0; r < rows; r++) memcpy(c + r * c_row, beside + r * PANEL, (size_t)columns * sizeof *beside);
}

/* A block of B: columns j .. j + columns - 1 of C, depth p .. p + depth - 1 of the sum; `b_panel` from panel to panel.
 * Strips of A stay in the first-level cache, each against all panels. */
static void gemm_block(const foci_product *o, int64_t j, int64_t columns, int64_t p, int64_t depth, const element *b,
                       int64_t b_panel) {
    element room[STRIP] __attribute__((aligned(64)));
    const bool add = p > 0 || o->add;
    const int64_t panels = (columns + PANEL - 1) / PANEL;
    for (int64_t i = 0; i < o->rows; i += BLOCK_ROWS) {
        const int64_t rows = smaller(BLOCK_ROWS, o->rows - i);
        fetch next = next_strip(o, i + BLOCK_ROWS, p, depth, panels);
        product strip = {.a = strip_of(&o->a, i, p, rows, depth, room),
                         .b = {b, 1, PANEL},
                         .c = o->c + i * o->ldc + j,
                         .c_row = o->ldc,
                         .from_row = add ? o->ldc : 0,
                         .ahead = &next};
        strip.from = add ? strip.c : o->bias ? o->bias + j : NULL;
        for (int64_t k = 0; k < columns; k += PANEL) {
            const int64_t width = smaller(PANEL, columns - k);
            if (whole_block(rows, width)) product_panel(rows, 2, deep(depth), strip);
            else edge(rows, width, deep(depth), strip);
            strip.b.data += b_panel;
            strip.c += PANEL;
            if (strip.from) strip.from += PANEL;
            next.first += o->a.transposed ? BLOCK_ROWS * next.row : LINE * next.lines;
        }
    }
}

static void clear_rows(int64_t rows, int64_t columns, real *c, int64_t ldc) {
    for (int64_t i = 0; i < rows; i++) memset(c + i * ldc, 0, (size_t)columns * sizeof *c);
}

static void gemm(const foci_product *o, real *scratch) {
    const int64_t most = DEEP * GEMM_DEPTH, blocks = (o->depth + most - 1) / most;
    if (blocks == 0 && !o->add) clear_rows(o->rows, o->columns, o->c, o->ldc);
    for (int64_t j = 0; j < o->columns && blocks; j += GEMM_COLUMNS) {
        const int64_t columns = smaller(GEMM_COLUMNS, o->columns - j);
        const int64_t size = DEEP * deep((o->depth + blocks - 1) / blocks);
        for (int64_t p = 0; p < o->depth; p += size) {
            const int64_t depth = smaller(size, o->depth - p), all = deep(o->packed ? o->depth : depth);
            const foci_matrix b = foci_matrix_from(o->b, p, j);
            const element *panels = (const element *)scratch;
            if (o->packed) panels = (const element *)o->packed + j * all + p / DEEP * PANEL;
            else gemm_pack(&b, depth, columns, scratch);
            gemm_block(o, j, columns, p, depth, panels, all * PANEL);
        }
    }
}
