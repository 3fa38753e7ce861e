/* prefix_attention: weighted attention (weighted_attention.c) in causal form. Query i uses the robust weights of its
 * own prefix 0..i, one round of them, of keys and values (joint) in the numerator and of keys (marginal) in the
 * denominator:
 *
 *     out_i = sum_j w_ij e_ij v_j / sum_j u_ij e_ij,   e_ij = exp(2 f q_i k_j),   j <= i
 *     w_ij = psi(h_ij) / sum_l psi(h_il),   h_ij^2 = 1 + sign S_ij / (i+1) + sum_l S_il / (i+1)^2,   S_ij = sum_{l<=i}
 * K_jl
 *
 * S_i is a running sum of rows of K, so a tile of rows is all that is stored of any N x N. Backward goes from the last
 * row to the first: S_i comes by taking rows away again, and R_j, the sum of dS_ij over the rows so far, is the
 * gradient of K_ij as the column i that S_j, S_j+1, ... had it from. Both sums run in double. */
#include <math.h>
#include <string.h>

#include "ops/gram.h"
#include "ops/product.h"

enum { Q, K, V, INPUTS };
enum { JOINT, MARGINAL, BOTH };
enum { TILE = FOCI_GRAM_ROWS };

typedef struct attributes {
    foci_robust_options robust;
    double factor;
} attributes;

typedef struct head {
    const foci_robust_options *robust;
    double scale; /* of q k: twice the factor */
    int64_t task, tokens, width, value_width, ld, out_row;
    foci_gram gram[BOTH];
    const real *q, *k, *v;
    int64_t q_row, k_row, v_row;
    real *out;
    double *sums[BOTH], *later[BOTH], *dsums; /* (N): S of the row, R, dS of the row */
    real *lengths[BOTH], *tile[BOTH];         /* (ld), (TILE, ld) */
    real *p, *dp;                             /* (TILE, ld): the map, its gradient and then that of the scores */
    real *e, *w[BOTH], *dw[BOTH];             /* (ld): of one row */
    real *dk, *dv;                            /* backward: (N, D), (N, E) */
} head;

static int64_t scratch_of(const foci_node *n) {
    const int64_t *k = n->input[K]->shape, ld = foci_line(k[2]), doubles = sizeof(double) / sizeof(real);
    return (2 + 4 * TILE + 5 + 5 * doubles) * ld + foci_line(k[2] * k[3]) + foci_line(k[2] * n->input[V]->shape[3]);
}

static const real *rows_of(const foci_node *n, int input, int64_t task) {
    const foci_tensor *t = n->input[input];
    return foci_data(t) + foci_head_offset(t, task / t->shape[1], task % t->shape[1]);
}

/* Takes `count` reals of scratch memory. */
static real *take(real **scratch, int64_t count) {
    real *at = *scratch;
    *scratch += count;
    return at;
}

static void lay_out(const foci_node *n, head *o) {
    real *scratch = (real *)n->workspace + foci_thread() * scratch_of(n);
    const int64_t doubles = o->ld * (int64_t)(sizeof(double) / sizeof(real));
    for (int x = 0; x < BOTH; x++) {
        o->sums[x] = (double *)take(&scratch, doubles), o->later[x] = (double *)take(&scratch, doubles);
        o->lengths[x] = take(&scratch, o->ld), o->tile[x] = take(&scratch, TILE * o->ld);
        o->w[x] = take(&scratch, o->ld), o->dw[x] = take(&scratch, o->ld);
    }
    o->dsums = (double *)take(&scratch, doubles);
    o->p = take(&scratch, TILE * o->ld), o->dp = take(&scratch, TILE * o->ld), o->e = take(&scratch, o->ld);
    o->dk = take(&scratch, foci_line(o->tokens * o->width)), o->dv = scratch;
}

static head head_of(const foci_node *n, int64_t task) {
    const attributes *a = n->attributes;
    const foci_tensor *k = n->input[K], *v = n->input[V];
    head o = {.robust = &a->robust, .scale = 2 * a->factor, .task = task, .tokens = k->shape[2], .width = k->shape[3]};
    o.value_width = v->shape[3], o.ld = foci_line(o.tokens), o.out_row = v->shape[1] * v->shape[3];
    o.q = rows_of(n, Q, task), o.k = rows_of(n, K, task), o.v = rows_of(n, V, task);
    o.q_row = n->input[Q]->stride[2], o.k_row = k->stride[2], o.v_row = v->stride[2];
    o.out = foci_data(n->output) + task / v->shape[1] * o.tokens * o.out_row + task % v->shape[1] * o.value_width;
    lay_out(n, &o);
    o.gram[JOINT] = foci_gram_of(k, v, task, a->factor, o.lengths[JOINT]);
    o.gram[MARGINAL] = foci_gram_of(k, NULL, task, a->factor, o.lengths[MARGINAL]);
    return o;
}

