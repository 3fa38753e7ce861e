/* linear_attention: factor sum_j (q_i k_j) v_j / d_i for features q, k, without the N x N products; the denominators d
 * are, or are made of, s_i = sum_j q_i k_j.
 *
 * With a column of ones at v, [v 1] (N, D+1), numerators and denominators are one product: y = q S with the state
 * S = kt [v 1] (F, D+1). Causal attention walks over tiles of tokens: S holds what the tiles before said, and within a
 * tile the products are made. Backward, with dy the gradient of y, walks forward once for dq = dy St and backward once
 * with the state R = qt dy for dk = [v 1] Rt and dv = k R. */
#include <math.h>
#include <string.h>

#include "ops/attention_head.h"
#include "ops/common.h"
#include "ops/product.h"

enum { Q, K, V };
enum { TILE = 64 };

/* A query that no key answers (all its products are 0, and nothing is added to them) gets zeros and passes no gradient.
 */
static const real least = (real)1e-30;

typedef struct head {
    int64_t tokens, features, width, ld; /* ld: of a row of width + 1, whole cache lines */
    const foci_linear_options *options;
    bool causal;
    const real *q, *k, *v; /* (N, F), (N, F), (N, D) */
    int64_t v_row;
    real *out, *sums; /* (N, D), (N): s */
    int64_t out_row;
    const real *dout; /* backward; a gradient that is not wanted is NULL */
    real *dq, *dk, *dv;
    bool add_dq, add_dk, add_dv;
    /* scratch: (F, ld), (TILE, ld) three times, (TILE, TILE) twice */
    real *state, *values, *y, *dvalues, *scores, *dscores;
} head;

static int64_t line(int64_t elements) { return (elements + FOCI_ALIGN - 1) / FOCI_ALIGN * FOCI_ALIGN; }

static int64_t scratch_of(const foci_node *n) {
    const int64_t ld = line(n->input[V]->shape[3] + 1);
    return (n->input[Q]->shape[3] + 3 * TILE) * ld + 2 * TILE * TILE;
}

static head head_of(const foci_node *n, int64_t task) {
    const foci_tensor *q = n->input[Q], *v = n->input[V];
    const int64_t heads = q->shape[1], tokens = q->shape[2], features = q->shape[3], width = v->shape[3];
    const int64_t b = task / heads, h = task % heads;
    head o = {.tokens = tokens,
              .features = features,
              .width = width,
              .ld = line(width + 1),
              .options = n->attributes,
              .causal = ((const foci_linear_options *)n->attributes)->causal};
    o.q = foci_data(q) + task * tokens * features;
    o.k = foci_data(n->input[K]) + task * tokens * features;
    o.v = foci_data(v) + foci_head_offset(v, b, h);
    o.v_row = v->stride[2];
    o.out_row = heads * width;
    o.out = foci_data(n->output) + b * tokens * o.out_row + h * width;
    o.sums = foci_data(n->saved[0]) + task * tokens;
    o.state = (real *)n->workspace + foci_thread() * scratch_of(n);
    o.values = o.state + features * o.ld;
    o.y = o.values + TILE * o.ld;
    o.dvalues = o.y + TILE * o.ld;
    o.scores = o.dvalues + TILE * o.ld;
    o.dscores = o.scores + TILE * TILE;
    return o;
}

/* [v 1] of a tile */
static void load_values(const head *o, foci_range t) {
    for (int64_t i = t.first; i < t.end; i++) {
        real *row = o->values + (i - t.first) * o->ld;
        memcpy(row, o->v + i * o->v_row, (size_t)o->width * sizeof *row);
        row[o->width] = 1;
    }
}

/* state += xt y: features of a tile with [v 1], or with dy */
static void add_to_state(const head *o, foci_range t, const real *x, const real *y) {
    product(o->features, o->width + 1, t.end - t.first, x + t.first * o->features, o->features, TRANSPOSED, y, o->ld,
            AS_IS, o->state, o->ld, true);
}

static void clear_state(const head *o) { memset(o->state, 0, (size_t)(o->features * o->ld) * sizeof(real)); }

/* Before the first key. A sum over the query's features is what a key of ones would add to s. */
static void begin_state(const head *o) {
    clear_state(o);
    if (o->options->denominator != FOCI_DIVIDE_BY_SUM_PLUS_QUERY) return;
    for (int64_t f = 0; f < o->features; f++) o->state[f * o->ld + o->width] = (real)o->options->eps;
}

