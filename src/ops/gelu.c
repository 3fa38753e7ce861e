/* gelu: x Phi(x), the exact one */
#include "ops/common.h"

static void forward(const foci_node *n) { foci_each_element(n, foci_kernel()->gelu); }

static void backward(const foci_node *n) { foci_each_element_backward(n, n->input[0], foci_kernel()->gelu_backward); }

static foci_tensor *near_zero(foci_graph *g) { return foci_gelu(g, RANDOM(g, "x", 3, 5, 7)); }
static foci_tensor *tails(foci_graph *g) { return foci_gelu(g, foci_scale(g, RANDOM(g, "x", 37), 4)); }
static foci_tensor *used_twice(foci_graph *g) {
    foci_tensor *x = foci_scale(g, RANDOM(g, "x", 5), 1);
    return foci_add(g, foci_gelu(g, x), foci_gelu(g, x));
}
static const foci_gradient_case gradients[] = {
    {"(3, 5, 7)", near_zero}, {"into the tails", tails}, {"input used twice", used_twice}, {0}};

const foci_op foci_op_gelu = {.name = "gelu",
                              .summary = "exact GELU: x Phi(x)",
                              .forward = forward,
                              .backward = backward,
                              .reads = FOCI_READS_INPUT(0),
                              .gradients = gradients};

foci_tensor *foci_gelu(foci_graph *g, foci_tensor *x) {
    if (!foci_operand(g, "gelu", "input", x, FOCI_REAL)) return NULL;
    foci_node *n = foci_record(g, &foci_op_gelu, 1, &x, NULL, 0);
    return foci_emit(n, FOCI_REAL, x->ndim, x->shape);
}
