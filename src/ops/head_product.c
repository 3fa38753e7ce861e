/* head_product: factor a b, or factor a bt, for each head by itself */
#include <math.h>

#include "kernels/gemm.h"
#include "ops/attention_head.h"
#include "ops/common.h"

enum { A, B };
typedef struct attributes {
    bool transposed;
    double factor;
} attributes;

static foci_matrix part(const foci_tensor *t, const real *from, int64_t b, int64_t h, bool transposed) {
    return (foci_matrix){from + foci_head_offset(t, b, h), t->stride[2], transposed};
}

/* c (rows, columns), a head of t, = or += a b of this depth */
static void product(const foci_tensor *t, real *to, int64_t b, int64_t h, int64_t depth, foci_matrix left,
                    foci_matrix right, bool add) {
    foci_gemm(&(foci_product){.rows = t->shape[2],
                              .columns = t->shape[3],
                              .depth = depth,
                              .a = left,
                              .b = right,
                              .c = to + foci_head_offset(t, b, h),
                              .ldc = t->stride[2],
                              .add = add});
}

static void scale_head(const foci_tensor *t, real *x, int64_t b, int64_t h, double factor) {
    for (int64_t i = 0; i < t->shape[2] && factor != 1; i++) {
        real *row = x + foci_head_offset(t, b, h) + i * t->stride[2];
        foci_kernel()->scale(t->shape[3], (real)factor, row, row, false);
    }
}

static void forward(const foci_node *n) {
    const foci_tensor *x = n->input[A], *y = n->input[B], *out = n->output;
    const attributes *o = n->attributes;
    FOCI_PARALLEL_FOR
    for (int64_t task = 0; task < x->shape[0] * x->shape[1]; task++) {
        const int64_t b = task / x->shape[1], h = task % x->shape[1];
        product(out, foci_data(out), b, h, x->shape[3], part(x, foci_data(x), b, h, false),
                part(y, foci_data(y), b, h, o->transposed), false);
        scale_head(out, foci_data(out), b, h, o->factor);
    }
}

/* With dc times the factor: da = dc bt, db = at dc; where bt is meant, da = dc b, db = dct a. */
static void backward(const foci_node *n) {
    const foci_tensor *x = n->input[A], *y = n->input[B], *out = n->output;
    const attributes *o = n->attributes;
    const int64_t rows = out->shape[2], columns = out->shape[3];
    FOCI_PARALLEL_FOR
    for (int64_t task = 0; task < x->shape[0] * x->shape[1]; task++) {
        const int64_t b = task / x->shape[1], h = task % x->shape[1];
        real *scaled = (real *)n->workspace + foci_thread() * rows * columns;
        foci_kernel()->scale(rows * columns, (real)o->factor, foci_grad(out) + task * rows * columns, scaled, false);
        const foci_matrix dc = {scaled, columns, false}, dct = {scaled, columns, true};
        if (foci_wants(n, A))
            product(x, foci_grad(x), b, h, columns, dc, part(y, foci_data(y), b, h, !o->transposed), n->accumulate[A]);
        if (!foci_wants(n, B)) continue;
        if (o->transposed)
            product(y, foci_grad(y), b, h, rows, dct, part(x, foci_data(x), b, h, false), n->accumulate[B]);
        else product(y, foci_grad(y), b, h, rows, part(x, foci_data(x), b, h, true), dc, n->accumulate[B]);
    }
}

static foci_cost cost(const foci_node *n) {
    const double each = 2.0 * (double)foci_numel(n->output) * (double)n->input[A]->shape[3];
    return (foci_cost){each, each * (n->input[A]->requires_grad + n->input[B]->requires_grad)};
}

static foci_tensor *plain(foci_graph *g) {
    return foci_head_product(g, RANDOM(g, "a", 2, 2, 3, 4), RANDOM(g, "b", 2, 2, 4, 5), false, 1);
}
static foci_tensor *transposed(foci_graph *g) {
    return foci_head_product(g, RANDOM(g, "a", 2, 2, 3, 4), RANDOM(g, "b", 2, 2, 5, 4), true, 0.7);
}
static foci_tensor *views(foci_graph *g) {
    foci_tensor *x = foci_scale(g, RANDOM(g, "x", 2, 3, 12), 2);
    foci_tensor *a = foci_heads(g, x, 2, 0, 2), *b = foci_heads(g, x, 2, 1, 2);
    return foci_add(g, foci_head_product(g, a, b, true, 1), foci_head_product(g, b, a, false, 2));
}
static const foci_gradient_case gradients[] = {
    {"(2, 2, 3, 4) (2, 2, 4, 5)", plain}, {"transposed, with a factor", transposed}, {"views, used twice", views}, {0}};

const foci_op foci_op_head_product = {.name = "head_product",
                                      .summary = "matrix product of heads",
                                      .forward = forward,
                                      .backward = backward,
                                      .reads = FOCI_READS_INPUT(A) | FOCI_READS_INPUT(B),
                                      .cost = cost,
                                      .gradients = gradients};

foci_tensor *foci_head_product(foci_graph *g, foci_tensor *a, foci_tensor *b, bool is_transposed, double factor) {
    const foci_op *op = &foci_op_head_product;
    if (!foci_head_operand(g, op->name, "a", a, NULL) || !foci_head_operand(g, op->name, "b", b, NULL)) return NULL;
    if (a->shape[0] != b->shape[0] || a->shape[1] != b->shape[1] || a->shape[3] != b->shape[is_transposed ? 3 : 2])
        return foci_graph_fail(g, "%s: %s does not multiply %s%s", op->name, foci_shape_text(g, a),
                               foci_shape_text(g, b), is_transposed ? " transposed" : "");
    if (!isfinite(factor)) return foci_graph_fail(g, "%s: the factor is not a finite number", op->name);
    const int64_t columns = b->shape[is_transposed ? 2 : 3];
    const attributes o = {is_transposed, factor};
    foci_node *n = foci_record(g, op, 2, (foci_tensor *[]){a, b}, &o, sizeof o);
    foci_workspace(n, 0, (size_t)(foci_threads() * a->shape[2] * columns) * sizeof(real));
    return foci_emit(n, FOCI_REAL, FOCI_SHAPE(a->shape[0], a->shape[1], a->shape[2], columns));
}
