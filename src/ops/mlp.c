/* mlp: y = act(x W1t + b1) W2t + b2, or with a gate y = (silu(x Gt + c) (x W1t + b1)) W2t + b2, tile by tile of rows,
 * so that what lies between the products stays in cache.
 *
 * One tensor as wide as the hidden layer, with a gate twice as wide, is saved for backward: what goes into the
 * activation (which is computed again), or what comes out of relu and dropout (which tells what passed). Where products
 * are in bfloat16, so is that tensor. */
#include <string.h>

#include "kernels/bf16.h"
#include "kernels/gemm.h"
#include "ops/common.h"

enum { X, WEIGHT1, BIAS1, WEIGHT2, BIAS2, GATE, GATE_BIAS, INPUTS };
enum { TILE = 96, DEEP_TILE = 200 };     /* rows at a time: forward; backward, where they are the depth of sums */
enum { LEAST_CHUNK = 128, CHUNKS = 16 }; /* rows that a chunk has, and chunks that there are */

typedef struct attributes {
    foci_activation activation;
    double dropout;
} attributes;

typedef struct shape { /* x (rows, in), weights (hidden, in) and (out, hidden) -> y (rows, out) */
    int64_t rows, in, hidden, out;
    int64_t branches; /* products that the hidden layer is made of, side by side: W1's, and the gate's */
    int64_t wide;     /* branches * hidden */
    int64_t ld;       /* of a tile of hidden rows in scratch memory: no power of two */
} shape;

static shape shape_of(const foci_node *n) {
    shape s = {.rows = foci_rows(n->input[X]),
               .in = foci_last_dim(n->input[X]),
               .hidden = foci_last_dim(n->input[WEIGHT2]),
               .out = foci_last_dim(n->output),
               .branches = n->input[GATE] ? 2 : 1};
    s.wide = s.branches * s.hidden;
    s.ld = foci_tiles(s.wide, FOCI_ALIGN) * FOCI_ALIGN + FOCI_ALIGN;
    return s;
}

/* The inputs of a branch: its weight, and its bias behind it. */
static int weight_of(int64_t branch) { return branch ? GATE : WEIGHT1; }

/* Part i of those that a thread has of scratch memory, `rows` each. */
static real *scratch_tile(real *scratch, const shape *s, int64_t rows, int parts, int i) {
    return scratch + (foci_thread() * parts + i) * rows * s->ld;
}

/* A row of the hidden layer, dropped out in place; the same elements in forward and backward. */
static void drop(const foci_node *n, const shape *s, int64_t row, real *x) {
    const double p = ((const attributes *)n->attributes)->dropout;
    if (p == 0) return;
    const uint64_t before = foci_node_random(n).first / (uint64_t)s->out * (uint64_t)s->hidden;
    const foci_dropout_mask mask = foci_node_dropout(n, p, before + (uint64_t)(foci_row_number(n, row) * s->hidden));
    foci_kernel()->dropout(s->hidden, &mask, x, x, false);
}

static foci_activation activation_of(const foci_node *n) { return ((const attributes *)n->attributes)->activation; }

/* Rows of the hidden layer, or of its gradient, as products read them. */
typedef struct hidden_rows {
    foci_numbers first;
    int64_t ld;
} hidden_rows;

/* In scratch memory a row is made of reals, `ld` apart; where products are in bfloat16, it is rounded in its place. */
static hidden_rows rows_in(const foci_node *n, const shape *s, real *scratch) {
    const bool bf16 = foci_graph_bf16(n->graph);
    return (hidden_rows){{scratch, bf16}, bf16 ? 2 * s->ld : s->ld};
}
static void round_in_place(const foci_node *n, int64_t columns, real *row) {
    if (foci_graph_bf16(n->graph)) foci_bf16_round(1, columns, row, columns, (void *)row, columns);
}

static int64_t saved_size(const foci_graph *g, int64_t elements) {
    return foci_graph_bf16(g) ? (elements + 1) / 2 : elements;
}
static hidden_rows saved_rows(const foci_node *n, const shape *s, int64_t first) {
    const foci_numbers saved = {foci_data(n->saved[0]), foci_graph_bf16(n->graph)};
    return (hidden_rows){foci_numbers_at(saved, first * s->wide), s->wide};
}
static uint16_t *rounded_row(const foci_node *n, const shape *s, int64_t row) {
    return (uint16_t *)foci_data(n->saved[0]) + row * s->wide;
}

