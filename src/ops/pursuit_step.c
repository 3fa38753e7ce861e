/* pursuit_step: a round of principal component pursuit on the keys (Teo & Nguyen, "RPC-Attention", NeurIPS 2024). As it
 * is written, with low rank L, sparse S and Z = Y / mu of the multipliers Y,
 *
 *     S = shrink(k - L + Z, t),   X = k - S - Z,   L' = softmax(f X Xt) v,   Z' = Z + k - L' - S
 *
 * and L = Z = 0 at first. Since x - shrink(x, t) = clip(x, t), S and Z need not be kept: with c = clip(k - L + Z, t)
 *
 *     X = L - 2 Z + c,   Z' = c + L - L',   and in the next round   k - L' + Z' = k - 2 L' + L + c.
 *
 * What the rounds hand on is c, L and the L before it; mu is in the limit t alone. */
#include "ops/attention_head.h"
#include "ops/common.h"

enum { KEYS, LIMIT, CLIPPED, LOW, LOW_BEFORE, INPUTS };

/* A head of a sample: rows of D in (B, N, H*D), which is how all but the keys lie. */
typedef struct head {
    int64_t tokens, width, row, k_row, at, k_at, other; /* other: from c to X in the output; 0: they are one */
    real limit;
} head;

static head head_of(const foci_node *n, int64_t task) {
    const foci_tensor *k = n->input[KEYS];
    const int64_t heads = k->shape[1], b = task / heads, h = task % heads;
    head o = {.tokens = k->shape[2], .width = k->shape[3], .k_row = k->stride[2], .k_at = foci_head_offset(k, b, h)};
    o.row = heads * o.width;
    o.at = b * o.tokens * o.row + h * o.width;
    o.other = n->output->shape[0] == 2 ? foci_numel(n->output) / 2 : 0;
    o.limit = foci_data(n->input[LIMIT])[task];
    return o;
}

static const real *row_of(const foci_node *n, int input, int64_t at) {
    return n->input[input] ? foci_data(n->input[input]) + at : NULL;
}

static void forward(const foci_node *n) {
    const foci_tensor *k = n->input[KEYS];
    FOCI_PARALLEL_FOR
    for (int64_t task = 0; task < k->shape[0] * k->shape[1]; task++) {
        const head o = head_of(n, task);
        for (int64_t i = 0, at = o.at; i < o.tokens; i++, at += o.row) {
            const real *key = foci_data(k) + o.k_at + i * o.k_row, *low = row_of(n, LOW, at),
                       *before = row_of(n, LOW_BEFORE, at), *clipped = row_of(n, CLIPPED, at);
            real *c = foci_data(n->output) + at, *x = c + o.other;
            for (int64_t d = 0; d < o.width; d++) {
                const real l = low ? low[d] : 0, l1 = before ? before[d] : 0, c1 = clipped ? clipped[d] : 0;
                const real u = key[d] - 2 * l + l1 + c1, cut = u > o.limit ? o.limit : u < -o.limit ? -o.limit : u;
                c[d] = cut;
                if (o.other) x[d] = 3 * l - 2 * (l1 + c1) + cut;
            }
        }
    }
}

/* dx (+)= a du + b dX */
static void give(const foci_node *n, int input, int64_t at, int64_t width, real a, const real *du, real b,
                 const real *dx) {
    if (!foci_wants(n, input)) return;
    real *to = foci_grad(n->input[input]) + at;
    for (int64_t d = 0; d < width; d++) to[d] = (n->accumulate[input] ? to[d] : 0) + a * du[d] + b * dx[d];
}

