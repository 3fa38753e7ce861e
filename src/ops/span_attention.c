/* span_attention: every token sees the L tokens before it, softmax(scale (u . k + u . position)) v, u = q * metric; by
 * tiles of queries (span.h), so that memory and work grow with T L, not with T (T + L). */
#include <math.h>
#include <string.h>

#include "core/graph.h"
#include "ops/span.h"

enum { CHUNKS = 64 }; /* of heads: each has the position term's gradient by itself */

static foci_range chunk_of(const foci_spanning *s, int64_t i) {
    const int64_t heads = s->batch * s->heads;
    return foci_tile(heads, foci_tiles(heads, CHUNKS), i);
}
static int64_t chunks_of(const foci_spanning *s) {
    const int64_t heads = s->batch * s->heads;
    return foci_tiles(heads, foci_tiles(heads, CHUNKS));
}

/* ---------------------------------------------------------------------------------------------- scratch memory */

/* Beside the tile (span.h): keys and values across, packed; dropped probabilities and gradients of scores (TILE, row);
 * gradients of u and of q in the position term (TILE, D). */
typedef struct room {
    real *keys, *values, *dropped, *dscores, *du, *dplain;
} room;

static int64_t packed_size(const foci_spanning *s) { return foci_gemm_packed_size(s->width, s->tokens + s->span); }

static int64_t lay_out(const foci_spanning *s, bool backward, real *at, room *r) {
    const int64_t square = SPAN_TILE * s->row, queries = foci_span_aligned(SPAN_TILE * s->width);
    const int64_t size[] = {packed_size(s),        backward ? packed_size(s) : 0, square,
                            backward ? square : 0, backward ? queries : 0,        backward ? queries : 0};
    real **part[] = {&r->keys, &r->values, &r->dropped, &r->dscores, &r->du, &r->dplain};
    int64_t used = foci_span_scratch(s);
    for (size_t i = 0; i < sizeof size / sizeof *size; i++) {
        *part[i] = at ? at + used : NULL;
        used += foci_span_aligned(size[i]);
    }
    return used;
}

static int64_t scratch_of(const foci_spanning *s, bool backward) {
    room r;
    return lay_out(s, backward, NULL, &r);
}

/* Zeros beside the band. */
static void clear(const foci_spanning *s, real *square) {
    memset(square, 0, (size_t)(SPAN_TILE * s->row) * sizeof(real));
}

/* ----------------------------------------------------------------------------------------------------- a tile */

/* Element (b, h, t, l) of the map is number ((b H + h) T + t) L + l of the step's whole batch. */
static void drop(const foci_spanning *s, int64_t head, int64_t token, const real *x, real *y) {
    const double p = ((const foci_span_attributes *)s->node->attributes)->dropout;
    const uint64_t before = foci_node_random(s->node).first_sample * (uint64_t)s->heads + (uint64_t)head;
    const foci_dropout_mask mask =
        foci_node_dropout(s->node, p, (before * (uint64_t)s->tokens + (uint64_t)token) * (uint64_t)s->span);
    foci_kernel()->dropout(s->span, &mask, x, y, false);
}

/* The probabilities that meet the values: of queries r, dropped out where there is dropout. */
static const real *dropped(const foci_spanning *s, const foci_span_tile *t, const room *m, int64_t head, foci_range r) {
    if (!(((const foci_span_attributes *)s->node->attributes)->dropout > 0)) return t->p;
    for (int64_t i = 0; i < r.end - r.first; i++)
        drop(s, head, r.first + i, t->p + i * (s->row + 1), m->dropped + i * (s->row + 1));
    return m->dropped;
}

static bool bf16(const foci_spanning *s) { return foci_graph_bf16(s->node->graph); }

/* The columns of head h in an output or its gradient, (B, T, H*D). */
static int64_t out_at(const foci_spanning *s, int64_t b, int64_t h, int64_t token) {
    return ((b * s->tokens + token) * s->heads + h) * s->width;
}

/* ------------------------------------------------------------------------------------------------------ forward */

