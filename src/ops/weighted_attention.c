/* weighted_attention: attention whose numerator and denominator weigh the keys differently,
 *
 *     out_i = sum_j a_j e^{s_ij} v_j / sum_j b_j e^{s_ij},   s = scale q kt,
 *
 * in one pass of fused attention. With g = a + b, the softmax p of s + log g, and values one wider, [a/g v, b/g]:
 * y_i = sum_j p_ij a_j/g_j v_j and z_i = sum_j p_ij b_j/g_j are the numerator and the denominator over the same sum,
 * out = y / z. A key with neither weight is not seen.
 *
 * Backward: dy = dout / z, dz = -(dout out) / z. Since g cancels, what passes through it adds up to nothing, and with
 * dV the gradient of the values: da_j = (dV_j v_j) / g_j, db_j = dV_jD / g_j. */
#include <math.h>
#include <string.h>

#include "ops/gram.h"

enum { Q, K, V, JOINT, MARGINAL, INPUTS };

typedef struct attributes {
    double scale;
} attributes;

/* Stands for log 0: no key gets anything beside another one. */
static const real unseen = (real)-1e30;

typedef struct head {
    int64_t task, tokens, width, row; /* N, E, of a row of E + 1 */
    const real *joint, *marginal, *v;
    int64_t v_row, out_row;
    real *out, *sums;                /* (N, E) in the output; (N): z */
    real *values, *y, *dvalues, *dy; /* (N, row); the last two in backward */
    real *bias, *share, *kernel;     /* (N): log g; (N): 1/g or 0 */
} head;

static int64_t row_of(const foci_node *n) { return foci_line(n->input[V]->shape[3] + 1); }

static int64_t scratch_of(const foci_node *n, bool backward) {
    const int64_t *k = n->input[K]->shape;
    return foci_attention_layout_of(k[2], k[3], n->input[V]->shape[3] + 1, backward, false).reals +
           2 * foci_line(k[2]) + (backward ? 4 : 2) * k[2] * row_of(n);
}

/* Weights are of every head, (B, H, N), or one row (N) for all. */
static const real *weights_of(const foci_node *n, int input, int64_t task) {
    const foci_tensor *w = n->input[input];
    const int64_t tokens = n->input[K]->shape[2];
    return foci_data(w) + (foci_numel(w) == tokens ? 0 : task * tokens);
}

static head head_of(const foci_node *n, int64_t task, bool backward) {
    const foci_tensor *v = n->input[V];
    const int64_t heads = v->shape[1], b = task / heads, h = task % heads;
    head o = {.task = task, .tokens = v->shape[2], .width = v->shape[3], .row = row_of(n), .v_row = v->stride[2]};
    o.joint = weights_of(n, JOINT, task), o.marginal = weights_of(n, MARGINAL, task);
    o.v = foci_data(v) + foci_head_offset(v, b, h);
    o.out_row = heads * o.width;
    o.out = foci_data(n->output) + b * o.tokens * o.out_row + h * o.width;
    o.sums = foci_data(n->saved[0]) + task * o.tokens;
    o.kernel = (real *)n->workspace + foci_thread() * scratch_of(n, backward);
    o.bias = o.kernel + foci_attention_layout_of(o.tokens, n->input[K]->shape[3], o.width + 1, backward, false).reals;
    o.share = o.bias + foci_line(o.tokens);
    o.values = o.share + foci_line(o.tokens);
    o.y = o.values + o.tokens * o.row;
    o.dvalues = o.y + o.tokens * o.row;
    o.dy = o.dvalues + o.tokens * o.row;
    return o;
}

static void load_values(const head *o) {
    for (int64_t j = 0; j < o->tokens; j++) {
        const double both = (double)o->joint[j] + (double)o->marginal[j];
        real *to = o->values + j * o->row;
        o->bias[j] = both > 0 ? (real)log(both) : unseen;
        o->share[j] = both > 0 ? (real)(1 / both) : 0;
        foci_kernel()->scale(o->width, o->joint[j] * o->share[j], o->v + j * o->v_row, to, false);
        to[o->width] = o->marginal[j] * o->share[j];
    }
}

