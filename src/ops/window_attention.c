/* window_attention: softmax(scale q kt) v over the keys within a window around each query, and the first tokens, which
 * see and are seen by all (Beltagy et al., "Longformer", 2020). A tile of queries attends to two pieces of keys
 * (kernels/body_pieces.h): the global ones, and those that some query of the tile has in its window. */
#include <math.h>
#include <string.h>

#include "ops/attention_head.h"
#include "ops/common.h"
#include "ops/window.h"

enum { Q = WINDOW_Q, QUERY_GLOBAL = WINDOW_QUERY_GLOBAL, K = WINDOW_K, V = WINDOW_V, MASK = WINDOW_MASK };
enum { KEY_GLOBAL = WINDOW_KEY_GLOBAL, VALUE_GLOBAL = WINDOW_VALUE_GLOBAL };
enum { TILE = FOCI_ATTENTION_QUERIES };

/* One head of one sample. */
typedef struct head {
    foci_window w;
    int64_t width, b, h;
    const real *mask; /* (N) or NULL */
    real *log_sum;    /* (queries) */
    real *out;
    int64_t out_row;
    real *scratch, *place;           /* of the kernel; (N) */
    real *dk, *dv, *dk_all, *dv_all; /* backward: (N, line) sums; of the keys that global queries see */
} head;

/* Queries first .. end - 1 of a tile, either all global or none, and what they see. */
typedef struct tile {
    int64_t first, end;
    bool global;
    foci_key_piece piece[2];
    foci_sight near, far;
} tile;

static int64_t line(int64_t width) { return (width + FOCI_ALIGN - 1) / FOCI_ALIGN * FOCI_ALIGN; }

static int64_t sums_of(const foci_node *n) { return n->input[K]->shape[2] * line(n->input[Q]->shape[3]); }
static int64_t scratch_of(const foci_node *n, bool backward) {
    const int64_t tokens = n->input[K]->shape[2], sums = n->input[QUERY_GLOBAL] ? 4 : 2;
    return foci_pieces_layout_of(n->input[Q]->shape[3]).reals + line(tokens) + (backward ? sums * sums_of(n) : 0);
}

static head head_of(const foci_node *n, int64_t task, bool backward) {
    const int64_t heads = n->input[Q]->shape[1], width = n->input[Q]->shape[3], b = task / heads, h = task % heads;
    head o = {.w = foci_window_of(n), .width = width, .b = b, .h = h, .out_row = heads * width};
    if (n->input[MASK]) o.mask = foci_data(n->input[MASK]) + b * o.w.tokens;
    o.log_sum = foci_data(n->saved[0]) + task * o.w.queries;
    o.out = foci_data(n->output) + b * o.w.queries * o.out_row + h * width;
    o.scratch = (real *)n->workspace + foci_thread() * scratch_of(n, backward);
    o.place = o.scratch + foci_pieces_layout_of(width).reals;
    if (!backward) return o;
    o.dk = o.dk_all = o.place + line(o.w.tokens);
    o.dv = o.dv_all = o.dk + sums_of(n);
    if (n->input[QUERY_GLOBAL]) o.dk_all = o.dv + sums_of(n), o.dv_all = o.dk_all + sums_of(n);
    return o;
}

static const real *rows_of(const foci_node *n, const head *o, int input) {
    return foci_data(n->input[input]) + foci_head_offset(n->input[input], o->b, o->h);
}

/* Keys first .. end - 1, none where end is not behind first. */
static foci_key_piece piece_of(const foci_node *n, const head *o, int k, int v, int64_t first, int64_t end,
                               const foci_sight *sight) {
    const int64_t row = line(o->width);
    foci_key_piece p = {.keys = end - first,
                        .k_row = n->input[k]->stride[2],
                        .v_row = n->input[v]->stride[2],
                        .sum_row = row,
                        .sight = sight,
                        .place = o->place + first};
    p.k = rows_of(n, o, k) + first * p.k_row;
    p.v = rows_of(n, o, v) + first * p.v_row;
    for (int64_t j = first; j < end; j++) o->place[j] = o->mask && o->mask[j] == 0 ? (real)NAN : (real)j;
    if (o->dk) {
        p.dk = (k == K ? o->dk : o->dk_all) + first * row;
        p.dv = (v == V ? o->dv : o->dv_all) + first * row;
    }
    return p;
}