/* What was cut off passes its gradient to the limit, with its sign. */
static void backward(const foci_node *n) {
    const foci_tensor *k = n->input[KEYS];
    FOCI_PARALLEL_FOR
    for (int64_t task = 0; task < k->shape[0] * k->shape[1]; task++) {
        const head o = head_of(n, task);
        real *du = (real *)n->workspace + foci_thread() * o.width;
        double limit = 0;
        for (int64_t i = 0, at = o.at; i < o.tokens; i++, at += o.row) {
            const real *c = foci_data(n->output) + at, *dc = foci_grad(n->output) + at, *dx = dc + o.other;
            for (int64_t d = 0; d < o.width; d++) {
                const real dy = o.other ? dc[d] + dx[d] : dc[d];
                const bool above = c[d] >= o.limit, below = c[d] <= -o.limit;
                limit += above ? (double)dy : below ? -(double)dy : 0;
                du[d] = above || below ? 0 : dy;
            }
            give(n, KEYS, o.k_at + i * o.k_row, o.width, 1, du, 0, dx);
            give(n, CLIPPED, at, o.width, 1, du, -2, dx);
            give(n, LOW, at, o.width, -2, du, 3, dx);
            give(n, LOW_BEFORE, at, o.width, 1, du, -2, dx);
        }
        if (!foci_wants(n, LIMIT)) continue;
        real *to = foci_grad(n->input[LIMIT]) + task;
        *to = (n->accumulate[LIMIT] ? *to : 0) + (real)limit;
    }
}

/* Limits of about 1, differing from head to head. */
static foci_tensor *limits(foci_graph *g) { return foci_parameter(g, "limit", FOCI_NORMAL(1, 0.1), FOCI_SHAPE(2, 2)); }
static foci_tensor *first_round(foci_graph *g) {
    foci_pursuit p = {.k = RANDOM(g, "k", 2, 2, 5, 3), .limit = limits(g)};
    return foci_pursuit_step(g, &p, NULL);
}
static foci_tensor *three_rounds(foci_graph *g) {
    foci_tensor *x = foci_scale(g, RANDOM(g, "x", 2, 5, 2 * 2 * 3), 1.5);
    foci_pursuit p = {.k = foci_heads(g, x, 2, 1, 2), .limit = limits(g)};
    foci_pursuit_step(g, &p, NULL);
    foci_pursuit_step(g, &p, RANDOM(g, "first", 2, 5, 6));
    return foci_gelu(g, foci_pursuit_step(g, &p, RANDOM(g, "second", 2, 5, 6)));
}
static const foci_gradient_case gradients[] = {{"the first round", first_round}, {"three rounds", three_rounds}, {0}};

const foci_op foci_op_pursuit_step = {.name = "pursuit_step",
                                      .summary = "a round of principal component pursuit on keys",
                                      .forward = forward,
                                      .backward = backward,
                                      .reads = FOCI_READS_INPUT(LIMIT) | FOCI_READS_OUTPUT,
                                      .gradients = gradients};

/* Part `part` of the output (parts, B, N, C) */
static foci_tensor *part_of(foci_tensor *y, int64_t part) {
    const int64_t *s = y->shape, one = s[1] * s[2] * s[3];
    return foci_view(y, part * one, 3, s + 1, (int64_t[]){s[2] * s[3], s[3], 1});
}

foci_tensor *foci_pursuit_step(foci_graph *g, foci_pursuit *p, foci_tensor *low) {
    const foci_op *op = &foci_op_pursuit_step;
    if (!foci_head_operand(g, op->name, "k", p->k, NULL) || !foci_operand(g, op->name, "limit", p->limit, FOCI_REAL) ||
        (p->clipped && !foci_operand(g, op->name, "low", low, FOCI_REAL)))
        return NULL;
    const int64_t *s = p->k->shape, parts = p->clipped ? 2 : 1;
    if (foci_numel(p->limit) != s[0] * s[1])
        return foci_graph_fail(g, "%s: limit %s must have one number for each head of k %s", op->name,
                               foci_shape_text(g, p->limit), foci_shape_text(g, p->k));
    if (low && foci_numel(low) != foci_numel(p->k))
        return foci_graph_fail(g, "%s: low %s must have the size of k %s", op->name, foci_shape_text(g, low),
                               foci_shape_text(g, p->k));
    foci_node *n = foci_record(g, op, INPUTS, (foci_tensor *[]){p->k, p->limit, p->clipped, low, p->low}, NULL, 0);
    if (!n) return NULL;
    foci_workspace(n, 0, (size_t)(foci_threads() * s[3]) * sizeof(real));
    foci_tensor *y = foci_emit(n, FOCI_REAL, FOCI_SHAPE(parts, s[0], s[2], s[1] * s[3]));
    if (!y) return NULL;
    p->clipped = part_of(y, 0);
    p->low = low;
    return part_of(y, parts - 1);
}
