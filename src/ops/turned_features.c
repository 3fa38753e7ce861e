/* turned_features: the features of cosFormer (Qin et al., "cosFormer: Rethinking Softmax in Attention", 2022). Token i
 * has the angle a_i = pi i / 2 N; max(x_i, 0) [cos a_i, sin a_i] times the same of j is max(x_i, 0) max(x_j, 0) cos(a_i
 * - a_j), and no term of that sum is below 0. */
#include <math.h>

#include "ops/attention_head.h"
#include "ops/common.h"

static double angle(int64_t token, int64_t tokens) { return acos(-1.0) / 2 * (double)token / (double)tokens; }

static void forward(const foci_node *n) {
    const foci_tensor *x = n->input[0];
    const int64_t heads = x->shape[1], tokens = x->shape[2], width = x->shape[3];
    FOCI_PARALLEL_FOR
    for (int64_t task = 0; task < x->shape[0] * heads; task++) {
        const real *from = foci_data(x) + foci_head_offset(x, task / heads, task % heads);
        real *to = foci_data(n->output) + task * tokens * 2 * width;
        for (int64_t i = 0; i < tokens; i++) {
            const double a = angle(i, tokens);
            foci_kernel()->turned_features(width, (real)cos(a), (real)sin(a), from + i * x->stride[2],
                                           to + i * 2 * width);
        }
    }
}

static void backward(const foci_node *n) {
    const foci_tensor *x = n->input[0];
    const int64_t heads = x->shape[1], tokens = x->shape[2], width = x->shape[3];
    FOCI_PARALLEL_FOR
    for (int64_t task = 0; task < x->shape[0] * heads; task++) {
        const int64_t offset = foci_head_offset(x, task / heads, task % heads);
        const real *dy = foci_grad(n->output) + task * tokens * 2 * width;
        for (int64_t i = 0; i < tokens; i++) {
            const double a = angle(i, tokens);
            foci_kernel()->turned_features_backward(width, (real)cos(a), (real)sin(a),
                                                    foci_data(x) + offset + i * x->stride[2], dy + i * 2 * width,
                                                    foci_grad(x) + offset + i * x->stride[2], n->accumulate[0]);
        }
    }
}

static foci_tensor *plain(foci_graph *g) { return foci_turned_features(g, RANDOM(g, "x", 2, 3, 5, 7)); }
static foci_tensor *view_used_twice(foci_graph *g) {
    foci_tensor *x = foci_heads(g, foci_scale(g, RANDOM(g, "x", 1, 3, 12), 2), 2, 1, 2);
    return foci_add(g, foci_turned_features(g, x), foci_turned_features(g, x));
}
static const foci_gradient_case gradients[] = {{"(2, 3, 5, 7)", plain}, {"a view used twice", view_used_twice}, {0}};

const foci_op foci_op_turned_features = {.name = "turned_features",
                                         .summary = "max(x, 0) turned by the angle of its token",
                                         .forward = forward,
                                         .backward = backward,
                                         .reads = FOCI_READS_INPUT(0),
                                         .gradients = gradients};

foci_tensor *foci_turned_features(foci_graph *g, foci_tensor *x) {
    if (!foci_head_operand(g, "turned_features", "input", x, NULL)) return NULL;
    return foci_emit(foci_record(g, &foci_op_turned_features, 1, &x, NULL, 0), FOCI_REAL,
                     FOCI_SHAPE(x->shape[0], x->shape[1], x->shape[2], 2 * x->shape[3]));
}
