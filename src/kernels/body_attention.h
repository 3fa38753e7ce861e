/* Fused attention of one head: out = softmax(scale (q * metric) k^T + bias) v, tile by tile; the N x N matrix
 * of scores is never stored (Dao et al., "FlashAttention", 2022). Forward keeps the logarithm of each row's
 * sum, from which backward recomputes the probabilities.
 *
 * Everything heavy is one kind of product, C = A B with B and C in rows of whole vectors: `product` below. */

enum { TILE_QUERIES = FOCI_ATTENTION_QUERIES, TILE_KEYS = FOCI_ATTENTION_KEYS };
enum { FACTOR_ROOM = TILE_KEYS + LANES + PHILOX_WORDS };
enum { SCORE_ROW = TILE_KEYS + LANES }; /* not a power of two: rows fall into different cache sets */

static int64_t smaller(int64_t a, int64_t b) {
    return a < b ? a : b;
}
static int64_t whole_vectors(int64_t n) {
    return (n + LANES - 1) / LANES * LANES;
}
static int64_t whole_panels(int64_t n) {
    return (n + PANEL - 1) / PANEL * PANEL;
}

/* ------------------------------------------------------------------------------------------------ packing */

/* The next n elements of scratch memory, on a 64-byte boundary as scratch itself is. */
static real *take(real **scratch, int64_t n) {
    real *taken = *scratch;
    *scratch += (n + FOCI_ALIGN - 1) / FOCI_ALIGN * FOCI_ALIGN;
    return taken;
}

/* to (n, whole_vectors(width)) = from (n, width), the rest zero. */
static void pack(real *restrict to, const real *restrict from, int64_t from_row, int64_t n, int64_t width) {
    const int64_t row = whole_vectors(width);
    for (int64_t i = 0; i < n; i++) {
        memcpy(to + i * row, from + i * from_row, (size_t)width * sizeof *to);
        for (int64_t d = width; d < row; d++) to[i * row + d] = 0;
    }
}

/* The transpose (width, n) in panels of PANEL columns, [panel][width][PANEL]; columns beyond n are zero. */
static void pack_transposed(real *restrict to, const real *restrict from, int64_t from_row, int64_t n,
                            int64_t width) {
    for (int64_t first = 0; first < n; first += PANEL, to += width * PANEL) {
        int64_t columns = smaller(PANEL, n - first);
        for (int64_t j = 0; j < columns; j++)
            for (int64_t d = 0; d < width; d++) to[d * PANEL + j] = from[(first + j) * from_row + d];
        for (int64_t d = 0; d < width && columns < PANEL; d++)
            memset(to + d * PANEL + columns, 0, (size_t)(PANEL - columns) * sizeof *to);
    }
}

/* q * metric * scale */
static void pack_queries(real *restrict to, const foci_attention_head *h, int64_t first, int64_t n) {
    const int64_t row = whole_vectors(h->width);
    pack(to, h->q + first * h->q_row, h->q_row, n, h->width);
    for (int64_t i = 0; i < n; i++) {
        real *restrict t = to + i * row;
        const real *restrict m = h->metric ? h->metric + (first + i) * h->metric_row : NULL;
        for (int64_t d = 0; d < h->width; d++) t[d] *= m ? h->scale * m[d] : h->scale;
    }
}

/* to (n, width) = or += from (n, whole_vectors(width)) */
static void unpack(real *restrict to, int64_t to_row, const real *restrict from, int64_t n, int64_t width,
                   bool add) {
    const int64_t row = whole_vectors(width);
    for (int64_t i = 0; i < n; i++) {
        real *restrict t = to + i * to_row;
        const real *restrict f = from + i * row;
        if (add)
            for (int64_t d = 0; d < width; d++) t[d] += f[d];
        else memcpy(t, f, (size_t)width * sizeof *t);
    }
}

/* ----------------------------------------------------------------------------- scores, masks and dropout */

