/* experts: y = sum over the chosen experts e of a token of a_e (U_e relu(W_e x + b_e) + c_e).
 *
 * The choices of all tokens, n k slots, are sorted by expert, in the order of the tokens; then every expert works on
 * its rows alone, tile by tile, so that what lies between its two products stays in cache and an expert nobody chose
 * costs nothing. One tensor as wide as the hidden layer is saved, what comes out of relu and dropout. */
#include <math.h>
#include <string.h>

#include "kernels/gemm.h"
#include "ops/routing.h"

enum { X, LOGITS, WEIGHT1, BIAS1, WEIGHT2, BIAS2, INPUTS };
enum { SCORE, CHOICE, HIDDEN }; /* saved: a (n, k); the choices, sorted (below); hidden layer (n k, F), sorted */
enum { TILE = 192, PARTS = 16 };

typedef struct attributes {
    int64_t top_k;
    foci_gating gate;
    double capacity, dropout;
} attributes;

typedef struct shape {
    foci_routing routing;
    int64_t width, hidden; /* C, F */
    int64_t slots;         /* n k: slot i k + j is choice j of token i */
    int64_t most;          /* slots that an expert takes */
    int64_t tiles, parts;  /* at most */
    int64_t ld;            /* of a tile of hidden rows in scratch memory */
} shape;

static int64_t capacity_of(const attributes *o, int64_t slots, int64_t experts) {
    const double most = ceil(o->capacity * (double)slots / (double)experts);
    return o->capacity > 0 && most < (double)slots ? (int64_t)most : slots;
}

static shape shape_of(const foci_node *n) {
    const attributes *o = n->attributes;
    const foci_tensor *w = n->input[WEIGHT1];
    shape s = {
        .routing = foci_routing_of(n->input[LOGITS], o->top_k, o->gate), .width = w->shape[2], .hidden = w->shape[1]};
    s.slots = s.routing.tokens * s.routing.chosen;
    s.most = capacity_of(o, s.slots, s.routing.experts);
    s.tiles = s.routing.experts + s.slots / TILE;
    s.parts = s.routing.experts + PARTS;
    s.ld = foci_tiles(s.hidden, FOCI_ALIGN) * FOCI_ALIGN + FOCI_ALIGN;
    return s;
}

/* ------------------------------------------------------------------------------------------------------- sorting */

/* The experts' rows: those of expert e are first[e] .. first[e + 1] - 1; row r is slot[r]; row[slot] is -1 where an
 * expert was full. */
typedef struct choice {
    int32_t *index, *slot, *row, *first;
} choice;

static int64_t choice_size(const shape *s) { return 3 * s->slots + s->routing.experts + 1; }
static choice choice_of(const foci_node *n, const shape *s) {
    int32_t *at = foci_ints(n->saved[CHOICE]);
    return (choice){at, at + s->slots, at + 2 * s->slots, at + 3 * s->slots};
}

/* Counting, so that the order is that of the tokens. */
static void sort(const shape *s, const choice *c) {
    const int64_t experts = s->routing.experts;
    memset(c->first, 0, (size_t)(experts + 1) * sizeof *c->first);
    for (int64_t i = 0; i < s->slots; i++) {
        int32_t *taken = &c->first[c->index[i] + 1];
        c->row[i] = *taken < s->most ? (*taken)++ : -1;
    }
    for (int64_t e = 0; e < experts; e++) c->first[e + 1] += c->first[e];
    for (int64_t i = 0; i < s->slots; i++) {
        if (c->row[i] < 0) continue;
        c->row[i] += c->first[c->index[i]];
        c->slot[c->row[i]] = (int32_t)i;
    }
}

/* Some rows of one expert. */
typedef struct part {
    int64_t expert;
    foci_range rows;
    int64_t number; /* of the expert's, from 0 */
} part;

