/* mlp: y = act(x W1t + b1) W2t + b2, tile by tile of rows, so that what lies between the two products stays in cache.
 *
 * One tensor as wide as the hidden layer is saved for backward: what goes into gelu (which is computed again), or what
 * comes out of relu and dropout (which tells what passed). Where products are in bfloat16, so is that tensor. */
#include <string.h>

#include "kernels/bf16.h"
#include "kernels/gemm.h"
#include "ops/common.h"

enum { X, WEIGHT1, BIAS1, WEIGHT2, BIAS2 };
enum { TILE = 96, DEEP_TILE = 192 };     /* rows at a time: forward; backward, where they are the depth of sums */
enum { LEAST_CHUNK = 128, CHUNKS = 16 }; /* rows that a chunk has, and chunks that there are */

typedef struct attributes {
    foci_activation activation;
    double dropout;
} attributes;

typedef struct shape { /* x (rows, in), weights (hidden, in) and (out, hidden) -> y (rows, out) */
    int64_t rows, in, hidden, out;
    int64_t ld; /* of a tile of hidden rows in scratch memory: no power of two */
} shape;

static shape shape_of(const foci_node *n) {
    shape s = {foci_rows(n->input[X]), foci_last_dim(n->input[X]), foci_last_dim(n->input[WEIGHT2]),
               foci_last_dim(n->output), 0};
    s.ld = foci_tiles(s.hidden, FOCI_ALIGN) * FOCI_ALIGN + FOCI_ALIGN;
    return s;
}

/* Part i of those that a thread has of scratch memory, `rows` each. */
static real *scratch_tile(real *scratch, const shape *s, int64_t rows, int parts, int i) {
    return scratch + (foci_thread() * parts + i) * rows * s->ld;
}

/* Rows of a hidden tile, `ld` apart, dropped out in place; the same elements in forward and backward. */
static void drop(const foci_node *n, const shape *s, foci_range rows, real *x, int64_t ld) {
    const double p = ((const attributes *)n->attributes)->dropout;
    /* hidden elements of one sample */
    const int64_t sample = foci_numel(n->input[X]) / n->input[X]->shape[0] / s->in * s->hidden;
    const uint64_t before = foci_node_random(n).first_sample * (uint64_t)sample;
    for (int64_t i = rows.first; i < rows.end && p > 0; i++, x += ld) {
        const foci_dropout_mask mask = foci_node_dropout(n, p, before + (uint64_t)(i * s->hidden));
        foci_kernel()->dropout(s->hidden, &mask, x, x, false);
    }
}

static bool is_relu(const foci_node *n) { return ((const attributes *)n->attributes)->activation == FOCI_RELU; }

/* A tile of the hidden layer. */
typedef struct hidden_tile {
    real *data;
    int64_t ld;
} hidden_tile;

static int64_t saved_size(const foci_graph *g, int64_t elements) {
    return foci_graph_bf16(g) ? (elements + 1) / 2 : elements;
}
static uint16_t *rounded_rows(const foci_node *n, const shape *s, foci_range r) {
    return (uint16_t *)foci_data(n->saved[0]) + r.first * s->hidden;
}

/* Where rows r are made: in float32 where they are saved, else in `scratch`, from where keep() rounds them. */
static hidden_tile place_of(const foci_node *n, const shape *s, foci_range r, real *scratch) {
    if (foci_graph_bf16(n->graph)) return (hidden_tile){scratch, s->ld};
    return (hidden_tile){foci_data(n->saved[0]) + r.first * s->hidden, s->hidden};
}
static void keep(const foci_node *n, const shape *s, foci_range r, hidden_tile h) {
    uint16_t *to = rounded_rows(n, s, r);
    for (int64_t i = 0; foci_graph_bf16(n->graph) && i < r.end - r.first; i++)
        foci_bf16_round(s->hidden, h.data + i * h.ld, to + i * s->hidden);
}
static hidden_tile kept(const foci_node *n, const shape *s, foci_range r, real *scratch) {
    const uint16_t *from = rounded_rows(n, s, r);
    for (int64_t i = 0; foci_graph_bf16(n->graph) && i < r.end - r.first; i++)
        foci_bf16_widen(s->hidden, from + i * s->hidden, scratch + i * s->ld);
    return place_of(n, s, r, scratch);
}

