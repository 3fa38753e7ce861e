/* Fused attention of one head: out = softmax(scale (q * metric) k^T + bias) v, tile by tile; the N x N matrix of
 * scores is never stored (Dao et al., "FlashAttention", 2022). Forward keeps the logarithm of each row's sum, from
 * which backward recomputes the probabilities.
 *
 * A tile of scores is kept transposed, a row of TILE queries for each key. So the softmax of 16 queries goes down
 * one column of vectors and needs no sum across lanes, and in all seven products keys and values are read where they
 * lie. Scores are in powers of two: log2(e) is part of the scale. */

enum { TILE = FOCI_ATTENTION_QUERIES, TILE_KEYS = FOCI_ATTENTION_KEYS };

static const real log2_e = (real)1.4426950408889634, ln_2 = (real)0.6931471805599453;

static int64_t smaller(int64_t a, int64_t b) { return a < b ? a : b; }

/* Rows and columns are filled up to multiples of PAD. */
enum { PAD = LANES < 4 ? 4 : LANES };
static int64_t padded(int64_t n) { return (n + PAD - 1) / PAD * PAD; }

/* The next n elements of scratch memory, on a 64-byte boundary as scratch itself is. */
static real *take(real **scratch, int64_t n) {
    real *taken = *scratch;
    *scratch += (n + FOCI_ALIGN - 1) / FOCI_ALIGN * FOCI_ALIGN;
    return taken;
}

/* ----------------------------------------------------------------------------------------------- rows and columns */

/* to (padded(n), padded(width)) = factor from (n, width) * metric, the rest zero; metric NULL: ones. */
static void pack(real *restrict to, const real *from, int64_t from_row, int64_t n, int64_t width, real factor,
                 const real *metric, int64_t metric_row) {
    const int64_t row = padded(width);
    for (int64_t i = 0; i < n; i++) {
        real *restrict t = to + i * row;
        const real *restrict f = from + i * from_row, *restrict m = metric ? metric + i * metric_row : NULL;
        for (int64_t d = 0; d < width; d++) t[d] = f[d] * (m ? m[d] * factor : factor);
        for (int64_t d = width; d < row; d++) t[d] = 0;
    }
    memset(to + n * row, 0, (size_t)((padded(n) - n) * row) * sizeof *to);
}

/* to (n, width) = or += factor from (n, padded(width)) * metric */
static void unpack(real *restrict to, int64_t to_row, const real *restrict from, int64_t n, int64_t width, real factor,
                   const real *metric, int64_t metric_row, bool add) {
    for (int64_t i = 0; i < n; i++, to += to_row, from += padded(width)) {
        const real *m = metric ? metric + i * metric_row : NULL;
        for (int64_t d = 0; d < width; d++) {
            const real x = from[d] * (m ? m[d] * factor : factor);
            to[d] = add ? to[d] + x : x;
        }
    }
}

/* Rows of whole vectors are used where they lie; others are copied to `to`. */
static const real *whole_rows(real *to, const real *from, int64_t *from_row, int64_t n, int64_t width) {
    if (width % PAD == 0) return from;
    pack(to, from, *from_row, n, width, 1, NULL, 0);
    *from_row = padded(width);
    return to;
}

typedef real quad __attribute__((vector_size(4 * sizeof(real)), aligned(sizeof(real)), may_alias));
typedef bits_ quad_bits __attribute__((vector_size(4 * sizeof(real))));
#if defined(__clang__)
#define SHUFFLE(a, b, ...) __builtin_shufflevector(a, b, __VA_ARGS__)
#else
#define SHUFFLE(a, b, ...) __builtin_shuffle(a, b, (quad_bits){__VA_ARGS__})
#endif

