/* fourier_attention: p v with p_ij = phi_ij / (sum_j phi_ij + eps) and phi_ij = prod_d sinc(R_d (q_id - k_jd))^power
 * (Nguyen et al., "FourierFormer", NeurIPS 2022), a tile of queries at a time; N x N is never stored.
 *
 * Of every row there are kept the power of two that phi is divided by, which may be far outside of the reals, and what
 * is left of the denominator. Backward, with delta_i = dout_i out_i and g_ij = p_ij (dout_i v_j - delta_i), the
 * gradient of log phi:
 *
 *     dq_id = power R_d sum_j g_ij c_ijd,  dk_jd = -power R_d sum_i g_ij c_ijd,
 *     dR_d = power sum_ij g_ij c_ijd (q_id - k_jd),  c_ijd = cot x - 1/x at x = R_d (q_id - k_jd) */
#include <string.h>

#include "kernels/gemm.h"
#include "ops/fourier_head.h"

enum { TILE = 32 };

typedef struct head {
    foci_fourier_head f;
    const real *v;
    int64_t v_row, out_row;
    real *out, *tops, *sums; /* (N, D), (N), (N) */
    /* scratch: weights (TILE, ld); backward: dweights (TILE, ld), dkeys (padded, ld), dvalues (N, D), dquery (padded)
     */
    real *weights, *dweights, *dkeys, *dvalues, *dquery;
} head;

static int64_t forward_scratch(const foci_node *n) {
    return foci_fourier_scratch(n) + TILE * foci_in_lines(n->input[FOURIER_Q]->shape[2]);
}
static int64_t backward_scratch(const foci_node *n) {
    const int64_t *s = n->input[FOURIER_Q]->shape;
    return forward_scratch(n) + (TILE + s[3] + 3) * foci_in_lines(s[2]) + foci_in_lines((s[2] + 1) * s[3] + 3);
}

static head head_of(const foci_node *n, int64_t task, real *scratch) {
    head o = {.f = foci_fourier_head_of(n, task, scratch)};
    const foci_tensor *v = n->input[FOURIER_V];
    const int64_t heads = v->shape[1], b = task / heads, h = task % heads;
    o.v = foci_data(v) + foci_head_offset(v, b, h), o.v_row = v->stride[2];
    o.out_row = heads * o.f.width;
    o.out = foci_data(n->output) + b * o.f.tokens * o.out_row + h * o.f.width;
    o.tops = foci_data(n->saved[0]) + task * o.f.tokens;
    o.sums = foci_data(n->saved[1]) + task * o.f.tokens;
    o.weights = scratch + foci_fourier_scratch(n);
    o.dweights = o.weights + TILE * o.f.ld;
    o.dkeys = o.dweights + TILE * o.f.ld;
    o.dvalues = o.dkeys + o.f.padded * o.f.ld;
    o.dquery = o.dvalues + o.f.tokens * o.f.width;
    return o;
}

/* Weights nearer to 0 are 0: what they make of a gradient is no normal number, on which processors are slow. */
static const real least = sizeof(real) == 4 ? (real)1e-30 : (real)1e-290;

/* Row i of a tile: its weights p over the keys that the tile's last query sees. */
static void weigh(const head *o, foci_range t, int64_t i, bool first_time) {
    real *row = o->weights + (i - t.first) * o->f.ld;
    const int64_t seen = foci_fourier_seen(&o->f, i), all = foci_fourier_seen(&o->f, t.end - 1);
    foci_fourier_row(&o->f, i, o->tops + i, first_time, row);
    if (first_time) o->sums[i] = foci_fourier_sum(&o->f, i, o->tops[i], row);
    for (int64_t j = 0; j < seen; j++) {
        const real p = row[j] / o->sums[i];
        row[j] = p < least && p > -least ? 0 : p; /* an odd power may be negative */
    }
    memset(row + seen, 0, (size_t)(all - seen) * sizeof *row);
}

