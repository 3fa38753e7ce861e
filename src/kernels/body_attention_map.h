/* The probabilities that fused attention never stores, on request. */

/* map (N, M) without dropout; log_sum as forward left it. */
static void attention_map(const foci_attention_head *h, real *map, real *scratch) {
    const int64_t row = padded(h->width), keys = h->keys;
    const foci_attention_layout l = foci_attention_layout_of(keys, h->width, h->value_width, false, false);
    real *queries = scratch + l.queries, *transposed = scratch + l.queries_across, *scores = scratch + l.scores;
    for (int64_t i = 0; i < h->queries * keys && h->causal; i++) map[i] = 0;
    for (int64_t first = 0; first < h->queries; first += TILE) {
        const int64_t n = smaller(TILE, h->queries - first);
        soon nothing = {0};
        pack_queries(queries, h, first, n);
        const operand columns = across(transposed, NULL, queries, padded(n), row);
        for (attention_tile t = tile_at(h, first, n, 0); t.keys > 0; t = tile_at(h, first, n, t.key + t.keys)) {
            tile_product(scores, &t, (operand){h->k.first, h->k_row, 1}, columns, h->width, &nothing);
            if (h->score_factor) tile_factor(scores, NULL, &t, h);
            tile_mask(scores, &t, h);
            for (int64_t i = 0; i < n; i++)
                for (int64_t j = 0; j < seen_by(&t, i / LANES * LANES); j++)
                    map[(first + i) * keys + t.key + j] =
                        exp2_((vector){0} + (scores[j * TILE + i] - h->log_sum[first + i] * log2_e))[0];
        }
    }
}