/* Where the first products make rows from `first` on: where they are saved, or in scratch memory. */
static real *place_of(const foci_node *n, const shape *s, int64_t first, real *scratch) {
    return foci_graph_bf16(n->graph) ? scratch : foci_data(n->saved[0]) + first * s->wide;
}
static int64_t place_ld(const foci_node *n, const shape *s) { return foci_graph_bf16(n->graph) ? s->ld : s->wide; }

/* One row of what comes out of the activation, and of what goes back through it: it and the gradient dh, in place. */
static void activate(const foci_node *n, int64_t hidden, const real *h, real *a) {
    switch (activation_of(n)) {
    case FOCI_GELU: foci_kernel()->gelu(hidden, h, a); break;
    case FOCI_GELU_TANH: foci_kernel()->gelu_tanh(hidden, h, a); break;
    case FOCI_RELU: foci_kernel()->relu(hidden, h, a); break;
    case FOCI_SWIGLU: foci_kernel()->swiglu(hidden, h + hidden, h, a); break;
    }
}
static void activate_again(const foci_node *n, int64_t hidden, const real *h, real *a, real *dh) {
    switch (activation_of(n)) {
    case FOCI_GELU: foci_kernel()->gelu_again(hidden, h, dh, a, dh); break;
    case FOCI_GELU_TANH: foci_kernel()->gelu_tanh_again(hidden, h, dh, a, dh); break;
    case FOCI_RELU: foci_kernel()->relu_backward(hidden, h, dh, dh, false); break;
    case FOCI_SWIGLU: foci_kernel()->swiglu_again(hidden, h + hidden, h, dh, a, dh + hidden, dh); break;
    }
}

/* What the second product reads, from row `first` on: relu's, which are saved, or those in scratch memory. */
static hidden_rows activated(const foci_node *n, const shape *s, int64_t first, real *scratch) {
    return activation_of(n) == FOCI_RELU ? saved_rows(n, s, first) : rows_in(n, s, scratch);
}

/* Makes it of what the first products made; what backward needs is saved. */
static void activation(const foci_node *n, const shape *s, foci_range r, real *scratch) {
    const bool relu = activation_of(n) == FOCI_RELU, bf16 = foci_graph_bf16(n->graph);
    const int64_t ld = place_ld(n, s);
    real *h = place_of(n, s, r.first, scratch), *a = relu ? h : scratch;
    for (int64_t i = r.first; i < r.end; i++, h += ld, a += relu ? ld : s->ld) {
        if (bf16 && !relu) foci_bf16_round(1, s->wide, h, ld, rounded_row(n, s, i), s->wide);
        if (!relu && n->spared) continue;
        activate(n, s->hidden, h, a);
        drop(n, s, i, a);
        if (bf16 && relu) foci_bf16_round(1, s->wide, a, ld, rounded_row(n, s, i), s->wide);
        else round_in_place(n, s->hidden, a);
    }
}

/* In backward: the same again into scratch memory, and dh becomes the gradient of what goes into dropout and
 * activation; rows of both are `ld` apart. */
static void activation_backward(const foci_node *n, const shape *s, foci_range r, real *a, real *dh) {
    const double dropout = ((const attributes *)n->attributes)->dropout;
    const bool relu = activation_of(n) == FOCI_RELU, bf16 = foci_graph_bf16(n->graph);
    const real factor = foci_node_dropout(n, dropout, 0).factor;
    for (int64_t i = r.first; i < r.end; i++, a += s->ld, dh += s->ld) {
        const real *h = bf16 ? a : foci_data(n->saved[0]) + i * s->wide;
        if (bf16) foci_bf16_widen(1, s->wide, rounded_row(n, s, i), s->wide, a, s->ld);
        if (!relu) drop(n, s, i, dh);
        activate_again(n, s->hidden, h, a, dh);
        if (relu && dropout > 0) foci_kernel()->scale(s->hidden, factor, dh, dh, false);
        round_in_place(n, s->wide, dh);
        if (relu) continue;
        drop(n, s, i, a);
        round_in_place(n, s->hidden, a);
    }
}

static const real *optional(const foci_tensor *t) { return t ? foci_data(t) : NULL; }

