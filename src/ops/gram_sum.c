/* gram_sum: a_i = sum_j w_j exp(-factor |x_i - x_j|^2), the density of every point of a head among the others, without
 * the N x N. The points are keys, or keys and values side by side; without weights w_j = 1/N.
 *
 * With da the gradient of a: dw_j = sum_i da_i K_ij, dx_i = 2 factor sum_j (da_i w_j + w_i da_j) K_ij (x_j - x_i). */
#include <string.h>

#include "ops/gram.h"

enum { KEYS, VALUES, WEIGHTS, INPUTS };

typedef struct attributes {
    double factor;
} attributes;

/* A tile of rows and the lengths; backward: the coefficients besides. */
static int64_t scratch_of(const foci_node *n, bool backward) {
    return (1 + (backward ? 2 : 1) * FOCI_GRAM_ROWS) * foci_line(n->input[KEYS]->shape[2]);
}

static foci_gram gram_of(const foci_node *n, int64_t task, real *lengths) {
    return foci_gram_of(n->input[KEYS], n->input[VALUES], task, ((const attributes *)n->attributes)->factor, lengths);
}

static double weight(const foci_node *n, int64_t task, int64_t j) {
    const int64_t tokens = n->input[KEYS]->shape[2];
    return n->input[WEIGHTS] ? (double)foci_data(n->input[WEIGHTS])[task * tokens + j] : 1 / (double)tokens;
}

static void forward(const foci_node *n) {
    const int64_t *s = n->input[KEYS]->shape, tokens = s[2], ld = foci_line(tokens);
    const int64_t tiles = foci_tiles(tokens, FOCI_GRAM_ROWS);
    FOCI_PARALLEL_FOR
    for (int64_t task = 0; task < s[0] * s[1] * tiles; task++) {
        const int64_t head = task / tiles;
        real *lengths = (real *)n->workspace + foci_thread() * scratch_of(n, false), *tile = lengths + ld;
        const foci_gram o = gram_of(n, head, lengths);
        const foci_range rows = foci_tile(tokens, FOCI_GRAM_ROWS, task % tiles);
        foci_gram_tile(&o, rows, tile, ld);
        for (int64_t i = rows.first; i < rows.end; i++) {
            const real *row = tile + (i - rows.first) * ld;
            double sum = 0;
            if (n->input[WEIGHTS]) foci_kernel()->dot(tokens, row, foci_data(n->input[WEIGHTS]) + head * tokens, &sum);
            else foci_kernel()->sum(tokens, row, &sum);
            foci_data(n->output)[head * tokens + i] = (real)(n->input[WEIGHTS] ? sum : sum / (double)tokens);
        }
    }
}

/* A tile of K becomes that of coefficients c; dw of its rows on the way. */
static void coefficients(const foci_node *n, int64_t head, foci_range rows, const real *tile, real *c, int64_t ld) {
    const double twice = 2 * ((const attributes *)n->attributes)->factor;
    const int64_t tokens = n->input[KEYS]->shape[2];
    const real *da = foci_grad(n->output) + head * tokens;
    for (int64_t i = rows.first; i < rows.end; i++) {
        const real *row = tile + (i - rows.first) * ld;
        real *to = c + (i - rows.first) * ld;
        const double own = twice * weight(n, head, i), own_da = twice * (double)da[i];
        for (int64_t j = 0; j < tokens; j++) to[j] = row[j] * (real)(own_da * weight(n, head, j) + own * (double)da[j]);
        if (foci_wants(n, WEIGHTS)) {
            real *dw = foci_grad(n->input[WEIGHTS]) + head * tokens + i;
            double sum;
            foci_kernel()->dot(tokens, row, da, &sum);
            *dw = (n->accumulate[WEIGHTS] ? *dw : 0) + (real)sum;
        }
    }
}

static void give(const foci_node *n, const foci_gram *o, int64_t head, foci_range rows, const real *c, int input) {
    const foci_tensor *t = n->input[input];
    if (!foci_wants(n, input)) return;
    real *dx = foci_grad(t) + foci_head_offset(t, head / t->shape[1], head % t->shape[1]) + rows.first * t->stride[2];
    foci_gram_gradient(o, rows, c, foci_line(o->tokens), input == VALUES, dx, t->stride[2], n->accumulate[input]);
}

