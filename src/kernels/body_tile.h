/* What attention is made of: products in cache, and a tile of scores with its softmax, masks and dropout.
 *
 * A tile is kept transposed, a row of TILE queries for each key. So the softmax of 16 queries goes down one column of
 * vectors and needs no sum across lanes, and in all seven products keys and values are read where they lie. Scores are
 * in powers of two: log2(e) is part of the scale. */

enum { TILE = FOCI_ATTENTION_QUERIES, TILE_KEYS = FOCI_ATTENTION_KEYS };

static const real log2_e = (real)1.4426950408889634, ln_2 = (real)0.6931471805599453;

/* ----------------------------------------------------------------------------------------------- rows and columns */

/* to (padded(n), padded(width)) = factor from (n, width) * metric, the rest zero; metric NULL: ones. */
static void pack(real *to, foci_numbers from, int64_t from_row, int64_t n, int64_t width, real factor,
                 const real *metric, int64_t metric_row) {
    const int64_t row = padded(width);
    if (from.bf16) foci_bf16_widen(n, width, from.first, from_row, to, row);
    for (int64_t i = 0; i < n; i++) {
        real *t = to + i * row;
        const real *f = from.bf16 ? t : (const real *)from.first + i * from_row;
        const real *m = metric ? metric + i * metric_row : NULL;
#pragma omp simd
        for (int64_t d = 0; d < width; d++) t[d] = f[d] * (m ? m[d] * factor : factor);
        for (int64_t d = width; d < row; d++) t[d] = 0;
    }
    memset(to + n * row, 0, (size_t)((padded(n) - n) * row) * sizeof *to);
}

/* Where row i is made of numbers that `to` takes: there, or in `room`, from where it is rounded. */
static inline real *made_in(foci_numbers to, int64_t to_row, real *room, int64_t row, int64_t i) {
    return to.bf16 ? room + i * row : (real *)foci_writable(to) + i * to_row;
}

/* to (n, width) = or += factor from (n, padded(width)) * metric; `from` is spent. */
static void unpack(foci_numbers to, int64_t to_row, real *from, int64_t n, int64_t width, real factor,
                   const real *metric, int64_t metric_row, bool add) {
    const int64_t row = padded(width);
    for (int64_t i = 0; i < n; i++) {
        const real *f = from + i * row, *m = metric ? metric + i * metric_row : NULL;
        real *t = made_in(to, to_row, from, row, i);
#pragma omp simd
        for (int64_t d = 0; d < width; d++) {
            const real x = f[d] * (m ? m[d] * factor : factor);
            t[d] = add ? t[d] + x : x;
        }
    }
    if (to.bf16) foci_bf16_round(n, width, from, row, foci_writable(to), to_row);
}

/* to (width, TILE) = the transpose of from (n, row), n and row multiples of 4 */
static void transpose(real *restrict to, const real *restrict from, int64_t n, int64_t row) {
    for (int64_t i = 0; i < n; i += 4)
        for (int64_t d = 0; d < row; d += 4) turn_square(to + d * TILE + i, TILE, from + i * row + d, row);
}

/* from (n, row), both multiples of PAD, as an operand of n rows, neighbours: its transpose. `room` holds deep(row) *
 * TILE, `rows` n * deep(row). */
static operand across(element *room, element *rows, const real *from, int64_t n, int64_t row) {
    const operand lines = along(rows, deep(row), foci_reals(from), row, n, row);
    transpose((real *)room, (const real *)lines.data, n, lines.row);
    return (operand){room, 1, TILE};
}

/* ------------------------------------------------------------------------------------------------ products in cache */

/* Rows that are needed soon, and lie in memory far apart: fetched a few at a time while products are at work. */
typedef struct soon {
    struct {
        foci_numbers first;
        int64_t row;
    } matrix[6];
    int matrices;
    int64_t next, rows;  /* of each matrix: done so far, in all */
    int64_t width, each; /* elements of a row, rows at a time */
} soon;