/* factor / d; *moves: does d follow s? */
static real inverse_of(const head *o, real sum, bool *moves) {
    const real eps = (real)o->options->eps;
    real d = sum;
    switch (o->options->denominator) {
    case FOCI_DIVIDE_BY_SUM_PLUS: d = sum + eps; break;
    case FOCI_DIVIDE_BY_AT_LEAST: d = sum > eps ? sum : eps; break;
    case FOCI_DIVIDE_BY_NOTHING: d = 1; break;
    default: break;
    }
    *moves = d >= least && o->options->denominator != FOCI_DIVIDE_BY_NOTHING &&
             (o->options->denominator != FOCI_DIVIDE_BY_AT_LEAST || sum >= eps);
    return d < least ? 0 : (real)o->options->factor / d;
}

/* What causal attention leaves out of a tile's products: query i, key j > i. */
static void mask(int64_t size, real *scores) {
    for (int64_t i = 0; i < size; i++) memset(scores + i * TILE + i + 1, 0, (size_t)(size - i - 1) * sizeof *scores);
}

/* scores = q kt of a tile */
static void score(const head *o, foci_range t) {
    const int64_t size = t.end - t.first, f = o->features;
    product(size, size, f, o->q + t.first * f, f, AS_IS, o->k + t.first * f, f, TRANSPOSED, o->scores, TILE, false);
    mask(size, o->scores);
}

/* dscores = dy [v 1]t of a tile */
static void score_gradients(const head *o, foci_range t) {
    const int64_t size = t.end - t.first;
    product(size, size, o->width + 1, o->y, o->ld, AS_IS, o->values, o->ld, TRANSPOSED, o->dscores, TILE, false);
    mask(size, o->dscores);
}

static void all_keys(const head *o) {
    for (int64_t i = 0; i < foci_tiles(o->tokens, TILE); i++) {
        foci_range t = foci_tile(o->tokens, TILE, i);
        load_values(o, t);
        add_to_state(o, t, o->k, o->values);
    }
}

static void forward_head(const head *o) {
    bool moves;
    begin_state(o);
    if (!o->causal) all_keys(o);
    for (int64_t i = 0; i < foci_tiles(o->tokens, TILE); i++) {
        foci_range t = foci_tile(o->tokens, TILE, i);
        const int64_t size = t.end - t.first, f = o->features;
        product(size, o->width + 1, f, o->q + t.first * f, f, AS_IS, o->state, o->ld, AS_IS, o->y, o->ld, false);
        if (o->causal) {
            load_values(o, t);
            score(o, t);
            product(size, o->width + 1, size, o->scores, TILE, AS_IS, o->values, o->ld, AS_IS, o->y, o->ld, true);
            add_to_state(o, t, o->k, o->values);
        }
        for (int64_t r = 0; r < size; r++) {
            const real *y = o->y + r * o->ld, sum = y[o->width];
            o->sums[t.first + r] = sum;
            foci_kernel()->scale(o->width, inverse_of(o, sum, &moves), y, o->out + (t.first + r) * o->out_row, false);
        }
    }
}

static void forward(const foci_node *n) {
    FOCI_PARALLEL_FOR
    for (int64_t task = 0; task < n->input[Q]->shape[0] * n->input[Q]->shape[1]; task++) {
        head o = head_of(n, task);
        forward_head(&o);
    }
}

/* y = dy of a tile: of the numerators factor dout / d, of s -(dout out) / d */
static void load_gradients(const head *o, foci_range t) {
    for (int64_t i = t.first; i < t.end; i++) {
        real *row = o->y + (i - t.first) * o->ld;
        bool moves;
        const real *dout = o->dout + i * o->out_row, inverse = inverse_of(o, o->sums[i], &moves);
        double inner;
        foci_kernel()->dot(o->width, dout, o->out + i * o->out_row, &inner);
        foci_kernel()->scale(o->width, inverse, dout, row, false);
        row[o->width] = moves ? -(real)inner * inverse / (real)o->options->factor : 0;
    }
}

static void backward_queries(const head *o) {
    begin_state(o);
    if (!o->causal) all_keys(o);
    for (int64_t i = 0; i < foci_tiles(o->tokens, TILE); i++) {
        foci_range t = foci_tile(o->tokens, TILE, i);
        const int64_t size = t.end - t.first, f = o->features;
        load_gradients(o, t);
        product(size, f, o->width + 1, o->y, o->ld, AS_IS, o->state, o->ld, TRANSPOSED, o->dq + t.first * f, f,
                o->add_dq);
        if (!o->causal) continue;
        load_values(o, t);
        score_gradients(o, t);
        product(size, f, size, o->dscores, TILE, AS_IS, o->k + t.first * f, f, AS_IS, o->dq + t.first * f, f, true);
        add_to_state(o, t, o->k, o->values);
    }
}