/* What the second product reads, made from what the first one made; what backward needs is kept. */
static hidden_tile activation(const foci_node *n, const shape *s, foci_range r, hidden_tile h, real *scratch) {
    const bool relu = is_relu(n);
    if (!relu) keep(n, s, r, h);
    if (!relu && n->spared) return h;
    const hidden_tile a = relu ? h : (hidden_tile){scratch, s->ld};
    for (int64_t i = 0; i < r.end - r.first; i++)
        (relu ? foci_kernel()->relu : foci_kernel()->gelu)(s->hidden, h.data + i * h.ld, a.data + i * a.ld);
    drop(n, s, r, a.data, a.ld);
    if (relu) keep(n, s, r, a);
    return a;
}

/* In backward: the same again, and da (rows, ld) becomes the gradient of what goes into dropout and activation. */
static hidden_tile activation_backward(const foci_node *n, const shape *s, foci_range r, real *scratch, real *da) {
    const double dropout = ((const attributes *)n->attributes)->dropout;
    const hidden_tile h = kept(n, s, r, scratch);
    const real factor = foci_node_dropout(n, dropout, 0).factor;
    if (is_relu(n)) {
        for (int64_t i = 0; i < r.end - r.first; i++) {
            foci_kernel()->relu_backward(s->hidden, h.data + i * h.ld, da + i * s->ld, da + i * s->ld, false);
            if (dropout > 0) foci_kernel()->scale(s->hidden, factor, da + i * s->ld, da + i * s->ld, false);
        }
        return h;
    }
    drop(n, s, r, da, s->ld);
    for (int64_t i = 0; i < r.end - r.first; i++)
        foci_kernel()->gelu_again(s->hidden, h.data + i * h.ld, da + i * s->ld, scratch + i * s->ld, da + i * s->ld);
    drop(n, s, r, scratch, s->ld);
    return (hidden_tile){scratch, s->ld};
}

static const real *optional(const foci_tensor *t) { return t ? foci_data(t) : NULL; }

static void forward(const foci_node *n) {
    const shape s = shape_of(n);
    const bool bf16 = foci_graph_bf16(n->graph);
    foci_product first = {.columns = s.hidden,
                          .depth = s.in,
                          .a = {foci_data(n->input[X]), s.in},
                          .b = {foci_data(n->input[WEIGHT1]), s.in, true},
                          .bias = optional(n->input[BIAS1]),
                          .bf16 = bf16};
    foci_product second = {.columns = s.out,
                           .depth = s.hidden,
                           .b = {foci_data(n->input[WEIGHT2]), s.hidden, true},
                           .c = foci_data(n->output),
                           .ldc = s.out,
                           .bias = optional(n->input[BIAS2]),
                           .bf16 = bf16};
    real *packed = n->workspace,
         *scratch = packed + foci_gemm_packed_size(s.in, s.hidden) + foci_gemm_packed_size(s.hidden, s.out);
    foci_gemm_pack(&first, packed);
    foci_gemm_pack(&second, packed + foci_gemm_packed_size(s.in, s.hidden));
    FOCI_PARALLEL_FOR
    for (int64_t tile = 0; tile < foci_tiles(s.rows, TILE); tile++) {
        const foci_range r = foci_tile(s.rows, TILE, tile);
        foci_product p = first, q = second;
        p.rows = q.rows = r.end - r.first;
        p.a.data += r.first * s.in;
        real *here = scratch_tile(scratch, &s, TILE, 1, 0);
        const hidden_tile h = place_of(n, &s, r, here);
        p.c = h.data;
        p.ldc = h.ld;
        foci_gemm(&p);
        const hidden_tile a = activation(n, &s, r, h, here);
        if (n->spared) continue;
        q.a = (foci_matrix){a.data, a.ld, false};
        q.c += r.first * s.out;
        foci_gemm(&q);
    }
}