/* Product b of the hidden layer, of all rows; packed, where there is memory for it. */
static foci_product to_branch(const foci_node *n, const shape *s, int64_t b, real *packed) {
    foci_product p = {.columns = s->hidden,
                      .depth = s->in,
                      .a = foci_matrix_of(foci_values(n->input[X]), s->in),
                      .b = {foci_data(n->input[weight_of(b)]), s->in, true},
                      .bias = optional(n->input[weight_of(b) + 1]),
                      .bf16 = foci_graph_bf16(n->graph)};
    foci_gemm_pack(&p, packed + b * foci_gemm_packed_size(s->in, s->hidden));
    return p;
}

/* Few rows and large weights: each product is one over all rows, by foci_gemm_spread, and what lies between goes to
 * memory, which it does for backward anyway. */
static bool has_few_rows(const shape *s) {
    return foci_gemm_has_few_rows(s->rows, s->hidden, s->in) && foci_gemm_has_few_rows(s->rows, s->out, s->hidden);
}

/* Over all threads, by strips of rows. */
static void each_strip(const foci_node *n, const shape *s,
                       void (*f)(const foci_node *n, const shape *s, foci_range r, real *a, real *dh), real *a,
                       real *dh) {
    const int64_t rows = foci_tiles(s->rows, 4 * foci_threads());
    FOCI_PARALLEL_FOR
    for (int64_t i = 0; i < foci_tiles(s->rows, rows); i++) {
        const foci_range r = foci_tile(s->rows, rows, i);
        f(n, s, r, a + r.first * s->ld, dh ? dh + r.first * s->ld : NULL);
    }
}

static void activate_strip(const foci_node *n, const shape *s, foci_range r, real *a, real *dh) {
    (void)dh;
    activation(n, s, r, a);
}

static foci_matrix matrix_of(hidden_rows h) { return foci_matrix_of(h.first, h.ld); }

static void forward_few(const foci_node *n, const shape *s) {
    real *a = n->workspace, *packed = a + s->rows * s->ld;
    for (int64_t b = 0; b < s->branches; b++)
        foci_gemm_spread(&(foci_product){.rows = s->rows,
                                         .columns = s->hidden,
                                         .depth = s->in,
                                         .a = foci_matrix_of(foci_values(n->input[X]), s->in),
                                         .b = {foci_data(n->input[weight_of(b)]), s->in, true},
                                         .c = place_of(n, s, 0, a) + b * s->hidden,
                                         .ldc = place_ld(n, s),
                                         .bias = optional(n->input[weight_of(b) + 1]),
                                         .bf16 = foci_graph_bf16(n->graph)},
                         packed);
    each_strip(n, s, activate_strip, a, NULL);
    if (n->spared) return;
    foci_gemm_spread(&(foci_product){.rows = s->rows,
                                     .columns = s->out,
                                     .depth = s->hidden,
                                     .a = matrix_of(activated(n, s, 0, a)),
                                     .b = {foci_data(n->input[WEIGHT2]), s->hidden, true},
                                     .c = foci_data(n->output),
                                     .ldc = s->out,
                                     .bias = optional(n->input[BIAS2]),
                                     .bf16 = foci_graph_bf16(n->graph)},
                     packed);
}

static void forward(const foci_node *n) {
    const shape s = shape_of(n);
    if (has_few_rows(&s)) {
        forward_few(n, &s);
        return;
    }
    real *packed = n->workspace, *packed_second = packed + s.branches * foci_gemm_packed_size(s.in, s.hidden),
         *scratch = packed_second + foci_gemm_packed_size(s.hidden, s.out);
    foci_product first[2], second = {.columns = s.out,
                                     .depth = s.hidden,
                                     .b = {foci_data(n->input[WEIGHT2]), s.hidden, true},
                                     .c = foci_data(n->output),
                                     .ldc = s.out,
                                     .bias = optional(n->input[BIAS2]),
                                     .bf16 = foci_graph_bf16(n->graph)};
    for (int64_t b = 0; b < s.branches; b++) first[b] = to_branch(n, &s, b, packed);
    foci_gemm_pack(&second, packed_second);
    FOCI_PARALLEL_FOR
    for (int64_t tile = 0; tile < foci_tiles(s.rows, TILE); tile++) {
        const foci_range r = foci_tile(s.rows, TILE, tile);
        real *here = scratch_tile(scratch, &s, TILE, 1, 0);
        for (int64_t b = 0; b < s.branches; b++) {
            foci_product p = first[b];
            p.rows = r.end - r.first;
            p.a = foci_matrix_from(p.a, r.first, 0);
            p.c = place_of(n, &s, r.first, here) + b * s.hidden;
            p.ldc = place_ld(n, &s);
            foci_gemm(&p);
        }
        activation(n, &s, r, here);
        if (n->spared) continue;
        foci_product q = second;
        q.rows = r.end - r.first;
        q.a = matrix_of(activated(n, &s, r.first, here));
        q.c += r.first * s.out;
        foci_gemm(&q);
    }
}

