/* Vectors, and matrices as products read them.
 *
 * A product sums along the depth over elements: reals or, with FOCI_BF16_OPERANDS, pairs of neighbours along the depth
 * that were rounded to bfloat16. Reals are read where they lie; pairs are copies, made by along() and down(). What
 * multiplies elements (body_product.h) knows no more of them than add_product. */

#if defined(__AVX512F__) || defined(FOCI_TILES)
enum { VECTOR_BYTES = 64 };
#elif defined(__AVX2__)
enum { VECTOR_BYTES = 32 };
#else
enum { VECTOR_BYTES = 16 };
#endif
typedef real vector __attribute__((vector_size(VECTOR_BYTES), aligned(sizeof(real)), may_alias));
enum { LANES = VECTOR_BYTES / sizeof(real), LINE = 64 / sizeof(real) };

#ifdef FOCI_DOUBLE /* the integer of a real's size */
typedef int64_t bits_;
#else
typedef int32_t bits_;
#endif

#if defined(__clang__)
#define UNROLL(...) _Pragma("clang loop unroll(full)") for (__VA_ARGS__)
#else
#define UNROLL(...) _Pragma("GCC unroll 16") for (__VA_ARGS__)
#endif

/* Keeps a sum in the register where it is: compilers like to move them about. */
#if defined(__AVX2__)
#define KEEP(x) __asm__("" : "+v"(x))
#elif defined(__ARM_NEON)
#define KEEP(x) __asm__("" : "+w"(x))
#else
#define KEEP(x)
#endif

static int64_t smaller(int64_t a, int64_t b) { return a < b ? a : b; }

/* Rows are filled up to multiples of PAD reals. */
enum { PAD = LANES < 4 ? 4 : LANES };
static int64_t padded(int64_t n) { return (n + PAD - 1) / PAD * PAD; }

/* ------------------------------------------------------------------------------------------------- squares of 4 x 4 */

typedef real quad __attribute__((vector_size(4 * sizeof(real)), aligned(sizeof(real)), may_alias));
typedef bits_ quad_bits __attribute__((vector_size(4 * sizeof(real))));
#if defined(__clang__)
#define SHUFFLE(a, b, ...) __builtin_shufflevector(a, b, __VA_ARGS__)
#else
#define SHUFFLE(a, b, ...) __builtin_shuffle(a, b, (quad_bits){__VA_ARGS__})
#endif

/* Four rows become four columns. */
static inline void turn_square(real *restrict to, int64_t to_row, const real *restrict from, int64_t from_row) {
    const quad a = *(const quad *)from, b = *(const quad *)(from + from_row);
    const quad c = *(const quad *)(from + 2 * from_row), d = *(const quad *)(from + 3 * from_row);
    const quad ab = SHUFFLE(a, b, 0, 4, 1, 5), cd = SHUFFLE(c, d, 0, 4, 1, 5);
    const quad ab2 = SHUFFLE(a, b, 2, 6, 3, 7), cd2 = SHUFFLE(c, d, 2, 6, 3, 7);
    *(quad *)to = SHUFFLE(ab, cd, 0, 1, 4, 5);
    *(quad *)(to + to_row) = SHUFFLE(ab, cd, 2, 3, 6, 7);
    *(quad *)(to + 2 * to_row) = SHUFFLE(ab2, cd2, 0, 1, 4, 5);
    *(quad *)(to + 3 * to_row) = SHUFFLE(ab2, cd2, 2, 3, 6, 7);
}

/* ------------------------------------------------------------------------------------------------------- elements */

#ifdef FOCI_BF16_OPERANDS
typedef uint32_t element; /* the first of the two in the lower half */
enum { DEEP = 2 };
#ifdef FOCI_TILES
enum { DEPTH_STEP = TILE_ROWS };
#else
enum { DEPTH_STEP = 1 };
static inline vector add_product(vector sum, element x, const element *b) {
    return (vector)_mm512_dpbf16_ps((__m512)sum, (__m512bh)_mm512_set1_epi32((int)x), (__m512bh)_mm512_loadu_si512(b));
}
#endif
#else
typedef real element;
enum { DEEP = 1, DEPTH_STEP = 1 };
static inline vector add_product(vector sum, element x, const element *b) { return sum + x * *(const vector *)b; }
#endif