static void forward(const foci_node *n) {
    const int64_t *s = n->input[FOURIER_Q]->shape, tiles = foci_tiles(s[2], TILE);
    FOCI_PARALLEL_FOR
    for (int64_t task = 0; task < s[0] * s[1] * tiles; task++) {
        const head o = head_of(n, task / tiles, (real *)n->workspace + foci_thread() * forward_scratch(n));
        const foci_range t = foci_tile(s[2], TILE, task % tiles);
        for (int64_t i = t.first; i < t.end; i++) weigh(&o, t, i, true);
        foci_gemm(&(foci_product){.rows = t.end - t.first,
                                  .columns = s[3],
                                  .depth = foci_fourier_seen(&o.f, t.end - 1),
                                  .a = {o.weights, o.f.ld},
                                  .b = {o.v, o.v_row},
                                  .c = o.out + t.first * o.out_row,
                                  .ldc = o.out_row});
    }
}

/* dweights = dout vt, dvalues += pt dout of a tile */
static void products(const head *o, foci_range t, const real *dout) {
    const int64_t rows = t.end - t.first, seen = foci_fourier_seen(&o->f, t.end - 1), width = o->f.width;
    const foci_matrix d = {dout + t.first * o->out_row, o->out_row};
    foci_gemm(&(foci_product){.rows = rows,
                              .columns = seen,
                              .depth = width,
                              .a = d,
                              .b = {o->v, o->v_row, true},
                              .c = o->dweights,
                              .ldc = o->f.ld});
    foci_gemm(&(foci_product){.rows = seen,
                              .columns = width,
                              .depth = rows,
                              .a = {o->weights, o->f.ld, true},
                              .b = d,
                              .c = o->dvalues,
                              .ldc = width,
                              .add = true});
}

/* Query i of a tile: dweights become g, and from them its dq, and parts of dk and dR. */
static void query_gradients(const head *o, foci_range t, int64_t i, const real *dout, double *dradius) {
    const foci_fourier_head *f = &o->f;
    const real *p = o->weights + (i - t.first) * f->ld;
    real *g = o->dweights + (i - t.first) * f->ld;
    const int64_t seen = foci_fourier_seen(f, i);
    double delta;
    foci_kernel()->dot(f->width, dout + i * o->out_row, o->out + i * o->out_row, &delta);
    for (int64_t j = 0; j < seen; j++) g[j] = p[j] * (g[j] - (real)delta);
    memcpy(f->query, f->q + i * f->q_row, (size_t)f->width * sizeof(real));
    foci_kernel()->sinc_gradient(seen, f->padded, f->query, f->radius, f->keys, f->ld, g, o->dquery, o->dkeys, dradius);
}

/* to (+)= power R_d from[d step] */
static void put(const foci_fourier_head *f, const real *from, int64_t step, real *to, bool add) {
    for (int64_t d = 0; d < f->width; d++)
        to[d] = (add ? to[d] : 0) + (real)f->o->power * f->radius[d] * from[d * step];
}

static real *gradient_of(const foci_node *n, int input, int64_t task) {
    const foci_tensor *t = n->input[input];
    if (!foci_wants(n, input)) return NULL;
    return foci_grad(t) + foci_head_offset(t, task / t->shape[1], task % t->shape[1]);
}

