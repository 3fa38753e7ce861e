/* nearer_key_attention: softmax_j(max(e_0, e_1)) v for two keys at each position, e_c = -f_c |q_i - k_cj|^2.
 *
 * Head by head, in tiles of queries: no N x N is kept, backward makes the scores again. Which key is the nearer one is
 * a constant in the backward pass; where both are as near, each has half the gradient, as in PyTorch. */
#include <string.h>

#include "kernels/gemm.h"
#include "ops/attention_head.h"
#include "ops/common.h"

enum { Q, K0, K1, V, BIAS };
enum { TILE = 64 };

typedef struct attributes {
    double factor[2];
    bool causal;
} attributes;

typedef struct head {
    int64_t queries, keys, width, value_width; /* N, M, D, E */
    const real *q, *k[2], *v, *bias;
    int64_t q_row, k_row[2], v_row, out_row;
    real factor[2];
    bool causal;
    real *out;
    /* scratch: (TILE, M) each, scores by either key, then gradients of these; probabilities and their gradients */
    real *s[2], *p, *dp;
    real *squares[2]; /* (M) */
    /* backward: (TILE, D); sums over the tiles (M, D) twice, (M, E), (M) twice */
    const real *dout;
    real *dq, *dk[2], *dv, *column[2];
} head;

static int64_t scratch_of(const foci_node *n, bool backward) {
    const int64_t *k = n->input[K0]->shape, width = k[3], keys = k[2];
    const int64_t both = (4 * TILE + 2) * keys;
    return both + (backward ? TILE * width + 2 * keys * width + keys * n->input[V]->shape[3] + 2 * keys : 0);
}

static const real *at_head(const foci_tensor *t, int64_t b, int64_t h) {
    return foci_data(t) + foci_head_offset(t, b, h);
}

static void squares(const head *o, int c) {
    for (int64_t j = 0; j < o->keys; j++) {
        double sum;
        foci_kernel()->sum_squares(o->width, o->k[c] + j * o->k_row[c], &sum);
        o->squares[c][j] = (real)sum;
    }
}

static void place_scratch(const foci_node *n, head *o, bool backward) {
    real *at = (real *)n->workspace + foci_thread() * scratch_of(n, backward);
    o->s[0] = at, at += TILE * o->keys;
    o->s[1] = at, at += TILE * o->keys;
    o->p = at, at += TILE * o->keys;
    o->dp = at, at += TILE * o->keys;
    for (int c = 0; c < 2; c++) o->squares[c] = at, at += o->keys, squares(o, c);
    if (!backward) return;
    memset(at, 0, (size_t)(scratch_of(n, true) - scratch_of(n, false)) * sizeof *at);
    o->dq = at, at += TILE * o->width;
    for (int c = 0; c < 2; c++) o->dk[c] = at, at += o->keys * o->width;
    o->dv = at, at += o->keys * o->value_width;
    for (int c = 0; c < 2; c++) o->column[c] = at, at += o->keys;
}

static head head_of(const foci_node *n, int64_t task, bool backward) {
    const foci_tensor *q = n->input[Q], *v = n->input[V], *bias = n->input[BIAS];
    const attributes *a = n->attributes;
    const int64_t b = task / q->shape[1], h = task % q->shape[1];
    head o = {.queries = q->shape[2],
              .keys = v->shape[2],
              .width = q->shape[3],
              .value_width = v->shape[3],
              .q = at_head(q, b, h),
              .v = at_head(v, b, h),
              .bias = bias ? foci_data(bias) + b * v->shape[2] : NULL,
              .q_row = q->stride[2],
              .v_row = v->stride[2],
              .out_row = n->output->shape[2],
              .causal = a->causal};
    for (int c = 0; c < 2; c++) {
        o.k[c] = at_head(n->input[K0 + c], b, h);
        o.k_row[c] = n->input[K0 + c]->stride[2];
        o.factor[c] = (real)a->factor[c];
    }
    o.out = foci_data(n->output) + b * o.queries * o.out_row + h * o.value_width;
    place_scratch(n, &o, backward);
    return o;
}

static int64_t seen(const head *o, int64_t query) { return o->causal ? query + 1 : o->keys; }

/* c (rows, columns) = or += a b */
static void product(int64_t rows, int64_t columns, int64_t depth, foci_matrix a, foci_matrix b, real *c, int64_t ldc,
                    bool add) {
    foci_gemm(&(foci_product){
        .rows = rows, .columns = columns, .depth = depth, .a = a, .b = b, .c = c, .ldc = ldc, .add = add});
}

