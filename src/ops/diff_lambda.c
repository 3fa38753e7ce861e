/* diff_lambda: exp(q1 k1) - exp(q2 k2) + start of four vectors, the share of the second map in differential attention
 */
#include <math.h>

#include "ops/common.h"

/* exp of the inner product of pair 0 or 1 */
static double exp_of(const foci_node *n, int pair) {
    double sum;
    foci_kernel()->dot(foci_numel(n->input[0]), foci_data(n->input[2 * pair]), foci_data(n->input[2 * pair + 1]), &sum);
    return exp(sum);
}

static void forward(const foci_node *n) {
    foci_data(n->output)[0] = (real)(exp_of(n, 0) - exp_of(n, 1) + *(const double *)n->attributes);
}

static void backward(const foci_node *n) {
    const double d = (double)foci_grad(n->output)[0], factor[2] = {d * exp_of(n, 0), -d * exp_of(n, 1)};
    for (int i = 0; i < 4; i++)
        if (foci_wants(n, i))
            foci_kernel()->scale(foci_numel(n->input[i]), (real)factor[i / 2], foci_data(n->input[i ^ 1]),
                                 foci_grad(n->input[i]), n->accumulate[i]);
}

static foci_tensor *four(foci_graph *g) {
    foci_tensor *const v[] = {RANDOM(g, "q1", 5), RANDOM(g, "k1", 5), RANDOM(g, "q2", 5), RANDOM(g, "k2", 5)};
    return foci_diff_lambda(g, v, 0.3);
}
static foci_tensor *shared(foci_graph *g) {
    foci_tensor *q = foci_scale(g, RANDOM(g, "q", 3), 0.5), *k = RANDOM(g, "k", 3);
    return foci_diff_lambda(g, (foci_tensor *[]){q, k, k, k}, 0.3);
}
static const foci_gradient_case gradients[] = {{"four vectors", four}, {"vectors used twice", shared}, {0}};

const foci_op foci_op_diff_lambda = {.name = "diff_lambda",
                                     .summary = "exp(q1 k1) - exp(q2 k2) + start, one number from four vectors",
                                     .forward = forward,
                                     .backward = backward,
                                     .reads = FOCI_READS_INPUT(0) | FOCI_READS_INPUT(1) | FOCI_READS_INPUT(2) |
                                              FOCI_READS_INPUT(3),
                                     .gradients = gradients};

foci_tensor *foci_diff_lambda(foci_graph *g, foci_tensor *const vectors[4], double start) {
    const foci_op *op = &foci_op_diff_lambda;
    for (int i = 0; i < 4; i++) {
        if (!foci_operand(g, op->name, "vector", vectors[i], FOCI_REAL)) return NULL;
        if (!foci_same_shape(vectors[i], vectors[0]))
            return foci_graph_fail(g, "%s: vectors %s and %s differ", op->name, foci_shape_text(g, vectors[0]),
                                   foci_shape_text(g, vectors[i]));
    }
    foci_node *n = foci_record(g, op, 4, vectors, &start, sizeof start);
    return n ? foci_emit(n, FOCI_REAL, FOCI_SHAPE(1)) : NULL;
}
