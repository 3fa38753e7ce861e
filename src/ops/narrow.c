/* narrow: `count` tokens from `first` on; select: one of them, without its dimension, a view */
#include <string.h>

#include "ops/common.h"

/* x (B, N, C) -> y (B, count, C) */
static void forward(const foci_node *n) {
    const foci_selection *a = n->attributes;
    int64_t batch = n->input[0]->shape[0], tokens = n->input[0]->shape[1], c = n->input[0]->shape[2];
    const real *x = foci_data(n->input[0]);
    real *y = foci_data(n->output);
    FOCI_PARALLEL_FOR
    for (int64_t b = 0; b < batch; b++)
        memcpy(y + b * a->count * c, x + (b * tokens + a->first) * c, (size_t)(a->count * c) * sizeof *y);
}

/* dx is dy within the range and zero outside */
static void backward(const foci_node *n) {
    const foci_selection *a = n->attributes;
    int64_t batch = n->input[0]->shape[0], tokens = n->input[0]->shape[1], c = n->input[0]->shape[2];
    const real *dy = foci_grad(n->output);
    real *dx = foci_grad(n->input[0]);
    FOCI_PARALLEL_FOR
    for (int64_t b = 0; b < batch; b++) {
        if (!n->accumulate[0]) memset(dx + b * tokens * c, 0, (size_t)(tokens * c) * sizeof *dx);
        foci_kernel()->scale(a->count * c, 1, dy + b * a->count * c, dx + (b * tokens + a->first) * c, true);
    }
}

/* Forward reads what it copies, not all of x. */
static foci_cost cost(const foci_node *n) {
    return (foci_cost){.forward_bytes = 2 * (double)foci_numel(n->output) * sizeof(real)};
}

static foci_tensor *middle(foci_graph *g) { return foci_narrow(g, RANDOM(g, "x", 3, 5, 7), 1, 3); }
static foci_tensor *both_ends(foci_graph *g) {
    foci_tensor *x = foci_gelu(g, RANDOM(g, "x", 2, 4, 3));
    return foci_add(g, foci_narrow(g, x, 0, 3), foci_narrow(g, x, 1, 3));
}
static foci_tensor *first_token(foci_graph *g) { return foci_select(g, RANDOM(g, "x", 3, 5, 7), 0); }
static foci_tensor *two_tokens(foci_graph *g) {
    foci_tensor *x = foci_gelu(g, RANDOM(g, "x", 2, 4, 3));
    return foci_add(g, foci_select(g, x, 1), foci_select(g, x, 3));
}
static const foci_gradient_case gradients[] = {{"tokens 1 to 3 of 5", middle},
                                               {"two ranges that overlap", both_ends},
                                               {"token 0", first_token},
                                               {"tokens 1 and 3", two_tokens},
                                               {0}};

const foci_op foci_op_narrow = {.name = "narrow",
                                .summary = "a range of tokens",
                                .forward = forward,
                                .backward = backward,
                                .selects = true,
                                .cost = cost,
                                .gradients = gradients};

foci_tensor *foci_narrow(foci_graph *g, foci_tensor *x, int64_t first, int64_t count) {
    const foci_op *op = &foci_op_narrow;
    if (!foci_operand(g, op->name, "input", x, FOCI_REAL)) return NULL;
    if (x->ndim != 3) return foci_graph_fail(g, "%s: input %s must be (B, N, C)", op->name, foci_shape_text(g, x));
    if (first < 0 || count < 1 || count > x->shape[1] || first > x->shape[1] - count)
        return foci_graph_fail(g, "%s: %lld tokens from %lld on do not lie in input %s", op->name, (long long)count,
                               (long long)first, foci_shape_text(g, x));
    const foci_selection a = {first, count};
    foci_node *n = foci_record(g, op, 1, &x, &a, sizeof a);
    return foci_emit(n, FOCI_REAL, FOCI_SHAPE(x->shape[0], count, x->shape[2]));
}

foci_tensor *foci_select(foci_graph *g, foci_tensor *x, int64_t index) {
    foci_tensor *y = foci_narrow(g, x, index, 1);
    return y ? foci_view(y, 0, 2, (int64_t[]){y->shape[0], y->shape[2]}, (int64_t[]){y->shape[2], 1}) : NULL;
}