/* The gradients of the parameters, one after another: sums over a chunk of rows. */
typedef struct sums {
    real *weight1, *bias1, *weight2, *bias2;
} sums;
static int64_t sums_size(const shape *s) { return s->hidden * (s->in + 1) + s->out * (s->hidden + 1); }
static sums sums_at(const shape *s, real *at) {
    real *bias1 = at + s->hidden * s->in, *weight2 = bias1 + s->hidden;
    return (sums){at, bias1, weight2, weight2 + s->out * s->hidden};
}

/* A power of two of them, so that threads have equal shares. */
static int64_t chunk_rows(int64_t rows) {
    int64_t chunks = CHUNKS;
    while (chunks > 1 && rows < chunks * LEAST_CHUNK) chunks /= 2;
    return foci_tiles(rows, chunks);
}

/* Per chunk of rows, tile by tile: da = dy W2, dh = act'(da), dx = dh W1, and the parameters' gradients, which are
 * added over the chunks afterwards. */
static void backward(const foci_node *n) {
    const shape s = shape_of(n);
    const bool bf16 = foci_graph_bf16(n->graph);
    const bool learns =
        foci_wants(n, WEIGHT1) || foci_wants(n, BIAS1) || foci_wants(n, WEIGHT2) || foci_wants(n, BIAS2);
    const int64_t size = chunk_rows(s.rows), chunks = foci_tiles(s.rows, size), sum_size = sums_size(&s);
    const real *x = foci_data(n->input[X]), *dy = foci_grad(n->output);
    foci_product to_hidden = {
        .columns = s.hidden, .depth = s.out, .b = {foci_data(n->input[WEIGHT2]), s.hidden}, .ldc = s.ld, .bf16 = bf16};
    foci_product to_x = {.columns = s.in,
                         .depth = s.hidden,
                         .b = {foci_data(n->input[WEIGHT1]), s.in},
                         .ldc = s.in,
                         .add = n->accumulate[X],
                         .bf16 = bf16};
    real *packed = n->workspace,
         *partial = packed + foci_gemm_packed_size(s.out, s.hidden) + foci_gemm_packed_size(s.hidden, s.in);
    real *scratch = partial + foci_tiles(chunks * sum_size, FOCI_ALIGN) * FOCI_ALIGN;
    foci_gemm_pack(&to_hidden, packed);
    foci_gemm_pack(&to_x, packed + foci_gemm_packed_size(s.out, s.hidden));
    FOCI_PARALLEL_FOR
    for (int64_t chunk = 0; chunk < chunks; chunk++) {
        const foci_range all = foci_tile(s.rows, size, chunk);
        const sums sum = sums_at(&s, partial + chunk * sum_size);
        real *a = scratch_tile(scratch, &s, DEEP_TILE, 2, 0), *dh = scratch_tile(scratch, &s, DEEP_TILE, 2, 1);
        const int64_t tiles = foci_tiles(all.end - all.first, DEEP_TILE), tile = foci_tiles(all.end - all.first, tiles);
        for (foci_range r = {all.first, 0}; r.first < all.end; r.first = r.end) {
            r.end = r.first + tile < all.end ? r.first + tile : all.end;
            const int64_t rows = r.end - r.first;
            const bool add = r.first > all.first;
            foci_product p = to_hidden, q = to_x;
            p.rows = q.rows = rows;
            p.a = (foci_matrix){dy + r.first * s.out, s.out, false};
            p.c = dh;
            foci_gemm(&p);
            const hidden_tile act = activation_backward(n, &s, r, a, dh);
            if (learns) {
                const foci_strip out = {p.a.data, s.out, s.out}, hidden = {dh, s.ld, s.hidden};
                foci_weight_gradient(n, rows, out, (foci_strip){act.data, act.ld, s.hidden}, sum.weight2, add);
                foci_weight_gradient(n, rows, hidden, (foci_strip){x + r.first * s.in, s.in, s.in}, sum.weight1, add);
                foci_bias_gradient(rows, out, sum.bias2, add);
                foci_bias_gradient(rows, hidden, sum.bias1, add);
            }
            if (!foci_wants(n, X)) continue;
            q.a = (foci_matrix){dh, s.ld, false};
            q.c = foci_grad(n->input[X]) + r.first * s.in;
            foci_gemm(&q);
        }
    }
    const sums sum = sums_at(&s, partial);
    const real *of[] = {NULL, sum.weight1, sum.bias1, sum.weight2, sum.bias2};
    for (int i = WEIGHT1; i <= BIAS2; i++)
        if (foci_wants(n, i))
            foci_add_partial(chunks, sum_size, foci_numel(n->input[i]), of[i], foci_grad(n->input[i]),
                             n->accumulate[i]);
}