static void attend(const foci_spanning *s, int64_t head, foci_range queries, real *scratch) {
    const int64_t b = head / s->heads, h = head % s->heads, value_row = s->node->input[SPAN_V]->stride[2];
    room m;
    lay_out(s, false, scratch, &m);
    const foci_span_tile t = foci_span_tile_at(s, scratch);
    clear(s, m.dropped);
    const foci_product keys = foci_span_across(s, SPAN_K, b, h, queries, m.keys);
    for (foci_range r = {queries.first, 0}; r.first < queries.end; r.first = r.end) {
        r.end = r.first + SPAN_TILE < queries.end ? r.first + SPAN_TILE : queries.end;
        foci_span_probabilities(s, &t, b, h, r, &keys, queries.first);
        foci_gemm(&(foci_product){.rows = r.end - r.first,
                                  .columns = s->width,
                                  .depth = r.end - r.first + s->span - 1,
                                  .a = {dropped(s, &t, &m, head, r), s->row, false},
                                  .b = {foci_span_rows(s, SPAN_V, b, h, r.first), value_row, false},
                                  .c = foci_data(s->node->output) + out_at(s, b, h, r.first),
                                  .ldc = s->heads * s->width,
                                  .bf16 = bf16(s)});
    }
}

/* Few heads and many threads: a head's tiles of queries are dealt out in parts, whose bits do not depend on each other.
 */
static void forward(const foci_node *n) {
    foci_spanning s = foci_span_of(n);
    const int64_t heads = s.batch * s.heads, tiles = foci_tiles(s.tokens, SPAN_TILE);
    const int64_t part = foci_tiles(tiles, foci_tiles(2 * foci_threads(), heads)) * SPAN_TILE,
                  parts = foci_tiles(s.tokens, part);
    real *packed = n->workspace, *scratch = packed + foci_gemm_packed_size(s.width, s.span);
    foci_gemm_pack(&s.position, packed);
    FOCI_PARALLEL_FOR
    for (int64_t task = 0; task < heads * parts; task++)
        attend(&s, task / parts, foci_tile(s.tokens, part, task % parts),
               scratch + foci_thread() * scratch_of(&s, false));
}

/* ----------------------------------------------------------------------------------------------------- backward */

typedef struct work {
    const foci_spanning *s;
    foci_span_tile t;
    room m;
    foci_product keys, values, back; /* back: (n, L) . position^T */
    real *dposition;                 /* of the chunk, or NULL */
} work;

/* The gradient of an input's rows from `first` on, or NULL. */
static real *gradient_of(const foci_spanning *s, int input, int64_t b, int64_t h, int64_t first) {
    const foci_tensor *t = s->node->input[input];
    return foci_wants(s->node, input) ? foci_grad(t) + foci_head_offset(t, b, h) + first * t->stride[2] : NULL;
}

/* dp = dout vt, and the gradients of the scores: kept dp - p sum(kept dp), kept what dropout left of p. */
static void score_gradients(const work *w, int64_t head, foci_range r, const real *kept) {
    const foci_spanning *s = w->s;
    foci_product p = foci_gemm_columns(&w->values, r.first, r.end - r.first + s->span - 1);
    p.rows = r.end - r.first;
    p.a = (foci_matrix){foci_grad(s->node->output) + out_at(s, head / s->heads, head % s->heads, r.first),
                        s->heads * s->width, false};
    p.c = w->t.scores;
    foci_gemm(&p);
    for (int64_t i = 0; i < p.rows; i++) {
        const int64_t at = i * (s->row + 1);
        foci_kernel()->softmax_dropout_backward(s->span, w->t.p + at, kept + at, w->t.scores + at, w->m.dscores + at);
    }
}

/* to (n + L - 1, D) += scores^T (n, D) */
static void add_to_keys(const foci_spanning *s, const real *scores, int64_t n, const real *rows, int64_t ld, real *to,
                        int64_t to_row) {
    foci_gemm(&(foci_product){.rows = n + s->span - 1,
                              .columns = s->width,
                              .depth = n,
                              .a = {scores, s->row, true},
                              .b = {rows, ld, false},
                              .c = to,
                              .ldc = to_row,
                              .add = true,
                              .bf16 = bf16(s)});
}