static int64_t tiles_of(const shape *s, const choice *c, part *tile) {
    int64_t count = 0;
    for (int64_t e = 0; e < s->routing.experts; e++)
        for (int64_t r = c->first[e]; r < c->first[e + 1]; r += TILE)
            tile[count++] =
                (part){e, {r, r + TILE < c->first[e + 1] ? r + TILE : c->first[e + 1]}, (r - c->first[e]) / TILE};
    return count;
}

/* An expert with more than its sixteenth of all rows is cut into equal parts, for the threads: about PARTS in all. */
static int64_t parts_of(const shape *s, const choice *c, part *parts) {
    int64_t count = 0;
    for (int64_t e = 0; e < s->routing.experts; e++) {
        const int64_t rows = c->first[e + 1] - c->first[e];
        int64_t cuts = (2 * rows * PARTS + s->slots) / (2 * s->slots);
        if (cuts < 1) cuts = 1;
        const int64_t size = foci_tiles(rows, cuts);
        for (int64_t i = 0; i * size < rows; i++) {
            const foci_range r = foci_tile(rows, size, i);
            parts[count++] = (part){e, {c->first[e] + r.first, c->first[e] + r.end}, i};
        }
    }
    return count;
}

/* ------------------------------------------------------------------------------------------------------ products */

/* to (rows, C) = those rows of x, (n, C), that the slots belong to, times the factors of the slots (n k), or 1. */
static void gather(const shape *s, const choice *c, foci_range rows, const real *x, const real *factor, real *to) {
    for (int64_t r = rows.first; r < rows.end; r++, to += s->width) {
        const real *from = x + c->slot[r] / s->routing.chosen * s->width;
        if (factor) foci_kernel()->scale(s->width, factor[c->slot[r]], from, to, false);
        else memcpy(to, from, (size_t)s->width * sizeof *to);
    }
}

/* y (n, C) = or += for every token the sum over its slots of factor (1 where NULL) times the slot's row */
static void combine(const shape *s, const choice *c, const real *rows, const real *factor, real *y, bool accumulate) {
    const int64_t tokens = s->routing.tokens, size = foci_tile_rows(s->width);
    FOCI_PARALLEL_FOR
    for (int64_t tile = 0; tile < foci_tiles(tokens, size); tile++) {
        const foci_range t = foci_tile(tokens, size, tile);
        for (int64_t i = t.first; i < t.end; i++) {
            bool begun = accumulate;
            for (int64_t k = i * s->routing.chosen; k < (i + 1) * s->routing.chosen; k++) {
                if (c->row[k] < 0) continue;
                foci_kernel()->scale(s->width, factor ? factor[k] : 1, rows + c->row[k] * s->width, y + i * s->width,
                                     begun);
                begun = true;
            }
            if (!begun) memset(y + i * s->width, 0, (size_t)s->width * sizeof *y);
        }
    }
}

/* One expert's product with its weight, (out, in) at `weight`: x (rows, in) weightt, or with `back` x (rows, out)
 * weight. Packed at `memory` where several tiles will read it. */
static foci_product with_weight(const foci_node *n, int input, int64_t expert, bool back) {
    const foci_tensor *w = n->input[input];
    const int64_t out = w->shape[1], in = w->shape[2];
    return (foci_product){.columns = back ? in : out,
                          .depth = back ? out : in,
                          .b = {foci_data(w) + expert * out * in, in, !back},
                          .bf16 = foci_graph_bf16(n->graph)};
}

static int64_t packed_size(const shape *s, bool first) {
    return first ? foci_gemm_packed_size(s->width, s->hidden) : foci_gemm_packed_size(s->hidden, s->width);
}

