/* Fused attention of one head: out = softmax(scale (q * metric) k^T + bias) v, tile by tile (body_tile.h); the N x N
 * matrix of scores is never stored (Dao et al., "FlashAttention", 2022). Forward keeps the logarithm of each row's sum,
 * from which backward recomputes the probabilities. Operands of products are reals used where they lie, or copies in
 * bfloat16 (vector_bf16.c). */

/* q * metric * scale of n queries from `first` on */
static void pack_queries(real *to, const foci_attention_head *h, int64_t first, int64_t n) {
    pack(to, foci_numbers_at(h->q, first * h->q_row), h->q_row, n, h->width, h->scale * log2_e,
         h->metric ? h->metric + first * h->metric_row : NULL, h->metric_row);
}

static int64_t widest(const foci_attention_head *h) { return h->width > h->value_width ? h->width : h->value_width; }

enum { MANY = 256 }; /* queries: keys and values that lie in long rows are worth a copy */

/* Keys, or values, for the products of some queries. */
static rows_of read_by(int64_t queries, rows_of from, real *room, int64_t keys) {
    const bool copy = from.first.bf16 || (queries >= MANY && from.row > padded(from.width));
    return copy ? together(room, from, keys) : from;
}

static element *copy_at(real *scratch, int64_t offset) { return (element *)(scratch + offset); }

/* -------------------------------------------------------------------------------------------------------- forward */

typedef struct forward {
    const foci_attention_head *h;
    real *queries, *sums, *scores;
    element *queries_across, *rows, *copy;
    operand keys, values;
    real largest[TILE], sum[TILE]; /* of each query's scores so far */
} forward;

static forward forward_of(const foci_attention_head *h, int64_t queries, int64_t keys, real *scratch) {
    const foci_attention_layout l = foci_attention_layout_of(h->keys, h->width, h->value_width, false, DEEP > 1);
    const rows_of k = read_by(queries, (rows_of){h->k, h->k_row, h->width}, scratch + l.keys, keys);
    const rows_of v = read_by(queries, (rows_of){h->v, h->v_row, h->value_width}, scratch + l.values, keys);
    forward f = {.h = h,
                 .queries = scratch + l.queries,
                 .sums = scratch + l.sums,
                 .scores = scratch + l.scores,
                 .queries_across = copy_at(scratch, l.queries_across),
                 .rows = copy_at(scratch, l.rows),
                 .copy = copy_at(scratch, l.copy)};
    f.keys = along(copy_at(scratch, l.keys), deep(padded(k.width)), k.first, k.row, keys, k.width);
    f.values = down(copy_at(scratch, l.values), v.first, v.row, keys, v.width);
    return f;
}

/* Scores to probabilities with respect to the largest score so far; what was summed before is corrected. */
static void weigh(forward *f, const attention_tile *t) {
    const int64_t row = padded(f->h->value_width);
    real correction[TILE];
    for (int64_t w = 0; w < t->columns; w += LANES)
        *(vector *)(correction + w) =
            softmax_of_columns(f->scores + w, seen_by(t, w), (vector *)(f->largest + w), (vector *)(f->sum + w));
    clear_unseen(f->scores, t);
    for (int64_t i = 0; i < t->n && t->key > 0; i++)
        for (int64_t d = 0; d < row; d++) f->sums[i * row + d] *= correction[i];
}

static void add_values(forward *f, const attention_tile *t, soon *next) {
    const int64_t row = padded(f->h->value_width);
    const operand p = down(f->copy, foci_reals(f->scores), TILE, t->keys, TILE);
    small_multiply(t->n, row, deep(t->keys), &(small_product){p, at(f->values, 0, t->key / DEEP), f->sums, row, next},
                   (triangle){INT32_MAX, t->diagonal}, t->key > 0);
}

/* Queries first .. end - 1. */
static void attention_forward(const foci_attention_head *h, int64_t first, int64_t end, real *scratch) {
    forward f = forward_of(h, end - first, h->causal ? end : h->keys, scratch);
    for (; first < end; first += TILE) {
        const int64_t n = smaller(TILE, end - first), after = first + n;
        soon next = {.rows = smaller(TILE, end - after), .width = widest(h), .each = 2};
        ask_for(&next, h->q, h->q_row, after);
        ask_for(&next, h->out, h->out_row, after);
        pack_queries(f.queries, h, first, n);
        const operand queries = across(f.queries_across, f.rows, f.queries, padded(n), padded(h->width));
        for (int64_t i = 0; i < TILE; i++) f.largest[i] = -INFINITY, f.sum[i] = 0;
        for (attention_tile t = tile_at(h, first, n, 0); t.keys > 0; t = tile_at(h, first, n, t.key + t.keys)) {
            tile_product(f.scores, &t, f.keys, queries, deep(h->width), &next);
            if (h->score_factor) tile_factor(f.scores, NULL, &t, h);
            tile_mask(f.scores, &t, h);
            weigh(&f, &t);
            if (h->dropout.threshold) tile_dropout(f.scores, true, &t, h);
            add_values(&f, &t, &next);
        }
        finish_rows(h, f.sums, f.largest, f.sum, first, n);
    }
}