static foci_attention_head attention_of(const foci_node *n, const head *o) {
    const foci_tensor *q = n->input[Q], *k = n->input[K];
    const int64_t b = o->task / q->shape[1], h = o->task % q->shape[1];
    return (foci_attention_head){.queries = q->shape[2],
                                 .keys = k->shape[2],
                                 .width = k->shape[3],
                                 .value_width = o->width + 1,
                                 .q = foci_reals(foci_data(q) + foci_head_offset(q, b, h)),
                                 .k = foci_reals(foci_data(k) + foci_head_offset(k, b, h)),
                                 .v = foci_reals(o->values),
                                 .q_row = q->stride[2],
                                 .k_row = k->stride[2],
                                 .v_row = o->row,
                                 .bias = o->bias,
                                 .scale = (real)((const attributes *)n->attributes)->scale,
                                 .out = foci_reals(o->y),
                                 .out_row = o->row,
                                 .log_sum = foci_data(n->saved[1]) + o->task * o->tokens};
}

static void forward(const foci_node *n) {
    const int64_t *s = n->input[Q]->shape;
    FOCI_PARALLEL_FOR
    for (int64_t task = 0; task < s[0] * s[1]; task++) {
        const head o = head_of(n, task, false);
        load_values(&o);
        const foci_attention_head a = attention_of(n, &o);
        foci_kernel()->attention_forward(&a, 0, o.tokens, o.kernel);
        for (int64_t i = 0; i < o.tokens; i++) {
            const real *y = o.y + i * o.row;
            o.sums[i] = y[o.width];
            foci_kernel()->scale(o.width, 1 / o.sums[i], y, o.out + i * o.out_row, false);
        }
    }
}

/* [y z] once more, and their gradients */
static void load_gradients(const head *o, const real *dout) {
    for (int64_t i = 0; i < o->tokens; i++) {
        const real *out = o->out + i * o->out_row, *d = dout + i * o->out_row;
        real *y = o->y + i * o->row, *dy = o->dy + i * o->row;
        double along;
        foci_kernel()->dot(o->width, d, out, &along);
        foci_kernel()->scale(o->width, o->sums[i], out, y, false);
        foci_kernel()->scale(o->width, 1 / o->sums[i], d, dy, false);
        y[o->width] = o->sums[i];
        dy[o->width] = -(real)along / o->sums[i];
    }
}

static real *gradient_of(const foci_node *n, int input, int64_t task) {
    const foci_tensor *t = n->input[input];
    return foci_wants(n, input) ? foci_grad(t) + foci_head_offset(t, task / t->shape[1], task % t->shape[1]) : NULL;
}

static void give(const foci_node *n, int input, int64_t at, real value) {
    if (!foci_wants(n, input)) return;
    real *to = foci_grad(n->input[input]) + at;
    *to = (n->accumulate[input] ? *to : 0) + value;
}

/* Of values and weights, from that of the wider values. */
static void pass_on(const foci_node *n, const head *o) {
    real *dv = gradient_of(n, V, o->task);
    for (int64_t j = 0; j < o->tokens; j++) {
        const real *d = o->dvalues + j * o->row;
        double along;
        foci_kernel()->dot(o->width, d, o->v + j * o->v_row, &along);
        give(n, JOINT, o->task * o->tokens + j, (real)along * o->share[j]);
        give(n, MARGINAL, o->task * o->tokens + j, d[o->width] * o->share[j]);
        if (dv) foci_kernel()->scale(o->width, o->joint[j] * o->share[j], d, dv + j * o->v_row, n->accumulate[V]);
    }
}

static void backward(const foci_node *n) {
    const int64_t *s = n->input[Q]->shape;
    FOCI_PARALLEL_FOR
    for (int64_t task = 0; task < s[0] * s[1]; task++) {
        const head o = head_of(n, task, true);
        load_values(&o);
        load_gradients(&o, foci_grad(n->output) + (o.out - foci_data(n->output)));
        foci_attention_head a = attention_of(n, &o);
        a.dout = foci_reals(o.dy), a.dout_row = o.row;
        a.dq = foci_reals(gradient_of(n, Q, task)), a.dq_row = a.q_row, a.add_dq = n->accumulate[Q];
        a.dk = foci_reals(gradient_of(n, K, task)), a.dk_row = a.k_row, a.add_dk = n->accumulate[K];
        a.dv = foci_reals(o.dvalues), a.dv_row = o.row;
        foci_kernel()->attention_backward(&a, o.kernel);
        pass_on(n, &o);
    }
}

/* As attention, with values one wider. */
static foci_cost cost(const foci_node *n) {
    const int64_t *s = n->input[Q]->shape;
    const double pairs = (double)(s[0] * s[1] * s[2]) * (double)s[2],
                 forward_cost = 2 * pairs * (double)(s[3] + n->input[V]->shape[3] + 1);
    return (foci_cost){forward_cost, 2 * forward_cost};
}

/* ----------------------------------------------------------------------------------------- gradient check */

