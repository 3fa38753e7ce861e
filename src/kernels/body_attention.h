/* Fused attention of one head: out = softmax(scale (q * metric) k^T + bias) v, tile by tile (body_tile.h); the N x N
 * matrix of scores is never stored (Dao et al., "FlashAttention", 2022). Forward keeps the logarithm of each row's sum,
 * from which backward recomputes the probabilities. Operands of products are reals used where they lie, or copies in
 * bfloat16 (attention_bf16.c). */

enum { COPIES = DEEP > 1 };

/* q * metric * scale of n queries from `first` on */
static void pack_queries(real *to, const foci_attention_head *h, int64_t first, int64_t n) {
    pack(to, h->q + first * h->q_row, h->q_row, n, h->width, h->scale * log2_e,
         h->metric ? h->metric + first * h->metric_row : NULL, h->metric_row);
}

/* Queries first .. end - 1. */
static void attention_forward(const foci_attention_head *h, int64_t first, int64_t end, real *scratch) {
    const int64_t row = padded(h->width), seen = h->causal ? end : h->tokens;
    real *queries = take(&scratch, TILE * row), *sums = take(&scratch, TILE * row);
    element *room = (element *)take(&scratch, TILE * row), *transposed = (element *)take(&scratch, TILE * row);
    real *scores = take(&scratch, TILE_KEYS * TILE), *factor = take(&scratch, TILE_KEYS * TILE);
    element *probabilities = (element *)take(&scratch, COPIES * TILE_KEYS * TILE);
    real largest[TILE], sum[TILE], correction[TILE];
    const operand keys = along((element *)take(&scratch, COPIES * seen * row), h->k, h->k_row, seen, h->width);
    const operand values = down((element *)scratch, h->v, h->v_row, seen, h->width);

    for (; first < end; first += TILE) {
        const int64_t n = smaller(TILE, end - first), after = first + n;
        soon next = {.rows = smaller(TILE, end - after), .width = h->width, .each = 2};
        ask_for(&next, h->q, h->q_row, after);
        ask_for(&next, h->out, h->out_row, after);
        pack_queries(queries, h, first, n);
        const operand columns = across(transposed, room, queries, padded(n), row);
        for (int64_t i = 0; i < TILE; i++) largest[i] = -INFINITY, sum[i] = 0;
        for (attention_tile t = tile_at(h, first, n, 0); t.keys > 0; t = tile_at(h, first, n, t.key + t.keys)) {
            tile_product(scores, &t, keys, columns, deep(h->width), &next);
            tile_mask(scores, &t, h);
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
            const operand p = down(probabilities, scores, TILE, t.keys, TILE);
            small_multiply(n, row, deep(t.keys),
                           &(small_product){p.data, 1, p.row, values.data + t.key / DEEP * values.row, values.row, sums, row,
                                            &next},
                           (triangle){INT32_MAX, t.diagonal}, t.key > 0);
        }
        finish_rows(h, sums, largest, sum, first, n);
    }
}

