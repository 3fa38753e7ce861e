/* Attention of a few queries to keys that lie in pieces: what attention to some of the keys is made of. With the tiles
 * of body_tile.h, as fused as attention to all keys (body_attention.h). */

typedef struct pieces {
    const foci_attention_pieces *o;
    int64_t columns; /* queries, up to whole vectors */
    real *queries, *across, *rows, *douts, *douts_across, *dqueries, *p, *dp, *copy;
} pieces;

static pieces pieces_of(const foci_attention_pieces *o, real *scratch) {
    const foci_pieces_layout l = foci_pieces_layout_of(o->width);
    return (pieces){.o = o,
                    .columns = padded(o->queries),
                    .queries = scratch + l.queries,
                    .across = scratch + l.across,
                    .rows = scratch + l.rows,
                    .douts = scratch + l.douts,
                    .douts_across = scratch + l.douts_across,
                    .dqueries = scratch + l.rows,
                    .p = scratch + l.scores,
                    .dp = scratch + l.dscores,
                    .copy = scratch + l.copy};
}

/* A tile of keys, and those behind it in the piece; no keys: it was the last. */
static foci_key_piece keys_from(foci_key_piece k, int64_t first) {
    k.k += first * k.k_row, k.v += first * k.v_row, k.place += first, k.keys -= first;
    if (k.dk) k.dk += first * k.sum_row;
    if (k.dv) k.dv += first * k.sum_row;
    return k;
}

/* s (keys, TILE) = rows (keys, D) columns (D, TILE) */
static void piece_product(real *s, const pieces *t, int64_t keys, const real *rows, int64_t row, real *columns) {
    soon nothing = {0};
    small_multiply(keys, t->columns, t->o->width,
                   &(small_product){(operand){rows, row, 1}, (operand){columns, 1, TILE}, s, TILE, &nothing}, full,
                   false);
}

/* -inf where a query does not see a key. */
static void hide(real *s, const pieces *t, const foci_key_piece *k, int64_t keys) {
    const foci_sight *sight = k->sight;
    for (int64_t w = 0; w < t->columns; w += LANES) {
        const vector low = *(const vector *)(sight->low + w), high = *(const vector *)(sight->high + w),
                     self = *(const vector *)(sight->self + w);
        for (int64_t j = 0; j < keys; j++) {
            const vector place = (vector){0} + k->place[j];
            vector *score = (vector *)(s + j * TILE + w);
            *score = choose((place >= low) & (place <= high) & (place != self), *score, (vector){0} - INFINITY);
        }
    }
}

/* Scores in powers of two, of the queries that `across` holds. */
static void piece_scores(const pieces *t, const foci_key_piece *k, int64_t keys) {
    piece_product(t->p, t, keys, k->k, k->k_row, t->across);
    hide(t->p, t, k, keys);
}

static void take_across(pieces *t, real *to, real *room, const real *from, int64_t from_row, real factor) {
    const int64_t row = padded(t->o->width);
    pack(room, foci_reals(from), from_row, t->o->queries, t->o->width, factor, NULL, 0);
    transpose(to, room, t->columns, row);
}

/* ------------------------------------------------------------------------------------------------------- forward */

typedef struct pieces_so_far {
    real largest[TILE], sum[TILE];
    bool none; /* no keys yet */
} pieces_so_far;

/* Scores to probabilities with respect to the largest so far, and the values that they weigh, on top of `rows`. */
static void add_piece(pieces *t, const foci_key_piece *k, int64_t keys, pieces_so_far *f) {
    const int64_t row = padded(t->o->width);
    real correction[TILE];
    soon nothing = {0};
    for (int64_t w = 0; w < t->columns; w += LANES)
        *(vector *)(correction + w) =
            softmax_of_columns(t->p + w, keys, (vector *)(f->largest + w), (vector *)(f->sum + w));
    for (int64_t i = 0; i < t->o->queries && !f->none; i++)
        for (int64_t d = 0; d < row; d++) t->rows[i * row + d] *= correction[i];
    const operand values = down(t->copy, foci_reals(k->v), k->v_row, keys, t->o->width);
    small_multiply(t->o->queries, row, keys, &(small_product){(operand){t->p, 1, TILE}, values, t->rows, row, &nothing},
                   full, !f->none);
    f->none = false;
}