/* The gradients of the parameters, one after another: sums over a chunk of rows. */
typedef struct sums {
    real *of[INPUTS];
} sums;
static int64_t sums_size(const shape *s) { return s->wide * (s->in + 1) + s->out * (s->hidden + 1); }
static sums sums_at(const shape *s, real *at) {
    sums sum = {.of = {[WEIGHT1] = at}};
    sum.of[BIAS1] = sum.of[WEIGHT1] + s->hidden * s->in;
    sum.of[WEIGHT2] = sum.of[BIAS1] + s->hidden;
    sum.of[BIAS2] = sum.of[WEIGHT2] + s->out * s->hidden;
    sum.of[GATE] = sum.of[BIAS2] + s->out;
    sum.of[GATE_BIAS] = sum.of[GATE] + s->hidden * s->in;
    return sum;
}

/* A power of two of them, so that threads have equal shares. */
static int64_t chunk_rows(int64_t rows) {
    int64_t chunks = CHUNKS;
    while (chunks > 1 && rows < chunks * LEAST_CHUNK) chunks /= 2;
    return foci_tiles(rows, chunks);
}

static bool learns(const foci_node *n) {
    bool any = false;
    for (int i = WEIGHT1; i < INPUTS; i++) any |= foci_wants(n, i);
    return any;
}

/* Columns from `first` on of rows of the hidden layer. */
static foci_strip strip_of(hidden_rows h, int64_t first, int64_t width) {
    return (foci_strip){foci_numbers_at(h.first, first).first, h.ld, width, h.first.bf16};
}

/* The gradients of the parameters from some rows: of what the hidden layer was, a, and of its gradient, dh. */
static void parameter_gradients(const foci_node *n, const shape *s, int64_t rows, foci_strip dy, hidden_rows a,
                                hidden_rows dh, foci_strip x, const sums *sum, bool add) {
    foci_weight_gradient(n, rows, dy, strip_of(a, 0, s->hidden), sum->of[WEIGHT2], add);
    foci_bias_gradient(rows, dy, sum->of[BIAS2], add);
    for (int64_t b = 0; b < s->branches; b++) {
        const foci_strip branch = strip_of(dh, b * s->hidden, s->hidden);
        foci_weight_gradient(n, rows, branch, x, sum->of[weight_of(b)], add);
        foci_bias_gradient(rows, branch, sum->of[weight_of(b) + 1], add);
    }
}

static foci_strip rows_of_x(const foci_node *n, const shape *s, int64_t first) {
    const foci_numbers x = foci_values(n->input[X]);
    return (foci_strip){foci_numbers_at(x, first * s->in).first, s->in, s->in, x.bf16};
}

/* weight (rows, columns) += dyt x, over all rows of the batch */
static void gradient_of_weight(const foci_node *n, const shape *s, int input, foci_strip dy, foci_strip x) {
    if (foci_wants(n, input))
        foci_gemm_parallel(&(foci_product){.rows = dy.width,
                                           .columns = x.width,
                                           .depth = s->rows,
                                           .a = {dy.first, dy.ld, true, dy.bf16},
                                           .b = {x.first, x.ld, false, x.bf16},
                                           .c = foci_grad(n->input[input]),
                                           .ldc = x.width,
                                           .add = n->accumulate[input],
                                           .bf16 = foci_graph_bf16(n->graph)});
    if (foci_wants(n, input + 1))
        foci_bias_gradient(s->rows, dy, foci_grad(n->input[input + 1]), n->accumulate[input + 1]);
}

