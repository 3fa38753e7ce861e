/* softmax over the last dimension */
#include "ops/common.h"

static void forward(const foci_node *n) { foci_each_row(n, foci_kernel()->softmax); }

/* from the output */
static void backward(const foci_node *n) { foci_each_row_backward(n, n->output, foci_kernel()->softmax_backward); }

static foci_tensor *three_dims(foci_graph *g) { return foci_softmax(g, RANDOM(g, "x", 3, 5, 7)); }
static foci_tensor *one_column(foci_graph *g) { return foci_softmax(g, RANDOM(g, "x", 4, 1)); }
static foci_tensor *used_twice(foci_graph *g) {
    foci_tensor *x = foci_scale(g, RANDOM(g, "x", 2, 33), 3);
    return foci_add(g, foci_softmax(g, x), foci_softmax(g, x));
}
static const foci_gradient_case gradients[] = {
    {"(3, 5, 7)", three_dims}, {"one column", one_column}, {"input used twice", used_twice}, {0}};

const foci_op foci_op_softmax = {.name = "softmax",
                                 .summary = "softmax over the last dimension",
                                 .forward = forward,
                                 .backward = backward,
                                 .reads = FOCI_READS_OUTPUT,
                                 .gradients = gradients};

foci_tensor *foci_softmax(foci_graph *g, foci_tensor *x) {
    if (!foci_operand(g, "softmax", "input", x, FOCI_REAL)) return NULL;
    foci_node *n = foci_record(g, &foci_op_softmax, 1, &x, NULL, 0);
    return foci_emit(n, FOCI_REAL, x->ndim, x->shape);
}