/* to (width, TILE) = the transpose of from (n, row), n and row multiples of 4: in squares of 4 x 4 */
static void transpose(real *restrict to, const real *restrict from, int64_t n, int64_t row) {
    for (int64_t i = 0; i < n; i += 4)
        for (int64_t d = 0; d < row; d += 4) {
            const real *f = from + i * row + d;
            const quad a = *(const quad *)f, b = *(const quad *)(f + row), c = *(const quad *)(f + 2 * row), e = *(const quad *)(f + 3 * row);
            const quad ab = SHUFFLE(a, b, 0, 4, 1, 5), ce = SHUFFLE(c, e, 0, 4, 1, 5);
            const quad ab2 = SHUFFLE(a, b, 2, 6, 3, 7), ce2 = SHUFFLE(c, e, 2, 6, 3, 7);
            quad *t = (quad *)(to + d * TILE + i);
            t[0] = SHUFFLE(ab, ce, 0, 1, 4, 5);
            t[TILE / 4] = SHUFFLE(ab, ce, 2, 3, 6, 7);
            t[2 * TILE / 4] = SHUFFLE(ab2, ce2, 0, 1, 4, 5);
            t[3 * TILE / 4] = SHUFFLE(ab2, ce2, 2, 3, 6, 7);
        }
}

/* ------------------------------------------------------------------------------------------------ products in cache */

/* Rows that are needed soon, and lie in memory far apart: fetched a few at a time while products are at work. */
typedef struct soon {
    struct {
        const real *first;
        int64_t row;
    } matrix[6];
    int matrices;
    int64_t next, rows, width, each;
} soon;

static void fetch_rows(const real *first, int64_t row, int64_t rows, int64_t width) {
    for (int64_t i = 0; i < rows; i++)
        for (int64_t d = 0; d < width; d += 64 / (int64_t)sizeof(real)) __builtin_prefetch(first + i * row + d);
}

static void fetch_some(soon *s) {
    const int64_t n = smaller(s->each, s->rows - s->next);
    for (int m = 0; m < s->matrices; m++) fetch_rows(s->matrix[m].first + s->next * s->matrix[m].row, s->matrix[m].row, n, s->width);
    s->next += n;
}

/* c (rows, columns) = or += a (rows, depth) b (depth, columns). Entry (i, p) of a is a[i a_row + p a_column], so that a
 * may be a transpose; columns are whole vectors. */
typedef struct small_product {
    const real *a;
    int64_t a_row, a_column;
    const real *b;
    int64_t b_row;
    real *c;
    int64_t c_row;
    soon *meanwhile;
} small_product;

#if defined(__AVX512F__)
enum { BLOCK = 24 };
#else
enum { BLOCK = 12 };
#endif

/* A block of C that stays in registers: `rows` x `vectors`, constants in every call. */
static inline __attribute__((always_inline)) void small_block(int rows, int vectors, int64_t depth, const real *a, int64_t a_row,
                                                              int64_t a_column, const real *b, int64_t b_row, real *c,
                                                              int64_t c_row, bool add) {
    vector sum[BLOCK][3] = {0};
    if (add) {
        UNROLL for (int r = 0; r < rows; r++)
            UNROLL for (int w = 0; w < vectors; w++) sum[r][w] = *(const vector *)(c + r * c_row + w * LANES);
    }
    /* A pointer for every fourth row: for one each there are no registers left. */
    const real *fourth[BLOCK / 4];
    UNROLL for (int r = 0; r < rows; r += 4) fourth[r / 4] = a + r * a_row;
    const int64_t step[4] = {0, a_row, 2 * a_row, 3 * a_row};
    for (int64_t p = 0; p < depth; p++) {
        UNROLL for (int r = 0; r < rows; r++) {
            const real x = fourth[r / 4][step[r % 4]];
            UNROLL for (int w = 0; w < vectors; w++) {
                sum[r][w] += x * *(const vector *)(b + w * LANES);
                KEEP(sum[r][w]);
            }
        }
        UNROLL for (int r = 0; r < rows; r += 4) fourth[r / 4] += a_column;
        b += b_row;
    }
    UNROLL for (int r = 0; r < rows; r++)
        UNROLL for (int w = 0; w < vectors; w++) *(vector *)(c + r * c_row + w * LANES) = sum[r][w];
}