/* Gram matrices and scores of a tile of rows. */
static void begin_tile(const head *o, foci_range t) {
    for (int x = 0; x < BOTH; x++) foci_gram_tile(&o->gram[x], t, o->tile[x], o->ld);
    product(t.end - t.first, t.end, o->width, o->q + t.first * o->q_row, o->q_row, AS_IS, o->k, o->k_row, TRANSPOSED,
            o->p, o->ld, false);
}

/* Row `at` of a tile, query i: scores to the map p; leaves e / sum e, w, u and the sums of influences. Returns the
 * denominator. */
static double weigh(const head *o, int64_t at, int64_t i, double influences[BOTH]) {
    real *p = o->p + at * o->ld;
    double sum = 0;
    for (int x = 0; x < BOTH; x++) influences[x] = foci_prefix_weights(o->robust, i + 1, o->sums[x], o->w[x]);
    for (int64_t j = 0; j <= i; j++) p[j] *= (real)o->scale;
    foci_kernel()->softmax(1, i + 1, p, o->e);
    foci_kernel()->dot(i + 1, o->w[MARGINAL], o->e, &sum);
    for (int64_t j = 0; j <= i; j++) p[j] = (real)((double)o->w[JOINT][j] * (double)o->e[j] / sum);
    return sum;
}

/* S (+)= factor times row `at` of K */
static void add_row(const head *o, int64_t at, double factor) {
    for (int x = 0; x < BOTH; x++)
        for (int64_t j = 0; j < o->tokens; j++) o->sums[x][j] += factor * (double)o->tile[x][at * o->ld + j];
}

static void clear_unseen(const head *o, foci_range t, int64_t i, real *rows) {
    memset(rows + (i - t.first) * o->ld + i + 1, 0, (size_t)(t.end - i - 1) * sizeof *rows);
}

/* The last row's sums in two parts each, so that float keeps them as double. */
static real *kept(const foci_node *n, const head *o, int x) { return foci_data(n->saved[x]) + o->task * 2 * o->tokens; }

static void forward_head(const foci_node *n, const head *o) {
    double influences[BOTH];
    for (int x = 0; x < BOTH; x++) memset(o->sums[x], 0, (size_t)o->tokens * sizeof(double));
    for (int64_t tile = 0; tile < foci_tiles(o->tokens, TILE); tile++) {
        const foci_range t = foci_tile(o->tokens, TILE, tile);
        begin_tile(o, t);
        for (int64_t i = t.first; i < t.end; i++) {
            add_row(o, i - t.first, 1);
            weigh(o, i - t.first, i, influences);
            clear_unseen(o, t, i, o->p);
        }
        product(t.end - t.first, o->value_width, t.end, o->p, o->ld, AS_IS, o->v, o->v_row, AS_IS,
                o->out + t.first * o->out_row, o->out_row, false);
    }
    for (int x = 0; x < BOTH; x++)
        for (int64_t j = 0; j < o->tokens; j++) {
            real *to = kept(n, o, x) + 2 * j;
            to[0] = (real)o->sums[x][j];
            to[1] = (real)(o->sums[x][j] - (double)to[0]);
        }
}

static void forward(const foci_node *n) {
    const int64_t *s = n->input[K]->shape;
    FOCI_PARALLEL_FOR
    for (int64_t task = 0; task < s[0] * s[1]; task++) {
        const head o = head_of(n, task);
        forward_head(n, &o);
    }
}

/* ------------------------------------------------------------------------------------------------------ backward */

