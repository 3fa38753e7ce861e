/* linear: y = x Wt + b */
#include <string.h>

#include "kernels/gemm.h"
#include "ops/common.h"

enum { X, WEIGHT, BIAS };

typedef struct shape { /* x (rows, in), weight (out, in), bias (out) or NULL -> y (rows, out) */
    int64_t rows, in, out;
} shape;

static shape shape_of(const foci_node *n) {
    return (shape){foci_rows(n->input[X]), foci_last_dim(n->input[X]), foci_last_dim(n->output)};
}

static void forward(const foci_node *n) {
    shape s = shape_of(n);
    foci_product p = {.rows = s.rows,
                      .columns = s.out,
                      .depth = s.in,
                      .a = foci_matrix_of(foci_values(n->input[X]), s.in),
                      .b = {foci_data(n->input[WEIGHT]), s.in, true},
                      .ldc = s.out,
                      .bias = n->input[BIAS] ? foci_data(n->input[BIAS]) : NULL,
                      .bf16 = foci_graph_bf16(n->graph)};
    foci_product_to(&p, foci_values(n->output));
    foci_gemm_spread(&p, n->workspace);
}

/* dx = dy W;  dW = dyt x;  db = column sums of dy */
static void backward(const foci_node *n) {
    shape s = shape_of(n);
    const foci_numbers x = foci_values(n->input[X]), dy = foci_gradients(n->output);
    if (foci_wants(n, X)) {
        foci_product p = {.rows = s.rows,
                          .columns = s.in,
                          .depth = s.out,
                          .a = foci_matrix_of(dy, s.out),
                          .b = {foci_data(n->input[WEIGHT]), s.in},
                          .ldc = s.in,
                          .add = n->accumulate[X],
                          .bf16 = foci_graph_bf16(n->graph)};
        foci_product_to(&p, foci_gradients(n->input[X]));
        foci_gemm_spread(&p, n->workspace);
    }
    if (foci_wants(n, WEIGHT))
        foci_gemm_long(&(foci_product){.rows = s.out,
                                       .columns = s.in,
                                       .depth = s.rows,
                                       .a = foci_transposed_of(dy, s.out),
                                       .b = foci_matrix_of(x, s.in),
                                       .c = foci_grad(n->input[WEIGHT]),
                                       .ldc = s.in,
                                       .add = n->accumulate[WEIGHT],
                                       .bf16 = foci_graph_bf16(n->graph)},
                       n->workspace);
    if (foci_wants(n, BIAS))
        foci_column_sums(s.rows, s.out, dy, foci_grad(n->input[BIAS]), n->accumulate[BIAS], n->workspace);
}

static int64_t max3(int64_t a, int64_t b, int64_t c) { return a > b ? a > c ? a : c : b > c ? b : c; }

static foci_cost cost(const foci_node *n) {
    shape s = shape_of(n);
    double product = 2.0 * (double)s.rows * (double)s.in * (double)s.out;
    return (foci_cost){product, product * (n->input[X]->requires_grad + n->input[WEIGHT]->requires_grad)};
}

static foci_tensor *with_bias(foci_graph *g) {
    return foci_linear(g, RANDOM(g, "x", 3, 5, 7), RANDOM(g, "weight", 6, 7), RANDOM(g, "bias", 6));
}
static foci_tensor *without_bias(foci_graph *g) {
    return foci_linear(g, RANDOM(g, "x", 4, 3), RANDOM(g, "weight", 1, 3), NULL);
}
static foci_tensor *weight_used_twice(foci_graph *g) {
    foci_tensor *w = RANDOM(g, "weight", 5, 5), *b = RANDOM(g, "bias", 5);
    return foci_linear(g, foci_linear(g, RANDOM(g, "x", 2, 5), w, b), w, b);
}
static foci_tensor *many_rows(foci_graph *g) { /* several tiles of rows, the inner product of dW in chunks */
    return foci_linear(g, RANDOM(g, "x", 1100, 2), RANDOM(g, "weight", 3, 2), RANDOM(g, "bias", 3));
}
static const foci_gradient_case gradients[] = {{"(3, 5, 7) with bias", with_bias},
                                               {"(4, 3) to 1 without bias", without_bias},
                                               {"one weight used twice", weight_used_twice},
                                               {"1100 rows", many_rows},
                                               {0}};

static unsigned rounds(const foci_node *n) {
    (void)n;
    return FOCI_READS_INPUT(X) | FOCI_READS_OUTPUT;
}

/* Rows of the weight are columns of y. */
static foci_tensor *columns(const foci_node *n, foci_tensor *x, int64_t first, int64_t count) {
    const int64_t in = foci_last_dim(x);
    return foci_linear(n->graph, x,
                       foci_view(n->input[WEIGHT], first * in, 2, (int64_t[]){count, in}, (int64_t[]){in, 1}),
                       foci_view(n->input[BIAS], first, 1, &count, (int64_t[]){1}));
}

const foci_op foci_op_linear = {.name = "linear",
                                .summary = "x Wt + b over the last dimension",
                                .forward = forward,
                                .backward = backward,
                                .reads = FOCI_READS_INPUT(X) | FOCI_READS_INPUT(WEIGHT),
                                .rows = foci_rows_of_first,
                                .columns = columns,
                                .rounds = rounds,
                                .cost = cost,
                                .gradients = gradients};

foci_tensor *foci_linear(foci_graph *g, foci_tensor *x, foci_tensor *weight, foci_tensor *bias) {
    if (!foci_operand(g, "linear", "input", x, FOCI_REAL) || !foci_operand(g, "linear", "weight", weight, FOCI_REAL))
        return NULL;
    if (bias && !foci_operand(g, "linear", "bias", bias, FOCI_REAL)) return NULL;
    int64_t in = foci_last_dim(x), out = weight->shape[0];
    if (weight->ndim != 2 || weight->shape[1] != in)
        return foci_graph_fail(g, "linear: input %s has %lld columns, weight %s takes %lld", foci_shape_text(g, x),
                               (long long)in, foci_shape_text(g, weight), (long long)foci_last_dim(weight));
    if (bias && foci_numel(bias) != out)
        return foci_graph_fail(g, "linear: weight %s has %lld outputs, bias %s has %lld", foci_shape_text(g, weight),
                               (long long)out, foci_shape_text(g, bias), (long long)foci_numel(bias));
    foci_node *n = foci_record(g, &foci_op_linear, 3, (foci_tensor *[]){x, weight, bias}, NULL, 0);
    int64_t rows = foci_rows(x), partial = foci_gemm_chunks(out, in, rows) * out * in;
    int64_t sums = bias ? foci_column_scratch(rows, out) : 0;
    int64_t packed = foci_gemm_packed_size(in, out), back = foci_gemm_packed_size(out, in);
    foci_workspace(n, (size_t)packed * sizeof(real), (size_t)max3(partial, sums, back) * sizeof(real));
    int64_t shape_out[FOCI_MAX_DIMS];
    memcpy(shape_out, x->shape, sizeof shape_out);
    shape_out[x->ndim - 1] = out;
    return foci_emit(n, FOCI_REAL, x->ndim, shape_out);
}
