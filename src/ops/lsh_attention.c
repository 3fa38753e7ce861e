/* lsh_attention: softmax(q kt) v over the tokens that hashing brings together, with the queries, divided by their
 * length, as keys (Kitaev et al., "Reformer", 2020). In every round tokens are sorted by bucket and cut into chunks; a
 * token sees the others of its chunk and of the one before. Rounds are combined by the sums of their exponentials, so
 * that all of them are one softmax, where what is met twice counts twice. A token that sees no other sees itself.
 *
 * A chunk's queries attend to two pieces of keys, which were copied together (kernels/body_pieces.h). Forward adds what
 * a round finds to what the rounds before found, with the logarithms of their sums. */
#include <math.h>
#include <string.h>

#include "ops/attention_head.h"
#include "ops/common.h"
#include "ops/lsh.h"

enum { Q = LSH_Q, V = LSH_V };
enum { TILE = FOCI_ATTENTION_QUERIES, SIDES = 2 }; /* the chunk at hand and the one before it, in turns */

/* Where a thread keeps things, in reals. */
typedef struct layout {
    int64_t kernel, order, factor;
    int64_t keys[SIDES], values[SIDES], place[SIDES]; /* (chunk, line), (chunk, line), (chunk) */
    int64_t queries, out, log_sum;                    /* a tile: (TILE, line) twice, (TILE) */
    int64_t douts, delta, all_delta;                  /* backward: (TILE, line), (TILE), (N) */
    int64_t dkeys[SIDES], dvalues[SIDES];             /* (chunk, line) */
    int64_t dq, dk, dv;                               /* (N, line): sums */
    int64_t reals;
} layout;

static int64_t line(int64_t n) { return (n + FOCI_ALIGN - 1) / FOCI_ALIGN * FOCI_ALIGN; }
static int64_t take(layout *l, int64_t reals) {
    const int64_t at = l->reals;
    l->reals += line(reals);
    return at;
}

static layout layout_of(const foci_node *n, bool backward) {
    const foci_lsh s = foci_lsh_of(n);
    const int64_t width = n->input[Q]->shape[3], row = line(width), chunk = s.chunk * row, all = s.tokens * row;
    layout l = {0};
    l.kernel = take(&l, foci_pieces_layout_of(width).reals);
    l.order = take(&l, foci_lsh_entries(&s) + s.buckets + 2);
    l.factor = take(&l, s.tokens);
    for (int i = 0; i < SIDES; i++)
        l.keys[i] = take(&l, chunk), l.values[i] = take(&l, chunk), l.place[i] = take(&l, s.chunk);
    l.queries = take(&l, TILE * row), l.out = take(&l, TILE * row), l.log_sum = take(&l, TILE);
    if (!backward) return l;
    l.douts = take(&l, TILE * row), l.delta = take(&l, TILE), l.all_delta = take(&l, s.tokens);
    for (int i = 0; i < SIDES; i++) l.dkeys[i] = take(&l, chunk), l.dvalues[i] = take(&l, chunk);
    l.dq = take(&l, all), l.dk = take(&l, all), l.dv = take(&l, all);
    return l;
}

/* One head of one sample. */
typedef struct head {
    foci_lsh s;
    layout l;
    bool backward;
    int64_t width, row; /* row: of scratch memory */
    const real *q, *v, *mask;
    int64_t q_row, v_row, out_row;
    real *out, *log_sum, *scratch; /* log_sum (N): inf where a token sees only itself */
    const real *dout;
    int32_t *order;
} head;

static real *at(const head *o, int64_t place) { return o->scratch + place; }