/* What query number `at` of the tile sees; padding sees nothing. */
static void look(const head *o, tile *t, int64_t at) {
    const int64_t place = o->w.before + t->first + at, last = o->w.causal ? place : o->w.tokens;
    const bool blind = t->first + at >= t->end || (o->mask && o->mask[place] == 0);
    const int64_t end = t->global || place + o->w.window > last ? last : place + o->w.window;
    t->near.low[at] = blind ? INFINITY : t->global ? 0 : (real)(place - o->w.window);
    t->near.high[at] = (real)end;
    t->far.low[at] = blind ? INFINITY : 0;
    t->far.high[at] = INFINITY;
    t->near.self[at] = t->far.self[at] = -1; /* itself, too */
}

static int64_t smaller(int64_t a, int64_t b) { return a < b ? a : b; }

/* Tile number i: of the global queries first, then of the others. */
static void make_tile(const foci_node *n, const head *o, int64_t i, tile *t) {
    const foci_window *w = &o->w;
    const int64_t global = foci_tiles(w->global_queries, TILE);
    t->global = i < global;
    t->first = t->global ? i * TILE : w->global_queries + (i - global) * TILE;
    t->end = smaller(t->first + TILE, t->global ? w->global_queries : w->queries);
    for (int64_t at = 0; at < TILE; at++) look(o, t, at);
    const int64_t first = w->before + t->first - w->window, last = w->before + t->end;
    const int64_t end = w->causal ? last : t->global ? w->tokens : smaller(last + w->window, w->tokens);
    if (t->global) {
        const bool own = n->input[QUERY_GLOBAL];
        t->piece[0] = piece_of(n, o, own ? KEY_GLOBAL : K, own ? VALUE_GLOBAL : V, 0, end, &t->near);
        t->piece[1].keys = 0;
    } else {
        t->piece[0] = piece_of(n, o, K, V, 0, w->globals, &t->far);
        t->piece[1] = piece_of(n, o, K, V, first > w->globals ? first : w->globals, end, &t->near);
    }
}

static foci_attention_pieces pieces_of(const foci_node *n, const head *o, const tile *t) {
    const int input = t->global && n->input[QUERY_GLOBAL] ? QUERY_GLOBAL : Q;
    const int64_t row = n->input[input]->stride[2];
    return (foci_attention_pieces){.queries = t->end - t->first,
                                   .width = o->width,
                                   .q = rows_of(n, o, input) + t->first * row,
                                   .q_row = row,
                                   .scale = (real)o->w.scale,
                                   .piece = t->piece,
                                   .pieces = 2,
                                   .out = o->out + t->first * o->out_row,
                                   .out_row = o->out_row,
                                   .log_sum = o->log_sum + t->first};
}

static int64_t tiles_of(const foci_window *w) {
    return foci_tiles(w->global_queries, TILE) + foci_tiles(w->queries - w->global_queries, TILE);
}

static void forward(const foci_node *n) {
    const foci_window w = foci_window_of(n);
    const int64_t tiles = tiles_of(&w);
    FOCI_PARALLEL_FOR
    for (int64_t task = 0; task < n->input[Q]->shape[0] * n->input[Q]->shape[1] * tiles; task++) {
        const head o = head_of(n, task / tiles, false);
        tile t;
        make_tile(n, &o, task % tiles, &t);
        const foci_attention_pieces p = pieces_of(n, &o, &t);
        foci_kernel()->pieces_forward(&p, o.scratch);
    }
}

/* ------------------------------------------------------------------------------------------------------ backward */

static real *gradient_of(const foci_node *n, const head *o, int input) {
    return foci_wants(n, input) ? foci_grad(n->input[input]) + foci_head_offset(n->input[input], o->b, o->h) : NULL;
}

