/* pair: what a classifier of two sequences sees of them: themselves, their product, their difference */
#include "ops/common.h"

/* x (2B, C), rows 2b and 2b + 1 are a and b -> y (B, 4C) = [a, b, a b, a - b] */
static void forward(const foci_node *n) {
    const int64_t pairs = n->output->shape[0], c = n->input[0]->shape[1];
    const real *x = foci_data(n->input[0]);
    real *y = foci_data(n->output);
    for (int64_t i = 0; i < pairs; i++)
        for (int64_t k = 0; k < c; k++) {
            const real a = x[2 * i * c + k], b = x[(2 * i + 1) * c + k];
            real *row = y + 4 * i * c + k;
            row[0] = a, row[c] = b, row[2 * c] = a * b, row[3 * c] = a - b;
        }
}

/* da = y0 + b y2 + y3,  db = y1 + a y2 - y3 with y0 .. y3 the parts of dy */
static void backward(const foci_node *n) {
    const int64_t pairs = n->output->shape[0], c = n->input[0]->shape[1];
    const real *x = foci_data(n->input[0]), *dy = foci_grad(n->output);
    real *dx = foci_grad(n->input[0]);
    for (int64_t i = 0; i < pairs; i++)
        for (int64_t k = 0; k < c; k++) {
            const int64_t a = 2 * i * c + k, b = a + c;
            const real *row = dy + 4 * i * c + k;
            const real da = row[0] + x[b] * row[2 * c] + row[3 * c], db = row[c] + x[a] * row[2 * c] - row[3 * c];
            dx[a] = n->accumulate[0] ? dx[a] + da : da;
            dx[b] = n->accumulate[0] ? dx[b] + db : db;
        }
}

static foci_tensor *plain(foci_graph *g) { return foci_pair(g, RANDOM(g, "x", 6, 5)); }
static foci_tensor *used_twice(foci_graph *g) {
    foci_tensor *x = foci_gelu(g, RANDOM(g, "x", 2, 3));
    return foci_add(g, foci_pair(g, x), foci_pair(g, x));
}
static const foci_gradient_case gradients[] = {{"(6, 5)", plain}, {"input used twice", used_twice}, {0}};

const foci_op foci_op_pair = {.name = "pair",
                              .summary = "two rows, their product and their difference",
                              .forward = forward,
                              .backward = backward,
                              .reads = FOCI_READS_INPUT(0),
                              .gradients = gradients};

foci_tensor *foci_pair(foci_graph *g, foci_tensor *x) {
    if (!foci_operand(g, "pair", "input", x, FOCI_REAL)) return NULL;
    if (x->ndim != 2 || x->shape[0] % 2)
        return foci_graph_fail(g, "pair: input %s must be (2B, C)", foci_shape_text(g, x));
    foci_node *n = foci_record(g, &foci_op_pair, 1, &x, NULL, 0);
    return foci_emit(n, FOCI_REAL, FOCI_SHAPE(x->shape[0] / 2, 4 * x->shape[1]));
}