/* Both products of an expert, packed in turns in `memory`; with `back` those of the backward pass. */
typedef struct products {
    foci_product first, second;
} products;
static products products_of(const foci_node *n, const shape *s, int64_t e, bool back, real *memory, int64_t rows) {
    products p = {with_weight(n, back ? WEIGHT2 : WEIGHT1, e, back), with_weight(n, back ? WEIGHT1 : WEIGHT2, e, back)};
    const int64_t first = packed_size(s, true), both = first + packed_size(s, false);
    if (rows <= TILE) return p;
    foci_gemm_pack(&p.first, memory + e * both);
    foci_gemm_pack(&p.second, memory + e * both + first);
    return p;
}

static void multiply(foci_product p, int64_t rows, const real *a, int64_t lda, const real *bias, real *c, int64_t ldc) {
    p.rows = rows;
    p.a = (foci_matrix){a, lda, false};
    p.bias = bias;
    p.c = c;
    p.ldc = ldc;
    foci_gemm(&p);
}

/* ------------------------------------------------------------------------------------------------------- forward */

/* What scratch memory holds, in this order. */
typedef struct room {
    products *product;   /* (E) */
    part *part;          /* tiles, or parts */
    real *packed, *rows; /* rows (n k, C): results of the slots, or gradients of x */
    real *dscore;        /* (n k); backward only, like these: */
    real *sums;          /* (PARTS, weights of an expert): gradients of all parts but an expert's first */
    real *thread;        /* of each thread: (TILE, C) twice, (TILE, ld) once */
} room;

static int64_t weights_of(const shape *s) { return s->hidden * (s->width + 1) + s->width * (s->hidden + 1); }
static int64_t thread_room(const shape *s) {
    return foci_tiles(TILE * (2 * s->width + s->ld), FOCI_ALIGN) * FOCI_ALIGN;
}

static size_t lay_out(const shape *s, bool backward, char *at, room *r) {
    const int64_t parts = s->tiles > s->parts ? s->tiles : s->parts;
    const size_t size[] = {(size_t)s->routing.experts * sizeof(products),
                           (size_t)parts * sizeof(part),
                           (size_t)(s->routing.experts * (packed_size(s, true) + packed_size(s, false))) * sizeof(real),
                           (size_t)(s->slots * s->width) * sizeof(real),
                           backward ? (size_t)s->slots * sizeof(real) : 0,
                           backward ? (size_t)(PARTS * weights_of(s)) * sizeof(real) : 0,
                           (size_t)(foci_threads() * thread_room(s)) * sizeof(real)};
    void *place[7];
    size_t used = 0;
    for (int i = 0; i < 7; i++) {
        place[i] = at ? at + used : NULL;
        used += (size[i] + 63) / 64 * 64;
    }
    *r = (room){place[0], place[1], place[2], place[3], place[4], place[5], place[6]};
    return used;
}

/* Hidden rows dropped out in place: element f of a slot is number slot F + f of the step's whole batch. */
static void drop(const foci_node *n, const shape *s, const choice *c, foci_range rows, real *x) {
    const double p = ((const attributes *)n->attributes)->dropout;
    const uint64_t before = foci_node_random(n).first_sample * (uint64_t)(s->slots / n->output->shape[0] * s->hidden);
    for (int64_t r = rows.first; r < rows.end && p > 0; r++, x += s->hidden) {
        const foci_dropout_mask mask = foci_node_dropout(n, p, before + (uint64_t)(c->slot[r] * s->hidden));
        foci_kernel()->dropout(s->hidden, &mask, x, x, false);
    }
}

static void forward_tile(const foci_node *n, const shape *s, const choice *c, const room *m, const part *t) {
    const int64_t rows = t->rows.end - t->rows.first;
    real *x = m->thread + foci_thread() * thread_room(s), *h = foci_data(n->saved[HIDDEN]) + t->rows.first * s->hidden;
    gather(s, c, t->rows, foci_data(n->input[X]), NULL, x);
    multiply(m->product[t->expert].first, rows, x, s->width, foci_data(n->input[BIAS1]) + t->expert * s->hidden, h,
             s->hidden);
    foci_kernel()->relu(rows * s->hidden, h, h);
    drop(n, s, c, t->rows, h);
    if (n->spared) return;
    multiply(m->product[t->expert].second, rows, h, s->hidden, foci_data(n->input[BIAS2]) + t->expert * s->width,
             m->rows + t->rows.first * s->width, s->width);
}