/* Row `at`, query i: dp becomes the gradient of the scores; those of the weights go into R, and K into coefficients. */
static void row_backward(const head *o, int64_t at, int64_t i) {
    const real *p = o->p + at * o->ld;
    real *dp = o->dp + at * o->ld, *joint = o->tile[JOINT] + at * o->ld, *marginal = o->tile[MARGINAL] + at * o->ld;
    double influences[BOTH], delta = 0;
    const double sum = weigh(o, at, i, influences);
    foci_kernel()->dot(i + 1, p, dp, &delta);
    for (int64_t j = 0; j <= i; j++) {
        const double e = (double)o->e[j] / sum;
        o->dw[JOINT][j] = (real)(e * (double)dp[j]);
        o->dw[MARGINAL][j] = (real)(-delta * e);
        dp[j] = (real)((double)p[j] * (double)dp[j] - delta * e * (double)o->w[MARGINAL][j]);
    }
    for (int x = 0; x < BOTH; x++) {
        foci_prefix_gradient(o->robust, i + 1, o->sums[x], influences[x], o->w[x], o->dw[x], o->dsums);
        for (int64_t j = 0; j <= i; j++) o->later[x][j] += o->dsums[j];
    }
    add_row(o, at, -1);
    for (int64_t j = 0; j < o->tokens; j++) {
        joint[j] *= (real)(o->scale * o->later[JOINT][j]);
        marginal[j] = marginal[j] * (real)(o->scale * o->later[MARGINAL][j]) + joint[j];
    }
}

/* dx_l += sum_j c_lj (x_j - x_l) for the rows l of a tile, dx_j += sum_l c_lj (x_l - x_j) for all j; dx (N, width) */
static void gram_backward(const head *o, foci_range t, int x, bool value, real *dx) {
    const int64_t width = value ? o->value_width : o->width, row = value ? o->v_row : o->k_row;
    const real *points = value ? o->v : o->k, *c = o->tile[x];
    foci_gram_gradient(&o->gram[JOINT], t, c, o->ld, value, dx + t.first * width, width, true);
    product(o->tokens, width, t.end - t.first, c, o->ld, TRANSPOSED, points + t.first * row, row, AS_IS, dx, width,
            true);
    memset(o->e, 0, (size_t)o->tokens * sizeof(real));
    foci_kernel()->column_sums(t.end - t.first, o->tokens, c, o->ld, o->e);
    for (int64_t j = 0; j < o->tokens; j++)
        foci_kernel()->scale(width, -o->e[j], points + j * row, dx + j * width, true);
}

/* dq of the tile's queries, where they are wanted, and their part of dk and dv. */
static void tile_backward(const foci_node *n, const head *o, foci_range t, const real *dout, real *dq) {
    const int64_t rows = t.end - t.first;
    dout += t.first * o->out_row;
    begin_tile(o, t);
    product(rows, t.end, o->value_width, dout, o->out_row, AS_IS, o->v, o->v_row, TRANSPOSED, o->dp, o->ld, false);
    for (int64_t i = t.end - 1; i >= t.first; i--) {
        row_backward(o, i - t.first, i);
        clear_unseen(o, t, i, o->p), clear_unseen(o, t, i, o->dp);
    }
    product(t.end, o->value_width, rows, o->p, o->ld, TRANSPOSED, dout, o->out_row, AS_IS, o->dv, o->value_width, true);
    for (int64_t i = 0; i < rows; i++)
        foci_kernel()->scale(t.end, (real)o->scale, o->dp + i * o->ld, o->p + i * o->ld, false);
    product(t.end, o->width, rows, o->p, o->ld, TRANSPOSED, o->q + t.first * o->q_row, o->q_row, AS_IS, o->dk, o->width,
            true);
    gram_backward(o, t, MARGINAL, false, o->dk);
    gram_backward(o, t, JOINT, true, o->dv);
    if (dq)
        product(rows, o->width, t.end, o->p, o->ld, AS_IS, o->k, o->k_row, AS_IS, dq + t.first * o->q_row, o->q_row,
                n->accumulate[Q]);
}

static real *gradient_of(const foci_node *n, int input, int64_t task) {
    return foci_wants(n, input) ? foci_grad(n->input[input]) + (rows_of(n, input, task) - foci_data(n->input[input]))
                                : NULL;
}

static void give(const foci_node *n, const head *o, int input, const real *rows) {
    real *to = gradient_of(n, input, o->task);
    const int64_t width = n->input[input]->shape[3];
    for (int64_t j = 0; to && j < o->tokens; j++)
        foci_kernel()->scale(width, 1, rows + j * width, to + j * n->input[input]->stride[2], n->accumulate[input]);
}

static void backward(const foci_node *n) {
    const int64_t *s = n->input[K]->shape;
    FOCI_PARALLEL_FOR
    for (int64_t task = 0; task < s[0] * s[1]; task++) {
        const head o = head_of(n, task);
        memset(o.dk, 0, (size_t)(o.tokens * o.width) * sizeof(real));
        memset(o.dv, 0, (size_t)(o.tokens * o.value_width) * sizeof(real));
        for (int x = 0; x < BOTH; x++)
            for (int64_t j = 0; j < o.tokens; j++) {
                const real *from = kept(n, &o, x) + 2 * j;
                o.sums[x][j] = (double)from[0] + (double)from[1];
                o.later[x][j] = 0;
            }
        for (int64_t tile = foci_tiles(o.tokens, TILE) - 1; tile >= 0; tile--)
            tile_backward(n, &o, foci_tile(o.tokens, TILE, tile), foci_grad(n->output) + (o.out - foci_data(n->output)),
                          gradient_of(n, Q, task));
        give(n, &o, K, o.dk), give(n, &o, V, o.dv);
    }
}

