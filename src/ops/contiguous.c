/* contiguous: heads (B, H, N, D), a strided view as a rule, copied so that their rows follow one another */
#include <string.h>

#include "ops/attention_head.h"
#include "ops/common.h"

static void copy(int64_t n, const real *x, real *y) { memcpy(y, x, (size_t)n * sizeof *y); }

static void pass_on(int64_t n, const real *y, const real *dy, real *dx, bool accumulate) {
    (void)y;
    foci_kernel()->scale(n, 1, dy, dx, accumulate);
}

static void forward(const foci_node *n) { foci_each_head_row(n, copy); }

static void backward(const foci_node *n) { foci_each_head_row_backward(n, pass_on); }

static foci_tensor *view(foci_graph *g) {
    return foci_contiguous(g, foci_heads(g, RANDOM(g, "x", 2, 5, 3 * 2 * 4), 3, 1, 2));
}
static foci_tensor *used_twice(foci_graph *g) {
    foci_tensor *x = foci_heads(g, foci_scale(g, RANDOM(g, "x", 1, 3, 6), 2), 1, 0, 2);
    return foci_add(g, foci_contiguous(g, x), foci_contiguous(g, x));
}
static const foci_gradient_case gradients[] = {{"of a view", view}, {"of one view twice", used_twice}, {0}};

const foci_op foci_op_contiguous = {.name = "contiguous",
                                    .summary = "a copy of heads without gaps between rows",
                                    .forward = forward,
                                    .backward = backward,
                                    .gradients = gradients};

foci_tensor *foci_contiguous(foci_graph *g, foci_tensor *x) {
    if (!foci_head_operand(g, "contiguous", "input", x, NULL)) return NULL;
    return foci_emit(foci_record(g, &foci_op_contiguous, 1, &x, NULL, 0), FOCI_REAL, 4, x->shape);
}