static void forward(const foci_node *n) {
    const shape s = shape_of(n);
    const choice c = choice_of(n, &s);
    room m;
    lay_out(&s, false, n->workspace, &m);
    foci_route_tokens(&s.routing, foci_data(n->input[LOGITS]), c.index, foci_data(n->saved[SCORE]));
    sort(&s, &c);
    FOCI_PARALLEL_FOR
    for (int64_t e = 0; e < s.routing.experts; e++)
        if (c.first[e + 1] > c.first[e])
            m.product[e] = products_of(n, &s, e, false, m.packed, c.first[e + 1] - c.first[e]);
    const int64_t tiles = tiles_of(&s, &c, m.part);
    FOCI_PARALLEL_FOR
    for (int64_t i = 0; i < tiles; i++) forward_tile(n, &s, &c, &m, &m.part[i]);
    if (!n->spared) combine(&s, &c, m.rows, foci_data(n->saved[SCORE]), foci_data(n->output), false);
}

/* ------------------------------------------------------------------------------------------------------ backward */

static int64_t size_of(const shape *s, int input) { /* of an expert's */
    return input == BIAS1 ? s->hidden : input == BIAS2 ? s->width : s->hidden * s->width;
}

/* Where a part leaves its gradient of an input: an expert's first part in the gradient itself, the others in sums of
 * their own. NULL: nobody wants it. */
static real *sum_of(const foci_node *n, const shape *s, const room *m, const part *p, int64_t spare, int input) {
    if (!foci_wants(n, input)) return NULL;
    if (p->number == 0) return foci_grad(n->input[input]) + p->expert * size_of(s, input);
    real *at = m->sums + spare * weights_of(s);
    for (int i = WEIGHT1; i < input; i++) at += size_of(s, i);
    return at;
}

/* The gradients of an expert that nobody chose. */
static void clear_expert(const foci_node *n, const shape *s, int64_t e) {
    for (int k = WEIGHT1; k < INPUTS; k++)
        if (foci_wants(n, k) && !n->accumulate[k])
            memset(foci_grad(n->input[k]) + e * size_of(s, k), 0, (size_t)size_of(s, k) * sizeof(real));
}

/* The slots' gradients of a = dout . (U h + c) = (dout U) . h + dout . c, from dout (rows, C) and dout U (rows, F) */
static void score_gradients(const foci_node *n, const shape *s, const choice *c, const room *m, const part *p,
                            foci_range rows, const real *dout, const real *dh) {
    const real *h = foci_data(n->saved[HIDDEN]) + rows.first * s->hidden;
    const real *bias = foci_data(n->input[BIAS2]) + p->expert * s->width;
    for (int64_t r = 0; r < rows.end - rows.first; r++) {
        double through, constant;
        foci_kernel()->dot(s->hidden, dh + r * s->ld, h + r * s->hidden, &through);
        foci_kernel()->dot(s->width, dout + r * s->width, bias, &constant);
        m->dscore[c->slot[rows.first + r]] = (real)(through + constant);
    }
}

/* A tile of rows: dh = a dout U, through dropout and relu; dx = dh W; and the weights' gradients, which are added to
 * what is there where `add`: in the order of the inputs, as two of them may be one. */