/* A query that sees no key: zeros, its log_sum is inf. */
static void finish_pieces(const pieces *t, const pieces_so_far *f) {
    const foci_attention_pieces *o = t->o;
    real log_sum[TILE];
    for (int64_t w = 0; w < t->columns; w += LANES) {
        const vector total = *(const vector *)(f->sum + w), top = *(const vector *)(f->largest + w);
        *(vector *)(log_sum + w) = choose(total == 0, (vector){0} + INFINITY, ln_2 * (top + log2_(total)));
    }
    memcpy(o->log_sum, log_sum, (size_t)o->queries * sizeof *log_sum);
    for (int64_t i = 0; i < o->queries; i++) {
        const real inverse = f->sum[i] == 0 ? 0 : 1 / f->sum[i];
        for (int64_t d = 0; d < o->width; d++)
            o->out[i * o->out_row + d] = f->none ? 0 : t->rows[i * padded(o->width) + d] * inverse;
    }
}

static void pieces_forward(const foci_attention_pieces *o, real *scratch) {
    pieces t = pieces_of(o, scratch);
    pieces_so_far f = {.none = true};
    for (int64_t i = 0; i < TILE; i++) f.largest[i] = -INFINITY;
    take_across(&t, t.across, t.queries, o->q, o->q_row, o->scale * log2_e);
    for (int i = 0; i < o->pieces; i++)
        for (foci_key_piece k = o->piece[i]; k.keys > 0; k = keys_from(k, smaller(TILE_KEYS, k.keys))) {
            const int64_t keys = smaller(TILE_KEYS, k.keys);
            piece_scores(&t, &k, keys);
            add_piece(&t, &k, keys, &f);
        }
    finish_pieces(&t, &f);
}

/* ------------------------------------------------------------------------------------------------------ backward */

/* to (keys, D) += s (keys, queries) by (queries, D) */
static void add_to_piece(const pieces *t, int64_t keys, const real *s, const real *by, real *to, int64_t to_row) {
    const int64_t row = padded(t->o->width);
    soon nothing = {0};
    small_multiply(keys, row, t->o->queries,
                   &(small_product){(operand){s, TILE, 1}, (operand){by, 1, row}, to, to_row, &nothing}, full, true);
}

/* dS = P * (dO Vt - delta); dq = scale dS k, dk = scale dSt q, dv = Pt dO */
static void piece_backward(pieces *t, const foci_key_piece *k, int64_t keys, const real *log_sum, const real *delta,
                           bool first) {
    const int64_t row = padded(t->o->width);
    soon nothing = {0};
    piece_scores(t, k, keys);
    piece_product(t->dp, t, keys, k->v, k->v_row, t->douts_across);
    for (int64_t w = 0; w < t->columns; w += LANES)
        column_gradient(t->p + w, t->dp + w, keys, *(const vector *)(log_sum + w), *(const vector *)(delta + w), NULL);
    if (k->dv) add_to_piece(t, keys, t->p, t->douts, k->dv, k->sum_row);
    if (k->dk) add_to_piece(t, keys, t->dp, t->queries, k->dk, k->sum_row);
    if (!t->o->dq) return;
    const operand by = down(t->copy, foci_reals(k->k), k->k_row, keys, t->o->width);
    small_multiply(t->o->queries, row, keys,
                   &(small_product){(operand){t->dp, 1, TILE}, by, t->dqueries, row, &nothing}, full, !first);
}

static void pieces_backward(const foci_attention_pieces *o, real *scratch) {
    pieces t = pieces_of(o, scratch);
    real log_sum[TILE], delta[TILE] = {0};
    bool first = true;
    for (int64_t i = 0; i < TILE; i++) log_sum[i] = i < o->queries ? o->log_sum[i] * log2_e : INFINITY;
    memcpy(delta, o->delta, (size_t)o->queries * sizeof *delta);
    take_across(&t, t.across, t.queries, o->q, o->q_row, o->scale * log2_e);
    take_across(&t, t.douts_across, t.douts, o->dout, o->dout_row, 1);
    pack(t.queries, foci_reals(o->q), o->q_row, o->queries, o->width, o->scale, NULL, 0);
    for (int i = 0; i < o->pieces; i++)
        for (foci_key_piece k = o->piece[i]; k.keys > 0; k = keys_from(k, smaller(TILE_KEYS, k.keys)), first = false)
            piece_backward(&t, &k, smaller(TILE_KEYS, k.keys), log_sum, delta, first);
    if (!o->dq) return;
    if (first) memset(t.dqueries, 0, (size_t)(o->queries * padded(o->width)) * sizeof *t.dqueries);
    unpack(foci_reals(o->dq), o->dq_row, t.dqueries, o->queries, o->width, o->scale, NULL, 0, o->add_dq);
}
