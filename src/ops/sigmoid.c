/* sigmoid: 1 / (1 + exp(-x)) */
#include "ops/common.h"

static void forward(const foci_node *n) { foci_each_element(n, foci_kernel()->sigmoid); }
static void backward(const foci_node *n) { foci_each_element_backward(n, n->output, foci_kernel()->sigmoid_backward); }

static foci_tensor *plain(foci_graph *g) { return foci_sigmoid(g, RANDOM(g, "x", 3, 5, 7)); }
static foci_tensor *used_twice(foci_graph *g) {
    foci_tensor *x = foci_scale(g, RANDOM(g, "x", 5), 4);
    return foci_add(g, foci_sigmoid(g, x), foci_sigmoid(g, x));
}
static const foci_gradient_case gradients[] = {{"(3, 5, 7)", plain}, {"input used twice", used_twice}, {0}};

const foci_op foci_op_sigmoid = {.name = "sigmoid",
                                 .summary = "1 / (1 + exp(-x))",
                                 .forward = forward,
                                 .backward = backward,
                                 .reads = FOCI_READS_OUTPUT,
                                 .gradients = gradients};

foci_tensor *foci_sigmoid(foci_graph *g, foci_tensor *x) {
    if (!foci_operand(g, "sigmoid", "input", x, FOCI_REAL)) return NULL;
    foci_node *n = foci_record(g, &foci_op_sigmoid, 1, &x, NULL, 0);
    return foci_emit(n, FOCI_REAL, x->ndim, x->shape);
}