static head head_of(const foci_node *n, int64_t task, bool backward) {
    const foci_tensor *q = n->input[Q], *v = n->input[V], *buckets = n->input[LSH_BUCKETS];
    const int64_t heads = q->shape[1], tokens = q->shape[2], width = q->shape[3], b = task / heads, h = task % heads;
    head o = {.s = foci_lsh_of(n),
              .l = layout_of(n, backward),
              .backward = backward,
              .width = width,
              .row = line(width),
              .q_row = q->stride[2],
              .v_row = v->stride[2],
              .out_row = heads * width};
    o.q = foci_data(q) + foci_head_offset(q, b, h);
    o.v = foci_data(v) + foci_head_offset(v, b, h);
    o.mask = n->input[LSH_MASK] ? foci_data(n->input[LSH_MASK]) + b * tokens : NULL;
    o.out = foci_data(n->output) + b * tokens * o.out_row + h * width;
    o.log_sum = foci_data(n->saved[0]) + task * tokens;
    if (backward) o.dout = foci_grad(n->output) + (o.out - foci_data(n->output));
    o.scratch = (real *)n->workspace + foci_thread() * o.l.reals;
    o.order = (int32_t *)at(&o, o.l.order);
    foci_lsh_sort(&o.s, buckets ? foci_data(buckets) + task * o.s.rounds * tokens : NULL, o.order,
                  o.order + foci_lsh_entries(&o.s));
    for (int64_t i = 0; i < tokens; i++) at(&o, o.l.factor)[i] = (real)foci_lsh_key_factor(width, o.q + i * o.q_row);
    return o;
}

/* ------------------------------------------------------------------------------------------------------- chunks */

/* Keys and values of a chunk; nobody sees padding and what fills a round up. */
static void load_chunk(const head *o, int64_t chunk, int side) {
    const int32_t *token = o->order + chunk * o->s.chunk;
    for (int64_t e = 0; e < o->s.chunk; e++) {
        const int64_t i = token[e];
        const bool there = i < o->s.tokens;
        real *k = at(o, o->l.keys[side]) + e * o->row, *v = at(o, o->l.values[side]) + e * o->row;
        at(o, o->l.place[side])[e] = there && (!o->mask || o->mask[i] != 0) ? (real)i : (real)NAN;
        if (there) foci_kernel()->scale(o->width, at(o, o->l.factor)[i], o->q + i * o->q_row, k, false);
        else memset(k, 0, (size_t)o->width * sizeof *k);
        memcpy(v, o->v + (there ? i : 0) * o->v_row, (size_t)o->width * sizeof *v);
    }
}

static foci_key_piece piece_of(const head *o, int side, const foci_sight *sight) {
    foci_key_piece p = {.keys = o->s.chunk,
                        .k = at(o, o->l.keys[side]),
                        .v = at(o, o->l.values[side]),
                        .k_row = o->row,
                        .v_row = o->row,
                        .place = at(o, o->l.place[side]),
                        .sight = sight,
                        .sum_row = o->row};
    if (o->backward) p.dk = at(o, o->l.dkeys[side]), p.dv = at(o, o->l.dvalues[side]);
    return p;
}

/* A tile of queries, from entry `first` of a chunk on. */
typedef struct tile {
    const int32_t *token; /* (TILE) */
    foci_attention_pieces o;
    foci_key_piece piece[SIDES];
    foci_sight sight;
} tile;

static void load_tile(const head *o, int64_t chunk, int64_t first, tile *t) {
    const int64_t left = o->s.chunk - first, n = left < TILE ? left : TILE;
    const int side = (int)(chunk % SIDES);
    t->token = o->order + chunk * o->s.chunk + first;
    for (int64_t e = 0; e < TILE; e++) {
        const bool there = e < n && t->token[e] < o->s.tokens;
        const real place = there ? (real)t->token[e] : 0;
        t->sight.low[e] = there ? 0 : INFINITY;
        t->sight.high[e] = o->s.causal ? place : INFINITY;
        t->sight.self[e] = place;
        if (there)
            memcpy(at(o, o->l.queries) + e * o->row, o->q + t->token[e] * o->q_row, (size_t)o->width * sizeof(real));
        else if (e < n) memset(at(o, o->l.queries) + e * o->row, 0, (size_t)o->width * sizeof(real));
    }
    t->piece[0] = piece_of(o, side, &t->sight);
    t->piece[1] = piece_of(o, !side, &t->sight);
    t->o = (foci_attention_pieces){.queries = n,
                                   .width = o->width,
                                   .q = at(o, o->l.queries),
                                   .q_row = o->row,
                                   .scale = 1,
                                   .piece = t->piece,
                                   .pieces = o->s.chunks > 1 ? SIDES : 1,
                                   .out = at(o, o->l.out),
                                   .out_row = o->row,
                                   .log_sum = at(o, o->l.log_sum)};
}

