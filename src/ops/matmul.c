/* matmul: a (.., n) times b (n, m), not transposed */
#include <string.h>

#include "kernels/gemm.h"
#include "ops/common.h"

enum { A, B };

static void forward(const foci_node *n) {
    const foci_tensor *a = n->input[A], *b = n->input[B];
    int64_t in = b->shape[0], out = b->shape[1];
    foci_gemm_parallel(&(foci_product){.rows = foci_rows(a),
                                       .columns = out,
                                       .depth = in,
                                       .a = {foci_data(a), in},
                                       .b = {foci_data(b), out},
                                       .c = foci_data(n->output),
                                       .ldc = out,
                                       .bf16 = foci_graph_bf16(n->graph)});
}

/* da = dout bt;  db = at dout */
static void backward(const foci_node *n) {
    const foci_tensor *a = n->input[A], *b = n->input[B];
    int64_t rows = foci_rows(a), in = b->shape[0], out = b->shape[1];
    const real *dout = foci_grad(n->output);
    if (foci_wants(n, A))
        foci_gemm_parallel(&(foci_product){.rows = rows,
                                           .columns = in,
                                           .depth = out,
                                           .a = {dout, out},
                                           .b = {foci_data(b), out, true},
                                           .c = foci_grad(a),
                                           .ldc = in,
                                           .add = n->accumulate[A],
                                           .bf16 = foci_graph_bf16(n->graph)});
    if (foci_wants(n, B))
        foci_gemm_long(&(foci_product){.rows = in,
                                       .columns = out,
                                       .depth = rows,
                                       .a = {foci_data(a), in, true},
                                       .b = {dout, out},
                                       .c = foci_grad(b),
                                       .ldc = out,
                                       .add = n->accumulate[B],
                                       .bf16 = foci_graph_bf16(n->graph)},
                       n->workspace);
}

static foci_cost cost(const foci_node *n) {
    double product = 2.0 * (double)foci_rows(n->input[A]) * (double)foci_numel(n->input[B]);
    return (foci_cost){product, product * (n->input[A]->requires_grad + n->input[B]->requires_grad)};
}

static foci_tensor *three_dims(foci_graph *g) { return foci_matmul(g, RANDOM(g, "a", 3, 2, 5), RANDOM(g, "b", 5, 7)); }
static foci_tensor *one_column(foci_graph *g) { return foci_matmul(g, RANDOM(g, "a", 1, 4), RANDOM(g, "b", 4, 1)); }
static foci_tensor *of_results(foci_graph *g) { /* both operands are results, not parameters */
    foci_tensor *a = RANDOM(g, "a", 3, 3);
    return foci_matmul(g, foci_scale(g, a, 0.5), foci_scale(g, a, 2));
}
static const foci_gradient_case gradients[] = {
    {"(3, 2, 5) (5, 7)", three_dims}, {"(1, 4) (4, 1)", one_column}, {"of results", of_results}, {0}};

const foci_op foci_op_matmul = {.name = "matmul",
                                .summary = "matrix product",
                                .forward = forward,
                                .backward = backward,
                                .reads = FOCI_READS_INPUT(A) | FOCI_READS_INPUT(B),
                                .cost = cost,
                                .gradients = gradients};

foci_tensor *foci_matmul(foci_graph *g, foci_tensor *a, foci_tensor *b) {
    if (!foci_operand(g, "matmul", "first operand", a, FOCI_REAL) ||
        !foci_operand(g, "matmul", "second operand", b, FOCI_REAL))
        return NULL;
    if (b->ndim != 2 || foci_last_dim(a) != b->shape[0])
        return foci_graph_fail(g, "matmul: %s does not multiply %s", foci_shape_text(g, a), foci_shape_text(g, b));
    foci_node *n = foci_record(g, &foci_op_matmul, 2, (foci_tensor *[]){a, b}, NULL, 0);
    int64_t in = b->shape[0], out = b->shape[1];
    foci_workspace(n, 0, (size_t)(foci_gemm_chunks(in, out, foci_rows(a)) * in * out) * sizeof(real));
    int64_t shape[FOCI_MAX_DIMS];
    memcpy(shape, a->shape, sizeof shape);
    shape[a->ndim - 1] = out;
    return foci_emit(n, FOCI_REAL, a->ndim, shape);
}