static foci_cost cost(const foci_node *n) {
    const shape s = shape_of(n);
    double first = 2.0 * (double)s.rows * (double)s.in * (double)s.hidden,
           second = 2.0 * (double)s.rows * (double)s.hidden * (double)s.out;
    return (foci_cost){first + (n->spared ? 0 : second), first * (1 + n->input[X]->requires_grad) + 2 * second};
}

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
static foci_tensor *several_chunks(foci_graph *g) { return three_layers(g, 3, 100, FOCI_GELU, 0.1, true); }
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
                                               {0}};

const foci_op foci_op_mlp = {.name = "mlp",
                             .summary = "two linear layers with gelu or relu (and dropout) between them",
                             .forward = forward,
                             .backward = backward,
                             .reads = FOCI_READS_INPUT(X) | FOCI_READS_INPUT(WEIGHT1) | FOCI_READS_INPUT(WEIGHT2),
                             .cost = cost,
                             .gradients = gradients};

foci_tensor *foci_mlp(foci_graph *g, foci_tensor *x, foci_tensor *weight1, foci_tensor *bias1, foci_tensor *weight2,
                      foci_tensor *bias2, foci_activation activation, double dropout) {
    foci_tensor *inputs[] = {x, weight1, bias1, weight2, bias2};
    static const char *const names[] = {"input", "first weight", "first bias", "second weight", "second bias"};
    for (int i = X; i <= BIAS2; i++)
        if ((inputs[i] || i == X || i == WEIGHT1 || i == WEIGHT2) &&
            !foci_operand(g, "mlp", names[i], inputs[i], FOCI_REAL))
            return NULL;
    if (weight1->ndim != 2 || weight2->ndim != 2 || weight1->shape[1] != foci_last_dim(x) ||
        weight2->shape[1] != weight1->shape[0])
        return foci_graph_fail(g, "mlp: input %s does not go through weights %s and %s", foci_shape_text(g, x),
                               foci_shape_text(g, weight1), foci_shape_text(g, weight2));
    for (int i = BIAS1; i <= BIAS2; i += BIAS2 - BIAS1)
        if (inputs[i] && foci_numel(inputs[i]) != inputs[i - 1]->shape[0])
            return foci_graph_fail(g, "mlp: %s %s does not fit %s %s", names[i], foci_shape_text(g, inputs[i]),
                                   names[i - 1], foci_shape_text(g, inputs[i - 1]));
    if (!(dropout >= 0 && dropout < 1))
        return foci_graph_fail(g, "mlp: dropout is %g, it must be at least 0 and below 1", dropout);
    const attributes o = {activation, foci_graph_trains(g) ? dropout : 0};
    foci_node *n = foci_record(g, &foci_op_mlp, 5, inputs, &o, sizeof o);
    const int64_t rows = foci_rows(x), in = foci_last_dim(x), hidden = weight1->shape[0], out = weight2->shape[0];
    foci_save(n, FOCI_REAL, saved_size(g, rows * hidden));
    int64_t shape_out[FOCI_MAX_DIMS];
    memcpy(shape_out, x->shape, sizeof shape_out);
    shape_out[x->ndim - 1] = out;
    foci_tensor *y = foci_emit(n, FOCI_REAL, x->ndim, shape_out);
    if (!y) return NULL;
    const shape s = shape_of(n);
    const int64_t line = foci_threads() * s.ld, chunks = foci_tiles(rows, chunk_rows(rows));
    foci_workspace(n,
                   (size_t)(foci_gemm_packed_size(in, hidden) + foci_gemm_packed_size(hidden, out) + TILE * line) *
                       sizeof(real),
                   (size_t)(foci_gemm_packed_size(out, hidden) + foci_gemm_packed_size(hidden, in) +
                            chunks * sums_size(&s) + FOCI_ALIGN + 2 * DEEP_TILE * line) *
                       sizeof(real));
    return y;
}