/* Every tile, in order, with the chunk at hand and the one before it in memory. */
static void each_tile(const head *o, void (*begin)(const head *o, int64_t chunk), void (*one)(const head *o, tile *t),
                      void (*end)(const head *o, int64_t chunk)) {
    if (o->s.chunks > 1) load_chunk(o, o->s.chunks - 1, 1);
    for (int64_t chunk = 0; chunk < o->s.chunks; chunk++) {
        load_chunk(o, chunk, (int)(chunk % SIDES));
        if (begin) begin(o, chunk);
        for (int64_t first = 0; first < o->s.chunk; first += TILE) {
            tile t;
            load_tile(o, chunk, first, &t);
            one(o, &t);
        }
        if (end) end(o, chunk);
    }
}

/* ------------------------------------------------------------------------------------------------------- forward */

/* What a round found for token i joins what those before found. */
static void join(const head *o, int64_t i, const real *out, real log_sum) {
    real *before = &o->log_sum[i], *to = o->out + i * o->out_row;
    if (log_sum == INFINITY) return;
    if (*before == INFINITY) {
        memcpy(to, out, (size_t)o->width * sizeof *to);
        *before = log_sum;
        return;
    }
    const double more = exp((double)log_sum - (double)*before); /* inf: all the weight there is */
    foci_kernel()->lerp(o->width, (real)(1 / (1 + 1 / more)), out, to);
    *before = (real)(fmax((double)*before, (double)log_sum) + log1p(fmin(more, 1 / more)));
}

static void tile_forward(const head *o, tile *t) {
    foci_kernel()->pieces_forward(&t->o, at(o, o->l.kernel));
    for (int64_t e = 0; e < t->o.queries; e++)
        if (t->token[e] < o->s.tokens) join(o, t->token[e], t->o.out + e * o->row, t->o.log_sum[e]);
}

static void forward(const foci_node *n) {
    FOCI_PARALLEL_FOR
    for (int64_t task = 0; task < n->input[Q]->shape[0] * n->input[Q]->shape[1]; task++) {
        const head o = head_of(n, task, false);
        for (int64_t i = 0; i < o.s.tokens; i++) o.log_sum[i] = INFINITY;
        each_tile(&o, NULL, tile_forward, NULL);
        for (int64_t i = 0; i < o.s.tokens; i++)
            if (o.log_sum[i] == INFINITY)
                memcpy(o.out + i * o.out_row, o.v + i * o.v_row, (size_t)o.width * sizeof *o.out);
    }
}

/* ------------------------------------------------------------------------------------------------------ backward */

static void add_row(const head *o, const real *from, real *to) { foci_kernel()->scale(o->width, 1, from, to, true); }

static void clear_sides(const head *o, int64_t chunk) {
    (void)chunk;
    for (int i = 0; i < SIDES; i++) {
        memset(at(o, o->l.dkeys[i]), 0, (size_t)(o->s.chunk * o->row) * sizeof(real));
        memset(at(o, o->l.dvalues[i]), 0, (size_t)(o->s.chunk * o->row) * sizeof(real));
    }
}

/* The sums of a chunk's keys and values go to their tokens. */
static void scatter(const head *o, int64_t chunk, int side) {
    const int32_t *token = o->order + chunk * o->s.chunk;
    for (int64_t e = 0; e < o->s.chunk; e++) {
        if (token[e] >= o->s.tokens) continue;
        add_row(o, at(o, o->l.dkeys[side]) + e * o->row, at(o, o->l.dk) + token[e] * o->row);
        add_row(o, at(o, o->l.dvalues[side]) + e * o->row, at(o, o->l.dv) + token[e] * o->row);
    }
}
static void scatter_sides(const head *o, int64_t chunk) {
    const int side = (int)(chunk % SIDES);
    scatter(o, chunk, side);
    if (o->s.chunks > 1) scatter(o, (chunk + o->s.chunks - 1) % o->s.chunks, !side);
}