/* ------------------------------------------------------------------------------------------------------- backward */

typedef struct backward {
    const foci_attention_head *h;
    real *queries, *douts, *outs, *dqueries, *p, *dp, *factor, *dkeys, *dvalues, *dkey_bias, *raw;
    element *queries_across, *douts_across, *queries_down, *douts_down, *rows, *copy;
    operand keys, values, keys_down;
    real log_sum[TILE], delta[TILE]; /* of each query: delta = dout . out - dlog_sum */
} backward;

static backward backward_of(const foci_attention_head *h, real *scratch) {
    const foci_attention_layout l = foci_attention_layout_of(h->keys, h->width, h->value_width, true, DEEP > 1);
    const int64_t row = padded(h->width), value_row = padded(h->value_width);
    const rows_of k = read_by(h->queries, (rows_of){h->k, h->k_row, h->width}, scratch + l.keys, h->keys);
    const rows_of v = read_by(h->queries, (rows_of){h->v, h->v_row, h->value_width}, scratch + l.values, h->keys);
    backward b = {.h = h,
                  .queries = scratch + l.queries,
                  .douts = scratch + l.douts,
                  .outs = scratch + l.outs,
                  .dqueries = scratch + l.sums,
                  .p = scratch + l.scores,
                  .dp = scratch + l.dscores,
                  .factor = scratch + l.factor,
                  .dkeys = scratch + l.dkeys,
                  .dvalues = scratch + l.dvalues,
                  .dkey_bias = scratch + l.dkey_bias,
                  .raw = scratch + l.raw,
                  .queries_across = copy_at(scratch, l.queries_across),
                  .douts_across = copy_at(scratch, l.douts_across),
                  .queries_down = copy_at(scratch, l.queries_down),
                  .douts_down = copy_at(scratch, l.douts_down),
                  .rows = copy_at(scratch, l.rows),
                  .copy = copy_at(scratch, l.copy)};
    b.keys = along(copy_at(scratch, l.keys), deep(row), k.first, k.row, h->keys, k.width);
    b.values = along(copy_at(scratch, l.values), deep(value_row), v.first, v.row, h->keys, v.width);
    b.keys_down = down(copy_at(scratch, l.keys_down), k.first, k.row, h->keys, k.width);
    memset(b.dkeys, 0, (size_t)(h->keys * row) * sizeof *b.dkeys);
    if (h->dkey_bias) memset(b.dkey_bias, 0, (size_t)(h->keys * LANES) * sizeof *b.dkey_bias);
    memset(b.dvalues, 0, (size_t)(h->keys * value_row) * sizeof *b.dvalues);
    return b;
}

/* Rows of the next tile of queries, and those of gradients that this tile will write. */
static soon rows_ahead(const foci_attention_head *h, int64_t first, int64_t n) {
    soon next = {.rows = n, .width = widest(h), .each = 1};
    if (first + n < h->queries) {
        ask_for(&next, h->q, h->q_row, first + n);
        ask_for(&next, h->out, h->out_row, first + n);
        ask_for(&next, h->dout, h->dout_row, first + n);
    }
    ask_for(&next, h->dq, h->dq_row, first);
    if (first < h->keys) {
        ask_for(&next, h->dk, h->dk_row, first);
        ask_for(&next, h->dv, h->dv_row, first);
    }
    return next;
}

/* What fills up a tile of queries has probabilities of 0. */
static void take_queries(backward *b, int64_t first, int64_t n) {
    const foci_attention_head *h = b->h;
    pack_queries(b->queries, h, first, n);
    pack(b->douts, foci_numbers_at(h->dout, first * h->dout_row), h->dout_row, n, h->value_width, 1, NULL, 0);
    int64_t out_row = h->out_row;
    const real *out = reals_of(foci_numbers_at(h->out, first * out_row), &out_row, n, h->value_width, b->outs);
    for (int64_t i = 0; i < n; i++) {
        b->delta[i] = inner(h->value_width, b->douts + i * padded(h->value_width), out + i * out_row);
        if (h->dlog_sum) b->delta[i] -= h->dlog_sum[(first + i) * h->dout_row];
        b->log_sum[i] = h->log_sum[first + i] * log2_e;
    }
    for (int64_t i = n; i < padded(n); i++) b->delta[i] = 0, b->log_sum[i] = INFINITY;
}