static void backward_few(const foci_node *n, const shape *s) {
    const bool bf16 = foci_graph_bf16(n->graph);
    real *a = n->workspace, *dh = a + s->rows * s->ld, *packed = dh + s->rows * s->ld;
    const real *dy = foci_grad(n->output);
    foci_gemm_spread(&(foci_product){.rows = s->rows,
                                     .columns = s->hidden,
                                     .depth = s->out,
                                     .a = {dy, s->out},
                                     .b = {foci_data(n->input[WEIGHT2]), s->hidden},
                                     .c = dh,
                                     .ldc = s->ld,
                                     .bf16 = bf16},
                     packed);
    each_strip(n, s, activation_backward, a, dh);
    gradient_of_weight(n, s, WEIGHT2, (foci_strip){dy, s->out, s->out}, strip_of(activated(n, s, 0, a), 0, s->hidden));
    for (int64_t b = 0; b < s->branches; b++) {
        const foci_strip branch = strip_of(rows_in(n, s, dh), b * s->hidden, s->hidden);
        gradient_of_weight(n, s, weight_of(b), branch, rows_of_x(n, s, 0));
        if (!foci_wants(n, X)) continue;
        foci_product p = {.rows = s->rows,
                          .columns = s->in,
                          .depth = s->hidden,
                          .a = {branch.first, branch.ld, false, branch.bf16},
                          .b = {foci_data(n->input[weight_of(b)]), s->in},
                          .ldc = s->in,
                          .add = b > 0 || n->accumulate[X],
                          .bf16 = bf16};
        foci_product_to(&p, foci_gradients(n->input[X]));
        foci_gemm_spread(&p, packed);
    }
}

/* Per chunk of rows, tile by tile: da = dy W2, dh = act'(da), dx = dh W1 and that of the gate, and the parameters'
 * gradients, which are added over the chunks afterwards. */
static void backward(const foci_node *n) {
    const shape s = shape_of(n);
    if (has_few_rows(&s)) {
        backward_few(n, &s);
        return;
    }
    const bool bf16 = foci_graph_bf16(n->graph), parameters = learns(n);
    const int64_t size = chunk_rows(s.rows), chunks = foci_tiles(s.rows, size), sum_size = sums_size(&s);
    const real *dy = foci_grad(n->output);
    foci_product to_hidden = {
        .columns = s.hidden, .depth = s.out, .b = {foci_data(n->input[WEIGHT2]), s.hidden}, .ldc = s.ld, .bf16 = bf16};
    foci_product to_x[2];
    real *packed = n->workspace, *packed_x = packed + foci_gemm_packed_size(s.out, s.hidden),
         *partial = packed_x + s.branches * foci_gemm_packed_size(s.hidden, s.in);
    real *scratch = partial + foci_tiles(chunks * sum_size, FOCI_ALIGN) * FOCI_ALIGN;
    foci_gemm_pack(&to_hidden, packed);
    for (int64_t b = 0; b < s.branches; b++) {
        to_x[b] = (foci_product){.columns = s.in,
                                 .depth = s.hidden,
                                 .b = {foci_data(n->input[weight_of(b)]), s.in},
                                 .ldc = s.in,
                                 .add = b > 0 || n->accumulate[X],
                                 .bf16 = bf16};
        foci_gemm_pack(&to_x[b], packed_x + b * foci_gemm_packed_size(s.hidden, s.in));
    }
    FOCI_PARALLEL_FOR
    for (int64_t chunk = 0; chunk < chunks; chunk++) {
        const foci_range all = foci_tile(s.rows, size, chunk);
        const sums sum = sums_at(&s, partial + chunk * sum_size);
        real *a = scratch_tile(scratch, &s, DEEP_TILE, 2, 0), *dh = scratch_tile(scratch, &s, DEEP_TILE, 2, 1);
        const int64_t tiles = foci_tiles(all.end - all.first, DEEP_TILE), tile = foci_tiles(all.end - all.first, tiles);
        for (foci_range r = {all.first, 0}; r.first < all.end; r.first = r.end) {
            r.end = r.first + tile < all.end ? r.first + tile : all.end;
            const int64_t rows = r.end - r.first;
            foci_product p = to_hidden;
            p.rows = rows;
            p.a = (foci_matrix){dy + r.first * s.out, s.out, false};
            p.c = dh;
            foci_gemm(&p);
            activation_backward(n, &s, r, a, dh);
            const hidden_rows gradient = rows_in(n, &s, dh);
            if (parameters)
                parameter_gradients(n, &s, rows, (foci_strip){p.a.data, s.out, s.out}, activated(n, &s, r.first, a),
                                    gradient, rows_of_x(n, &s, r.first), &sum, r.first > all.first);
            for (int64_t b = 0; foci_wants(n, X) && b < s.branches; b++) {
                foci_product q = to_x[b];
                q.rows = rows;
                q.a = foci_matrix_from(matrix_of(gradient), 0, b * s.hidden);
                foci_product_to(&q, foci_numbers_at(foci_gradients(n->input[X]), r.first * s.in));
                foci_gemm(&q);
            }
        }
    }
    const sums sum = sums_at(&s, partial);
    for (int i = WEIGHT1; i < INPUTS; i++)
        if (foci_wants(n, i))
            foci_add_partial(chunks, sum_size, foci_numel(n->input[i]), sum.of[i], foci_grad(n->input[i]),
                             n->accumulate[i]);
}

