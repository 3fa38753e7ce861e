/* repeat_heads: every head of keys or values as often as there are heads of queries that share it, one after another */
#include "ops/attention_head.h"
#include "ops/common.h"

/* out (B, H, N, D): head h is head h G / H of x (B, G, N, D) */
static void forward(const foci_node *n) {
    const foci_tensor *x = n->input[0], *y = n->output;
    const int64_t heads = y->shape[1], tokens = y->shape[2], width = y->shape[3];
    FOCI_PARALLEL_FOR
    for (int64_t task = 0; task < y->shape[0] * heads; task++) {
        const real *from = foci_data(x) + foci_head_offset(x, task / heads, task % heads * x->shape[1] / heads);
        real *to = foci_data(y) + task * tokens * width;
        for (int64_t i = 0; i < tokens; i++)
            foci_kernel()->scale(width, 1, from + i * x->stride[2], to + i * width, false);
    }
}

static void backward(const foci_node *n) {
    const foci_tensor *x = n->input[0], *y = n->output;
    const int64_t groups = x->shape[1], sharing = y->shape[1] / groups, tokens = y->shape[2], width = y->shape[3];
    FOCI_PARALLEL_FOR
    for (int64_t task = 0; task < x->shape[0] * groups; task++) {
        const real *from = foci_grad(y) + task * sharing * tokens * width;
        real *to = foci_grad(x) + foci_head_offset(x, task / groups, task % groups);
        for (int64_t k = 0; k < sharing; k++, from += tokens * width)
            for (int64_t i = 0; i < tokens; i++)
                foci_kernel()->scale(width, 1, from + i * width, to + i * x->stride[2], k > 0 || n->accumulate[0]);
    }
}

static foci_tensor *plain(foci_graph *g) { return foci_repeat_heads(g, RANDOM(g, "x", 2, 2, 3, 4), 6); }
static foci_tensor *view_twice(foci_graph *g) {
    foci_tensor *x = foci_heads(g, foci_scale(g, RANDOM(g, "x", 2, 3, 8), 2), 2, 1, 1);
    return foci_add(g, foci_repeat_heads(g, x, 2), foci_repeat_heads(g, x, 2));
}
static const foci_gradient_case gradients[] = {{"2 heads become 6", plain}, {"a view, twice", view_twice}, {0}};

const foci_op foci_op_repeat_heads = {.name = "repeat_heads",
                                      .summary = "heads of keys or values, one for each head of queries",
                                      .forward = forward,
                                      .backward = backward,
                                      .gradients = gradients};

foci_tensor *foci_repeat_heads(foci_graph *g, foci_tensor *x, int64_t heads) {
    const foci_op *op = &foci_op_repeat_heads;
    if (!foci_head_operand(g, op->name, "input", x, NULL)) return NULL;
    if (heads == x->shape[1]) return x;
    if (heads < 1 || heads % x->shape[1])
        return foci_graph_fail(g, "%s: %lld heads are no multiple of those of %s", op->name, (long long)heads,
                               foci_shape_text(g, x));
    foci_node *n = foci_record(g, op, 1, &x, NULL, 0);
    return n ? foci_emit(n, FOCI_REAL, FOCI_SHAPE(x->shape[0], heads, x->shape[2], x->shape[3])) : NULL;
}