/* s_c = e_c and p of a tile; p is 0 where a query does not see a key */
static void probabilities(const head *o, foci_range t) {
    const int64_t rows = t.end - t.first, keys = o->keys;
    for (int c = 0; c < 2; c++)
        product(rows, keys, o->width, (foci_matrix){o->q + t.first * o->q_row, o->q_row, false},
                (foci_matrix){o->k[c], o->k_row[c], true}, o->s[c], keys, false);
    for (int64_t i = 0; i < rows; i++) {
        const int64_t end = seen(o, t.first + i);
        double of_query;
        foci_kernel()->sum_squares(o->width, o->q + (t.first + i) * o->q_row, &of_query);
        real *s0 = o->s[0] + i * keys, *s1 = o->s[1] + i * keys, *top = o->dp + i * keys, *p = o->p + i * keys;
        for (int64_t j = 0; j < end; j++) {
            s0[j] = o->factor[0] * (2 * s0[j] - o->squares[0][j] - (real)of_query);
            s1[j] = o->factor[1] * (2 * s1[j] - o->squares[1][j] - (real)of_query);
            top[j] = (s0[j] > s1[j] ? s0[j] : s1[j]) + (o->bias ? o->bias[j] : 0);
        }
        foci_kernel()->softmax(1, end, top, p);
        memset(p + end, 0, (size_t)(keys - end) * sizeof *p);
    }
}

static void forward(const foci_node *n) {
    const int64_t *shape = n->input[Q]->shape;
    FOCI_PARALLEL_FOR
    for (int64_t task = 0; task < shape[0] * shape[1]; task++) {
        const head o = head_of(n, task, false);
        for (int64_t i = 0; i < foci_tiles(o.queries, TILE); i++) {
            const foci_range t = foci_tile(o.queries, TILE, i);
            probabilities(&o, t);
            product(t.end - t.first, o.value_width, o.keys, (foci_matrix){o.p, o.keys, false},
                    (foci_matrix){o.v, o.v_row, false}, o.out + t.first * o.out_row, o.out_row, false);
        }
    }
}

/* s_c becomes the gradient of q k_c, 2 f_c times that of e_c; its sums go to the columns' and come back as the row's.
 */
static real split(const head *o, int64_t i, int64_t end) {
    const int64_t keys = o->keys;
    const real *p = o->p + i * keys, *dp = o->dp + i * keys;
    real *s0 = o->s[0] + i * keys, *s1 = o->s[1] + i * keys, sum = 0;
    double delta;
    foci_kernel()->dot(end, p, dp, &delta);
    for (int64_t j = 0; j < end; j++) {
        const real ds = p[j] * (dp[j] - (real)delta), first = s0[j] > s1[j] ? 1 : s0[j] < s1[j] ? 0 : (real)0.5;
        s0[j] = 2 * o->factor[0] * ds * first;
        s1[j] = 2 * o->factor[1] * ds * (1 - first);
        sum += s0[j] + s1[j];
        o->column[0][j] += s0[j];
        o->column[1][j] += s1[j];
    }
    for (int c = 0; c < 2; c++) memset(o->s[c] + i * keys + end, 0, (size_t)(keys - end) * sizeof(real));
    return sum;
}

/* With g_c = 2 f_c de_c:  dq_i = sum_cj g_cij (k_cj - q_i),  dk_cj = sum_i g_cij (q_i - k_cj) */
static void backward_tile(const head *o, foci_range t) {
    const int64_t rows = t.end - t.first, keys = o->keys, width = o->width;
    const foci_matrix dout = {o->dout + t.first * o->out_row, o->out_row, false};
    probabilities(o, t);
    product(rows, keys, o->value_width, dout, (foci_matrix){o->v, o->v_row, true}, o->dp, keys, false);
    product(keys, o->value_width, rows, (foci_matrix){o->p, keys, true}, dout, o->dv, o->value_width, true);
    for (int64_t i = 0; i < rows; i++) {
        const real *q = o->q + (t.first + i) * o->q_row;
        foci_kernel()->scale(width, -split(o, i, seen(o, t.first + i)), q, o->dq + i * width, false);
    }
    for (int c = 0; c < 2; c++) {
        product(rows, width, keys, (foci_matrix){o->s[c], keys, false}, (foci_matrix){o->k[c], o->k_row[c], false},
                o->dq, width, true);
        product(keys, width, rows, (foci_matrix){o->s[c], keys, true},
                (foci_matrix){o->q + t.first * o->q_row, o->q_row, false}, o->dk[c], width, true);
    }
}

/* Rows of a contiguous matrix to, or onto, those of a gradient of head h of sample b. */
static void give(const foci_node *n, int input, int64_t task, const real *from, foci_range rows) {
    const foci_tensor *t = n->input[input];
    const int64_t heads = t->shape[1], width = t->shape[3];
    if (!foci_wants(n, input)) return;
    real *to = foci_grad(t) + foci_head_offset(t, task / heads, task % heads);
    for (int64_t i = rows.first; i < rows.end; i++)
        foci_kernel()->scale(width, 1, from + (i - rows.first) * width, to + i * t->stride[2], n->accumulate[input]);
}

