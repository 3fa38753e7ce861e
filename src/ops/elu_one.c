/* elu_one: elu(x) + 1, the feature map of linear attention (Katharopoulos et al., 2020), on heads (B, H, N, D) */
#include "ops/attention_head.h"
#include "ops/common.h"

static void forward(const foci_node *n) { foci_each_head_row(n, foci_kernel()->elu_one); }

/* from the output */
static void backward(const foci_node *n) { foci_each_head_row_backward(n, foci_kernel()->elu_one_backward); }

static foci_tensor *plain(foci_graph *g) { return foci_elu_one(g, RANDOM(g, "x", 2, 3, 5, 7)); }
static foci_tensor *tails_of_a_view(foci_graph *g) {
    return foci_elu_one(g, foci_heads(g, foci_scale(g, RANDOM(g, "x", 2, 5, 12), 4), 2, 1, 2));
}
static foci_tensor *used_twice(foci_graph *g) {
    foci_tensor *x = foci_heads(g, foci_scale(g, RANDOM(g, "x", 1, 3, 6), 2), 1, 0, 2);
    return foci_add(g, foci_elu_one(g, x), foci_elu_one(g, x));
}
static const foci_gradient_case gradients[] = {
    {"(2, 3, 5, 7)", plain}, {"a view, into the tails", tails_of_a_view}, {"input used twice", used_twice}, {0}};

const foci_op foci_op_elu_one = {.name = "elu_one",
                                 .summary = "elu(x) + 1, the features of linear attention",
                                 .forward = forward,
                                 .backward = backward,
                                 .reads = FOCI_READS_OUTPUT,
                                 .gradients = gradients};

foci_tensor *foci_elu_one(foci_graph *g, foci_tensor *x) {
    if (!foci_head_operand(g, "elu_one", "input", x, NULL)) return NULL;
    return foci_emit(foci_record(g, &foci_op_elu_one, 1, &x, NULL, 0), FOCI_REAL, 4, x->shape);
}