static void tile_backward(const head *o, tile *t) {
    for (int64_t e = 0; e < t->o.queries; e++) {
        const bool there = t->token[e] < o->s.tokens;
        const int64_t i = there ? t->token[e] : 0;
        memcpy(at(o, o->l.douts) + e * o->row, o->dout + i * o->out_row, (size_t)o->width * sizeof(real));
        t->o.log_sum[e] = there ? o->log_sum[i] : INFINITY;
        at(o, o->l.delta)[e] = at(o, o->l.all_delta)[i];
    }
    t->o.dout = at(o, o->l.douts), t->o.dout_row = o->row, t->o.delta = at(o, o->l.delta);
    t->o.dq = at(o, o->l.out), t->o.dq_row = o->row;
    foci_kernel()->pieces_backward(&t->o, at(o, o->l.kernel));
    for (int64_t e = 0; e < t->o.queries; e++)
        if (t->token[e] < o->s.tokens) add_row(o, t->o.dq + e * o->row, at(o, o->l.dq) + t->token[e] * o->row);
}

static void begin_backward(const head *o) {
    memset(at(o, o->l.dq), 0, (size_t)(o->s.tokens * o->row) * sizeof(real));
    memset(at(o, o->l.dk), 0, (size_t)(o->s.tokens * o->row) * sizeof(real));
    memset(at(o, o->l.dv), 0, (size_t)(o->s.tokens * o->row) * sizeof(real));
    for (int64_t i = 0; i < o->s.tokens; i++) {
        double inner;
        foci_kernel()->dot(o->width, o->dout + i * o->out_row, o->out + i * o->out_row, &inner);
        at(o, o->l.all_delta)[i] = (real)inner;
        if (o->log_sum[i] == INFINITY) add_row(o, o->dout + i * o->out_row, at(o, o->l.dv) + i * o->row);
    }
}

/* dq and, of the keys r q with the factor r: r dk - r^3 (q dk) q */
static void query_gradient(const head *o, int64_t i, real *dq, bool add) {
    const real *q = o->q + i * o->q_row, *dk = at(o, o->l.dk) + i * o->row, r = at(o, o->l.factor)[i];
    double inner;
    foci_kernel()->dot(o->width, q, dk, &inner);
    foci_kernel()->scale(o->width, 1, at(o, o->l.dq) + i * o->row, dq, add);
    foci_kernel()->scale(o->width, r, dk, dq, true);
    foci_kernel()->scale(o->width, (real)(-inner * (double)r * (double)r * (double)r), q, dq, true);
}

static void backward(const foci_node *n) {
    const foci_tensor *q = n->input[Q], *v = n->input[V];
    FOCI_PARALLEL_FOR
    for (int64_t task = 0; task < q->shape[0] * q->shape[1]; task++) {
        const head o = head_of(n, task, true);
        real *dq = foci_wants(n, Q) ? foci_grad(q) + (o.q - foci_data(q)) : NULL;
        real *dv = foci_wants(n, V) ? foci_grad(v) + (o.v - foci_data(v)) : NULL;
        begin_backward(&o);
        each_tile(&o, clear_sides, tile_backward, scatter_sides);
        for (int64_t i = 0; i < o.s.tokens && dq; i++) query_gradient(&o, i, dq + i * o.q_row, n->accumulate[Q]);
        for (int64_t i = 0; i < o.s.tokens && dv; i++)
            foci_kernel()->scale(o.width, 1, at(&o, o.l.dv) + i * o.row, dv + i * o.v_row, n->accumulate[V]);
    }
}

/* As attention to all keys, of those that are met; causal sees half of them. */
static foci_cost cost(const foci_node *n) {
    const foci_lsh s = foci_lsh_of(n);
    const double met = (double)(s.chunks > 1 ? 2 * s.chunk : s.chunk) * (s.causal ? 0.5 : 1);
    const double product = 2 * (double)foci_numel(n->input[Q]) * (double)s.rounds * met;
    return (foci_cost){2 * product, 4 * product};
}

/* ------------------------------------------------------------------------------------------------ gradient check */

enum { B = 2, H = 2 };