/* Two Gram matrices, and half of attention's products; backward two products of coefficients for either. That they are
 * made again is no part of the work. */
static foci_cost cost(const foci_node *n) {
    const int64_t *s = n->input[K]->shape;
    const double pairs = 2.0 * (double)(s[0] * s[1] * s[2]) * (double)s[2], d = (double)s[3],
                 e = (double)n->input[V]->shape[3];
    return (foci_cost){pairs * ((2 * d + e) + (d + e) / 2), pairs * (2 * (d + e) + (d + e))};
}

/* ----------------------------------------------------------------------------------------- gradient check */

static foci_tensor *attend(foci_graph *g, int64_t tokens, foci_robust_options o) {
    return foci_prefix_attention(g, RANDOM(g, "q", 2, 2, tokens, 3), RANDOM(g, "k", 2, 2, tokens, 3),
                                 RANDOM(g, "v", 2, 2, tokens, 4), &o, 0.5);
}
static foci_tensor *huber(foci_graph *g) {
    return attend(g, 7, (foci_robust_options){.loss = FOCI_HUBER, .a = 0.2, .published = true});
}
static foci_tensor *hampel(foci_graph *g) {
    return attend(g, 6, (foci_robust_options){.loss = FOCI_HAMPEL, .a = 0.37, .published = false});
}
static foci_tensor *one_token(foci_graph *g) {
    return attend(g, 1, (foci_robust_options){.loss = FOCI_HUBER, .a = 0.2, .published = true});
}
static foci_tensor *several_tiles(foci_graph *g) {
    foci_tensor *x = foci_scale(g, RANDOM(g, "x", 1, 70, 2), 0.7);
    foci_tensor *k = foci_heads(g, x, 2, 0, 1);
    const foci_robust_options o = {.loss = FOCI_HUBER, .a = 0.1, .published = false};
    return foci_prefix_attention(g, k, k, foci_heads(g, x, 2, 1, 1), &o, 0.5);
}
static const foci_gradient_case gradients[] = {{"huber, published", huber},
                                               {"hampel, rkhs", hampel},
                                               {"one token", one_token},
                                               {"several tiles, views, keys attend to keys", several_tiles},
                                               {0}};

const foci_op foci_op_prefix_attention = {
    .name = "prefix_attention",
    .summary = "causal attention with robust weights of every prefix",
    .forward = forward,
    .backward = backward,
    .reads = FOCI_READS_INPUT(Q) | FOCI_READS_INPUT(K) | FOCI_READS_INPUT(V),
    .cost = cost,
    .gradients = gradients,
};

foci_tensor *foci_prefix_attention(foci_graph *g, foci_tensor *q, foci_tensor *k, foci_tensor *v,
                                   const foci_robust_options *o, double factor) {
    const foci_op *op = &foci_op_prefix_attention;
    if (!foci_head_operand(g, op->name, "q", q, NULL) || !foci_head_operand(g, op->name, "k", k, q) ||
        !foci_head_operand(g, op->name, "v", v, NULL))
        return NULL;
    if (memcmp(k->shape, v->shape, 3 * sizeof k->shape[0]))
        return foci_graph_fail(g, "%s: v %s must agree with k %s in all but the width", op->name, foci_shape_text(g, v),
                               foci_shape_text(g, k));
    if (!(o->a > 0)) return foci_graph_fail(g, "%s: a %g must be above 0", op->name, o->a);
    const attributes a = {*o, factor};
    foci_node *n = foci_record(g, op, INPUTS, (foci_tensor *[]){q, k, v}, &a, sizeof a);
    if (!n) return NULL;
    const int64_t *s = v->shape;
    for (int x = 0; x < BOTH; x++) foci_save(n, FOCI_REAL, s[0] * s[1] * 2 * s[2]);
    const size_t scratch = (size_t)(foci_threads() * scratch_of(n)) * sizeof(real);
    foci_workspace(n, scratch, scratch);
    return foci_emit(n, FOCI_REAL, FOCI_SHAPE(s[0], s[2], s[1] * s[3]));
}