/* dq = scale (dscores k * metric + dscores position^T (* metric)) */
static void query_gradients(const work *w, int64_t b, int64_t h, foci_range r) {
    const foci_spanning *s = w->s;
    const foci_tensor *q = s->node->input[SPAN_Q], *metric = s->node->input[SPAN_METRIC];
    const int64_t n = r.end - r.first;
    const bool apart = w->t.plain != w->t.u;
    const real scale = (real)((const foci_span_attributes *)s->node->attributes)->scale;
    foci_product back = w->back;
    foci_gemm(&(foci_product){.rows = n,
                              .columns = s->width,
                              .depth = n + s->span - 1,
                              .a = {w->m.dscores, s->row, false},
                              .b = {foci_span_rows(s, SPAN_K, b, h, r.first), s->node->input[SPAN_K]->stride[2], false},
                              .c = w->m.du,
                              .ldc = s->width,
                              .bf16 = bf16(s)});
    back.rows = n;
    back.a = (foci_matrix){w->m.dscores, s->row + 1, false};
    back.c = apart ? w->m.dplain : w->m.du;
    back.add = !apart;
    foci_gemm(&back);
    for (int64_t i = 0; i < n; i++) {
        const real *m = metric ? foci_span_rows(s, SPAN_METRIC, b, h, metric->shape[2] == 1 ? 0 : r.first + i) : NULL;
        const real *du = w->m.du + i * s->width, *dplain = w->m.dplain + i * s->width;
        real *dq = gradient_of(s, SPAN_Q, b, h, r.first) + i * q->stride[2];
        for (int64_t d = 0; d < s->width; d++) {
            const real x = scale * (du[d] * (m ? m[d] : 1) + (apart ? dplain[d] : 0));
            dq[d] = (s->node->accumulate[SPAN_Q] ? dq[d] : 0) + x;
        }
    }
}

static void tile_backward(const work *w, int64_t head, foci_range r) {
    const foci_spanning *s = w->s;
    const foci_node *n = s->node;
    const int64_t b = head / s->heads, h = head % s->heads, count = r.end - r.first;
    real *dk = gradient_of(s, SPAN_K, b, h, r.first), *dv = gradient_of(s, SPAN_V, b, h, r.first);
    foci_span_probabilities(s, &w->t, b, h, r, &w->keys, 0);
    const real *kept = dropped(s, &w->t, &w->m, head, r);
    score_gradients(w, head, r, kept);
    if (dv)
        add_to_keys(s, kept, count, foci_grad(n->output) + out_at(s, b, h, r.first), s->heads * s->width, dv,
                    n->input[SPAN_V]->stride[2]);
    if (dk) add_to_keys(s, w->m.dscores, count, w->t.u, s->width, dk, n->input[SPAN_K]->stride[2]);
    if (w->dposition)
        foci_gemm(&(foci_product){.rows = s->width,
                                  .columns = s->span,
                                  .depth = count,
                                  .a = {w->t.plain, s->width, true},
                                  .b = {w->m.dscores, s->row + 1, false},
                                  .c = w->dposition,
                                  .ldc = s->span,
                                  .add = true,
                                  .bf16 = bf16(s)});
    if (foci_wants(n, SPAN_Q)) query_gradients(w, b, h, r);
}

/* Sums over tiles begin from zeros. */
static void begin(const foci_spanning *s, int input, int64_t b, int64_t h) {
    const foci_tensor *t = s->node->input[input];
    real *to = gradient_of(s, input, b, h, 0);
    for (int64_t i = 0; to && !s->node->accumulate[input] && i < t->shape[2]; i++)
        memset(to + i * t->stride[2], 0, (size_t)s->width * sizeof *to);
}

static void head_backward(work *w, int64_t head) {
    const foci_spanning *s = w->s;
    const int64_t b = head / s->heads, h = head % s->heads;
    const foci_range all = {0, s->tokens};
    begin(s, SPAN_K, b, h);
    begin(s, SPAN_V, b, h);
    w->keys = foci_span_across(s, SPAN_K, b, h, all, w->m.keys);
    w->values = foci_span_across(s, SPAN_V, b, h, all, w->m.values);
    for (int64_t tile = 0; tile < foci_tiles(s->tokens, SPAN_TILE); tile++)
        tile_backward(w, head, foci_tile(s->tokens, SPAN_TILE, tile));
}