/* Which p take part in the sums of rows i .. i + rows - 1: all, or those where A is not zero. */
typedef struct triangle {
    int64_t lower, upper; /* entry (i, p) of A may differ from zero where i - lower <= p <= i + upper */
} triangle;
static const triangle full = {INT32_MAX, INT32_MAX};

static inline __attribute__((always_inline)) void
small_rows(int rows, int vectors, int64_t depth, const small_product *o, int64_t i, int64_t j, triangle t, bool add) {
    int64_t end = smaller(depth, i + rows + t.upper), first = i - t.lower;
    if (first < 0) first = 0;
    if (o->a_column == 1) fetch_rows(o->a + (i + rows) * o->a_row, o->a_row, rows, depth);
    fetch_some(o->meanwhile);
    small_block(rows, vectors, end - first, o->a + i * o->a_row + first * o->a_column, o->a_row, o->a_column,
                o->b + first * o->b_row + j, o->b_row, o->c + i * o->c_row + j, o->c_row, add);
}

static inline __attribute__((always_inline)) void
small_columns(int vectors, int64_t rows, int64_t depth, const small_product *o, int64_t j, triangle t, bool add) {
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

/* 2^x for x below 128: 2^n 2^r with n = round(x), |r| <= 1/2, and 2^r = 1 + r q(r) by a minimax polynomial of degree 5, relative
 * error below 2e-7. Below -126.5 (and at -inf) exactly 0; a NaN stays one. */
static inline vector exp2_(vector x) {
#ifdef FOCI_DOUBLE
    for (int l = 0; l < LANES; l++) x[l] = exp2(x[l]);
    return x;
#else
    const float shift = 0x1.8p23f + 127; /* adding it rounds; the low bits of the sum are n + 127, the exponent of 2^n */
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
 * 2 log2(e) atanh(t), t = (m - 1) / (m + 1), whose series ends below 1e-9. */
static inline vector log2_(vector x) {
#ifdef FOCI_DOUBLE
    for (int l = 0; l < LANES; l++) x[l] = log2(x[l]);
    return x;
#else
    const vector_bits half = 0x3f3504f3 + (vector_bits){0}, exponent = ((vector_bits)x - half) >> 23; /* half: the bits of 1/sqrt(2) */
    const vector m = (vector)((vector_bits)x - (exponent << 23)), t = (m - 1.0f) / (m + 1.0f), t2 = t * t;
    const vector series = t2 * (t2 * (t2 * (t2 * (1.0f / 9) + 1.0f / 7) + 1.0f / 5) + 1.0f / 3);
    vector n;
    for (int l = 0; l < LANES; l++) n[l] = (real)exponent[l];
    return n + 2 * log2_e * (t * series + t);
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
    const int64_t last = h->causal ? first + n : h->tokens;
    return (attention_tile){first, n, key, smaller(TILE_KEYS, last - key), padded(n),
                            h->causal ? first - key : INT32_MAX};
}

/* Keys that some query of the vector at column w sees. */
static int64_t seen_by(const attention_tile *t, int64_t w) {
    const int64_t seen = smaller(t->keys, t->diagonal + w + LANES);
    return seen > 0 ? seen : 0;
}

/* s (keys, TILE) = rows (keys, width) columns (width, TILE), where it will be seen. */
static void tile_product(real *s, const attention_tile *t, const real *rows, int64_t row, const real *columns, int64_t width,
                         soon *meanwhile) {
    for (int64_t w = 0, first = 0; w < t->columns; w += LANES) {
        const int64_t end = seen_by(t, w);
        small_multiply(end - first, t->columns - w, width,
                       &(small_product){rows + first * row, row, 1, columns + w, TILE, s + first * TILE + w, TILE, meanwhile},
                       full, false);
        if (end > first) first = end;
    }
}

/* With the bias, and -inf where a query does not see a key. */
static void tile_scores(real *s, const attention_tile *t, const foci_attention_head *h, const real *queries_transposed,
                        soon *meanwhile) {
    static const real lane[16] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
    tile_product(s, t, h->k + t->key * h->k_row, h->k_row, queries_transposed, h->width, meanwhile);
    for (int64_t w = 0; w < t->columns; w += LANES) {
        const int64_t end = seen_by(t, w), first_masked = t->diagonal + w + 1;
        vector *column = (vector *)(s + w);
        for (int64_t j = 0; j < end && h->bias; j++) column[j * (TILE / LANES)] += h->bias[t->key + j] * log2_e;
        for (int64_t j = first_masked > 0 ? first_masked : 0; j < end; j++)
            column[j * (TILE / LANES)] = choose(*(const vector *)lane < (real)(j - t->diagonal - w), (vector){0} - INFINITY, column[j * (TILE / LANES)]);
    }
}

/* Zeros in the rows that no query of a vector sees. */
static void clear_unseen(real *p, const attention_tile *t) {
    for (int64_t w = 0; w < t->columns; w += LANES)
        for (int64_t j = seen_by(t, w); j < t->keys; j++) *(vector *)(p + j * TILE + w) = (vector){0};
}

/* What dropout multiplies the probabilities with, factor (keys, TILE): 0 or 1 / (1 - p). A block of Philox has the words
 * of four neighbouring keys; where they begin differs from query to query. */
static void tile_dropout(real *factor, const attention_tile *t, const foci_attention_head *h) {
    const foci_dropout_mask *mask = &h->dropout;
    for (int64_t i = 0; i < t->n; i += PHILOX_LANES) {
        wide block[PHILOX_VECTORS] = {0};
        lane_words odd = {0}, two = {0}, words[8]; /* of two blocks */
        for (int l = 0; l < PHILOX_LANES; l++) {
            const uint64_t element = mask->first + (uint64_t)((t->first + i + l) * h->tokens + t->key);
            philox_set_lane(block, l, element / 4);
            odd[l] = element & 1 ? UINT32_MAX : 0;
            two[l] = element & 2 ? UINT32_MAX : 0;
        }
        philox_lanes(mask->seed, mask->stream, mask->step, block, words + 4);
        for (int64_t j = 0, end = seen_by(t, i + PHILOX_LANES - LANES); j < end; j += 4) {
            memcpy(words, words + 4, sizeof words / 2);
            for (int v = 0; v < PHILOX_VECTORS; v++) block[v] += 1;
            philox_lanes(mask->seed, mask->stream, mask->step, block, words + 4);
            for (int r = 0; r < 4 && j + r < end; r++) {
                const lane_words near = (odd & words[r + 1]) | (~odd & words[r]), far = (odd & words[r + 3]) | (~odd & words[r + 2]);
                const lane_words word = (two & far) | (~two & near);
                const lane_truths kept = word >= mask->threshold; /* -1 or 0 */
                *(lane_reals *)(factor + (j + r) * TILE + i) = 0 - mask->factor * __builtin_convertvector(kept, lane_reals);
            }
        }
    }
}

/* ------------------------------------------------------------------------------------------------------- forward */

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

static void finish_rows(const foci_attention_head *h, const real *sums, const real *largest, const real *sum, int64_t first,
                        int64_t n) {
    real inverse[TILE], log_sum[TILE];
    for (int64_t w = 0; w < padded(n); w += LANES) {
        const vector total = *(const vector *)(sum + w);
        const vector_bits none = total == 0; /* a row that sees nothing: 0 */
        *(vector *)(inverse + w) = choose(none, total, 1 / total);
        *(vector *)(log_sum + w) = choose(none, (vector){0} + INFINITY, ln_2 * (*(const vector *)(largest + w) + log2_(total)));
    }
    memcpy(h->log_sum + first, log_sum, (size_t)n * sizeof *log_sum);
    for (int64_t i = 0; i < n; i++) {
        real *restrict out = h->out + (first + i) * h->out_row;
        const real *restrict row = sums + i * padded(h->width);
        for (int64_t d = 0; d < h->width; d++) out[d] = row[d] * inverse[i];
    }
}

/* Queries first .. end - 1. */
static void attention_forward(const foci_attention_head *h, int64_t first, int64_t end, real *scratch) {
    const int64_t row = padded(h->width);
    real *queries = take(&scratch, TILE * row), *queries_transposed = take(&scratch, TILE * row);
    real *sums = take(&scratch, TILE * row);
    real *scores = take(&scratch, TILE_KEYS * TILE), *factor = take(&scratch, TILE_KEYS * TILE);
    real largest[TILE], sum[TILE], correction[TILE];
    int64_t v_row = h->v_row;
    const real *values = whole_rows(scratch, h->v, &v_row, h->causal ? end : h->tokens, h->width);

    for (; first < end; first += TILE) {
        const int64_t n = smaller(TILE, end - first), after = first + n;
        soon next = {{{h->q + after * h->q_row, h->q_row}, {h->out + after * h->out_row, h->out_row}}, 2, 0, smaller(TILE, end - after), h->width, 2};
        pack(queries, h->q + first * h->q_row, h->q_row, n, h->width, h->scale * log2_e,
             h->metric ? h->metric + first * h->metric_row : NULL, h->metric_row);
        transpose(queries_transposed, queries, padded(n), row);
        for (int64_t i = 0; i < TILE; i++) largest[i] = -INFINITY, sum[i] = 0;
        for (attention_tile t = tile_at(h, first, n, 0); t.keys > 0; t = tile_at(h, first, n, t.key + t.keys)) {
            tile_scores(scores, &t, h, queries_transposed, &next);
            for (int64_t w = 0; w < t.columns; w += LANES)
                *(vector *)(correction + w) =
                    softmax_of_columns(scores + w, seen_by(&t, w), (vector *)(largest + w), (vector *)(sum + w));
            clear_unseen(scores, &t);
            for (int64_t i = 0; i < n && t.key > 0; i++)
                for (int64_t d = 0; d < row; d++) sums[i * row + d] *= correction[i];
            if (h->dropout.threshold) {
                tile_dropout(factor, &t, h);
                for (int64_t w = 0; w < t.columns; w += LANES)
                    for (int64_t j = 0; j < seen_by(&t, w); j++)
                        *(vector *)(scores + j * TILE + w) *= *(const vector *)(factor + j * TILE + w);
            }
            small_multiply(n, row, t.keys, &(small_product){scores, 1, TILE, values + t.key * v_row, v_row, sums, row, &next},
                           (triangle){INT32_MAX, t.diagonal}, t.key > 0);
        }
        finish_rows(h, sums, largest, sum, first, n);
    }
}

/* ------------------------------------------------------------------------------------------------------ backward */

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

/* The gradients are written in the order q, k, v, so that they may be the same memory. */
static void attention_backward(const foci_attention_head *h, real *scratch) {
    const int64_t row = padded(h->width), tokens = h->tokens;
    real *dkeys = take(&scratch, tokens * row), *dvalues = take(&scratch, tokens * row);
    real *queries = take(&scratch, TILE * row), *queries_transposed = take(&scratch, TILE * row);
    real *douts = take(&scratch, TILE * row), *douts_transposed = take(&scratch, TILE * row);
    real *dqueries = take(&scratch, TILE * row);
    real *p = take(&scratch, TILE_KEYS * TILE), *dp = take(&scratch, TILE_KEYS * TILE);
    real *factor = take(&scratch, TILE_KEYS * TILE);
    real log_sum[TILE] = {0}, delta[TILE] = {0};
    int64_t k_row = h->k_row;
    const real *keys = whole_rows(scratch, h->k, &k_row, tokens, h->width);
    memset(dkeys, 0, (size_t)(tokens * row) * sizeof *dkeys);
    memset(dvalues, 0, (size_t)(tokens * row) * sizeof *dvalues);

    for (int64_t first = 0; first < tokens; first += TILE) {
        const int64_t n = smaller(TILE, tokens - first), after = first + n;
        soon next = {{{h->q + after * h->q_row, h->q_row}, {h->out + after * h->out_row, h->out_row}, {h->dout + after * h->dout_row, h->dout_row},{h->dq+first*h->dq_row,h->dq_row},{h->dk+first*h->dk_row,h->dk_row},{h->dv+first*h->dv_row,h->dv_row}}, 6, 0, n, h->width, 1};
        const real *metric = h->metric ? h->metric + first * h->metric_row : NULL;
        pack(queries, h->q + first * h->q_row, h->q_row, n, h->width, h->scale * log2_e, metric, h->metric_row);
        pack(douts, h->dout + first * h->dout_row, h->dout_row, n, h->width, 1, NULL, 0);
        transpose(queries_transposed, queries, padded(n), row);
        transpose(douts_transposed, douts, padded(n), row);
        for (int64_t i = 0; i < n; i++) {
            double inner;
            dot(h->width, douts + i * row, h->out + (first + i) * h->out_row, &inner);
            delta[i] = (real)inner;
            log_sum[i] = h->log_sum[first + i] * log2_e;
        }
        for (attention_tile t = tile_at(h, first, n, 0); t.keys > 0; t = tile_at(h, first, n, t.key + t.keys)) {
            tile_scores(p, &t, h, queries_transposed, &next);
            tile_product(dp, &t, h->v + t.key * h->v_row, h->v_row, douts_transposed, h->width, &next);
            if (h->dropout.threshold) tile_dropout(factor, &t, h);
            for (int64_t w = 0; w < t.columns; w += LANES)
                column_gradient(p + w, dp + w, seen_by(&t, w), *(const vector *)(log_sum + w), *(const vector *)(delta + w),
                                h->dropout.threshold ? factor + w : NULL);
            clear_unseen(p, &t);
            clear_unseen(dp, &t);
            const triangle by_key = {t.diagonal, INT32_MAX}, by_query = {INT32_MAX, t.diagonal};
            if (h->dv)
                small_multiply(t.keys, row, n, &(small_product){p, TILE, 1, douts, row, dvalues + t.key * row, row, &next}, by_key, true);
            if (h->dk)
                small_multiply(t.keys, row, n, &(small_product){dp, TILE, 1, queries, row, dkeys + t.key * row, row, &next}, by_key, true);
            if (h->dq)
                small_multiply(n, row, t.keys, &(small_product){dp, 1, TILE, keys + t.key * k_row, k_row, dqueries, row, &next}, by_query,
                               t.key > 0);
        }
        if (h->dq)
            unpack(h->dq + first * h->dq_row, h->dq_row, dqueries, n, h->width, h->scale, metric, h->metric_row, h->add_dq);
    }
    if (h->dk) unpack(h->dk, h->dk_row, dkeys, tokens, h->width, ln_2, NULL, 0, h->add_dk);
    if (h->dv) unpack(h->dv, h->dv_row, dvalues, tokens, h->width, 1, NULL, 0, h->add_dv);
}

/* ---------------------------------------------------------------------------------------- the map, on request */

/* map (N, N) = the probabilities, without dropout; log_sum as forward left it. */
static void attention_map(const foci_attention_head *h, real *map, real *scratch) {
    const int64_t row = padded(h->width), tokens = h->tokens;
    real *queries = take(&scratch, TILE * row), *queries_transposed = take(&scratch, TILE * row);
    real *scores = take(&scratch, TILE_KEYS * TILE);
    for (int64_t i = 0; i < tokens * tokens && h->causal; i++) map[i] = 0;
    for (int64_t first = 0; first < tokens; first += TILE) {
        const int64_t n = smaller(TILE, tokens - first);
        soon next = {0};
        pack(queries, h->q + first * h->q_row, h->q_row, n, h->width, h->scale * log2_e,
             h->metric ? h->metric + first * h->metric_row : NULL, h->metric_row);
        transpose(queries_transposed, queries, padded(n), row);
        for (attention_tile t = tile_at(h, first, n, 0); t.keys > 0; t = tile_at(h, first, n, t.key + t.keys)) {
            tile_scores(scores, &t, h, queries_transposed, &next);
            for (int64_t i = 0; i < n; i++)
                for (int64_t j = 0; j < seen_by(&t, i / LANES * LANES); j++)
                    map[(first + i) * tokens + t.key + j] =
                        exp2_((vector){0} + (scores[j * TILE + i] - h->log_sum[first + i] * log2_e))[0];
        }
    }
}