static foci_cost cost(const foci_node *n) {
    const shape s = shape_of(n);
    double first = 2.0 * (double)s.rows * (double)s.in * (double)s.wide,
           second = 2.0 * (double)s.rows * (double)s.hidden * (double)s.out;
    return (foci_cost){first + (n->spared ? 0 : second), first * (1 + n->input[X]->requires_grad) + 2 * second};
}

/* Through a gate, two products add to one gradient. */
static unsigned rounds(const foci_node *n) { return n->input[GATE] ? 0 : FOCI_READS_INPUT(X); }

static foci_tensor *three_layers(foci_graph *g, int64_t batch, int64_t tokens, foci_activation activation,
                                 double dropout, bool bias) {
    foci_tensor *x = RANDOM(g, "x", batch, tokens, 3);
    return foci_mlp(g, x, RANDOM(g, "weight1", 7, 3), bias ? RANDOM(g, "bias1", 7) : NULL, RANDOM(g, "weight2", 2, 7),
                    bias ? RANDOM(g, "bias2", 2) : NULL, activation, dropout);
}
static foci_tensor *with_gelu(foci_graph *g) { return three_layers(g, 2, 5, FOCI_GELU, 0, true); }
static foci_tensor *with_relu(foci_graph *g) { return three_layers(g, 2, 5, FOCI_RELU, 0, true); }
static foci_tensor *without_biases(foci_graph *g) { return three_layers(g, 1, 4, FOCI_GELU, 0, false); }
static foci_tensor *gelu_dropout(foci_graph *g) { return three_layers(g, 2, 5, FOCI_GELU, 0.4, true); }
static foci_tensor *relu_dropout(foci_graph *g) { return three_layers(g, 2, 5, FOCI_RELU, 0.4, true); }
static foci_tensor *with_gelu_tanh(foci_graph *g) { return three_layers(g, 2, 5, FOCI_GELU_TANH, 0.2, true); }
static foci_tensor *gated(foci_graph *g, int64_t tokens, double dropout, bool bias) {
    return foci_gated_mlp(g, RANDOM(g, "x", 2, tokens, 3), RANDOM(g, "gate", 7, 3),
                          bias ? RANDOM(g, "gate_bias", 7) : NULL, RANDOM(g, "up", 7, 3),
                          bias ? RANDOM(g, "up_bias", 7) : NULL, RANDOM(g, "down", 2, 7),
                          bias ? RANDOM(g, "down_bias", 2) : NULL, dropout);
}
static foci_tensor *with_gate(foci_graph *g) { return gated(g, 5, 0, false); }
static foci_tensor *gate_and_biases(foci_graph *g) { return gated(g, 150, 0.3, true); }
static foci_tensor *gate_twice(foci_graph *g) {
    foci_tensor *x = foci_scale(g, RANDOM(g, "x", 4, 3), 1), *w = RANDOM(g, "weight", 3, 3), *b = RANDOM(g, "bias", 3);
    return foci_add(g, foci_gated_mlp(g, x, w, b, w, b, w, b, 0), foci_gated_mlp(g, x, w, b, w, b, w, b, 0));
}
static foci_tensor *several_chunks(foci_graph *g) { return three_layers(g, 3, 100, FOCI_GELU, 0.1, true); }
static foci_tensor *wide(foci_graph *g, foci_activation activation, double dropout) { /* few rows */
    foci_tensor *x = RANDOM(g, "x", 1, 2, 5), *down = RANDOM(g, "down", 6, 9);
    foci_tensor *up = RANDOM(g, "up", 9, 5), *bias = RANDOM(g, "bias", 9);
    if (activation != FOCI_SWIGLU) return foci_mlp(g, x, up, bias, down, RANDOM(g, "last", 6), activation, dropout);
    return foci_gated_mlp(g, x, RANDOM(g, "gate", 9, 5), bias, up, bias, down, NULL, dropout);
}
static foci_tensor *wide_gelu(foci_graph *g) { return wide(g, FOCI_GELU, 0.3); }
static foci_tensor *wide_relu(foci_graph *g) { return wide(g, FOCI_RELU, 0.3); }
static foci_tensor *wide_gate(foci_graph *g) { return wide(g, FOCI_SWIGLU, 0); }
static foci_tensor *wide_twice(foci_graph *g) {
    foci_tensor *x = foci_scale(g, RANDOM(g, "x", 2, 4), 1), *w = RANDOM(g, "weight", 4, 4), *b = RANDOM(g, "bias", 4);
    return foci_add(g, foci_mlp(g, x, w, b, w, b, FOCI_GELU_TANH, 0), foci_mlp(g, x, w, b, w, b, FOCI_RELU, 0));
}
static foci_tensor *twice(foci_graph *g) { /* the input, and all parameters */
    foci_tensor *x = foci_scale(g, RANDOM(g, "x", 4, 3), 1), *w = RANDOM(g, "weight", 3, 3), *b = RANDOM(g, "bias", 3);
    return foci_add(g, foci_mlp(g, x, w, b, w, b, FOCI_GELU, 0), foci_mlp(g, x, w, b, w, b, FOCI_RELU, 0));
}
static const foci_gradient_case gradients[] = {{"gelu", with_gelu},
                                               {"relu", with_relu},
                                               {"without biases", without_biases},
                                               {"gelu, dropout 0.4", gelu_dropout},
                                               {"relu, dropout 0.4", relu_dropout},
                                               {"300 rows, dropout 0.1", several_chunks},
                                               {"everything used twice", twice},
                                               {"few rows, gelu, dropout 0.3", wide_gelu},
                                               {"few rows, relu, dropout 0.3", wide_relu},
                                               {"few rows, gate", wide_gate},
                                               {"few rows, everything used twice", wide_twice},
                                               {"gelu_tanh, dropout 0.2", with_gelu_tanh},
                                               {"gate", with_gate},
                                               {"gate, biases, 300 rows, dropout 0.3", gate_and_biases},
                                               {"gate, everything used twice", gate_twice},
                                               {0}};

