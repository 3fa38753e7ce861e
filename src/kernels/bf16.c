#include "kernels/bf16.h"

#include <string.h>

#include "kernels/kernels.h"

#if defined(__x86_64__) && !defined(FOCI_DOUBLE)
#include <immintrin.h>

#define BF16 __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx512bf16")))
#define INLINE static inline __attribute__((always_inline)) BF16
#if defined(__clang__)
#define UNROLL _Pragma("clang loop unroll(full)")
#else
#define UNROLL _Pragma("GCC unroll 16")
#endif

bool foci_bf16_supported(void) { return __builtin_cpu_supports("avx512bf16") && strcmp(foci_kernel()->isa, "avx512") == 0; }

/* Two neighbours along the depth, the first in the lower half: what one lane of the instruction multiplies. */
typedef uint32_t pair;

/* The block of B holds as many bytes as in float32, so it is twice as deep. */
enum { ROWS = 12, LANES = 16, PANEL = 2 * LANES, DEPTH = 2 * FOCI_GEMM_DEPTH, COLUMNS = FOCI_GEMM_COLUMNS };

INLINE __m512i halves(__m512 x) { return _mm512_cvtepu16_epi32((__m256i)_mm512_cvtneps_pbh(x)); }
/* (first, second) of each lane as a pair */
INLINE __m512i pairs_of(__m512 first, __m512 second) { return _mm512_or_si512(halves(first), _mm512_slli_epi32(halves(second), 16)); }

INLINE __mmask16 first_lanes(int64_t n) { return (__mmask16)(n >= LANES ? 0xffff : n <= 0 ? 0 : (1u << n) - 1); }

BF16 void foci_bf16_round(int64_t n, const float *x, uint16_t *y) {
    for (int64_t i = 0; i < n; i += LANES)
        _mm256_mask_storeu_epi16(y + i, first_lanes(n - i), (__m256i)_mm512_cvtneps_pbh(_mm512_maskz_loadu_ps(first_lanes(n - i), x + i)));
}

BF16 void foci_bf16_widen(int64_t n, const uint16_t *x, float *y) {
    for (int64_t i = 0; i < n; i += LANES) {
        const __m512i wide = _mm512_cvtepu16_epi32(_mm256_maskz_loadu_epi16(first_lanes(n - i), x + i));
        _mm512_mask_storeu_ps(y + i, first_lanes(n - i), (__m512)_mm512_slli_epi32(wide, 16));
    }
}

/* Two rows of up to `width` numbers, the second NULL past an odd depth: pairs (width), zeros up to `lanes` */
INLINE void pair_rows(const float *first, const float *second, int64_t width, int lanes, pair *to) {
    for (int l = 0; l < lanes; l += LANES) {
        const __mmask16 m = first_lanes(width - l);
        const __m512 a = _mm512_maskz_loadu_ps(m, first + l), b = second ? _mm512_maskz_loadu_ps(m, second + l) : _mm512_setzero_ps();
        _mm512_storeu_si512(to + l, pairs_of(a, b));
    }
}

/* b (depth, columns) -> panels (columns / PANEL, depth / 2, PANEL) of pairs, filled up with zeros. */
BF16 static void pack_rows(int64_t depth, int64_t columns, const float *b, int64_t ldb, pair *to) {
    for (int64_t j = 0; j < columns; j += PANEL)
        for (int64_t p = 0; p < depth; p += 2, to += PANEL)
            pair_rows(b + p * ldb + j, p + 1 < depth ? b + (p + 1) * ldb + j : NULL, columns - j, PANEL, to);
}

/* Up to 32 neighbours of a row: 16 pairs, zeros past `count`. */
INLINE __m512i pairs_along(const float *row, int64_t count) {
    const __m512 low = _mm512_maskz_loadu_ps(first_lanes(count), row), high = _mm512_maskz_loadu_ps(first_lanes(count - LANES), row + LANES);
    return (__m512i)_mm512_cvtne2ps_pbh(high, low);
}

/* The same from the transpose, b (columns, depth). */
BF16 static void pack_columns(int64_t depth, int64_t columns, const float *b, int64_t ldb, pair *to) {
    const int64_t deep = (depth + 1) / 2;
    for (int64_t j = 0; j < columns; j += PANEL, to += deep * PANEL) {
        const int64_t width = columns - j < PANEL ? columns - j : PANEL;
        if (width < PANEL) memset(to, 0, (size_t)(deep * PANEL) * sizeof *to);
        for (int64_t p = 0; p < depth; p += 2 * LANES) {
            const int64_t count = deep - p / 2 < LANES ? deep - p / 2 : LANES;
            for (int64_t l = 0; l < width; l++) {
                pair along[LANES];
                _mm512_storeu_si512(along, pairs_along(b + (j + l) * ldb + p, depth - p));
                for (int64_t r = 0; r < count; r++) to[(p / 2 + r) * PANEL + l] = along[r];
            }
        }
    }
}