static void backward_keys(const head *o) {
    clear_state(o);
    for (int64_t i = 0; i < foci_tiles(o->tokens, TILE) && !o->causal; i++) {
        foci_range t = foci_tile(o->tokens, TILE, i);
        load_gradients(o, t);
        add_to_state(o, t, o->q, o->y);
    }
    for (int64_t i = foci_tiles(o->tokens, TILE) - 1; i >= 0; i--) {
        foci_range t = foci_tile(o->tokens, TILE, i);
        const int64_t size = t.end - t.first, f = o->features, w = o->width + 1;
        load_values(o, t);
        load_gradients(o, t);
        if (o->causal) score_gradients(o, t);
        if (o->dk) {
            product(size, f, w, o->values, o->ld, AS_IS, o->state, o->ld, TRANSPOSED, o->dk + t.first * f, f,
                    o->add_dk);
            if (o->causal)
                product(size, f, size, o->dscores, TILE, TRANSPOSED, o->q + t.first * f, f, AS_IS, o->dk + t.first * f,
                        f, true);
        }
        if (o->dv) {
            product(size, w, f, o->k + t.first * f, f, AS_IS, o->state, o->ld, AS_IS, o->dvalues, o->ld, false);
            if (o->causal) {
                score(o, t);
                product(size, w, size, o->scores, TILE, TRANSPOSED, o->y, o->ld, AS_IS, o->dvalues, o->ld, true);
            }
            for (int64_t r = 0; r < size; r++)
                foci_kernel()->scale(o->width, 1, o->dvalues + r * o->ld, o->dv + (t.first + r) * o->v_row, o->add_dv);
        }
        if (o->causal) add_to_state(o, t, o->q, o->y);
    }
}

static void backward(const foci_node *n) {
    FOCI_PARALLEL_FOR
    for (int64_t task = 0; task < n->input[Q]->shape[0] * n->input[Q]->shape[1]; task++) {
        head o = head_of(n, task);
        const foci_tensor *q = n->input[Q], *k = n->input[K], *v = n->input[V];
        o.dout = foci_grad(n->output) + (o.out - foci_data(n->output));
        o.dq = foci_wants(n, Q) ? foci_grad(q) + (o.q - foci_data(q)) : NULL, o.add_dq = n->accumulate[Q];
        o.dk = foci_wants(n, K) ? foci_grad(k) + (o.k - foci_data(k)) : NULL, o.add_dk = n->accumulate[K];
        o.dv = foci_wants(n, V) ? foci_grad(v) + (o.v - foci_data(v)) : NULL, o.add_dv = n->accumulate[V];
        if (o.dq) backward_queries(&o);
        if (o.dk || o.dv) backward_keys(&o);
    }
}

/* Forward the state and what queries read from it; backward dq, R, dk, dv. Causal: the products within tiles besides.
 * That backward makes the states again spares memory and is no part of the work. */
static foci_cost cost(const foci_node *n) {
    const int64_t *s = n->input[Q]->shape;
    const double rows = (double)(s[0] * s[1] * s[2]), features = (double)s[3],
                 width = (double)n->input[V]->shape[3] + 1;
    const double state = 2 * rows * features * width,
                 within = ((const foci_linear_options *)n->attributes)->causal ? rows * TILE * (features + width) : 0;
    return (foci_cost){2 * state + within, 4 * state + 2 * within};
}

/* ----------------------------------------------------------------------------------------- gradient check */