static void backward_head(const foci_node *n, int64_t task, real *scratch, double *dradius) {
    const head o = head_of(n, task, scratch);
    const foci_fourier_head *f = &o.f;
    const real *dout = foci_grad(n->output) + (o.out - foci_data(n->output));
    real *dq = gradient_of(n, FOURIER_Q, task), *dk = gradient_of(n, FOURIER_K, task),
         *dv = gradient_of(n, FOURIER_V, task);
    const int64_t dq_row = n->input[FOURIER_Q]->stride[2], dk_row = n->input[FOURIER_K]->stride[2];
    memset(o.dkeys, 0, (size_t)(f->padded * f->ld) * sizeof(real));
    memset(o.dvalues, 0, (size_t)(f->tokens * f->width) * sizeof(real));
    memset(dradius, 0, (size_t)f->padded * sizeof *dradius);
    for (int64_t tile = 0; tile < foci_tiles(f->tokens, TILE); tile++) {
        const foci_range t = foci_tile(f->tokens, TILE, tile);
        for (int64_t i = t.first; i < t.end; i++) weigh(&o, t, i, false);
        products(&o, t, dout);
        for (int64_t i = t.first; i < t.end; i++) {
            query_gradients(&o, t, i, dout, dradius);
            if (dq) put(f, o.dquery, 1, dq + i * dq_row, n->accumulate[FOURIER_Q]);
        }
    }
    for (int64_t j = 0; dk && j < f->tokens; j++) put(f, o.dkeys + j, f->ld, dk + j * dk_row, n->accumulate[FOURIER_K]);
    for (int64_t j = 0; dv && j < f->tokens; j++)
        foci_kernel()->scale(f->width, 1, o.dvalues + j * f->width, dv + j * o.v_row, n->accumulate[FOURIER_V]);
}

static int64_t radius_part(const foci_node *n) { return n->input[FOURIER_Q]->shape[3] + 3; }

/* Every head leaves its part (D) in `part`, in double; one radius for all coordinates has the sum. */
static void radius_gradient(const foci_node *n, int64_t heads, const double *part) {
    const int64_t width = n->input[FOURIER_Q]->shape[3], radii = foci_numel(n->input[FOURIER_RADIUS]);
    const double power = (double)((const foci_fourier_options *)n->attributes)->power;
    real *to = foci_grad(n->input[FOURIER_RADIUS]);
    for (int64_t r = 0; r < radii; r++) {
        double sum = 0;
        for (int64_t h = 0; h < heads; h++)
            for (int64_t d = r; d < width; d += radii) sum += part[h * radius_part(n) + d];
        to[r] = (n->accumulate[FOURIER_RADIUS] ? to[r] : 0) + (real)(power * sum);
    }
}

static void backward(const foci_node *n) {
    const int64_t *s = n->input[FOURIER_Q]->shape, heads = s[0] * s[1];
    double *part = n->workspace;
    real *scratch = (real *)(part + heads * radius_part(n));
    FOCI_PARALLEL_FOR
    for (int64_t task = 0; task < heads; task++)
        backward_head(n, task, scratch + foci_thread() * backward_scratch(n), part + task * radius_part(n));
    if (foci_wants(n, FOURIER_RADIUS)) radius_gradient(n, heads, part);
}

/* For each query, key and coordinate the kernel takes 23 operations: the argument and the reduction 9, the polynomial
 * 10, the products 3 and a share of 1; its slope 41, with a cosine and a series; besides the products with v, one
 * forward and two backward. That backward makes the kernel again spares memory and is no part of the work. */
static foci_cost cost(const foci_node *n) {
    const foci_fourier_options *o = n->attributes;
    const double each = (double)foci_numel(n->input[FOURIER_Q]) * (double)n->input[FOURIER_Q]->shape[2],
                 pairs = each * (o->causal ? 0.5 : 1);
    return (foci_cost){(23 + 2) * pairs, (41 + 6 + 4) * pairs};
}

/* ----------------------------------------------------------------------------------------- gradient check */