const foci_op foci_op_mlp = {.name = "mlp",
                             .summary = "two linear layers with gelu, relu or a gate (and dropout) between them",
                             .forward = forward,
                             .backward = backward,
                             .reads = FOCI_READS_INPUT(X) | FOCI_READS_INPUT(WEIGHT1) | FOCI_READS_INPUT(WEIGHT2) |
                                      FOCI_READS_INPUT(GATE),
                             .rows = foci_rows_of_first,
                             .rounds = rounds,
                             .cost = cost,
                             .gradients = gradients};

/* Weight (rows, columns) with its bias (rows), or none. */
static bool weight_fits(foci_graph *g, foci_tensor *const *inputs, int weight, const char *name, int64_t rows,
                        int64_t columns) {
    const foci_tensor *w = inputs[weight], *bias = inputs[weight + 1];
    if (!foci_operand(g, "mlp", name, w, FOCI_REAL) || (bias && !foci_operand(g, "mlp", "bias", bias, FOCI_REAL)))
        return false;
    if (w->ndim != 2 || (rows && w->shape[0] != rows) || w->shape[1] != columns)
        foci_graph_fail(g, "mlp: input %s does not go through weights %s and %s", foci_shape_text(g, inputs[X]),
                        foci_shape_text(g, inputs[WEIGHT1]), foci_shape_text(g, inputs[WEIGHT2]));
    else if (bias && foci_numel(bias) != w->shape[0])
        foci_graph_fail(g, "mlp: bias %s does not fit %s %s", foci_shape_text(g, bias), name, foci_shape_text(g, w));
    return foci_graph_ok(g);
}

