#include "ops/span.h"

#include <math.h>
#include <string.h>

/* Rows that are a large power of two apart compete for the same places of a cache. */
static int64_t row_of(int64_t span) {
    const int64_t row = foci_span_aligned(SPAN_TILE + span);
    return row % 256 == 0 ? row + FOCI_ALIGN : row;
}

foci_spanning foci_span_of(const foci_node *n) {
    const foci_tensor *q = n->input[SPAN_Q], *position = n->input[SPAN_POSITION], *filled = n->input[SPAN_FILLED];
    const int64_t span = position->shape[2];
    return (foci_spanning){.node = n,
                           .batch = q->shape[0],
                           .heads = q->shape[1],
                           .tokens = q->shape[2],
                           .span = span,
                           .width = q->shape[3],
                           .row = row_of(span),
                           .filled = filled && filled->host_data ? foci_ints(filled)[0] : span,
                           .position = {.columns = span,
                                        .depth = q->shape[3],
                                        .b = {foci_data(position), span, false},
                                        .add = true,
                                        .bf16 = foci_graph_bf16(n->graph)}};
}

int64_t foci_span_scratch(const foci_spanning *s) {
    return 2 * foci_span_aligned(SPAN_TILE * s->width) + 2 * SPAN_TILE * s->row;
}

foci_span_tile foci_span_tile_at(const foci_spanning *s, real *scratch) {
    const foci_span_attributes *a = s->node->attributes;
    const int64_t queries = foci_span_aligned(SPAN_TILE * s->width), square = SPAN_TILE * s->row;
    const bool apart = a->plain_position && s->node->input[SPAN_METRIC];
    memset(scratch + 2 * queries + square, 0, (size_t)square * sizeof *scratch);
    return (foci_span_tile){scratch, scratch + (apart ? queries : 0), scratch + 2 * queries,
                            scratch + 2 * queries + square};
}

const real *foci_span_rows(const foci_spanning *s, int input, int64_t b, int64_t h, int64_t first) {
    const foci_tensor *t = s->node->input[input];
    return foci_data(t) + foci_head_offset(t, b, h) + first * t->stride[2];
}

foci_product foci_span_across(const foci_spanning *s, int input, int64_t b, int64_t h, foci_range queries,
                              real *memory) {
    foci_product p = {.columns = queries.end - queries.first + s->span - 1,
                      .depth = s->width,
                      .b = {foci_span_rows(s, input, b, h, queries.first), s->node->input[input]->stride[2], true},
                      .ldc = s->row,
                      .bf16 = foci_graph_bf16(s->node->graph)};
    foci_gemm_pack(&p, memory);
    return p;
}

/* u = scale q * metric, and scale q where it is wanted apart */
static void take_queries(const foci_spanning *s, const foci_span_tile *t, int64_t b, int64_t h, foci_range r) {
    const foci_tensor *q = s->node->input[SPAN_Q], *metric = s->node->input[SPAN_METRIC];
    const real scale = (real)((const foci_span_attributes *)s->node->attributes)->scale;
    for (int64_t i = r.first; i < r.end; i++) {
        const real *x = foci_span_rows(s, SPAN_Q, b, h, i);
        const real *m = metric ? foci_span_rows(s, SPAN_METRIC, b, h, metric->shape[2] == 1 ? 0 : i) : NULL;
        real *restrict u = t->u + (i - r.first) * q->shape[3], *plain = t->plain + (i - r.first) * q->shape[3];
        for (int64_t d = 0; d < s->width; d++) u[d] = scale * x[d] * (m ? m[d] : 1);
        for (int64_t d = 0; d < s->width && plain != u; d++) plain[d] = scale * x[d];
    }
}

/* Row i of the band: over the keys that are there. */
static void weigh_row(const foci_spanning *s, int64_t token, const real *scores, real *p) {
    int64_t missing = s->span - s->filled - token;
    if (missing < 0) missing = 0;
    if (missing > s->span) missing = s->span;
    memset(p, 0, (size_t)missing * sizeof *p);
    if (missing < s->span) foci_kernel()->softmax(1, s->span - missing, scores + missing, p + missing);
}

void foci_span_probabilities(const foci_spanning *s, const foci_span_tile *t, int64_t b, int64_t h, foci_range r,
                             const foci_product *keys, int64_t first) {
    const int64_t n = r.end - r.first;
    foci_product content = foci_gemm_columns(keys, r.first - first, n + s->span - 1), position = s->position;
    take_queries(s, t, b, h, r);
    content.rows = position.rows = n;
    content.a = (foci_matrix){t->u, s->width, false};
    position.a = (foci_matrix){t->plain, s->width, false};
    content.c = position.c = t->scores;
    position.ldc = s->row + 1;
    foci_gemm(&content);
    foci_gemm(&position);
    for (int64_t i = 0; i < n; i++) weigh_row(s, r.first + i, t->scores + i * (s->row + 1), t->p + i * (s->row + 1));
}

/* ------------------------------------------------------------------------------------------------- recording */

static bool operands(foci_graph *g, const char *op, const foci_tensor *q, const foci_tensor *k, const foci_tensor *v,
                     const foci_span_options *o) {
    const foci_tensor *pe = o->position;
    if (!foci_head_operand(g, op, "q", q, NULL) || !foci_head_operand(g, op, "k", k, NULL) ||
        (v && !foci_head_operand(g, op, "v", v, k)) || !foci_operand(g, op, "position", pe, FOCI_REAL))
        return false;
    if (pe->ndim != 3 || pe->shape[0] != 1 || pe->shape[1] != q->shape[3])
        foci_graph_fail(g, "%s: position %s must be (1, %lld, span)", op, foci_shape_text(g, pe),
                        (long long)q->shape[3]);
    else if (k->shape[0] != q->shape[0] || k->shape[1] != q->shape[1] || k->shape[3] != q->shape[3] ||
             k->shape[2] != q->shape[2] + pe->shape[2])
        foci_graph_fail(g, "%s: k %s must have %lld rows more than q %s", op, foci_shape_text(g, k),
                        (long long)pe->shape[2], foci_shape_text(g, q));
    if (o->metric) {
        foci_tensor like = *q;
        if (o->metric->ndim == 4 && o->metric->shape[2] == 1) like.shape[2] = 1;
        foci_head_operand(g, op, "metric", o->metric, &like);
    }
    if (foci_graph_ok(g) && o->filled) foci_operand(g, op, "filled", o->filled, FOCI_INT);
    return foci_graph_ok(g);
}

foci_node *foci_span_record(foci_graph *g, const foci_op *op, foci_tensor *q, foci_tensor *k, foci_tensor *v,
                            const foci_span_options *o) {
    if (!operands(g, op->name, q, k, v, o)) return NULL;
    if (!isfinite(o->scale)) return foci_graph_fail(g, "%s: the scale is not a finite number", op->name);
    if (!(o->dropout >= 0 && o->dropout < 1))
        return foci_graph_fail(g, "%s: dropout %g must lie in [0, 1)", op->name, o->dropout);
    const foci_span_attributes a = {o->scale, foci_graph_trains(g) ? o->dropout : 0, o->plain_position};
    foci_tensor *const input[SPAN_INPUTS] = {q, k, v, o->position, o->metric, o->filled};
    return foci_record(g, op, SPAN_INPUTS, input, &a, sizeof a);
}