/* s (n, keys) = the scores of queries first .. first + n - 1 with the keys from first_key on, -inf where
 * unseen and in the padding up to whole vectors. */
static void tile_scores(real *restrict s, const foci_attention_head *h, const real *queries,
                        const real *keys_transposed, int64_t first, int64_t n, int64_t first_key,
                        int64_t keys) {
    const int64_t row = whole_vectors(h->width), columns = whole_vectors(keys);
    product(n, columns, h->width, false,
            &(product_operands){queries, row, 1, keys_transposed + first_key * h->width, PANEL,
                                PANEL * h->width, s, SCORE_ROW});
    for (int64_t i = 0; i < n; i++) {
        real *restrict t = s + i * SCORE_ROW;
        int64_t seen = h->causal ? smaller(keys, first + i + 1 - first_key) : keys;
        if (h->bias)
            for (int64_t j = 0; j < keys; j++) t[j] += h->bias[first_key + j];
        for (int64_t j = seen > 0 ? seen : 0; j < columns; j++) t[j] = -INFINITY;
    }
}

static int64_t tile_keys(const foci_attention_head *h, int64_t end_query, int64_t first_key) {
    return smaller(TILE_KEYS, (h->causal ? end_query : h->tokens) - first_key);
}

/* What dropout multiplies the probabilities of n keys with: 0 or 1 / (1 - p). `room` has space for
 * FACTOR_ROOM. */
static const real *dropout_factors(real *restrict room, const foci_attention_head *h, int64_t query,
                                   int64_t key, int64_t n) {
    const foci_dropout_mask *mask = &h->dropout;
    const uint64_t element = mask->first + (uint64_t)(query * h->tokens + key), skip = element % 4;
    for (uint64_t w = 0; w < skip + (uint64_t)n; w += PHILOX_WORDS) {
        uint32_t words[PHILOX_WORDS];
        philox_words(mask->seed, mask->stream, mask->step, (element + w) / 4, words);
        for (int i = 0; i < PHILOX_WORDS; i++)
            room[w + (uint64_t)i] = words[i] < mask->threshold ? 0 : mask->factor;
    }
    return room + skip;
}

/* ------------------------------------------------------------------------------------------------ forward */

/* Scores to exp(score - largest), with the running largest and sum of the row. Returns what the sums so far
 * must be multiplied with. */
static real row_softmax(real *restrict s, int64_t n, real *largest, real *sum) {
    const real top = row_max(n, s, *largest);
    const real base = top == -INFINITY ? 0 : top; /* nothing seen yet: all become 0 */
    real total = 0;
#pragma omp simd reduction(+ : total)
    for (int64_t j = 0; j < n; j++) {
        s[j] = exp_(s[j] - base);
        total += s[j];
    }
    const real correction = *largest == top ? 1 : exp_(*largest - base);
    *largest = top;
    *sum = *sum * correction + total;
    return correction;
}

static void finish_rows(const foci_attention_head *h, const real *sums, const real *largest, const real *sum,
                        int64_t first, int64_t n) {
    const int64_t row = whole_vectors(h->width);
    for (int64_t i = 0; i < n; i++) {
        const real inverse = sum[i] == 0 ? 0 : 1 / sum[i]; /* a row that sees nothing: 0 */
        real *restrict out = h->out + (first + i) * h->out_row;
        for (int64_t d = 0; d < h->width; d++) out[d] = sums[i * row + d] * inverse;
        h->log_sum[first + i] = sum[i] == 0 ? INFINITY : largest[i] + (real)log(sum[i]);
    }
}