static void fetch_rows(foci_numbers first, int64_t row, int64_t rows, int64_t width) {
    const int64_t line = first.bf16 ? 64 / (int64_t)sizeof(uint16_t) : LINE;
    for (int64_t i = 0; i < rows; i++)
        for (int64_t d = 0; d < width; d += line) __builtin_prefetch(foci_numbers_at(first, i * row + d).first);
}

/* Rows from `from` on of a matrix, which may be missing. */
static void ask_for(soon *s, foci_numbers matrix, int64_t row, int64_t from) {
    if (!matrix.first) return;
    s->matrix[s->matrices].first = foci_numbers_at(matrix, from * row);
    s->matrix[s->matrices++].row = row;
}

static void fetch_some(soon *s) {
    const int64_t n = smaller(s->each, s->rows - s->next);
    for (int m = 0; m < s->matrices; m++)
        fetch_rows(foci_numbers_at(s->matrix[m].first, s->next * s->matrix[m].row), s->matrix[m].row, n, s->width);
    s->next += n;
}

/* Which part of the depth takes part in the sums of rows i .. i + rows - 1: all, or where A is not zero. */
typedef struct triangle {
    int64_t lower, upper; /* entry (i, p) of A may differ from zero where i - lower <= p <= i + upper */
} triangle;
static const triangle full = {INT32_MAX, INT32_MAX};

/* c (rows, columns) = or += a (rows, depth) b (columns, depth)^T; columns are whole vectors. */
typedef struct small_product {
    operand a, b;
    real *c;
    int64_t c_row;
    soon *meanwhile;
} small_product;

static inline __attribute__((always_inline)) void small_rows(int rows, int vectors, int64_t depth,
                                                             const small_product *o, int64_t i, int64_t j, triangle t,
                                                             bool add) {
    const int64_t end = smaller(depth, deep(i + rows + t.upper)), first = i > t.lower ? (i - t.lower) / DEEP : 0;
    real *c = o->c + i * o->c_row + j;
    fetch_some(o->meanwhile);
    product_block(rows, vectors, end - first,
                  &(product){at(o->a, i, first), at(o->b, j, first), c, o->c_row, add ? c : NULL, o->c_row, NULL});
}

static inline __attribute__((always_inline)) void small_columns(int vectors, int64_t rows, int64_t depth,
                                                                const small_product *o, int64_t j, triangle t,
                                                                bool add) {
    const int most = vectors == 3 ? BLOCK / 3 : BLOCK / 2;
    int64_t i = 0;
    for (; i + most <= rows; i += most) small_rows(most, vectors, depth, o, i, j, t, add);
    for (; i + 4 <= rows; i += 4) small_rows(4, vectors, depth, o, i, j, t, add);
    for (; i < rows; i++) small_rows(1, vectors, depth, o, i, j, t, add);
}

static void small_multiply(int64_t rows, int64_t columns, int64_t depth, const small_product *o, triangle t, bool add) {
    for (int64_t j = 0, left; (left = (columns - j) / LANES) > 0;) {
        if (left == 3 || left > 4) small_columns(3, rows, depth, o, j, t, add), j += 3 * LANES;
        else if (left > 1) small_columns(2, rows, depth, o, j, t, add), j += 2 * LANES;
        else small_columns(1, rows, depth, o, j, t, add), j += LANES;
    }
}

/* ---------------------------------------------------------------------------------------------------- vectors */

typedef bits_ vector_bits __attribute__((vector_size(VECTOR_BYTES), aligned(sizeof(real)), may_alias));

/* where mask: a, else b */
static inline vector choose(vector_bits mask, vector a, vector b) {
    return (vector)(((vector_bits)a & mask) | ((vector_bits)b & ~mask));
}

/* The larger; b where either is not a number. */
static inline vector larger(vector a, vector b) {
#if defined(FOCI_DOUBLE)
    return choose(a > b, a, b);
#elif defined(__AVX512F__)
    return (vector)_mm512_max_ps((__m512)a, (__m512)b);
#elif defined(__AVX2__)
    return (vector)_mm256_max_ps((__m256)a, (__m256)b);
#elif defined(__SSE2__)
    return (vector)_mm_max_ps((__m128)a, (__m128)b);
#else
    return choose(a > b, a, b);
#endif
}