static bool operands_fit(foci_graph *g, foci_tensor *const *inputs) {
    if (!foci_operand(g, "mlp", "input", inputs[X], FOCI_REAL) ||
        !foci_operand(g, "mlp", "second weight", inputs[WEIGHT2], FOCI_REAL))
        return false;
    const int64_t in = foci_last_dim(inputs[X]);
    if (!weight_fits(g, inputs, WEIGHT1, "first weight", 0, in)) return false;
    const int64_t hidden = inputs[WEIGHT1]->shape[0];
    return weight_fits(g, inputs, WEIGHT2, "second weight", 0, hidden) &&
           (!inputs[GATE] || weight_fits(g, inputs, GATE, "gate", hidden, in));
}

/* Reals of scratch memory. */
static int64_t most(int64_t a, int64_t b) { return a > b ? a : b; }
static int64_t packed_for_few(const shape *s) {
    const int64_t up = foci_gemm_packed_size(s->in, s->hidden), down = foci_gemm_packed_size(s->hidden, s->in);
    return most(most(up, down),
                most(foci_gemm_packed_size(s->hidden, s->out), foci_gemm_packed_size(s->out, s->hidden)));
}
static int64_t forward_scratch(const shape *s) {
    if (has_few_rows(s)) return s->rows * s->ld + packed_for_few(s);
    return s->branches * foci_gemm_packed_size(s->in, s->hidden) + foci_gemm_packed_size(s->hidden, s->out) +
           TILE * foci_threads() * s->ld;
}
static int64_t backward_scratch(const shape *s) {
    if (has_few_rows(s)) return 2 * s->rows * s->ld + packed_for_few(s);
    const int64_t chunks = foci_tiles(s->rows, chunk_rows(s->rows));
    return foci_gemm_packed_size(s->out, s->hidden) + s->branches * foci_gemm_packed_size(s->hidden, s->in) +
           chunks * sums_size(s) + FOCI_ALIGN + 2 * DEEP_TILE * foci_threads() * s->ld;
}

static foci_tensor *record(foci_graph *g, foci_tensor *const *inputs, foci_activation activation, double dropout) {
    if (!operands_fit(g, inputs)) return NULL;
    if (!(dropout >= 0 && dropout < 1))
        return foci_graph_fail(g, "mlp: dropout is %g, it must be at least 0 and below 1", dropout);
    const attributes o = {activation, foci_graph_trains(g) ? dropout : 0};
    const foci_tensor *x = inputs[X];
    const int64_t rows = foci_rows(x), branches = inputs[GATE] ? 2 : 1, hidden = inputs[WEIGHT1]->shape[0];
    foci_node *n = foci_record(g, &foci_op_mlp, INPUTS, inputs, &o, sizeof o);
    foci_save(n, FOCI_REAL, saved_size(g, rows * branches * hidden));
    int64_t shape_out[FOCI_MAX_DIMS];
    memcpy(shape_out, x->shape, sizeof shape_out);
    shape_out[x->ndim - 1] = inputs[WEIGHT2]->shape[0];
    foci_tensor *y = foci_emit(n, FOCI_REAL, x->ndim, shape_out);
    if (!y) return NULL;
    const shape s = shape_of(n);
    foci_workspace(n, (size_t)forward_scratch(&s) * sizeof(real), (size_t)backward_scratch(&s) * sizeof(real));
    return y;
}

foci_tensor *foci_mlp(foci_graph *g, foci_tensor *x, foci_tensor *weight1, foci_tensor *bias1, foci_tensor *weight2,
                      foci_tensor *bias2, foci_activation activation, double dropout) {
    return record(g, (foci_tensor *[INPUTS]){x, weight1, bias1, weight2, bias2}, activation, dropout);
}

foci_tensor *foci_gated_mlp(foci_graph *g, foci_tensor *x, foci_tensor *gate, foci_tensor *gate_bias, foci_tensor *up,
                            foci_tensor *up_bias, foci_tensor *down, foci_tensor *down_bias, double dropout) {
    if (!foci_operand(g, "mlp", "gate", gate, FOCI_REAL)) return NULL;
    return record(g, (foci_tensor *[INPUTS]){x, up, up_bias, down, down_bias, gate, gate_bias}, FOCI_SWIGLU, dropout);
}