/* Queries first .. end - 1. */
static void attention_forward(const foci_attention_head *h, int64_t first, int64_t end, real *scratch) {
    const int64_t row = whole_vectors(h->width), all_keys = h->causal ? end : h->tokens;
    real *keys_transposed = take(&scratch, whole_panels(all_keys) * h->width);
    real *values = take(&scratch, all_keys * row);
    real *queries = take(&scratch, TILE_QUERIES * row);
    real *sums = take(&scratch, TILE_QUERIES * row);
    real *scores = take(&scratch, TILE_QUERIES * SCORE_ROW);
    real *factor = take(&scratch, FACTOR_ROOM);
    real largest[TILE_QUERIES], sum[TILE_QUERIES];
    pack_transposed(keys_transposed, h->k, h->k_row, all_keys, h->width);
    pack(values, h->v, h->v_row, all_keys, h->width);

    for (; first < end; first += TILE_QUERIES) {
        const int64_t n = smaller(TILE_QUERIES, end - first);
        pack_queries(queries, h, first, n);
        for (int64_t i = 0; i < n; i++) largest[i] = -INFINITY, sum[i] = 0;
        for (int64_t key = 0, keys; (keys = tile_keys(h, first + n, key)) > 0; key += keys) {
            tile_scores(scores, h, queries, keys_transposed, first, n, key, keys);
            for (int64_t i = 0; i < n; i++) {
                real *restrict p = scores + i * SCORE_ROW;
                const real correction = row_softmax(p, whole_vectors(keys), &largest[i], &sum[i]);
                for (int64_t d = 0; d < row && key > 0 && correction != 1; d++)
                    sums[i * row + d] *= correction;
                if (h->dropout.threshold) {
                    const real *f = dropout_factors(factor, h, first + i, key, keys);
                    for (int64_t j = 0; j < keys; j++) p[j] *= f[j];
                }
            }
            product(n, row, keys, key > 0,
                    &(product_operands){scores, SCORE_ROW, 1, values + key * row, row, PANEL, sums, row});
        }
        finish_rows(h, sums, largest, sum, first, n);
    }
}

/* ----------------------------------------------------------------------------------------------- backward */

/* Scores to probabilities after dropout (p), and their gradients (dp) to those of the scores:
 * ds = prob * (dp * factor - delta), delta = sum_j p_j dp_j = dout . out. */
static void row_gradient(real *restrict p, real *restrict dp, int64_t n, real log_sum, real delta,
                         const real *restrict factor) {
    if (factor) {
        for (int64_t j = 0; j < n; j++) {
            const real prob = exp_(p[j] - log_sum);
            p[j] = prob * factor[j];
            dp[j] = prob * (dp[j] * factor[j] - delta);
        }
    } else {
        for (int64_t j = 0; j < n; j++) {
            p[j] = exp_(p[j] - log_sum);
            dp[j] = p[j] * (dp[j] - delta);
        }
    }
}

static void finish_dq(const foci_attention_head *h, real *dqueries, int64_t first, int64_t n) {
    const int64_t row = whole_vectors(h->width);
    for (int64_t i = 0; i < n; i++) {
        real *restrict t = dqueries + i * row;
        const real *restrict m = h->metric ? h->metric + (first + i) * h->metric_row : NULL;
        for (int64_t d = 0; d < h->width; d++) t[d] *= m ? h->scale * m[d] : h->scale;
    }
    unpack(h->dq + first * h->dq_row, h->dq_row, dqueries, n, h->width, h->add_dq);
}