/* Elements that n numbers along the depth take, in whole steps of a product: the rest is zeros. */
static int64_t deep(int64_t n) {
    const int64_t step = DEEP * DEPTH_STEP;
    return (n + step - 1) / step * DEPTH_STEP;
}

/* A matrix: entry (i, p), p along the depth, is data[i row + p column]. */
typedef struct operand {
    const element *data;
    int64_t row, column;
} operand;

static inline operand at(operand o, int64_t i, int64_t p) {
    return (operand){o.data + i * o.row + p * o.column, o.row, o.column};
}

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

/* Rows of numbers as reals: where they lie, or in `room`, side by side. */
static inline const real *reals_of(foci_numbers x, int64_t *row, int64_t rows, int64_t n, real *room) {
    if (!x.bf16) return x.first;
    foci_bf16_widen(rows, n, x.first, *row, room, n);
    *row = n;
    return room;
}

/* Rows of numbers: from one to the next, entries of each. */
typedef struct rows_of {
    foci_numbers first;
    int64_t row, width;
} rows_of;

#ifdef FOCI_BF16_OPERANDS

/* Rows that are read many times, side by side in `room`, which holds n of them filled up; pairs are copies anyway. */
static inline rows_of together(real *room, rows_of from, int64_t n) {
    (void)room, (void)n;
    return from;
}

#ifdef __AVX512BF16__

static inline __mmask16 lanes_of(int64_t n) { return (__mmask16)(n >= LANES ? 0xffff : n <= 0 ? 0 : (1 << n) - 1); }

/* The first n of two vectors of numbers, in bfloat16. */
static inline __attribute__((always_inline)) __m512i two_vectors(foci_numbers from, int64_t n) {
    if (from.bf16 && n >= 2 * LANES) return _mm512_loadu_si512(from.first);
    if (from.bf16) return _mm512_maskz_loadu_epi16((__mmask32)lanes_of(n - LANES) << LANES | lanes_of(n), from.first);
    const real *f = from.first;
    return (__m512i)_mm512_cvtne2ps_pbh(_mm512_maskz_loadu_ps(lanes_of(n - LANES), f + LANES),
                                        _mm512_maskz_loadu_ps(lanes_of(n), f));
}

/* The first n of a vector of numbers, in bfloat16. */
static inline __attribute__((always_inline)) __m256i one_vector(foci_numbers from, int64_t n) {
    if (from.bf16)
        return n >= LANES ? _mm256_loadu_si256(from.first) : _mm256_maskz_loadu_epi16(lanes_of(n), from.first);
    return (__m256i)_mm512_cvtneps_pbh(_mm512_maskz_loadu_ps(lanes_of(n), from.first));
}

/* from (n, depth), as an operand of n rows; those of `room` hold `row` elements, deep(padded(depth)) at least. */
static inline __attribute__((always_inline)) operand along(element *room, int64_t row, foci_numbers from,
                                                           int64_t from_row, int64_t n, int64_t depth) {
    const int64_t length = deep(padded(depth));
    for (int64_t i = 0; i < n; i++)
        for (int64_t p = 0; p < length; p += LANES) {
            const __m512i pairs = two_vectors(foci_numbers_at(from, i * from_row + 2 * p), depth - 2 * p);
            if (length - p < LANES) _mm512_mask_storeu_epi32(room + i * row + p, 0xff, pairs);
            else _mm512_storeu_si512(room + i * row + p, pairs);
        }
    return (operand){room, row, 1};
}

/* Pairs of the first n of two vectors, one from each. */
static inline __attribute__((always_inline)) __m512i in_turns(foci_numbers first, foci_numbers second, int64_t n,
                                                              bool both) {
    const __m256i a = one_vector(first, n), b = both ? one_vector(second, n) : _mm256_setzero_si256();
    return _mm512_or_si512(_mm512_cvtepu16_epi32(a), _mm512_slli_epi32(_mm512_cvtepu16_epi32(b), 16));
}