static void backward(const foci_node *n) {
    const int64_t *s = n->input[KEYS]->shape, tokens = s[2], ld = foci_line(tokens);
    const int64_t tiles = foci_tiles(tokens, FOCI_GRAM_ROWS);
    FOCI_PARALLEL_FOR
    for (int64_t task = 0; task < s[0] * s[1] * tiles; task++) {
        real *lengths = (real *)n->workspace + foci_thread() * scratch_of(n, true), *tile = lengths + ld;
        real *c = tile + FOCI_GRAM_ROWS * ld;
        const foci_gram o = gram_of(n, task / tiles, lengths);
        const foci_range rows = foci_tile(tokens, FOCI_GRAM_ROWS, task % tiles);
        foci_gram_tile(&o, rows, tile, ld);
        coefficients(n, task / tiles, rows, tile, c, ld);
        give(n, &o, task / tiles, rows, c, KEYS), give(n, &o, task / tiles, rows, c, VALUES);
    }
}

/* A product of points forward, one of coefficients and points backward. */
static foci_cost cost(const foci_node *n) {
    const int64_t *s = n->input[KEYS]->shape;
    const double width = (double)(s[3] + (n->input[VALUES] ? n->input[VALUES]->shape[3] : 0));
    const double product = 2.0 * (double)(s[0] * s[1] * s[2]) * (double)s[2] * width;
    return (foci_cost){product, product};
}

/* ----------------------------------------------------------------------------------------- gradient check */

static foci_tensor *keys_alone(foci_graph *g) { return foci_gram_sum(g, RANDOM(g, "k", 2, 2, 7, 3), NULL, NULL, 0.4); }
static foci_tensor *joint(foci_graph *g) {
    foci_tensor *x = foci_scale(g, RANDOM(g, "x", 2, 40, 3 * 2 * 2), 0.8);
    return foci_gram_sum(g, foci_heads(g, x, 3, 1, 2), foci_heads(g, x, 3, 2, 2), RANDOM(g, "w", 2, 2, 40), 0.3);
}
static foci_tensor *one_token(foci_graph *g) {
    return foci_gram_sum(g, RANDOM(g, "k", 2, 2, 1, 3), RANDOM(g, "v", 2, 2, 1, 4), RANDOM(g, "w", 2, 2, 1), 0.4);
}
static const foci_gradient_case gradients[] = {{"keys, equal weights", keys_alone},
                                               {"keys and values, weights, views, two tiles", joint},
                                               {"one token", one_token},
                                               {0}};

const foci_op foci_op_gram_sum = {.name = "gram_sum",
                                  .summary = "sums of a Gaussian kernel over the points of a head",
                                  .forward = forward,
                                  .backward = backward,
                                  .reads =
                                      FOCI_READS_INPUT(KEYS) | FOCI_READS_INPUT(VALUES) | FOCI_READS_INPUT(WEIGHTS),
                                  .cost = cost,
                                  .gradients = gradients};

foci_tensor *foci_gram_sum(foci_graph *g, foci_tensor *k, foci_tensor *v, foci_tensor *w, double factor) {
    const foci_op *op = &foci_op_gram_sum;
    if (!foci_head_operand(g, op->name, "k", k, NULL) || (v && !foci_head_operand(g, op->name, "v", v, NULL)) ||
        (w && !foci_operand(g, op->name, "w", w, FOCI_REAL)))
        return NULL;
    if (v && memcmp(k->shape, v->shape, 3 * sizeof k->shape[0]))
        return foci_graph_fail(g, "%s: v %s must agree with k %s in all but the width", op->name, foci_shape_text(g, v),
                               foci_shape_text(g, k));
    if (w && foci_numel(w) != foci_rows(k))
        return foci_graph_fail(g, "%s: w %s must have a number for each key of k %s", op->name, foci_shape_text(g, w),
                               foci_shape_text(g, k));
    const attributes a = {factor};
    foci_node *n = foci_record(g, op, INPUTS, (foci_tensor *[]){k, v, w}, &a, sizeof a);
    if (!n) return NULL;
    const size_t threads = (size_t)foci_threads() * sizeof(real);
    foci_workspace(n, threads * (size_t)scratch_of(n, false), threads * (size_t)scratch_of(n, true));
    return foci_emit(n, FOCI_REAL, FOCI_SHAPE(k->shape[0], k->shape[1], k->shape[2]));
}