static void tile_backward(const foci_node *n, const head *o, const tile *t) {
    const int input = t->global && n->input[QUERY_GLOBAL] ? QUERY_GLOBAL : Q;
    const int64_t row = n->input[input]->stride[2];
    const real *dout = foci_grad(n->output) + (o->out - foci_data(n->output)) + t->first * o->out_row;
    real delta[TILE], *dq = gradient_of(n, o, input);
    foci_attention_pieces p = pieces_of(n, o, t);
    for (int64_t i = 0; i < p.queries; i++) {
        double sum;
        foci_kernel()->dot(o->width, dout + i * o->out_row, p.out + i * o->out_row, &sum);
        delta[i] = (real)sum;
    }
    p.dout = dout, p.dout_row = o->out_row, p.delta = delta;
    p.dq = dq ? dq + t->first * row : NULL, p.dq_row = row, p.add_dq = n->accumulate[input];
    foci_kernel()->pieces_backward(&p, o->scratch);
}

static void give(const foci_node *n, const head *o, int input, const real *sums) {
    real *d = gradient_of(n, o, input);
    for (int64_t i = 0; d && i < o->w.tokens; i++)
        foci_kernel()->scale(o->width, 1, sums + i * line(o->width), d + i * n->input[input]->stride[2],
                             n->accumulate[input]);
}

/* Queries, whose gradient is written tile by tile, come before keys and values: they may be the same memory. */
static void backward(const foci_node *n) {
    FOCI_PARALLEL_FOR
    for (int64_t task = 0; task < n->input[Q]->shape[0] * n->input[Q]->shape[1]; task++) {
        const head o = head_of(n, task, true);
        const bool own = n->input[QUERY_GLOBAL];
        real *dq = gradient_of(n, &o, Q);
        memset(o.dk, 0, (size_t)(sums_of(n) * (own ? 4 : 2)) * sizeof *o.dk);
        for (int64_t i = 0; own && dq && !n->accumulate[Q] && i < o.w.global_queries; i++)
            memset(dq + i * n->input[Q]->stride[2], 0, (size_t)o.width * sizeof *dq);
        for (int64_t i = 0; i < tiles_of(&o.w); i++) {
            tile t;
            make_tile(n, &o, i, &t);
            tile_backward(n, &o, &t);
        }
        give(n, &o, K, o.dk), give(n, &o, V, o.dv);
        if (own) give(n, &o, KEY_GLOBAL, o.dk_all), give(n, &o, VALUE_GLOBAL, o.dv_all);
    }
}

/* As attention to all keys, of those that are seen. */
static foci_cost cost(const foci_node *n) {
    const foci_window w = foci_window_of(n);
    const double tokens = (double)w.tokens, sides = w.causal ? 1 : 2;
    const double near = fmin(tokens, sides * (double)w.window + 1 + (double)w.globals);
    const double seen = (double)(w.queries - w.global_queries) * near + (double)w.global_queries * tokens;
    const double product = 2 * seen * (double)(n->input[Q]->shape[0] * n->input[Q]->shape[1] * n->input[Q]->shape[3]);
    return (foci_cost){2 * product, 4 * product};
}

/* ------------------------------------------------------------------------------------------------ gradient check */

enum { B = 2, H = 2 };