/* The gradients are written in the order q, k, v, so that they may be the same memory. */
static void attention_backward(const foci_attention_head *h, real *scratch) {
    const int64_t row = padded(h->width), tokens = h->tokens;
    real *dkeys = take(&scratch, tokens * row), *dvalues = take(&scratch, tokens * row), *dqueries = take(&scratch, TILE * row);
    real *queries = take(&scratch, TILE * row), *douts = take(&scratch, TILE * row);
    element *room = (element *)take(&scratch, TILE * row);
    element *queries_across = (element *)take(&scratch, TILE * row), *douts_across = (element *)take(&scratch, TILE * row);
    element *queries_down = (element *)take(&scratch, COPIES * TILE * row);
    element *douts_down = (element *)take(&scratch, COPIES * TILE * row);
    real *p = take(&scratch, TILE_KEYS * TILE), *dp = take(&scratch, TILE_KEYS * TILE);
    real *factor = take(&scratch, TILE_KEYS * TILE);
    element *tile_room = (element *)take(&scratch, COPIES * TILE_KEYS * TILE);
    real log_sum[TILE] = {0}, delta[TILE] = {0};
    const operand keys = along((element *)take(&scratch, COPIES * tokens * row), h->k, h->k_row, tokens, h->width);
    const operand values = along((element *)take(&scratch, COPIES * tokens * row), h->v, h->v_row, tokens, h->width);
    const operand keys_down = down((element *)scratch, h->k, h->k_row, tokens, h->width);
    memset(dkeys, 0, (size_t)(tokens * row) * sizeof *dkeys);
    memset(dvalues, 0, (size_t)(tokens * row) * sizeof *dvalues);

    for (int64_t first = 0; first < tokens; first += TILE) {
        const int64_t n = smaller(TILE, tokens - first), after = first + n;
        soon next = {.rows = n, .width = h->width, .each = 1};
        if (after < tokens) {
            ask_for(&next, h->q, h->q_row, after);
            ask_for(&next, h->out, h->out_row, after);
            ask_for(&next, h->dout, h->dout_row, after);
        }
        ask_for(&next, h->dq, h->dq_row, first);
        ask_for(&next, h->dk, h->dk_row, first);
        ask_for(&next, h->dv, h->dv_row, first);
        pack_queries(queries, h, first, n);
        pack(douts, h->dout + first * h->dout_row, h->dout_row, n, h->width, 1, NULL, 0);
        const operand q_columns = across(queries_across, room, queries, padded(n), row);
        const operand o_columns = across(douts_across, room, douts, padded(n), row);
        const operand q_rows = down(queries_down, queries, row, n, row), o_rows = down(douts_down, douts, row, n, row);
        for (int64_t i = 0; i < n; i++) {
            delta[i] = inner(h->width, douts + i * row, h->out + (first + i) * h->out_row);
            log_sum[i] = h->log_sum[first + i] * log2_e;
        }
        for (attention_tile t = tile_at(h, first, n, 0); t.keys > 0; t = tile_at(h, first, n, t.key + t.keys)) {
            tile_product(p, &t, keys, q_columns, deep(h->width), &next);
            tile_mask(p, &t, h);
            tile_product(dp, &t, values, o_columns, deep(h->width), &next);
            if (h->dropout.threshold) tile_dropout(factor, &t, h);
            for (int64_t w = 0; w < t.columns; w += LANES)
                column_gradient(p + w, dp + w, seen_by(&t, w), *(const vector *)(log_sum + w), *(const vector *)(delta + w),
                                h->dropout.threshold ? factor + w : NULL);
            clear_unseen(p, &t);
            clear_unseen(dp, &t);
            const triangle by_key = {t.diagonal, INT32_MAX}, by_query = {INT32_MAX, t.diagonal};
            if (h->dv) {
                const operand a = along(tile_room, p, TILE, t.keys, TILE);
                small_multiply(t.keys, row, deep(n),
                               &(small_product){a.data, a.row, 1, o_rows.data, o_rows.row, dvalues + t.key * row, row, &next},
                               by_key, true);
            }
            if (h->dk) {
                const operand a = along(tile_room, dp, TILE, t.keys, TILE);
                small_multiply(t.keys, row, deep(n),
                               &(small_product){a.data, a.row, 1, q_rows.data, q_rows.row, dkeys + t.key * row, row, &next},
                               by_key, true);
            }
            if (h->dq) {
                const operand a = down(tile_room, dp, TILE, t.keys, TILE);
                small_multiply(n, row, deep(t.keys),
                               &(small_product){a.data, 1, a.row, keys_down.data + t.key / DEEP * keys_down.row,
                                                keys_down.row, dqueries, row, &next},
                               by_query, t.key > 0);
            }
        }
        if (h->dq)
            unpack(h->dq + first * h->dq_row, h->dq_row, dqueries, n, h->width, h->scale,
                   h->metric ? h->metric + first * h->metric_row : NULL, h->metric_row, h->add_dq);
    }
    if (h->dk) unpack(h->dk, h->dk_row, dkeys, tokens, h->width, ln_2, NULL, 0, h->add_dk);
    if (h->dv) unpack(h->dv, h->dv_row, dvalues, tokens, h->width, 1, NULL, 0, h->add_dv);
}
