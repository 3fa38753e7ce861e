/* inner_products: of every row of a with every row of b, a bt for every sample and head */
#include "kernels/gemm.h"
#include "ops/common.h"

enum { A, B };

typedef struct sizes {
    int64_t heads, rows, columns, width; /* heads: of all samples */
} sizes;

static sizes sizes_of(const foci_node *n) {
    const int64_t *a = n->input[A]->shape;
    return (sizes){a[0] * a[1], a[2], n->input[B]->shape[2], a[3]};
}

static void forward(const foci_node *n) {
    const sizes s = sizes_of(n);
    for (int64_t h = 0; h < s.heads; h++)
        foci_gemm_parallel(&(foci_product){.rows = s.rows,
                                           .columns = s.columns,
                                           .depth = s.width,
                                           .a = {foci_data(n->input[A]) + h * s.rows * s.width, s.width},
                                           .b = {foci_data(n->input[B]) + h * s.columns * s.width, s.width, true},
                                           .c = foci_data(n->output) + h * s.rows * s.columns,
                                           .ldc = s.columns,
                                           .bf16 = foci_graph_bf16(n->graph)});
}

/* da = dy b;  db = dyt a */
static void backward(const foci_node *n) {
    const sizes s = sizes_of(n);
    for (int64_t h = 0; h < s.heads; h++) {
        const real *a = foci_data(n->input[A]) + h * s.rows * s.width,
                   *b = foci_data(n->input[B]) + h * s.columns * s.width,
                   *dy = foci_grad(n->output) + h * s.rows * s.columns;
        if (foci_wants(n, A))
            foci_gemm_parallel(&(foci_product){.rows = s.rows,
                                               .columns = s.width,
                                               .depth = s.columns,
                                               .a = {dy, s.columns},
                                               .b = {b, s.width},
                                               .c = foci_grad(n->input[A]) + h * s.rows * s.width,
                                               .ldc = s.width,
                                               .add = n->accumulate[A],
                                               .bf16 = foci_graph_bf16(n->graph)});
        if (foci_wants(n, B))
            foci_gemm_long(&(foci_product){.rows = s.columns,
                                           .columns = s.width,
                                           .depth = s.rows,
                                           .a = {dy, s.columns, true},
                                           .b = {a, s.width},
                                           .c = foci_grad(n->input[B]) + h * s.columns * s.width,
                                           .ldc = s.width,
                                           .add = n->accumulate[B],
                                           .bf16 = foci_graph_bf16(n->graph)},
                           n->workspace);
    }
}

static foci_cost cost(const foci_node *n) {
    const double product = 2.0 * (double)foci_numel(n->output) * (double)foci_last_dim(n->input[A]);
    return (foci_cost){product, product * (n->input[A]->requires_grad + n->input[B]->requires_grad)};
}

static foci_tensor *two(foci_graph *g) {
    return foci_inner_products(g, RANDOM(g, "a", 2, 3, 5, 4), RANDOM(g, "b", 2, 3, 7, 4));
}
static foci_tensor *with_itself(foci_graph *g) {
    foci_tensor *x = foci_gelu(g, RANDOM(g, "x", 3, 1, 4, 5));
    return foci_add(g, foci_inner_products(g, x, x), foci_inner_products(g, x, x));
}
static const foci_gradient_case gradients[] = {
    {"(2, 3, 5, 4), (2, 3, 7, 4)", two}, {"a result with itself, used twice", with_itself}, {0}};

const foci_op foci_op_inner_products = {.name = "inner_products",
                                        .summary = "of the rows of two tensors, head by head",
                                        .forward = forward,
                                        .backward = backward,
                                        .reads = FOCI_READS_INPUT(A) | FOCI_READS_INPUT(B),
                                        .cost = cost,
                                        .gradients = gradients};

foci_tensor *foci_inner_products(foci_graph *g, foci_tensor *a, foci_tensor *b) {
    if (!foci_operand(g, "inner_products", "first", a, FOCI_REAL) ||
        !foci_operand(g, "inner_products", "second", b, FOCI_REAL))
        return NULL;
    if (a->ndim != 4 || b->ndim != 4 || a->shape[0] != b->shape[0] || a->shape[1] != b->shape[1] ||
        a->shape[3] != b->shape[3])
        return foci_graph_fail(g, "inner_products: %s and %s must be (B, H, N, D) and (B, H, M, D)",
                               foci_shape_text(g, a), foci_shape_text(g, b));
    foci_node *n = foci_record(g, &foci_op_inner_products, 2, (foci_tensor *[]){a, b}, NULL, 0);
    const int64_t rows = a->shape[2], columns = b->shape[2], width = a->shape[3];
    foci_workspace(n, 0, (size_t)(foci_gemm_chunks(columns, width, rows) * columns * width) * sizeof(real));
    return foci_emit(n, FOCI_REAL, FOCI_SHAPE(a->shape[0], a->shape[1], rows, columns));
}