/* 2^x for x below 128: 2^n 2^r with n = round(x), |r| <= 1/2, and 2^r = 1 + r q(r) by a minimax polynomial of degree 5,
 * relative error below 2e-7. Below -126.5 (and at -inf) exactly 0; a NaN stays one. */
static inline vector exp2_(vector x) {
#ifdef FOCI_DOUBLE
    for (int l = 0; l < LANES; l++) x[l] = exp2(x[l]);
    return x;
#else
    /* adding it rounds; the sum ends with the bits of n + 127, the exponent of 2^n */
    const float shift = 0x1.8p23f + 127;
    const vector y = larger((vector){0} - 127.0f, x), sum = y + shift, r = y - (sum - shift);
    vector p = 0x1.5bba16p-10f * r + 0x1.3cea8ap-7f;
    p = p * r + 0x1.c6b752p-5f;
    p = p * r + 0x1.ebf9bcp-3f;
    p = p * r + 0x1.62e42ap-1f;
    p = p * r + 1.0f;
    return p * (vector)((vector_bits)sum << 23);
#endif
}

/* The logarithm to base 2 of finite x >= 2^-126: of the exponent, and of m in [1/sqrt(2), sqrt(2)) as
 * 2 log2(e) atanh(t), t = (m - 1) / (m + 1), whose series ends below 1e-9. A NaN stays one. */
static inline vector log2_(vector x) {
#ifdef FOCI_DOUBLE
    for (int l = 0; l < LANES; l++) x[l] = log2(x[l]);
    return x;
#else
    const vector_bits exponent = ((vector_bits)x - 0x3f3504f3) >> 23; /* the bits of 1/sqrt(2) */
    const vector m = (vector)((vector_bits)x - (exponent << 23)), t = (m - 1.0f) / (m + 1.0f), t2 = t * t;
    const vector series = t2 * (t2 * (t2 * (t2 * (1.0f / 9) + 1.0f / 7) + 1.0f / 5) + 1.0f / 3);
    vector n;
    for (int l = 0; l < LANES; l++) n[l] = (real)exponent[l];
    return choose(x == x, n + 2 * log2_e * (t * series + t), x);
#endif
}

/* ----------------------------------------------------------------------------------- scores, masks and dropout */

/* A tile: queries first .. first + n - 1, keys key .. key + keys - 1. */
typedef struct attention_tile {
    int64_t first, n, key, keys;
    int64_t columns;  /* n, up to whole vectors */
    int64_t diagonal; /* query i sees the keys up to i + diagonal, counted from `first` and `key` */
} attention_tile;

static attention_tile tile_at(const foci_attention_head *h, int64_t first, int64_t n, int64_t key) {
    const int64_t last = h->causal ? first + n : h->keys;
    return (attention_tile){
        first, n, key, smaller(TILE_KEYS, last - key), padded(n), h->causal ? first - key : INT32_MAX};
}

/* Keys that some query of the vector at column w sees. */
static int64_t seen_by(const attention_tile *t, int64_t w) {
    const int64_t seen = smaller(t->keys, t->diagonal + w + LANES);
    return seen > 0 ? seen : 0;
}

/* s (keys, TILE) = rows (keys, depth) columns (depth, TILE), where it will be seen. */
static void tile_product(real *s, const attention_tile *t, operand rows, operand columns, int64_t depth,
                         soon *meanwhile) {
    for (int64_t w = 0, first = 0; w < t->columns; w += LANES) {
        const int64_t end = seen_by(t, w);
        small_multiply(
            end - first, t->columns - w, depth,
            &(small_product){at(rows, t->key + first, 0), at(columns, w, 0), s + first * TILE + w, TILE, meanwhile},
            full, false);
        if (end > first) first = end;
    }
}

