/* mask_tokens: heads (B, H, N, D) with zeros in place of the tokens that are padding */
#include "ops/attention_head.h"
#include "ops/common.h"

enum { X, MASK };

static void forward(const foci_node *n) {
    const foci_tensor *x = n->input[X];
    const int64_t heads = x->shape[1], tokens = x->shape[2], width = x->shape[3];
    FOCI_PARALLEL_FOR
    for (int64_t task = 0; task < x->shape[0] * heads; task++) {
        const real *from = foci_data(x) + foci_head_offset(x, task / heads, task % heads);
        const real *mask = foci_data(n->input[MASK]) + task / heads * tokens;
        real *to = foci_data(n->output) + task * tokens * width;
        for (int64_t i = 0; i < tokens; i++)
            foci_kernel()->scale(width, mask[i], from + i * x->stride[2], to + i * width, false);
    }
}

static void backward(const foci_node *n) {
    const foci_tensor *x = n->input[X];
    const int64_t heads = x->shape[1], tokens = x->shape[2], width = x->shape[3];
    FOCI_PARALLEL_FOR
    for (int64_t task = 0; task < x->shape[0] * heads; task++) {
        const real *from = foci_grad(n->output) + task * tokens * width;
        const real *mask = foci_data(n->input[MASK]) + task / heads * tokens;
        real *to = foci_grad(x) + foci_head_offset(x, task / heads, task % heads);
        for (int64_t i = 0; i < tokens; i++)
            foci_kernel()->scale(width, mask[i], from + i * width, to + i * x->stride[2], n->accumulate[X]);
    }
}

static foci_tensor *masked(foci_graph *g, foci_tensor *x) {
    static const foci_real counts[] = {1, 0, 1, 1, 1, 0};
    return foci_mask_tokens(g, x, foci_constant(g, "mask", FOCI_REAL, FOCI_SHAPE(2, 3), counts));
}
static foci_tensor *plain(foci_graph *g) { return masked(g, RANDOM(g, "x", 2, 2, 3, 4)); }
static foci_tensor *view_used_twice(foci_graph *g) {
    foci_tensor *x = foci_heads(g, foci_scale(g, RANDOM(g, "x", 2, 3, 12), 2), 2, 1, 2);
    return foci_add(g, masked(g, x), masked(g, x));
}
static const foci_gradient_case gradients[] = {{"(2, 2, 3, 4)", plain}, {"a view used twice", view_used_twice}, {0}};

const foci_op foci_op_mask_tokens = {.name = "mask_tokens",
                                     .summary = "zeros in place of padding",
                                     .forward = forward,
                                     .backward = backward,
                                     .reads = FOCI_READS_INPUT(MASK),
                                     .gradients = gradients};

foci_tensor *foci_mask_tokens(foci_graph *g, foci_tensor *x, foci_tensor *mask) {
    const foci_op *op = &foci_op_mask_tokens;
    if (!mask) return x;
    if (!foci_head_operand(g, op->name, "input", x, NULL) || !foci_operand(g, op->name, "mask", mask, FOCI_REAL))
        return NULL;
    if (mask->ndim != 2 || mask->shape[0] != x->shape[0] || mask->shape[1] != x->shape[2])
        return foci_graph_fail(g, "%s: mask %s is not (%lld, %lld), a number per token of %s", op->name,
                               foci_shape_text(g, mask), (long long)x->shape[0], (long long)x->shape[2],
                               foci_shape_text(g, x));
    foci_node *n = foci_record(g, op, 2, (foci_tensor *[]){x, mask}, NULL, 0);
    return foci_emit(n, FOCI_REAL, 4, x->shape);
}