static operand copy_down(element *room, int64_t row, foci_numbers from, int64_t from_row, int64_t depth, int64_t n) {
    const __m512i zero = _mm512_setzero_si512();
    for (int64_t p = 0; p < DEEP * deep(depth); p += 2, room += row) {
        const foci_numbers first = foci_numbers_at(from, p * from_row), second = foci_numbers_at(first, from_row);
        int64_t i = 0;
        for (; i + LANES <= smaller(row, n) && p + 1 < depth; i += LANES)
            _mm512_storeu_si512(room + i, in_turns(foci_numbers_at(first, i), foci_numbers_at(second, i), LANES, true));
        for (; i < row && p < depth; i += LANES)
            _mm512_storeu_si512(room + i,
                                in_turns(foci_numbers_at(first, i), foci_numbers_at(second, i), n - i, p + 1 < depth));
        for (; i < row; i += LANES) _mm512_storeu_si512(room + i, zero);
    }
    return (operand){room - deep(depth) * row, 1, row};
}

#else /* the oracle, compiled for any machine */

/* To nearest even; what is smaller than the normal numbers is 0. */
static uint32_t bf16_of(real x) {
    uint32_t u;
    memcpy(&u, &x, sizeof u);
    if ((u & 0x7f800000) == 0) return u >> 31 << 15;
    if ((u & 0x7fffffff) > 0x7f800000) return u >> 16 | 0x40; /* no number */
    return (u + 0x7fff + (u >> 16 & 1)) >> 16;
}

static uint32_t number(foci_numbers from, int64_t i) {
    return from.bf16 ? ((const uint16_t *)from.first)[i] : bf16_of(((const real *)from.first)[i]);
}

static operand along(element *room, int64_t row, foci_numbers from, int64_t from_row, int64_t n, int64_t depth) {
    for (int64_t i = 0; i < n; i++)
        for (int64_t p = 0; p < deep(padded(depth)); p++)
            room[i * row + p] = (2 * p < depth ? number(from, i * from_row + 2 * p) : 0) |
                                (2 * p + 1 < depth ? number(from, i * from_row + 2 * p + 1) : 0) << 16;
    return (operand){room, row, 1};
}

static operand copy_down(element *room, int64_t row, foci_numbers from, int64_t from_row, int64_t depth, int64_t n) {
    for (int64_t p = 0; p < deep(depth); p++)
        for (int64_t i = 0; i < row; i++)
            room[p * row + i] = (i < n && 2 * p < depth ? number(from, 2 * p * from_row + i) : 0) |
                                (i < n && 2 * p + 1 < depth ? number(from, (2 * p + 1) * from_row + i) : 0) << 16;
    return (operand){room, 1, row};
}

#endif

static inline operand down(element *room, foci_numbers from, int64_t from_row, int64_t depth, int64_t n) {
    return copy_down(room, padded(n), from, from_row, depth, n);
}

#else

static inline operand along(element *room, int64_t row, foci_numbers from, int64_t from_row, int64_t n, int64_t depth) {
    (void)room, (void)row, (void)n, (void)depth;
    return (operand){from.first, from_row, 1};
}

static inline __attribute__((always_inline)) operand copy_down(element *room, int64_t row, foci_numbers from,
                                                               int64_t from_row, int64_t depth, int64_t n) {
    for (int64_t p = 0; p < depth; p++) {
        const real *f = (const real *)from.first + p * from_row;
        real *to = room + p * row;
        if (n == row) {
            memcpy(to, f, (size_t)row * sizeof *to);
        } else {
            memcpy(to, f, (size_t)n * sizeof *to);
            memset(to + n, 0, (size_t)(row - n) * sizeof *to);
        }
    }
    return (operand){room, 1, row};
}

static inline rows_of together(real *room, rows_of from, int64_t n) {
    const int64_t row = padded(from.width);
    if (!from.first.bf16) {
        copy_down(room, row, from.first, from.row, n, from.width);
    } else {
        foci_bf16_widen(n, from.width, from.first.first, from.row, room, row);
        for (int64_t i = 0; i < n; i++)
            for (int64_t d = from.width; d < row; d++) room[i * row + d] = 0;
    }
    return (rows_of){foci_reals(room), row, row};
}

/* Rows of whole vectors, which are reals, are read where they lie. */
static inline operand down(element *room, foci_numbers from, int64_t from_row, int64_t depth, int64_t n) {
    if (n % PAD == 0) return (operand){from.first, 1, from_row};
    return copy_down(room, padded(n), from, from_row, depth, n);
}

#endif