/* Scores to probabilities p, gradients of probabilities to those of scores dp. */
static void tile_gradients(backward *b, const attention_tile *t) {
    const bool drops = b->h->dropout.threshold;
    if (drops) tile_dropout(b->factor, false, t, b->h);
    for (int64_t w = 0; w < t->columns; w += LANES)
        column_gradient(b->p + w, b->dp + w, seen_by(t, w), *(const vector *)(b->log_sum + w),
                        *(const vector *)(b->delta + w), drops ? b->factor + w : NULL);
    clear_unseen(b->p, t);
    clear_unseen(b->dp, t);
}

/* to (keys, row) += s (keys, queries) by (queries, row): p and douts make dvalues, dp and queries dkeys */
static void add_to_keys(backward *b, const attention_tile *t, const real *s, operand by, real *to, int64_t row,
                        soon *next) {
    const operand a = along(b->copy, deep(TILE), foci_reals(s), TILE, t->keys, TILE);
    small_multiply(t->keys, row, deep(t->n), &(small_product){a, by, to + t->key * row, row, next},
                   (triangle){t->diagonal, INT32_MAX}, true);
}

/* dqueries (queries, D) += dp^T keys */
static void add_to_queries(backward *b, const attention_tile *t, soon *next) {
    const int64_t row = padded(b->h->width);
    const operand a = down(b->copy, foci_reals(b->dp), TILE, t->keys, TILE);
    small_multiply(t->n, row, deep(t->keys),
                   &(small_product){a, at(b->keys_down, 0, t->key / DEEP), b->dqueries, row, next},
                   (triangle){INT32_MAX, t->diagonal}, t->key > 0);
}

/* The gradients are written in the order q, k, v, so that they may be the same memory. */
static void attention_backward(const foci_attention_head *h, real *scratch) {
    backward b = backward_of(h, scratch);
    const int64_t row = padded(h->width), value_row = padded(h->value_width);
    for (int64_t first = 0; first < h->queries; first += TILE) {
        const int64_t n = smaller(TILE, h->queries - first);
        soon next = rows_ahead(h, first, n);
        take_queries(&b, first, n);
        const operand queries = across(b.queries_across, b.rows, b.queries, padded(n), row);
        const operand douts = across(b.douts_across, b.rows, b.douts, padded(n), value_row);
        const operand queries_down = down(b.queries_down, foci_reals(b.queries), row, n, row);
        const operand douts_down = down(b.douts_down, foci_reals(b.douts), value_row, n, value_row);
        for (attention_tile t = tile_at(h, first, n, 0); t.keys > 0; t = tile_at(h, first, n, t.key + t.keys)) {
            tile_product(b.p, &t, b.keys, queries, deep(h->width), &next);
            if (h->score_factor) tile_factor(b.p, b.raw, &t, h);
            tile_mask(b.p, &t, h);
            tile_product(b.dp, &t, b.values, douts, deep(h->value_width), &next);
            tile_gradients(&b, &t);
            if (h->dkey_bias) add_lanes(b.dkey_bias + t.key * LANES, b.dp, t.keys, t.columns);
            if (h->score_factor) tile_factor_gradient(b.dp, b.raw, &t, h);
            if (h->dv.first) add_to_keys(&b, &t, b.p, douts_down, b.dvalues, value_row, &next);
            if (h->dk.first) add_to_keys(&b, &t, b.dp, queries_down, b.dkeys, row, &next);
            if (h->dq.first) add_to_queries(&b, &t, &next);
        }
        if (h->dq.first)
            unpack(foci_numbers_at(h->dq, first * h->dq_row), h->dq_row, b.dqueries, n, h->width, h->scale,
                   h->metric ? h->metric + first * h->metric_row : NULL, h->metric_row, h->add_dq);
    }
    if (h->dk.first) unpack(h->dk, h->dk_row, b.dkeys, h->keys, h->width, ln_2, NULL, 0, h->add_dk);
    if (h->dv.first) unpack(h->dv, h->dv_row, b.dvalues, h->keys, h->value_width, 1, NULL, 0, h->add_dv);
    if (h->dkey_bias) sum_lanes(h->dkey_bias, b.dkey_bias, h->keys, h->add_dkey_bias);
}
