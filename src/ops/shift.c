/* shift: heads (B, H, N, D) moved by a vector that each head has of its own: x - mu_part, mu (P, H, D) */
#include <string.h>

#include "ops/attention_head.h"
#include "ops/common.h"

enum { X, MU };

static int64_t part_of(const foci_node *n) { return *(const int64_t *)n->attributes; }

/* Where the part's vector of this head begins. */
static int64_t row_of(const foci_node *n, int64_t head) {
    const foci_tensor *mu = n->input[MU];
    return (part_of(n) * mu->shape[1] + head) * mu->shape[2];
}

static void forward(const foci_node *n) {
    const foci_tensor *x = n->input[X];
    const int64_t heads = x->shape[1], tokens = x->shape[2], width = x->shape[3];
    FOCI_PARALLEL_FOR
    for (int64_t task = 0; task < x->shape[0] * heads; task++) {
        const real *from = foci_data(x) + foci_head_offset(x, task / heads, task % heads);
        const real *mu = foci_data(n->input[MU]) + row_of(n, task % heads);
        real *to = foci_data(n->output) + task * tokens * width;
        for (int64_t i = 0; i < tokens; i++) {
            foci_kernel()->scale(width, 1, from + i * x->stride[2], to + i * width, false);
            foci_kernel()->scale(width, -1, mu, to + i * width, true);
        }
    }
}

/* Every (sample, head) leaves its sum of dy over the tokens in the workspace (B, H, D). */
static void backward_head(const foci_node *n, int64_t task, real *sum) {
    const foci_tensor *x = n->input[X];
    const int64_t heads = x->shape[1], tokens = x->shape[2], width = x->shape[3];
    const real *dy = foci_grad(n->output) + task * tokens * width;
    memset(sum, 0, (size_t)width * sizeof *sum);
    foci_kernel()->column_sums(tokens, width, dy, width, sum);
    if (!foci_wants(n, X)) return;
    real *dx = foci_grad(x) + foci_head_offset(x, task / heads, task % heads);
    for (int64_t i = 0; i < tokens; i++)
        foci_kernel()->scale(width, 1, dy + i * width, dx + i * x->stride[2], n->accumulate[X]);
}

static void backward(const foci_node *n) {
    const foci_tensor *x = n->input[X], *mu = n->input[MU];
    const int64_t batch = x->shape[0], heads = x->shape[1], width = x->shape[3];
    real *sums = n->workspace;
    FOCI_PARALLEL_FOR
    for (int64_t task = 0; task < batch * heads; task++) backward_head(n, task, sums + task * width);
    if (!foci_wants(n, MU)) return;
    if (!n->accumulate[MU]) memset(foci_grad(mu), 0, (size_t)foci_numel(mu) * sizeof(real));
    for (int64_t b = 0; b < batch; b++)
        foci_kernel()->scale(heads * width, -1, sums + b * heads * width, foci_grad(mu) + row_of(n, 0), true);
}

static foci_tensor *both_parts(foci_graph *g) {
    foci_tensor *x = RANDOM(g, "x", 3, 2, 5, 4), *mu = foci_scale(g, RANDOM(g, "mu", 2, 2, 4), 2);
    return foci_mix_keys(g, foci_shift(g, x, mu, 0), foci_shift(g, x, mu, 1), RANDOM(g, "p", 2, 5),
                         RANDOM(g, "r", 2, 5), 1);
}
static foci_tensor *of_a_view(foci_graph *g) {
    return foci_shift(g, foci_heads(g, foci_scale(g, RANDOM(g, "x", 2, 3, 12), 2), 2, 1, 2), RANDOM(g, "mu", 3, 2, 3),
                      2);
}
static const foci_gradient_case gradients[] = {{"both parts", both_parts}, {"a view", of_a_view}, {0}};

const foci_op foci_op_shift = {.name = "shift",
                               .summary = "heads minus a vector each",
                               .forward = forward,
                               .backward = backward,
                               .gradients = gradients};

foci_tensor *foci_shift(foci_graph *g, foci_tensor *x, foci_tensor *mu, int64_t part) {
    const foci_op *op = &foci_op_shift;
    if (!foci_head_operand(g, op->name, "input", x, NULL) || !foci_operand(g, op->name, "mu", mu, FOCI_REAL))
        return NULL;
    if (mu->ndim != 3 || mu->shape[1] != x->shape[1] || mu->shape[2] != x->shape[3] || part < 0 || part >= mu->shape[0])
        return foci_graph_fail(g, "%s: mu %s has no vector number %lld for each head of %s", op->name,
                               foci_shape_text(g, mu), (long long)part, foci_shape_text(g, x));
    foci_node *n = foci_record(g, op, 2, (foci_tensor *[]){x, mu}, &part, sizeof part);
    foci_workspace(n, 0, (size_t)(x->shape[0] * x->shape[1] * x->shape[3]) * sizeof(real));
    return foci_emit(n, FOCI_REAL, 4, x->shape);
}