static void backward_tile(const foci_node *n, const shape *s, const choice *c, const room *m, const part *p,
                          foci_range rows, real *const sum[INPUTS], const bool add[INPUTS]) {
    const real *score = foci_data(n->saved[SCORE]), *h = foci_data(n->saved[HIDDEN]) + rows.first * s->hidden;
    const real factor = foci_node_dropout(n, ((const attributes *)n->attributes)->dropout, 0).factor;
    const int64_t count = rows.end - rows.first;
    real *x = m->thread + foci_thread() * thread_room(s), *dout = x + TILE * s->width, *dh = dout + TILE * s->width;
    gather(s, c, rows, foci_grad(n->output), NULL, dout);
    multiply(m->product[p->expert].first, count, dout, s->width, NULL, dh, s->ld);
    score_gradients(n, s, c, m, p, rows, dout, dh);
    for (int64_t r = 0; r < count; r++) {
        const real a = score[c->slot[rows.first + r]];
        foci_kernel()->scale(s->width, a, dout + r * s->width, dout + r * s->width, false);
        foci_kernel()->relu_backward(s->hidden, h + r * s->hidden, dh + r * s->ld, dh + r * s->ld, false);
        foci_kernel()->scale(s->hidden, a * factor, dh + r * s->ld, dh + r * s->ld, false);
    }
    if (sum[WEIGHT1]) gather(s, c, rows, foci_data(n->input[X]), NULL, x);
    const foci_strip da = {dh, s->ld, s->hidden}, dy = {dout, s->width, s->width};
    foci_weight_gradient(n, count, da, (foci_strip){x, s->width, s->width}, sum[WEIGHT1], add[WEIGHT1]);
    foci_bias_gradient(count, da, sum[BIAS1], add[BIAS1]);
    foci_weight_gradient(n, count, dy, (foci_strip){h, s->hidden, s->hidden}, sum[WEIGHT2], add[WEIGHT2]);
    foci_bias_gradient(count, dy, sum[BIAS2], add[BIAS2]);
    if (foci_wants(n, X))
        multiply(m->product[p->expert].second, count, dh, s->ld, NULL, m->rows + rows.first * s->width, s->width);
}

static void backward_part(const foci_node *n, const shape *s, const choice *c, const room *m, const part *p,
                          int64_t spare) {
    real *sum[INPUTS];
    bool add[INPUTS];
    for (int k = WEIGHT1; k < INPUTS; k++) {
        sum[k] = sum_of(n, s, m, p, spare, k);
        add[k] = p->number == 0 && n->accumulate[k];
    }
    for (foci_range r = {p->rows.first, 0}; r.first < p->rows.end; r.first = r.end) {
        r.end = r.first + TILE < p->rows.end ? r.first + TILE : p->rows.end;
        backward_tile(n, s, c, m, p, r, sum, add);
        for (int k = WEIGHT1; k < INPUTS; k++) add[k] = true;
    }
}

/* Parts are numbered so that those with sums of their own come one after another: the first part of an expert is
 * number 0 and takes none. */
static int64_t spare_of(const part *parts, int64_t i) {
    int64_t spare = 0;
    for (int64_t k = 0; k < i; k++) spare += parts[k].number > 0;
    return spare;
}

/* The sums of an expert's further parts are added to its gradients, in order. */
static void add_parts(const foci_node *n, const shape *s, const room *m, int64_t parts) {
    for (int64_t i = 0; i < parts; i++) {
        const part *p = &m->part[i], own = {p->expert, p->rows, 0};
        for (int k = WEIGHT1; k < INPUTS && p->number; k++) {
            real *to = sum_of(n, s, m, &own, 0, k);
            if (to)
                foci_add_partial(1, 0, foci_numel(n->input[k]) / s->routing.experts,
                                 sum_of(n, s, m, p, spare_of(m->part, i), k), to, true);
        }
    }
}