static foci_tensor *features(foci_graph *g, const char *name, int64_t heads, int64_t tokens, int64_t width) {
    return foci_elu_one(g, RANDOM(g, name, 2, heads, tokens, width));
}
static foci_tensor *attend(foci_graph *g, int64_t heads, int64_t tokens, int64_t of_features, int64_t width,
                           foci_linear_options o) {
    o.factor = o.factor != 0 ? o.factor : 1;
    return foci_linear_attention(g, features(g, "q", heads, tokens, of_features),
                                 features(g, "k", heads, tokens, of_features), RANDOM(g, "v", 2, heads, tokens, width),
                                 &o);
}
static foci_tensor *plain(foci_graph *g) { return attend(g, 2, 5, 3, 4, (foci_linear_options){0}); }
static foci_tensor *causal(foci_graph *g) { return attend(g, 2, 7, 4, 3, (foci_linear_options){.causal = true}); }
static foci_tensor *one_token(foci_graph *g) { return attend(g, 1, 1, 4, 2, (foci_linear_options){.causal = true}); }
static foci_tensor *several_tiles(foci_graph *g) { return attend(g, 1, 150, 2, 1, (foci_linear_options){0}); }
static foci_tensor *several_tiles_causal(foci_graph *g) {
    return attend(g, 1, 150, 2, 1, (foci_linear_options){.causal = true});
}
static foci_tensor *sum_and_more(foci_graph *g) {
    return attend(g, 2, 6, 3, 4, (foci_linear_options){true, FOCI_DIVIDE_BY_SUM_PLUS, 2, 0.7});
}
static foci_tensor *at_least(foci_graph *g) { /* some sums are below */
    return attend(g, 2, 6, 3, 4, (foci_linear_options){true, FOCI_DIVIDE_BY_AT_LEAST, 12, 1.5});
}
static foci_tensor *sum_and_query(foci_graph *g) {
    return attend(g, 1, 70, 3, 2, (foci_linear_options){true, FOCI_DIVIDE_BY_SUM_PLUS_QUERY, 0.5, 1});
}
static foci_tensor *undivided(foci_graph *g) {
    const foci_linear_options o = {.denominator = FOCI_DIVIDE_BY_NOTHING, .factor = 0.25};
    return foci_linear_attention(g, RANDOM(g, "q", 2, 2, 5, 3), RANDOM(g, "k", 2, 2, 5, 3), RANDOM(g, "v", 2, 2, 5, 4),
                                 &o);
}
static foci_tensor *projection(foci_graph *g, bool masked) {
    foci_tensor *x = foci_scale(g, RANDOM(g, "x", 2, 6, 2 * 2 * 3), 1.5);
    foci_tensor *k = foci_elu_one(g, foci_heads(g, x, 2, 0, 2));
    return foci_linear_attention(g, k, k, foci_heads(g, x, 2, 1, 2),
                                 &(foci_linear_options){.causal = masked, .factor = 1});
}
static foci_tensor *keys_attend_to_keys(foci_graph *g) { return projection(g, false); }
static foci_tensor *keys_attend_to_keys_causal(foci_graph *g) { return projection(g, true); }

static const foci_gradient_case gradients[] = {{"(2, 2, 5, 3), v (2, 2, 5, 4)", plain},
                                               {"causal", causal},
                                               {"one token", one_token},
                                               {"several tiles", several_tiles},
                                               {"several tiles, causal", several_tiles_causal},
                                               {"sum + eps, causal", sum_and_more},
                                               {"at least eps, causal", at_least},
                                               {"sum + eps of the query, several tiles", sum_and_query},
                                               {"not divided", undivided},
                                               {"views, keys attend to keys", keys_attend_to_keys},
                                               {"views, keys attend to keys, causal", keys_attend_to_keys_causal},
                                               {0}};

const foci_op foci_op_linear_attention = {
    .name = "linear_attention",
    .summary = "q (kt v) divided by the sums of q kt, or by what is made of them; linear in the tokens",
    .forward = forward,
    .backward = backward,
    .reads = FOCI_READS_INPUT(Q) | FOCI_READS_INPUT(K) | FOCI_READS_INPUT(V) | FOCI_READS_OUTPUT,
    .cost = cost,
    .gradients = gradients,
};

foci_tensor *foci_linear_attention(foci_graph *g, foci_tensor *q, foci_tensor *k, foci_tensor *v,
                                   const foci_linear_options *options) {
    const foci_op *op = &foci_op_linear_attention;
    if (!foci_head_operand(g, op->name, "q", q, NULL) || !foci_operand(g, op->name, "q", q, FOCI_REAL) ||
        !foci_head_operand(g, op->name, "k", k, q) || !foci_operand(g, op->name, "k", k, FOCI_REAL) ||
        !foci_head_operand(g, op->name, "v", v, NULL))
        return NULL;
    if (memcmp(q->shape, v->shape, 3 * sizeof q->shape[0]))
        return foci_graph_fail(g, "%s: q %s and v %s must agree in all but the width", op->name, foci_shape_text(g, q),
                               foci_shape_text(g, v));
    if (!isfinite(options->factor) || options->factor == 0 || !(options->eps >= 0))
        return foci_graph_fail(g, "%s: factor %g must be a number but 0, eps %g not below 0", op->name, options->factor,
                               options->eps);
    foci_node *n = foci_record(g, op, 3, (foci_tensor *[]){q, k, v}, options, sizeof *options);
    if (!n) return NULL;
    foci_save(n, FOCI_REAL, q->shape[0] * q->shape[1] * q->shape[2]);
    const size_t scratch = (size_t)foci_threads() * (size_t)scratch_of(n) * sizeof(real);
    foci_workspace(n, scratch, scratch);
    return foci_emit(n, FOCI_REAL, FOCI_SHAPE(v->shape[0], v->shape[2], v->shape[1] * v->shape[3]));
}
