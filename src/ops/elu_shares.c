/* elu_shares: (elu(x) + 1) over the sum of its row, on heads (B, H, N, D); the features of linear keys (MLK) */
#include "ops/attention_head.h"
#include "ops/common.h"

static void forward(const foci_node *n) { foci_each_head_row(n, foci_kernel()->elu_shares); }

static void backward(const foci_node *n) {
    const foci_tensor *x = n->input[0];
    const int64_t heads = x->shape[1], tokens = x->shape[2], width = x->shape[3];
    FOCI_PARALLEL_FOR
    for (int64_t task = 0; task < x->shape[0] * heads; task++) {
        const int64_t offset = foci_head_offset(x, task / heads, task % heads), at = task * tokens * width;
        real *scratch = (real *)n->workspace + foci_thread() * width;
        for (int64_t i = 0; i < tokens; i++)
            foci_kernel()->elu_shares_backward(width, foci_data(x) + offset + i * x->stride[2],
                                               foci_data(n->output) + at + i * width,
                                               foci_grad(n->output) + at + i * width,
                                               foci_grad(x) + offset + i * x->stride[2], n->accumulate[0], scratch);
    }
}

static foci_tensor *plain(foci_graph *g) { return foci_elu_shares(g, RANDOM(g, "x", 2, 3, 5, 7)); }
static foci_tensor *into_the_tails(foci_graph *g) {
    return foci_elu_shares(g, foci_heads(g, foci_scale(g, RANDOM(g, "x", 2, 5, 12), 4), 2, 1, 2));
}
static foci_tensor *one_column(foci_graph *g) { return foci_elu_shares(g, RANDOM(g, "x", 1, 1, 3, 1)); }
static foci_tensor *used_twice(foci_graph *g) {
    foci_tensor *x = foci_heads(g, foci_scale(g, RANDOM(g, "x", 1, 3, 6), 2), 1, 0, 2);
    return foci_add(g, foci_elu_shares(g, x), foci_elu_shares(g, x));
}
static const foci_gradient_case gradients[] = {{"(2, 3, 5, 7)", plain},
                                               {"a view, into the tails", into_the_tails},
                                               {"one column", one_column},
                                               {"input used twice", used_twice},
                                               {0}};

const foci_op foci_op_elu_shares = {.name = "elu_shares",
                                    .summary = "elu(x) + 1 over the sum of its row",
                                    .forward = forward,
                                    .backward = backward,
                                    .reads = FOCI_READS_INPUT(0) | FOCI_READS_OUTPUT,
                                    .gradients = gradients};

foci_tensor *foci_elu_shares(foci_graph *g, foci_tensor *x) {
    if (!foci_head_operand(g, "elu_shares", "input", x, NULL)) return NULL;
    foci_node *n = foci_record(g, &foci_op_elu_shares, 1, &x, NULL, 0);
    foci_workspace(n, 0, (size_t)(foci_threads() * x->shape[3]) * sizeof(real));
    return foci_emit(n, FOCI_REAL, 4, x->shape);
}