static void backward(const foci_node *n) {
    const int64_t *shape = n->input[Q]->shape;
    FOCI_PARALLEL_FOR
    for (int64_t task = 0; task < shape[0] * shape[1]; task++) {
        head o = head_of(n, task, true);
        o.dout = foci_grad(n->output) + (o.out - foci_data(n->output));
        for (int64_t i = 0; i < foci_tiles(o.queries, TILE); i++) {
            const foci_range t = foci_tile(o.queries, TILE, i);
            backward_tile(&o, t);
            give(n, Q, task, o.dq, t);
        }
        for (int c = 0; c < 2; c++) {
            for (int64_t j = 0; j < o.keys; j++)
                foci_kernel()->scale(o.width, -o.column[c][j], o.k[c] + j * o.k_row[c], o.dk[c] + j * o.width, true);
            give(n, K0 + c, task, o.dk[c], (foci_range){0, o.keys});
        }
        give(n, V, task, o.dv, (foci_range){0, o.keys});
    }
}

/* Two products of N x M x D and one with the values forward, twice as many backward. */
static foci_cost cost(const foci_node *n) {
    const int64_t *q = n->input[Q]->shape, *v = n->input[V]->shape;
    const double work = 2.0 * (double)(q[0] * q[1] * q[2] * v[2]) * (double)(2 * q[3] + v[3]);
    return (foci_cost){work, 2 * work};
}

static foci_tensor *attend(foci_graph *g, int64_t queries, int64_t keys, bool causal) {
    foci_tensor *const k[] = {RANDOM(g, "k0", 2, 2, keys, 3), RANDOM(g, "k1", 2, 2, keys, 3)};
    return foci_nearer_key_attention(g, RANDOM(g, "q", 2, 2, queries, 3), k, RANDOM(g, "v", 2, 2, keys, 4), NULL,
                                     (double[]){0.2, 0.6}, causal);
}
static foci_tensor *plain(foci_graph *g) { return attend(g, 5, 7, false); }
static foci_tensor *causal(foci_graph *g) { return attend(g, 6, 6, true); }
static foci_tensor *several_tiles(foci_graph *g) { return attend(g, 70, 9, false); }
static foci_tensor *views(foci_graph *g) {
    foci_tensor *x = foci_scale(g, RANDOM(g, "x", 2, 5, 24), 1.5);
    foci_tensor *const k[] = {foci_heads(g, x, 4, 1, 2), foci_heads(g, x, 4, 2, 2)};
    return foci_nearer_key_attention(g, foci_heads(g, x, 4, 0, 2), k, foci_heads(g, x, 4, 3, 2), NULL,
                                     (double[]){0.5, 0.5}, true);
}
static const foci_gradient_case gradients[] = {{"5 queries, 7 keys", plain},
                                               {"causal", causal},
                                               {"several tiles", several_tiles},
                                               {"views of a projection", views},
                                               {0}};

const foci_op foci_op_nearer_key_attention = {
    .name = "nearer_key_attention",
    .summary = "softmax by the nearer of two keys at each position",
    .forward = forward,
    .backward = backward,
    .reads = FOCI_READS_INPUT(Q) | FOCI_READS_INPUT(K0) | FOCI_READS_INPUT(K1) | FOCI_READS_INPUT(V) |
             FOCI_READS_INPUT(BIAS),
    .cost = cost,
    .gradients = gradients,
};

foci_tensor *foci_nearer_key_attention(foci_graph *g, foci_tensor *q, foci_tensor *const k[2], foci_tensor *v,
                                       foci_tensor *bias, const double factor[2], bool causal_mask) {
    const foci_op *op = &foci_op_nearer_key_attention;
    if (!foci_head_operand(g, op->name, "q", q, NULL) || !foci_head_operand(g, op->name, "first k", k[0], NULL) ||
        !foci_head_operand(g, op->name, "second k", k[1], k[0]) || !foci_head_operand(g, op->name, "v", v, NULL) ||
        (bias && !foci_operand(g, op->name, "bias", bias, FOCI_REAL)))
        return NULL;
    if (memcmp(v->shape, k[0]->shape, 3 * sizeof v->shape[0]) || q->shape[0] != v->shape[0] ||
        q->shape[1] != v->shape[1] || q->shape[3] != k[0]->shape[3] ||
        (bias && foci_numel(bias) != v->shape[0] * v->shape[2]))
        return foci_graph_fail(g, "%s: q %s, keys %s and v %s do not fit together", op->name, foci_shape_text(g, q),
                               foci_shape_text(g, k[0]), foci_shape_text(g, v));
    const attributes a = {{factor[0], factor[1]}, causal_mask && q->shape[2] == v->shape[2]};
    foci_node *n = foci_record(g, op, 5, (foci_tensor *[]){q, k[0], k[1], v, bias}, &a, sizeof a);
    if (!n) return NULL;
    const size_t threads = (size_t)foci_threads() * sizeof(real);
    foci_workspace(n, threads * (size_t)scratch_of(n, false), threads * (size_t)scratch_of(n, true));
    return foci_emit(n, FOCI_REAL, FOCI_SHAPE(q->shape[0], q->shape[2], q->shape[1] * v->shape[3]));
}
