/* project_tokens: e x, from N tokens to R, with a matrix that each head has of its own (Linformer) */
#include <string.h>

#include "kernels/gemm.h"
#include "ops/attention_head.h"
#include "ops/common.h"

enum { E, X };
enum { TILE = 64 };

static foci_matrix e_of(const foci_node *n, int64_t h) {
    const foci_tensor *e = n->input[E];
    return (foci_matrix){foci_data(e) + h * e->shape[1] * e->shape[2], e->shape[2], false};
}

static void forward(const foci_node *n) {
    const foci_tensor *x = n->input[X];
    const int64_t heads = x->shape[1], rows = n->output->shape[2], width = x->shape[3];
    FOCI_PARALLEL_FOR
    for (int64_t task = 0; task < x->shape[0] * heads; task++)
        foci_gemm(
            &(foci_product){.rows = rows,
                            .columns = width,
                            .depth = x->shape[2],
                            .a = e_of(n, task % heads),
                            .b = {foci_data(x) + foci_head_offset(x, task / heads, task % heads), x->stride[2], false},
                            .c = foci_data(n->output) + task * rows * width,
                            .ldc = width});
}

/* dx = et dy */
static void backward_x(const foci_node *n) {
    const foci_tensor *x = n->input[X];
    const int64_t heads = x->shape[1], rows = n->output->shape[2], width = x->shape[3];
    FOCI_PARALLEL_FOR
    for (int64_t task = 0; task < x->shape[0] * heads; task++) {
        foci_matrix e = e_of(n, task % heads);
        e.transposed = true;
        foci_gemm(&(foci_product){.rows = x->shape[2],
                                  .columns = width,
                                  .depth = rows,
                                  .a = e,
                                  .b = {foci_grad(n->output) + task * rows * width, width, false},
                                  .c = foci_grad(x) + foci_head_offset(x, task / heads, task % heads),
                                  .ldc = x->stride[2],
                                  .add = n->accumulate[X]});
    }
}

/* de = sum over the samples of dy xt, a tile of tokens at a time. */
static void backward_e(const foci_node *n) {
    const foci_tensor *x = n->input[X], *e = n->input[E];
    const int64_t *shape = x->shape, heads = shape[1], rows = e->shape[1], tiles = foci_tiles(shape[2], TILE);
    if (!n->accumulate[E]) memset(foci_grad(e), 0, (size_t)foci_numel(e) * sizeof(real));
    FOCI_PARALLEL_FOR
    for (int64_t task = 0; task < heads * tiles; task++) {
        const int64_t h = task / tiles;
        const foci_range t = foci_tile(shape[2], TILE, task % tiles);
        for (int64_t b = 0; b < shape[0]; b++)
            foci_gemm(&(foci_product){
                .rows = rows,
                .columns = t.end - t.first,
                .depth = shape[3],
                .a = {foci_grad(n->output) + (b * heads + h) * rows * shape[3], shape[3], false},
                .b = {foci_data(x) + foci_head_offset(x, b, h) + t.first * x->stride[2], x->stride[2], true},
                .c = foci_grad(e) + h * rows * e->shape[2] + t.first,
                .ldc = e->shape[2],
                .add = true});
    }
}

static void backward(const foci_node *n) {
    if (foci_wants(n, X)) backward_x(n);
    if (foci_wants(n, E)) backward_e(n);
}

static foci_cost cost(const foci_node *n) {
    const double product = 2.0 * (double)foci_numel(n->input[X]) * (double)n->input[E]->shape[1];
    return (foci_cost){product, product * (n->input[E]->requires_grad + n->input[X]->requires_grad)};
}

static foci_tensor *plain(foci_graph *g) {
    return foci_project_tokens(g, RANDOM(g, "e", 2, 3, 7), RANDOM(g, "x", 3, 2, 5, 4));
}
static foci_tensor *several_tiles(foci_graph *g) {
    return foci_project_tokens(g, RANDOM(g, "e", 1, 2, 70), RANDOM(g, "x", 2, 1, 70, 2));
}
static foci_tensor *keys_and_values(foci_graph *g) { /* one matrix for both, which are views */
    foci_tensor *x = foci_scale(g, RANDOM(g, "x", 2, 4, 12), 2), *e = foci_scale(g, RANDOM(g, "e", 2, 3, 4), 0.5);
    return foci_add(g, foci_project_tokens(g, e, foci_heads(g, x, 2, 0, 2)),
                    foci_project_tokens(g, e, foci_heads(g, x, 2, 1, 2)));
}
static const foci_gradient_case gradients[] = {
    {"(2, 3, 7), (3, 2, 5, 4)", plain}, {"several tiles", several_tiles}, {"keys and values", keys_and_values}, {0}};

const foci_op foci_op_project_tokens = {.name = "project_tokens",
                                        .summary = "tokens of heads brought to another number by a matrix",
                                        .forward = forward,
                                        .backward = backward,
                                        .reads = FOCI_READS_INPUT(E) | FOCI_READS_INPUT(X),
                                        .cost = cost,
                                        .gradients = gradients};

foci_tensor *foci_project_tokens(foci_graph *g, foci_tensor *e, foci_tensor *x) {
    const foci_op *op = &foci_op_project_tokens;
    if (!foci_operand(g, op->name, "e", e, FOCI_REAL) || !foci_head_operand(g, op->name, "input", x, NULL)) return NULL;
    if (e->ndim != 3 || e->shape[0] != x->shape[1] || e->shape[2] < x->shape[2])
        return foci_graph_fail(g, "%s: e %s has no column for each token of %s", op->name, foci_shape_text(g, e),
                               foci_shape_text(g, x));
    foci_node *n = foci_record(g, op, 2, (foci_tensor *[]){e, x}, NULL, 0);
    return foci_emit(n, FOCI_REAL, FOCI_SHAPE(x->shape[0], x->shape[1], e->shape[1], x->shape[3]));
}