void foci_bf16_pack(const foci_matrix *b, int64_t depth, int64_t columns, foci_real *to) {
    if (b->transposed) pack_columns(depth, columns, b->data, b->ld, (pair *)to);
    else pack_rows(depth, columns, b->data, b->ld, (pair *)to);
}

typedef struct strip { /* rows of A as pairs: entry (i, p) is data[i row + p column] */
    const pair *data;
    int64_t row, column;
    const float *soon; /* part of the rows of A that come next, soon_row apart, `lines` cache lines of each: asked for meanwhile */
    int64_t soon_row, lines;
} strip;

BF16 static strip take_strip(const foci_matrix *a, int64_t i, int64_t p, int64_t rows, int64_t depth, pair *to) {
    if (a->transposed) {
        const float *from = a->data + p * a->ld + i;
        for (int64_t d = 0; d < depth; d += 2)
            pair_rows(from + d * a->ld, d + 1 < depth ? from + (d + 1) * a->ld : NULL, rows, LANES, to + d / 2 * LANES);
        return (strip){.data = to, .row = 1, .column = LANES};
    }
    for (int64_t r = 0; r < rows; r++)
        for (int64_t d = 0; d < depth; d += 2 * LANES)
            _mm512_storeu_si512(to + r * (DEPTH / 2) + d / 2, pairs_along(a->data + (i + r) * a->ld + p + d, depth - d));
    return (strip){.data = to, .row = DEPTH / 2, .column = 1, .soon_row = a->ld};
}

/* What the sums of a block start from, `ld` from row to row: C, or the bias for every row (ld 0); NULL: zeros. */
typedef struct start {
    const float *from;
    int64_t ld;
} start;

/* A block of C in registers; `rows` is a constant in every call, columns past `width` are masked. */
INLINE void block(int rows, int64_t deep, const strip *s, int64_t i, const pair *b, int64_t width, float *c, int64_t ldc, start first) {
    const pair *a = s->data + i * s->row;
    const __mmask16 m[2] = {first_lanes(width), first_lanes(width - LANES)};
    __m512 sum[ROWS][2];
    UNROLL for (int r = 0; r < rows; r++)
        UNROLL for (int w = 0; w < 2; w++)
            sum[r][w] = first.from ? _mm512_maskz_loadu_ps(m[w], first.from + (i + r) * first.ld + w * LANES) : _mm512_setzero_ps();
    int64_t p = 0;
    for (int part = 0; part < rows; part++) {
        /* Lines from afar are asked for one by one: too many at a time and what is near has to wait behind them. */
        for (int w = 0; w < 2; w++) __builtin_prefetch(c + part * ldc + PANEL + w * LANES, 1);
        for (int64_t l = 0; l < s->lines; l++) __builtin_prefetch(s->soon + part * s->soon_row + l * LANES);
        for (const int64_t end = deep * (part + 1) / rows; p < end; p++) {
            const __m512bh b0 = (__m512bh)_mm512_loadu_si512(b + p * PANEL), b1 = (__m512bh)_mm512_loadu_si512(b + p * PANEL + LANES);
            UNROLL for (int r = 0; r < rows; r++) {
                const __m512bh x = (__m512bh)_mm512_set1_epi32((int)a[r * s->row + p * s->column]);
                sum[r][0] = _mm512_dpbf16_ps(sum[r][0], x, b0);
                sum[r][1] = _mm512_dpbf16_ps(sum[r][1], x, b1);
            }
        }
    }
    UNROLL for (int r = 0; r < rows; r++)
        UNROLL for (int w = 0; w < 2; w++) _mm512_mask_storeu_ps(c + r * ldc + w * LANES, m[w], sum[r][w]);
}

BF16 static void panel(int64_t rows, int64_t deep, const strip *s, const pair *b, int64_t width, float *c, int64_t ldc, start first) {
    int64_t i = 0;
    for (; i + ROWS <= rows; i += ROWS) block(ROWS, deep, s, i, b, width, c + i * ldc, ldc, first);
    for (; i + 4 <= rows; i += 4) block(4, deep, s, i, b, width, c + i * ldc, ldc, first);
    for (; i < rows; i++) block(1, deep, s, i, b, width, c + i * ldc, ldc, first);
}