static void backward(const foci_node *n) {
    const shape s = shape_of(n);
    const choice c = choice_of(n, &s);
    room m;
    lay_out(&s, true, n->workspace, &m);
    FOCI_PARALLEL_FOR
    for (int64_t e = 0; e < s.routing.experts; e++) {
        if (c.first[e + 1] > c.first[e])
            m.product[e] = products_of(n, &s, e, true, m.packed, c.first[e + 1] - c.first[e]);
        else clear_expert(n, &s, e);
    }
    memset(m.dscore, 0, (size_t)s.slots * sizeof *m.dscore); /* where an expert was full */
    const int64_t parts = parts_of(&s, &c, m.part);
    FOCI_PARALLEL_FOR
    for (int64_t i = 0; i < parts; i++) backward_part(n, &s, &c, &m, &m.part[i], spare_of(m.part, i));
    add_parts(n, &s, &m, parts);
    if (foci_wants(n, X)) combine(&s, &c, m.rows, NULL, foci_grad(n->input[X]), n->accumulate[X]);
    if (foci_wants(n, LOGITS))
        foci_route_backward(&s.routing, foci_data(n->input[LOGITS]), c.index, foci_data(n->saved[SCORE]), m.dscore,
                            foci_grad(n->input[LOGITS]), n->accumulate[LOGITS]);
}

/* The dense products of the chosen experts. */
static foci_cost cost(const foci_node *n) {
    const shape s = shape_of(n);
    const double product = 2.0 * (double)s.slots * (double)(s.width * s.hidden);
    return (foci_cost){(n->spared ? 1 : 2) * product, 4 * product};
}

/* ------------------------------------------------------------------------------------------------ gradient check */

static foci_tensor *build(foci_graph *g, int64_t tokens, int64_t experts, int64_t k, foci_gating gate, double dropout,
                          double capacity) {
    return foci_experts(g, &(foci_experts_options){.x = RANDOM(g, "x", 2, tokens, 3),
                                                   .logits = RANDOM(g, "logits", 2, tokens, experts),
                                                   .weight1 = RANDOM(g, "weight1", experts, 5, 3),
                                                   .bias1 = RANDOM(g, "bias1", experts, 5),
                                                   .weight2 = RANDOM(g, "weight2", experts, 3, 5),
                                                   .bias2 = RANDOM(g, "bias2", experts, 3),
                                                   .top_k = k,
                                                   .gate = gate,
                                                   .dropout = dropout,
                                                   .capacity = capacity});
}
static foci_tensor *two_of_four(foci_graph *g) { return build(g, 6, 4, 2, FOCI_GATE_TOPK, 0, 0); }
static foci_tensor *one_of_four(foci_graph *g) { return build(g, 6, 4, 1, FOCI_GATE_ALL, 0, 0); }
static foci_tensor *three_of_five(foci_graph *g) { return build(g, 4, 5, 3, FOCI_GATE_ALL, 0.3, 0); }
static foci_tensor *all_of_three(foci_graph *g) { return build(g, 4, 3, 3, FOCI_GATE_TOPK, 0.2, 0); }
static foci_tensor *full_experts(foci_graph *g) { return build(g, 8, 3, 2, FOCI_GATE_TOPK, 0, 0.5); }
static foci_tensor *several_parts(foci_graph *g) { return build(g, 120, 2, 1, FOCI_GATE_ALL, 0.1, 0); }
static foci_tensor *more_than_tokens(foci_graph *g) { return build(g, 1, 9, 2, FOCI_GATE_TOPK, 0, 0); }
static foci_tensor *of_results(foci_graph *g) { /* the input twice, and weights that are results */
    foci_tensor *x = foci_scale(g, RANDOM(g, "x", 7, 3), 1.5), *w = foci_scale(g, RANDOM(g, "w", 3, 3, 3), 1);
    foci_tensor *b = foci_scale(g, RANDOM(g, "b", 3, 3), 1);
    return foci_add(g, x, foci_experts(g, &(foci_experts_options){x, x, w, b, w, b, .top_k = 2}));
}
static const foci_gradient_case gradients[] = {{"2 of 4", two_of_four},
                                               {"1 of 4, weighed against all", one_of_four},
                                               {"3 of 5, dropout 0.3", three_of_five},
                                               {"all of 3, dropout 0.2", all_of_three},
                                               {"full experts", full_experts},
                                               {"several parts of an expert", several_parts},
                                               {"more experts than tokens", more_than_tokens},
                                               {"of results, everything used twice", of_results},
                                               {0}};