/* Buckets 0 .. 3 at random; 4 is that of padding. */
static foci_tensor *buckets_for(foci_graph *g, int rounds, int tokens, const foci_real *mask) {
    foci_real bucket[B * H * 3 * 120];
    for (int i = 0; i < B * H * rounds * tokens; i++) {
        const int b = i / (H * rounds * tokens);
        bucket[i] = mask && mask[b * tokens + i % tokens] == 0 ? 4 : (foci_real)((7 * i + i * i / 5 + i / 3) % 4);
    }
    return foci_constant(g, "buckets", FOCI_REAL, FOCI_SHAPE(B, H, rounds, tokens), bucket);
}
static foci_tensor *rows(foci_graph *g, const char *name, int64_t tokens, int64_t width) {
    return foci_parameter(g, name, FOCI_NORMAL(0, 1), FOCI_SHAPE(B, H, tokens, width));
}
static foci_tensor *attend(foci_graph *g, int tokens, int width, int rounds, foci_lsh_options o) {
    o.buckets = 4;
    o.bucket = rounds ? buckets_for(g, rounds, tokens, o.mask ? foci_data(o.mask) : NULL) : NULL;
    return foci_lsh_attention(g, rows(g, "q", tokens, width), rows(g, "v", tokens, width), &o);
}
static foci_tensor *one_round(foci_graph *g) { return attend(g, 12, 3, 1, (foci_lsh_options){.chunk = 3}); }
static foci_tensor *three_rounds(foci_graph *g) { return attend(g, 12, 4, 3, (foci_lsh_options){.chunk = 4}); }
static foci_tensor *causal(foci_graph *g) {
    return attend(g, 12, 4, 2, (foci_lsh_options){.chunk = 4, .causal = true});
}
static foci_tensor *one_chunk(foci_graph *g) { return attend(g, 6, 4, 0, (foci_lsh_options){.chunk = 8}); }
static foci_tensor *one_token(foci_graph *g) {
    return attend(g, 1, 4, 0, (foci_lsh_options){.chunk = 1, .causal = true});
}
static foci_tensor *filled_up(foci_graph *g) { return attend(g, 10, 3, 2, (foci_lsh_options){.chunk = 4}); }
static foci_tensor *masked(foci_graph *g) {
    static const foci_real mask[B * 9] = {1, 1, 0, 1, 1, 1, 1, 0, 0, 1, 1, 1, 1, 1, 1, 0, 1, 1};
    return attend(g, 9, 4, 2,
                  (foci_lsh_options){.chunk = 3, .mask = foci_constant(g, "mask", FOCI_REAL, FOCI_SHAPE(B, 9), mask)});
}
static foci_tensor *several_tiles(foci_graph *g) { return attend(g, 120, 1, 2, (foci_lsh_options){.chunk = 60}); }
static foci_tensor *one_view(foci_graph *g) {
    foci_tensor *x = foci_scale(g, foci_parameter(g, "x", FOCI_NORMAL(0, 1), FOCI_SHAPE(B, 5, 2 * H * 3)), 1.5);
    foci_tensor *v = foci_heads(g, x, 2, 1, H);
    return foci_lsh_attention(g, v, v, &(foci_lsh_options){.chunk = 5});
}
static const foci_gradient_case gradients[] = {{"one round", one_round},
                                               {"three rounds", three_rounds},
                                               {"causal", causal},
                                               {"one chunk", one_chunk},
                                               {"one token", one_token},
                                               {"filled up", filled_up},
                                               {"padding", masked},
                                               {"several tiles", several_tiles},
                                               {"a view used twice", one_view},
                                               {0}};

const foci_op foci_op_lsh_attention = {
    .name = "lsh_attention",
    .summary = "attention among tokens that hashing brings together; linear in the tokens",
    .forward = forward,
    .backward = backward,
    .reads = FOCI_READS_INPUT(Q) | FOCI_READS_INPUT(V) | FOCI_READS_INPUT(LSH_BUCKETS) | FOCI_READS_INPUT(LSH_MASK) |
             FOCI_READS_OUTPUT,
    .cost = cost,
    .gradients = gradients,
};

foci_tensor *foci_lsh_attention(foci_graph *g, foci_tensor *q, foci_tensor *v, const foci_lsh_options *options) {
    foci_node *n = foci_record_lsh(g, &foci_op_lsh_attention, q, v, options);
    if (!n) return NULL;
    const size_t scratch = (size_t)foci_threads() * sizeof(real);
    foci_save(n, FOCI_REAL, q->shape[0] * q->shape[1] * q->shape[2]);
    foci_workspace(n, scratch * (size_t)layout_of(n, false).reals, scratch * (size_t)layout_of(n, true).reals);
    return foci_emit(n, FOCI_REAL, FOCI_SHAPE(q->shape[0], q->shape[2], q->shape[1] * q->shape[3]));
}