/* Above 0 */
static foci_tensor *weights(foci_graph *g, const char *name, int64_t tokens) {
    return foci_parameter(g, name, FOCI_NORMAL(0.5, 0.1), FOCI_SHAPE(2, 2, tokens));
}
static foci_tensor *plain(foci_graph *g) {
    return foci_weighted_attention(g, RANDOM(g, "q", 2, 2, 5, 3), RANDOM(g, "k", 2, 2, 5, 3),
                                   RANDOM(g, "v", 2, 2, 5, 4), weights(g, "joint", 5), weights(g, "marginal", 5), 0.6);
}
static foci_tensor *zeros(foci_graph *g) {
    static const foci_real joint[4] = {0.5, 0, 0, 0.5}, marginal[4] = {0, 0, 0.7, 0.3};
    return foci_weighted_attention(g, RANDOM(g, "q", 2, 2, 4, 3), RANDOM(g, "k", 2, 2, 4, 3),
                                   RANDOM(g, "v", 2, 2, 4, 3),
                                   foci_constant(g, "joint", FOCI_REAL, FOCI_SHAPE(4), joint),
                                   foci_constant(g, "marginal", FOCI_REAL, FOCI_SHAPE(4), marginal), 0.6);
}
static foci_tensor *views(foci_graph *g) {
    foci_tensor *x = foci_scale(g, RANDOM(g, "x", 2, 60, 2 * 2 * 3), 1.2), *w = weights(g, "w", 60);
    foci_tensor *k = foci_heads(g, x, 2, 0, 2);
    return foci_weighted_attention(g, k, k, foci_heads(g, x, 2, 1, 2), w, w, 0.6);
}
static const foci_gradient_case gradients[] = {{"v wider", plain},
                                               {"one row of weights with zeros", zeros},
                                               {"views, keys attend to keys, one weight, two tiles", views},
                                               {0}};

const foci_op foci_op_weighted_attention = {
    .name = "weighted_attention",
    .summary = "attention with weights of keys, in the numerator and in the denominator, fused",
    .forward = forward,
    .backward = backward,
    .reads = FOCI_READS_INPUT(Q) | FOCI_READS_INPUT(K) | FOCI_READS_INPUT(V) | FOCI_READS_INPUT(JOINT) |
             FOCI_READS_INPUT(MARGINAL) | FOCI_READS_OUTPUT,
    .cost = cost,
    .gradients = gradients,
};

static bool weights_operand(foci_graph *g, const char *op, const char *what, const foci_tensor *w,
                            const foci_tensor *k) {
    if (!foci_operand(g, op, what, w, FOCI_REAL)) return false;
    if (foci_numel(w) != foci_rows(k) && (foci_numel(w) != k->shape[2] || w->requires_grad))
        foci_graph_fail(g, "%s: %s %s must have a number for each key of k %s, or a constant row for all", op, what,
                        foci_shape_text(g, w), foci_shape_text(g, k));
    return foci_graph_ok(g);
}

foci_tensor *foci_weighted_attention(foci_graph *g, foci_tensor *q, foci_tensor *k, foci_tensor *v, foci_tensor *joint,
                                     foci_tensor *marginal, double scale) {
    const foci_op *op = &foci_op_weighted_attention;
    if (!foci_head_operand(g, op->name, "q", q, NULL) || !foci_head_operand(g, op->name, "k", k, q) ||
        !foci_head_operand(g, op->name, "v", v, NULL) || !weights_operand(g, op->name, "joint", joint, k) ||
        !weights_operand(g, op->name, "marginal", marginal, k))
        return NULL;
    if (memcmp(k->shape, v->shape, 3 * sizeof k->shape[0]))
        return foci_graph_fail(g, "%s: v %s must agree with k %s in all but the width", op->name, foci_shape_text(g, v),
                               foci_shape_text(g, k));
    const attributes a = {scale};
    foci_node *n = foci_record(g, op, INPUTS, (foci_tensor *[]){q, k, v, joint, marginal}, &a, sizeof a);
    if (!n) return NULL;
    const int64_t *s = v->shape;
    const size_t threads = (size_t)foci_threads() * sizeof(real);
    foci_save(n, FOCI_REAL, s[0] * s[1] * s[2]);
    foci_save(n, FOCI_REAL, s[0] * s[1] * s[2]);
    foci_workspace(n, threads * (size_t)scratch_of(n, false), threads * (size_t)scratch_of(n, true));
    return foci_emit(n, FOCI_REAL, FOCI_SHAPE(s[0], s[2], s[1] * s[3]));
}
