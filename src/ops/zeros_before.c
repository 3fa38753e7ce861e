/* zeros_before: rows of zeros before the tokens (B, N, C) -> (B, M + N, C) */
#include <string.h>

#include "ops/common.h"

static int64_t rows_of(const foci_node *n) { return *(const int64_t *)n->attributes; }

static void forward(const foci_node *n) {
    const int64_t *x = n->input[0]->shape, size = x[1] * x[2], zeros = rows_of(n) * x[2];
    FOCI_PARALLEL_FOR
    for (int64_t b = 0; b < x[0]; b++) {
        real *to = foci_data(n->output) + b * (zeros + size);
        memset(to, 0, (size_t)zeros * sizeof *to);
        memcpy(to + zeros, foci_data(n->input[0]) + b * size, (size_t)size * sizeof *to);
    }
}

static void backward(const foci_node *n) {
    const int64_t *x = n->input[0]->shape, size = x[1] * x[2], zeros = rows_of(n) * x[2];
    FOCI_PARALLEL_FOR
    for (int64_t b = 0; b < x[0]; b++)
        foci_kernel()->scale(size, 1, foci_grad(n->output) + b * (zeros + size) + zeros,
                             foci_grad(n->input[0]) + b * size, n->accumulate[0]);
}

static foci_tensor *two_rows(foci_graph *g) { return foci_zeros_before(g, RANDOM(g, "x", 3, 4, 5), 2); }
static foci_tensor *used_twice(foci_graph *g) {
    foci_tensor *x = foci_gelu(g, RANDOM(g, "x", 2, 3, 4));
    return foci_add(g, foci_zeros_before(g, x, 1), foci_zeros_before(g, x, 1));
}
static const foci_gradient_case gradients[] = {{"2 of (3, 4, 5)", two_rows}, {"input used twice", used_twice}, {0}};

const foci_op foci_op_zeros_before = {.name = "zeros_before",
                                      .summary = "rows of zeros before the tokens of a sequence",
                                      .forward = forward,
                                      .backward = backward,
                                      .gradients = gradients};

foci_tensor *foci_zeros_before(foci_graph *g, foci_tensor *x, int64_t rows) {
    if (!foci_operand(g, "zeros_before", "input", x, FOCI_REAL)) return NULL;
    if (x->ndim != 3 || rows < 0)
        return foci_graph_fail(g, "zeros_before: %lld rows before %s, which must be (B, N, C)", (long long)rows,
                               foci_shape_text(g, x));
    foci_node *n = foci_record(g, &foci_op_zeros_before, 1, &x, &rows, sizeof rows);
    return foci_emit(n, FOCI_REAL, FOCI_SHAPE(x->shape[0], rows + x->shape[1], x->shape[2]));
}