static void backward(const foci_node *n) {
    foci_spanning s = foci_span_of(n);
    const int64_t positions = s.width * s.span, packed = foci_gemm_packed_size(s.width, s.span);
    foci_product back = {
        .columns = s.width, .depth = s.span, .b = {s.position.b.data, s.span, true}, .ldc = s.width, .bf16 = bf16(&s)};
    real *at = n->workspace, *partial = at + packed + foci_gemm_packed_size(s.span, s.width);
    real *scratch = partial + foci_span_aligned(chunks_of(&s) * positions);
    foci_gemm_pack(&s.position, at);
    foci_gemm_pack(&back, at + packed);
    FOCI_PARALLEL_FOR
    for (int64_t chunk = 0; chunk < chunks_of(&s); chunk++) {
        const foci_range heads = chunk_of(&s, chunk);
        work w = {.s = &s, .back = back};
        real *here = scratch + foci_thread() * scratch_of(&s, true);
        if (foci_wants(n, SPAN_POSITION))
            w.dposition = memset(partial + chunk * positions, 0, (size_t)positions * sizeof(real));
        lay_out(&s, true, here, &w.m);
        w.t = foci_span_tile_at(&s, here);
        clear(&s, w.m.dropped);
        clear(&s, w.m.dscores);
        for (int64_t head = heads.first; head < heads.end; head++) head_backward(&w, head);
    }
    if (foci_wants(n, SPAN_POSITION))
        foci_add_partial(chunks_of(&s), positions, positions, partial, foci_grad(n->input[SPAN_POSITION]),
                         n->accumulate[SPAN_POSITION]);
}

/* Three products of T x L x D a head forward, six backward; that backward computes the probabilities again is no part
 * of the work. */
static foci_cost cost(const foci_node *n) {
    const foci_spanning s = foci_span_of(n);
    const double product = 2.0 * (double)(s.batch * s.heads * s.tokens) * (double)(s.span * s.width);
    return (foci_cost){3 * product, 6 * product};
}

/* ----------------------------------------------------------------------------------------------- gradient check */

typedef struct example {
    int64_t tokens, span, width;
    bool metric, of_tokens, plain;
    int filled; /* -1: all */
    double dropout;
} example;

static foci_tensor *metric_of(foci_graph *g, const example *e) {
    const int64_t rows = e->of_tokens ? e->tokens : 1, count = 2 * 2 * rows * e->width;
    foci_real *x = foci_graph_ok(g) ? foci_graph_alloc(g, (size_t)count * sizeof *x) : NULL;
    for (int64_t i = 0; x && i < count; i++) x[i] = (foci_real)(1 + 0.9 * sin((double)(3 * i + 1)));
    return x ? foci_constant(g, "metric", FOCI_REAL, FOCI_SHAPE(2, 2, rows, e->width), x) : NULL;
}

