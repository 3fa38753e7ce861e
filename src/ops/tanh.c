/* tanh, by the library: where it stands (a head of classes) there are few elements */
#include <math.h>

#include "ops/common.h"

static void values(int64_t n, const real *x, real *y) {
    for (int64_t i = 0; i < n; i++) y[i] = (real)tanh((double)x[i]);
}
static void forward(const foci_node *n) { foci_each_element(n, values); }

/* dx = (1 - y^2) dy */
static void gradient(int64_t n, const real *y, const real *dy, real *dx, bool accumulate) {
    for (int64_t i = 0; i < n; i++) dx[i] = (accumulate ? dx[i] : 0) + (1 - y[i]) * (1 + y[i]) * dy[i];
}
static void backward(const foci_node *n) { foci_each_element_backward(n, n->output, gradient); }

static foci_tensor *plain(foci_graph *g) { return foci_tanh(g, RANDOM(g, "x", 3, 5, 7)); }
static foci_tensor *used_twice(foci_graph *g) {
    foci_tensor *x = foci_scale(g, RANDOM(g, "x", 5), 2);
    return foci_add(g, foci_tanh(g, x), foci_tanh(g, x));
}
static const foci_gradient_case gradients[] = {{"(3, 5, 7)", plain}, {"input used twice", used_twice}, {0}};

const foci_op foci_op_tanh = {.name = "tanh",
                              .summary = "hyperbolic tangent",
                              .forward = forward,
                              .backward = backward,
                              .reads = FOCI_READS_OUTPUT,
                              .gradients = gradients};

foci_tensor *foci_tanh(foci_graph *g, foci_tensor *x) {
    if (!foci_operand(g, "tanh", "input", x, FOCI_REAL)) return NULL;
    foci_node *n = foci_record(g, &foci_op_tanh, 1, &x, NULL, 0);
    return foci_emit(n, FOCI_REAL, x->ndim, x->shape);
}