/* Scores times their factors; `raw`, where it is not NULL, keeps them as they were. */
static void tile_factor(real *s, real *raw, const attention_tile *t, const foci_attention_head *h) {
    for (int64_t w = 0; w < t->columns; w += LANES)
        for (int64_t j = 0, end = seen_by(t, w); j < end; j++) {
            vector *score = (vector *)(s + j * TILE + w);
            if (raw) *(vector *)(raw + j * TILE + w) = *score;
            *score *= *(const vector *)(h->score_factor + (t->key + j) * h->score_factor_row + t->first + w);
        }
}

/* Gradients of scores to those of what the factors multiplied, and to those of the factors. */
static void tile_factor_gradient(real *ds, const real *raw, const attention_tile *t, const foci_attention_head *h) {
    for (int64_t w = 0; w < t->columns; w += LANES)
        for (int64_t j = 0, end = seen_by(t, w); j < end; j++) {
            const int64_t at = (t->key + j) * h->score_factor_row + t->first + w;
            vector *d = (vector *)(ds + j * TILE + w);
            if (h->dscore_factor)
                *(vector *)(h->dscore_factor + at) += *d * *(const vector *)(raw + j * TILE + w) * ln_2;
            *d *= *(const vector *)(h->score_factor + at);
        }
}

static real bias_of(const foci_attention_head *h, int64_t key) {
    return (h->bias ? h->bias[key] : 0) + (h->key_bias ? h->key_bias[key] : 0);
}

/* Adds the biases; -inf where a query does not see a key. */
static void tile_mask(real *s, const attention_tile *t, const foci_attention_head *h) {
    static const real lane[16] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
    for (int64_t w = 0; w < t->columns; w += LANES) {
        const int64_t end = seen_by(t, w), first_masked = t->diagonal + w + 1;
        for (int64_t j = 0; j < end && (h->bias || h->key_bias); j++)
            *(vector *)(s + j * TILE + w) += bias_of(h, t->key + j) * log2_e;
        for (int64_t j = first_masked > 0 ? first_masked : 0; j < end; j++) {
            vector *score = (vector *)(s + j * TILE + w);
            *score = choose(*(const vector *)lane < (real)(j - t->diagonal - w), (vector){0} - INFINITY, *score);
        }
    }
}

/* Zeros in the rows that no query of a vector sees. */
static void clear_unseen(real *p, const attention_tile *t) {
    for (int64_t w = 0; w < t->columns; w += LANES)
        for (int64_t j = seen_by(t, w); j < t->keys; j++) *(vector *)(p + j * TILE + w) = (vector){0};
}

/* What dropout multiplies with, to (keys, TILE): 0 or 1 / (1 - p); or, in place, zeros where it drops what is there. */
static inline __attribute__((always_inline)) void tile_dropout(real *to, bool in_place, const attention_tile *t,
                                                               const foci_attention_head *h) {
    enum { BLOCK_OF = FOCI_DROPOUT_BLOCK };
    const foci_dropout_mask *mask = &h->dropout;
    const philox p = philox_of(mask);
    const uint32_t threshold = mask->threshold << 16; /* the upper half of a word decides */
    const lane_reals whole = (lane_reals){0} + mask->factor;
    const uint64_t row = (uint64_t)(h->keys + BLOCK_OF - 1) / BLOCK_OF; /* blocks of a query */
    for (int64_t i = 0; i < t->n; i += PHILOX_LANES) {
        const uint64_t first = mask->first / BLOCK_OF + (uint64_t)(t->first + i) * row + (uint64_t)t->key / BLOCK_OF;
        wide block[PHILOX_VECTORS];
        philox_numbers(first, row, block);
        for (int64_t j = 0, end = seen_by(t, i + PHILOX_LANES - LANES); j < end; j += BLOCK_OF) {
            lane_words words[4];
            philox_lanes(&p, block, words);
            for (int v = 0; v < PHILOX_VECTORS; v++) block[v] += 1;
            for (int r = 0; r < BLOCK_OF && j + r < end; r++) {
                const lane_truths kept =
                    (r % 2 ? words[r / 2] : words[r / 2] << 16) >= threshold; /* all bits or none */
                lane_reals *at = (lane_reals *)(to + (j + r) * TILE + i);
                *at = (lane_reals)(__builtin_convertvector(kept, lane_bits) & (lane_bits)(in_place ? *at : whole));
            }
        }
    }
}

