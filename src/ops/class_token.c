/* class_token: puts the same tokens, one as a rule, in front of every sample's */
#include <string.h>

#include "ops/common.h"

enum { TOKEN, X };

/* token (1, M, C), x (B, N, C) -> y (B, M + N, C); c: M C */
static void forward(const foci_node *n) {
    int64_t batch = n->output->shape[0], c = foci_numel(n->input[TOKEN]), size = foci_numel(n->input[X]) / batch;
    const real *token = foci_data(n->input[TOKEN]), *x = foci_data(n->input[X]);
    real *y = foci_data(n->output);
    FOCI_PARALLEL_FOR
    for (int64_t b = 0; b < batch; b++) {
        memcpy(y + b * (size + c), token, (size_t)c * sizeof *y);
        memcpy(y + b * (size + c) + c, x + b * size, (size_t)size * sizeof *y);
    }
}

/* dtoken = sum over the batch, in order;  dx = the other rows of dy */
static void backward(const foci_node *n) {
    int64_t batch = n->output->shape[0], c = foci_numel(n->input[TOKEN]), size = foci_numel(n->input[X]) / batch;
    const real *dy = foci_grad(n->output);
    real *dtoken = foci_grad(n->input[TOKEN]), *dx = foci_grad(n->input[X]);
    if (dtoken && !n->accumulate[TOKEN]) memset(dtoken, 0, (size_t)c * sizeof *dtoken);
    if (dtoken) foci_kernel()->column_sums(batch, c, dy, size + c, dtoken);
    if (!dx) return;
    FOCI_PARALLEL_FOR
    for (int64_t b = 0; b < batch; b++)
        foci_kernel()->scale(size, 1, dy + b * (size + c) + c, dx + b * size, n->accumulate[X]);
}

static foci_tensor *plain(foci_graph *g) {
    return foci_class_token(g, RANDOM(g, "token", 1, 1, 7), RANDOM(g, "x", 5, 3, 7));
}
static foci_tensor *several(foci_graph *g) {
    return foci_class_token(g, RANDOM(g, "token", 1, 4, 3), RANDOM(g, "x", 2, 2, 3));
}
static foci_tensor *used_twice(foci_graph *g) {
    foci_tensor *token = foci_gelu(g, RANDOM(g, "token", 1, 1, 2)), *x = foci_gelu(g, RANDOM(g, "x", 2, 3, 2));
    return foci_add(g, foci_class_token(g, token, x), foci_class_token(g, token, x));
}
static const foci_gradient_case gradients[] = {
    {"(5, 3, 7)", plain}, {"four tokens", several}, {"inputs used twice", used_twice}, {0}};

const foci_op foci_op_class_token = {.name = "class_token",
                                     .summary = "puts learnt tokens in front",
                                     .forward = forward,
                                     .backward = backward,
                                     .gradients = gradients};

foci_tensor *foci_class_token(foci_graph *g, foci_tensor *token, foci_tensor *x) {
    if (!foci_operand(g, "class_token", "token", token, FOCI_REAL) ||
        !foci_operand(g, "class_token", "input", x, FOCI_REAL))
        return NULL;
    if (x->ndim != 3 || token->ndim != 3 || token->shape[0] != 1 || token->shape[2] != x->shape[2])
        return foci_graph_fail(g, "class_token: token %s does not fit input %s", foci_shape_text(g, token),
                               foci_shape_text(g, x));
    foci_node *n = foci_record(g, &foci_op_class_token, 2, (foci_tensor *[]){token, x}, NULL, 0);
    return foci_emit(n, FOCI_REAL, FOCI_SHAPE(x->shape[0], token->shape[1] + x->shape[1], x->shape[2]));
}