const foci_op foci_op_experts = {.name = "experts",
                                 .summary = "a mixture of two-layer networks, of which every token uses a few",
                                 .forward = forward,
                                 .backward = backward,
                                 .reads = FOCI_READS_INPUT(X) | FOCI_READS_INPUT(LOGITS) | FOCI_READS_INPUT(WEIGHT1) |
                                          FOCI_READS_INPUT(WEIGHT2) | FOCI_READS_INPUT(BIAS2),
                                 .cost = cost,
                                 .gradients = gradients};

static bool operands(foci_graph *g, const foci_experts_options *o) {
    foci_tensor *const input[] = {o->x, o->logits, o->weight1, o->bias1, o->weight2, o->bias2};
    static const char *const name[] = {"input", "logits", "first weight", "first bias", "second weight", "second bias"};
    for (int i = 0; i < INPUTS; i++)
        if (!foci_operand(g, "experts", name[i], input[i], FOCI_REAL)) return false;
    if (!foci_routing_operand(g, "experts", o->logits, o->top_k)) return false;
    const int64_t experts = foci_last_dim(o->logits), c = foci_last_dim(o->x), *w = o->weight1->shape;
    const int64_t fits[] = {experts, w[1], c, experts, c, w[1]};
    if (foci_rows(o->x) != foci_rows(o->logits))
        foci_graph_fail(g, "experts: input %s and logits %s differ in their rows", foci_shape_text(g, o->x),
                        foci_shape_text(g, o->logits));
    else if (o->weight1->ndim != 3 || o->weight2->ndim != 3 || memcmp(w, fits, 3 * sizeof *w) != 0 ||
             memcmp(o->weight2->shape, fits + 3, 3 * sizeof *w) != 0)
        foci_graph_fail(g, "experts: input %s of %lld experts does not go through weights %s and %s",
                        foci_shape_text(g, o->x), (long long)experts, foci_shape_text(g, o->weight1),
                        foci_shape_text(g, o->weight2));
    else if (foci_numel(o->bias1) != experts * w[1] || foci_numel(o->bias2) != experts * c)
        foci_graph_fail(g, "experts: biases %s and %s do not fit weights %s and %s", foci_shape_text(g, o->bias1),
                        foci_shape_text(g, o->bias2), foci_shape_text(g, o->weight1), foci_shape_text(g, o->weight2));
    else if (foci_rows(o->x) > INT32_MAX / o->top_k) foci_graph_fail(g, "experts: more than 2^31 choices");
    else if (!(o->dropout >= 0 && o->dropout < 1) || !(o->capacity >= 0))
        foci_graph_fail(g, "experts: dropout %g must lie in [0, 1), capacity %g not below 0", o->dropout, o->capacity);
    return foci_graph_ok(g);
}

foci_tensor *foci_experts(foci_graph *g, const foci_experts_options *o) {
    if (!operands(g, o)) return NULL;
    const attributes a = {o->top_k, o->gate, o->capacity, foci_graph_trains(g) ? o->dropout : 0};
    foci_tensor *const input[INPUTS] = {o->x, o->logits, o->weight1, o->bias1, o->weight2, o->bias2};
    foci_node *n = foci_record(g, &foci_op_experts, INPUTS, input, &a, sizeof a);
    if (!n) return NULL;
    const shape s = shape_of(n);
    room m;
    foci_save(n, FOCI_REAL, s.slots);
    foci_save(n, FOCI_INT, choice_size(&s));
    foci_save(n, FOCI_REAL, s.slots * s.hidden);
    foci_workspace(n, lay_out(&s, false, NULL, &m), lay_out(&s, true, NULL, &m));
    return foci_emit(n, FOCI_REAL, o->x->ndim, o->x->shape);
}