/* The inner product, summed in double. */
static real inner(int64_t n, const real *restrict a, const real *restrict b) {
    double s = 0;
#pragma omp simd reduction(+ : s)
    for (int64_t i = 0; i < n; i++) s += (double)a[i] * (double)b[i];
    return (real)s;
}

/* -------------------------------------------------------------------------------------------------------- softmax */

/* One vector of queries: scores to 2^(score - largest), with the running largest and sum. Returns what the sums so far
 * must be multiplied with. */
static vector softmax_of_columns(real *s, int64_t keys, vector *largest, vector *sum) {
    vector top = *largest, total = {0};
    for (int64_t j = 0; j < keys; j++) top = larger(top, *(const vector *)(s + j * TILE));
    const vector base = choose(top == -INFINITY, (vector){0}, top); /* nothing seen yet: all become 0 */
    for (int64_t j = 0; j < keys; j++) {
        const vector p = exp2_(*(const vector *)(s + j * TILE) - base);
        total += p;
        *(vector *)(s + j * TILE) = p;
    }
    const vector correction = exp2_(*largest - base);
    *largest = top;
    *sum = *sum * correction + total;
    return correction;
}

static void finish_rows(const foci_attention_head *h, real *sums, const real *largest, const real *sum, int64_t first,
                        int64_t n) {
    const real kept = h->dropout.threshold ? h->dropout.factor : 1; /* of the values, which dropout left as they were */
    real inverse[TILE], log_sum[TILE];
    for (int64_t w = 0; w < padded(n); w += LANES) {
        const vector total = *(const vector *)(sum + w);
        const vector_bits none = total == 0; /* a row that sees nothing: 0 */
        *(vector *)(inverse + w) = choose(none, total, kept / total);
        *(vector *)(log_sum + w) =
            choose(none, (vector){0} + INFINITY, ln_2 * (*(const vector *)(largest + w) + log2_(total)));
    }
    memcpy(h->log_sum + first, log_sum, (size_t)n * sizeof *log_sum);
    const foci_numbers to = foci_numbers_at(h->out, first * h->out_row);
    const int64_t row = padded(h->value_width);
    for (int64_t i = 0; i < n; i++) {
        real *out = made_in(to, h->out_row, sums, row, i);
#pragma omp simd
        for (int64_t d = 0; d < h->value_width; d++) out[d] = sums[i * row + d] * inverse[i];
    }
    if (to.bf16) foci_bf16_round(n, h->value_width, sums, row, foci_writable(to), h->out_row);
}

/* sums (keys, LANES) += ds (keys, TILE), of all queries of a lane. */
static void add_lanes(real *sums, const real *ds, int64_t keys, int64_t columns) {
    for (int64_t j = 0; j < keys; j++)
        for (int64_t w = 0; w < columns; w += LANES)
            *(vector *)(sums + j * LANES) += *(const vector *)(ds + j * TILE + w);
}

/* to (n) = or += the sums over the lanes of from (n, LANES) */
static void sum_lanes(real *to, const real *from, int64_t n, bool add) {
    for (int64_t j = 0; j < n; j++) {
        real sum = add ? to[j] : 0;
        for (int l = 0; l < LANES; l++) sum += from[j * LANES + l];
        to[j] = sum;
    }
}

/* One vector of queries: scores to probabilities after dropout (p), and their gradients (dp) to those of the scores:
 * ds = prob * (dp * factor - delta), delta = sum_j p_j dp_j = dout . out. */
static void column_gradient(real *p, real *dp, int64_t keys, vector log_sum, vector delta, const real *factor) {
    for (int64_t j = 0; j < keys; j++) {
        vector *s = (vector *)(p + j * TILE), *d = (vector *)(dp + j * TILE);
        const vector prob = exp2_(*s - log_sum);
        if (factor) {
            const vector f = *(const vector *)(factor + j * TILE);
            *s = prob * f;
            *d = prob * (*d * f - delta);
        } else {
            *s = prob;
            *d = prob * (*d - delta);
        }
    }
}