static foci_tensor *rows(foci_graph *g, const char *name, int64_t tokens, int64_t width) {
    return foci_parameter(g, name, FOCI_NORMAL(0, 1), FOCI_SHAPE(B, H, tokens, width));
}
static foci_tensor *attend(foci_graph *g, int64_t tokens, int64_t width, foci_window_options o) {
    o.scale = 1 / sqrt((double)width);
    if (o.query_global) {
        o.query_global = rows(g, "query_global", o.globals, width);
        o.key_global = rows(g, "key_global", tokens, width), o.value_global = rows(g, "value_global", tokens, width);
    }
    return foci_window_attention(g, rows(g, "q", tokens, width), rows(g, "k", tokens, width),
                                 rows(g, "v", tokens, width), &o);
}
static foci_tensor *padding(foci_graph *g) {
    static const foci_real mask[B * 7] = {1, 1, 1, 1, 0, 1, 0, 0, 1, 1, 1, 1, 1, 0};
    return foci_constant(g, "mask", FOCI_REAL, FOCI_SHAPE(B, 7), mask);
}
static foci_tensor *plain(foci_graph *g) { return attend(g, 9, 3, (foci_window_options){.window = 2}); }
static foci_tensor *globals(foci_graph *g) { return attend(g, 8, 4, (foci_window_options){.window = 1, .globals = 3}); }
static foci_tensor *causal(foci_graph *g) {
    return attend(g, 9, 4, (foci_window_options){.window = 2, .globals = 2, .causal = true});
}
static foci_tensor *projections(foci_graph *g) {
    foci_tensor own;
    return attend(g, 7, 3, (foci_window_options){.window = 1, .globals = 2, .query_global = &own});
}
static foci_tensor *masked(foci_graph *g) {
    return attend(g, 7, 4, (foci_window_options){.window = 1, .globals = 1, .mask = padding(g)});
}
static foci_tensor *everything(foci_graph *g) {
    foci_tensor own;
    return attend(
        g, 7, 2,
        (foci_window_options){.window = 2, .globals = 1, .causal = true, .query_global = &own, .mask = padding(g)});
}
static foci_tensor *several_tiles(foci_graph *g) { /* of queries (48) and keys (256) */
    foci_tensor *q = foci_parameter(g, "q", FOCI_NORMAL(0, 1), FOCI_SHAPE(1, 1, 300, 1));
    return foci_window_attention(g, q, q, q, &(foci_window_options){.scale = 1, .window = 110, .globals = 50});
}
static foci_tensor *one_view(foci_graph *g) {
    foci_tensor *x = foci_scale(g, foci_parameter(g, "x", FOCI_NORMAL(0, 1), FOCI_SHAPE(B, 5, 2 * H * 3)), 1.5);
    foci_tensor *q = foci_heads(g, x, 2, 0, H), *v = foci_heads(g, x, 2, 1, H);
    return foci_window_attention(
        g, q, q, v,
        &(foci_window_options){
            .scale = 0.5, .window = 1, .globals = 5, .query_global = v, .key_global = q, .value_global = v});
}

static const foci_gradient_case gradients[] = {{"a window", plain},
                                               {"global tokens", globals},
                                               {"causal", causal},
                                               {"global projections", projections},
                                               {"padding", masked},
                                               {"causal, global projections, padding", everything},
                                               {"several tiles", several_tiles},
                                               {"views used twice", one_view},
                                               {0}};

const foci_op foci_op_window_attention = {
    .name = "window_attention",
    .summary = "attention within a window and to the first tokens, which attend to all; linear in the tokens",
    .forward = forward,
    .backward = backward,
    .reads = FOCI_READS_INPUT(Q) | FOCI_READS_INPUT(QUERY_GLOBAL) | FOCI_READS_INPUT(K) | FOCI_READS_INPUT(V) |
             FOCI_READS_INPUT(KEY_GLOBAL) | FOCI_READS_INPUT(VALUE_GLOBAL) | FOCI_READS_INPUT(MASK) | FOCI_READS_OUTPUT,
    .cost = cost,
    .gradients = gradients,
};

foci_tensor *foci_window_attention(foci_graph *g, foci_tensor *q, foci_tensor *k, foci_tensor *v,
                                   const foci_window_options *options) {
    const foci_op *op = &foci_op_window_attention;
    foci_node *n = foci_record_window(g, op, q, k, v, options);
    if (!n) return NULL;
    const int64_t *s = q->shape;
    foci_save(n, FOCI_REAL, s[0] * s[1] * s[2]);
    foci_workspace(n, (size_t)foci_threads() * (size_t)scratch_of(n, false) * sizeof(real),
                   (size_t)foci_threads() * (size_t)scratch_of(n, true) * sizeof(real));
    return foci_emit(n, FOCI_REAL, FOCI_SHAPE(s[0], s[2], s[1] * s[3]));
}