static foci_tensor *attend(foci_graph *g, int64_t tokens, int64_t width, int64_t radii, foci_fourier_options o) {
    foci_tensor *radius = foci_parameter(g, "radius", FOCI_NORMAL(1.1, 0.2), FOCI_SHAPE(radii));
    return foci_fourier_attention(g, RANDOM(g, "q", 2, 2, tokens, width), RANDOM(g, "k", 2, 2, tokens, width),
                                  RANDOM(g, "v", 2, 2, tokens, width), radius, &o);
}
static foci_tensor *plain(foci_graph *g) { return attend(g, 5, 3, 1, (foci_fourier_options){.power = 4, .eps = 1e-2}); }
static foci_tensor *causal(foci_graph *g) {
    return attend(g, 7, 4, 4, (foci_fourier_options){.power = 2, .eps = 1e-6, .causal = true});
}
static foci_tensor *no_eps(foci_graph *g) { return attend(g, 4, 5, 5, (foci_fourier_options){.power = 2}); }
static foci_tensor *odd_power(foci_graph *g) {
    return attend(g, 4, 2, 1, (foci_fourier_options){.power = 1, .eps = 1.5});
}
static foci_tensor *one_token(foci_graph *g) {
    return attend(g, 1, 4, 1, (foci_fourier_options){.power = 4, .eps = 1});
}
static foci_tensor *several_tiles(foci_graph *g) {
    foci_tensor *x = foci_scale(g, RANDOM(g, "x", 1, 70, 2), 0.5);
    foci_tensor *radius = foci_parameter(g, "radius", FOCI_ONES, FOCI_SHAPE(1));
    foci_tensor *part = foci_heads(g, x, 2, 0, 1);
    return foci_fourier_attention(g, part, foci_heads(g, x, 2, 1, 1), part, radius,
                                  &(foci_fourier_options){.power = 3, .causal = true});
}
static foci_tensor *one_view_three_times(foci_graph *g) {
    foci_tensor *x = foci_heads(g, foci_scale(g, RANDOM(g, "x", 2, 6, 2 * 2 * 3), 1.5), 2, 1, 2);
    foci_tensor *radius = foci_parameter(g, "radius", FOCI_ONES, FOCI_SHAPE(3));
    return foci_fourier_attention(g, x, x, x, radius, &(foci_fourier_options){.power = 4, .eps = 1e-3});
}
static const foci_gradient_case gradients[] = {{"(2, 2, 5, 3), one radius", plain},
                                               {"causal, radius of each coordinate", causal},
                                               {"without eps", no_eps},
                                               {"power 1", odd_power},
                                               {"one token", one_token},
                                               {"several tiles, causal, power 3, views", several_tiles},
                                               {"one view three times", one_view_three_times},
                                               {0}};

const foci_op foci_op_fourier_attention = {
    .name = "fourier_attention",
    .summary = "attention by a product of sinc^power over the coordinates, fused",
    .forward = forward,
    .backward = backward,
    .reads = FOCI_READS_INPUT(FOURIER_Q) | FOCI_READS_INPUT(FOURIER_K) | FOCI_READS_INPUT(FOURIER_V) |
             FOCI_READS_INPUT(FOURIER_RADIUS) | FOCI_READS_OUTPUT,
    .cost = cost,
    .gradients = gradients,
};

foci_tensor *foci_fourier_attention(foci_graph *g, foci_tensor *q, foci_tensor *k, foci_tensor *v, foci_tensor *radius,
                                    const foci_fourier_options *options) {
    const foci_op *op = &foci_op_fourier_attention;
    if (!foci_head_operand(g, op->name, "v", v, NULL)) return NULL;
    foci_node *n = foci_record_fourier(g, op, q, k, v, radius, options);
    if (!n) return NULL;
    const int64_t *s = q->shape;
    const size_t threads = (size_t)foci_threads() * sizeof(real);
    foci_save(n, FOCI_REAL, s[0] * s[1] * s[2]);
    foci_save(n, FOCI_REAL, s[0] * s[1] * s[2]);
    foci_workspace(n, threads * (size_t)forward_scratch(n),
                   threads * (size_t)backward_scratch(n) + (size_t)(s[0] * s[1] * radius_part(n)) * sizeof(double));
    return foci_emit(n, FOCI_REAL, FOCI_SHAPE(s[0], s[2], s[1] * s[3]));
}