static foci_tensor *build(foci_graph *g, example e) {
    const int64_t rows = e.tokens + e.span;
    const int32_t filled = e.filled;
    const foci_span_options o = {.position = RANDOM(g, "position", 1, e.width, e.span),
                                 .filled =
                                     filled < 0 ? NULL : foci_constant(g, "filled", FOCI_INT, FOCI_SHAPE(1), &filled),
                                 .metric = e.metric ? metric_of(g, &e) : NULL,
                                 .plain_position = e.plain,
                                 .scale = 0.6,
                                 .dropout = e.dropout};
    return foci_span_attention(g, RANDOM(g, "q", 2, 2, e.tokens, e.width), RANDOM(g, "k", 2, 2, rows, e.width),
                               RANDOM(g, "v", 2, 2, rows, e.width), &o);
}
static foci_tensor *longer_span(foci_graph *g) { return build(g, (example){5, 7, 3, .filled = -1}); }
static foci_tensor *shorter_span(foci_graph *g) { return build(g, (example){7, 3, 2, .filled = -1}); }
static foci_tensor *with_metric(foci_graph *g) { return build(g, (example){4, 5, 3, .metric = true, .filled = -1}); }
static foci_tensor *metric_of_tokens(foci_graph *g) {
    return build(g, (example){4, 5, 3, .metric = true, .of_tokens = true, .filled = -1});
}
static foci_tensor *plain_position(foci_graph *g) {
    return build(g, (example){4, 5, 3, .metric = true, .plain = true, .filled = -1});
}
static foci_tensor *with_dropout(foci_graph *g) { return build(g, (example){4, 6, 2, .filled = -1, .dropout = 0.4}); }
static foci_tensor *partly_filled(foci_graph *g) { return build(g, (example){5, 4, 3, .filled = 2}); }
static foci_tensor *empty(foci_graph *g) { return build(g, (example){3, 4, 2, .filled = 0}); }
static foci_tensor *several_tiles(foci_graph *g) {
    return build(g, (example){70, 5, 1, .filled = 3, .dropout = 0.2, .metric = true});
}
/* Views of computed projections, whose gradients are overwritten; keys are values. */
static foci_tensor *of_results(foci_graph *g) {
    foci_tensor *q = foci_scale(g, RANDOM(g, "a", 2, 4, 6), 1.5), *x = foci_scale(g, RANDOM(g, "b", 2, 7, 6), 0.5);
    const foci_span_options o = {.position = foci_scale(g, RANDOM(g, "position", 1, 3, 3), 1), .scale = 0.5};
    foci_tensor *k = foci_heads(g, x, 1, 0, 2);
    return foci_span_attention(g, foci_heads(g, q, 1, 0, 2), k, k, &o);
}
static const foci_gradient_case gradients[] = {{"a span longer than the window", longer_span},
                                               {"a shorter one", shorter_span},
                                               {"metric of a head", with_metric},
                                               {"metric of a token", metric_of_tokens},
                                               {"metric, but not of the position term", plain_position},
                                               {"dropout 0.4", with_dropout},
                                               {"partly filled", partly_filled},
                                               {"empty", empty},
                                               {"several tiles, metric, dropout", several_tiles},
                                               {"views of results, keys are values", of_results},
                                               {0}};

const foci_op foci_op_span_attention = {
    .name = "span_attention",
    .summary = "attention of every token to the L tokens before it, with learnt relative positions, fused",
    .forward = forward,
    .backward = backward,
    .reads = FOCI_READS_INPUT(SPAN_Q) | FOCI_READS_INPUT(SPAN_K) | FOCI_READS_INPUT(SPAN_V) |
             FOCI_READS_INPUT(SPAN_POSITION) | FOCI_READS_INPUT(SPAN_METRIC) | FOCI_READS_INPUT(SPAN_FILLED),
    .cost = cost,
    .gradients = gradients};

foci_tensor *foci_span_attention(foci_graph *g, foci_tensor *q, foci_tensor *k, foci_tensor *v,
                                 const foci_span_options *o) {
    if (!foci_graph_ok(g)) return NULL;
    if (!foci_head_operand(g, foci_op_span_attention.name, "v", v, NULL)) return NULL;
    if (foci_graph_observes(g)) foci_observe(g, "prob", foci_span_attention_map(g, q, k, o));
    foci_node *n = foci_span_record(g, &foci_op_span_attention, q, k, v, o);
    if (!n) return NULL;
    const foci_spanning s = foci_span_of(n);
    const int64_t position = foci_gemm_packed_size(s.width, s.span);
    const int64_t back = foci_gemm_packed_size(s.span, s.width) + foci_span_aligned(chunks_of(&s) * s.width * s.span);
    const int64_t scratch = foci_threads() * scratch_of(&s, false),
                  scratch_back = foci_threads() * scratch_of(&s, true);
    foci_workspace(n, (size_t)(position + scratch) * sizeof(real),
                   (size_t)(position + back + scratch_back) * sizeof(real));
    return foci_emit(n, FOCI_REAL, FOCI_SHAPE(s.batch, s.tokens, s.heads * s.width));
}