/* The gradients are written in the order q, k, v, so that they may be the same memory. */
static void attention_backward(const foci_attention_head *h, real *scratch) {
    const int64_t row = whole_vectors(h->width), tokens = h->tokens;
    real *keys_transposed = take(&scratch, whole_panels(tokens) * h->width);
    real *values_transposed = take(&scratch, whole_panels(tokens) * h->width);
    real *keys_packed = take(&scratch, tokens * row);
    real *dkeys = take(&scratch, tokens * row), *dvalues = take(&scratch, tokens * row);
    real *queries = take(&scratch, TILE_QUERIES * row), *dqueries = take(&scratch, TILE_QUERIES * row);
    real *douts = take(&scratch, TILE_QUERIES * row);
    real *p = take(&scratch, TILE_QUERIES * SCORE_ROW), *dp = take(&scratch, TILE_QUERIES * SCORE_ROW);
    real *factor = take(&scratch, FACTOR_ROOM);
    pack_transposed(keys_transposed, h->k, h->k_row, tokens, h->width);
    pack_transposed(values_transposed, h->v, h->v_row, tokens, h->width);
    pack(keys_packed, h->k, h->k_row, tokens, h->width);
    memset(dkeys, 0, (size_t)(tokens * row) * sizeof *dkeys);
    memset(dvalues, 0, (size_t)(tokens * row) * sizeof *dvalues);

    for (int64_t first = 0; first < tokens; first += TILE_QUERIES) {
        const int64_t n = smaller(TILE_QUERIES, tokens - first);
        pack_queries(queries, h, first, n);
        pack(douts, h->dout + first * h->dout_row, h->dout_row, n, h->width);
        for (int64_t key = 0, keys; (keys = tile_keys(h, first + n, key)) > 0; key += keys) {
            const int64_t columns = whole_vectors(keys);
            tile_scores(p, h, queries, keys_transposed, first, n, key, keys);
            product(n, columns, h->width, false,
                    &(product_operands){douts, row, 1, values_transposed + key * h->width, PANEL,
                                        PANEL * h->width, dp, SCORE_ROW});
            for (int64_t i = 0; i < n; i++) {
                double delta;
                dot(h->width, h->dout + (first + i) * h->dout_row, h->out + (first + i) * h->out_row, &delta);
                const real *f =
                    h->dropout.threshold ? dropout_factors(factor, h, first + i, key, columns) : NULL;
                row_gradient(p + i * SCORE_ROW, dp + i * SCORE_ROW, columns, h->log_sum[first + i],
                             (real)delta, f);
            }
            if (h->dv)
                product(keys, row, n, true,
                        &(product_operands){p, 1, SCORE_ROW, douts, row, PANEL, dvalues + key * row, row});
            if (h->dk)
                product(keys, row, n, true,
                        &(product_operands){dp, 1, SCORE_ROW, queries, row, PANEL, dkeys + key * row, row});
            if (h->dq)
                product(n, row, keys, key > 0,
                        &(product_operands){dp, SCORE_ROW, 1, keys_packed + key * row, row, PANEL, dqueries,
                                            row});
        }
        if (h->dq) finish_dq(h, dqueries, first, n);
    }
    if (h->dk) unpack(h->dk, h->dk_row, dkeys, tokens, h->width, h->add_dk);
    if (h->dv) unpack(h->dv, h->dv_row, dvalues, tokens, h->width, h->add_dv);
}

/* -------------------------------------------------------------------------------------- the map, on request
 */

/* map (N, N) = the probabilities, without dropout; log_sum as forward left it. */
static void attention_map(const foci_attention_head *h, real *map, real *scratch) {
    const int64_t row = whole_vectors(h->width), tokens = h->tokens;
    real *keys_transposed = take(&scratch, whole_panels(tokens) * h->width);
    real *queries = take(&scratch, TILE_QUERIES * row);
    real *scores = take(&scratch, TILE_QUERIES * SCORE_ROW);
    pack_transposed(keys_transposed, h->k, h->k_row, tokens, h->width);
    for (int64_t first = 0; first < tokens; first += TILE_QUERIES) {
        const int64_t n = smaller(TILE_QUERIES, tokens - first);
        pack_queries(queries, h, first, n);
        for (int64_t key = 0; key < tokens; key += TILE_KEYS) {
            const int64_t keys = smaller(TILE_KEYS, tokens - key);
            tile_scores(scores, h, queries, keys_transposed, first, n, key, keys);
            for (int64_t i = 0; i < n; i++) {
                const real *restrict s = scores + i * SCORE_ROW;
                real *restrict m = map + (first + i) * tokens + key;
                for (int64_t j = 0; j < keys; j++) m[j] = exp_(s[j] - h->log_sum[first + i]);
            }
        }
    }
}
