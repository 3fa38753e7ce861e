/* pad: images (B, I, H, W) with zeros at the right and below -> (B, I, H', W') */
#include <string.h>

#include "ops/common.h"

/* Row y of image i of all channels; the rows below H have none in x. */
static void forward(const foci_node *n) {
    const int64_t *x = n->input[0]->shape, *y = n->output->shape, rows = y[0] * y[1] * y[2];
    FOCI_PARALLEL_FOR
    for (int64_t row = 0; row < rows; row++) {
        const int64_t plane = row / y[2], i = row % y[2], filled = i < x[2] ? x[3] : 0;
        real *to = foci_data(n->output) + row * y[3];
        if (filled) memcpy(to, foci_data(n->input[0]) + (plane * x[2] + i) * x[3], (size_t)filled * sizeof *to);
        memset(to + filled, 0, (size_t)(y[3] - filled) * sizeof *to);
    }
}

static void backward(const foci_node *n) {
    const int64_t *x = n->input[0]->shape, *y = n->output->shape, rows = x[0] * x[1] * x[2];
    FOCI_PARALLEL_FOR
    for (int64_t row = 0; row < rows; row++)
        foci_kernel()->scale(x[3], 1, foci_grad(n->output) + (row / x[2] * y[2] + row % x[2]) * y[3],
                             foci_grad(n->input[0]) + row * x[3], n->accumulate[0]);
}

static foci_tensor *both_sides(foci_graph *g) { return foci_pad(g, RANDOM(g, "x", 2, 3, 4, 5), 6, 7); }
static foci_tensor *used_twice(foci_graph *g) {
    foci_tensor *x = foci_gelu(g, RANDOM(g, "x", 1, 2, 3, 3));
    return foci_add(g, foci_pad(g, x, 3, 5), foci_pad(g, x, 3, 5));
}
static const foci_gradient_case gradients[] = {
    {"(2, 3, 4, 5)", both_sides}, {"below alone, used twice", used_twice}, {0}};

const foci_op foci_op_pad = {.name = "pad",
                             .summary = "zeros at the right of and below images",
                             .forward = forward,
                             .backward = backward,
                             .gradients = gradients};

foci_tensor *foci_pad(foci_graph *g, foci_tensor *x, int64_t height, int64_t width) {
    if (!foci_operand(g, "pad", "input", x, FOCI_REAL)) return NULL;
    if (x->ndim != 4 || height < x->shape[2] || width < x->shape[3])
        return foci_graph_fail(g, "pad: %s does not fit into %lld x %lld", foci_shape_text(g, x), (long long)height,
                               (long long)width);
    if (height == x->shape[2] && width == x->shape[3]) return x;
    foci_node *n = foci_record(g, &foci_op_pad, 1, &x, NULL, 0);
    return foci_emit(n, FOCI_REAL, FOCI_SHAPE(x->shape[0], x->shape[1], height, width));
}