/* Columns j .. of C, depth p .. of the sum; a panel of b holds b_deep pairs for each of its columns. */
BF16 static void add_block(const foci_product *o, int64_t j, int64_t columns, int64_t p, int64_t depth, const pair *b, int64_t b_deep) {
    pair rows_of_a[LANES * DEPTH / 2] __attribute__((aligned(64)));
    const int64_t deep = (depth + 1) / 2;
    const bool add = p > 0 || o->add;
    const float *bias = o->bias ? o->bias + j : NULL;
    for (int64_t i = 0; i < o->rows; i += ROWS) {
        const int64_t n = o->rows - i < ROWS ? o->rows - i : ROWS;
        strip s = take_strip(&o->a, i, p, n, depth, rows_of_a);
        if (!o->a.transposed && i + ROWS < o->rows) s.lines = (depth * PANEL + columns * LANES - 1) / (columns * LANES);
        float *c = o->c + i * o->ldc + j;
        for (int64_t k = 0; k < columns; k += PANEL) {
            s.soon = o->a.data + (i + ROWS) * o->a.ld + p + k / PANEL * s.lines * LANES;
            panel(n, deep, &s, b + k * b_deep, columns - k, c + k, o->ldc, add ? (start){c + k, o->ldc} : bias ? (start){bias + k, 0} : (start){0});
        }
    }
}

void foci_bf16_gemm(const foci_product *o, foci_real *scratch) {
    const int64_t blocks = (o->depth + DEPTH - 1) / DEPTH, size = blocks ? ((o->depth + blocks - 1) / blocks + 1) / 2 * 2 : 0;
    for (int64_t j = 0; j < o->columns; j += COLUMNS) {
        const int64_t columns = o->columns - j < COLUMNS ? o->columns - j : COLUMNS;
        for (int64_t p = 0; p < o->depth; p += size) {
            const int64_t depth = o->depth - p < size ? o->depth - p : size;
            const foci_matrix b = {o->b.data + (o->b.transposed ? j * o->b.ld + p : p * o->b.ld + j), o->b.ld, o->b.transposed};
            if (!o->packed) foci_bf16_pack(&b, depth, columns, scratch);
            const int64_t all = (o->depth + 1) / 2;
            if (o->packed) add_block(o, j, columns, p, depth, (const pair *)o->packed + j * all + p / 2 * PANEL, all);
            else add_block(o, j, columns, p, depth, (const pair *)scratch, (depth + 1) / 2);
        }
    }
}

BF16 void foci_bf16_peak(int64_t rounds, double *operations) {
    enum { CHAINS = 12 };
    __m512 sum[CHAINS];
    const __m512bh x = (__m512bh)_mm512_set1_epi32(0x3f003f00), y = (__m512bh)_mm512_set1_epi32(0x3a003a00);
    UNROLL for (int i = 0; i < CHAINS; i++) sum[i] = _mm512_setzero_ps();
    for (int64_t n = 0; n < rounds; n++) {
        UNROLL for (int i = 0; i < CHAINS; i++) {
            sum[i] = _mm512_dpbf16_ps(sum[i], x, y);
            __asm__("" : "+v"(sum[i])); /* not to be computed once for all chains */
        }
    }
    float total = 0;
    UNROLL for (int i = 0; i < CHAINS; i++) total += _mm512_reduce_add_ps(sum[i]);
    *operations = 4.0 * CHAINS * LANES * (double)rounds + (total == -1 ? 1 : 0);
}

#else

void foci_bf16_peak(int64_t rounds, double *operations) { foci_kernel()->peak(rounds, operations); }
bool foci_bf16_supported(void) { return false; }
void foci_bf16_pack(const foci_matrix *b, int64_t depth, int64_t columns, foci_real *to) {
    foci_kernel()->gemm_pack(b, depth, columns, to);
}
void foci_bf16_gemm(const foci_product *p, foci_real *scratch) { foci_kernel()->gemm(p, scratch); }
void foci_bf16_round(int64_t n, const foci_real *x, uint16_t *y) { (void)n, (void)x, (void)y; }
void foci_bf16_widen(int64_t n, const uint16_t *x, foci_real *y) { (void)n, (void)x, (void)y; }

#endif
