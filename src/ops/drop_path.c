/* drop_path: whole samples are dropped with probability p, the others scaled by 1 / (1 - p) (stochastic
 * depth) */
#include "base/philox.h"
#include "ops/common.h"

static real factor_of(const foci_node *n, int64_t sample) {
    double p = *(const double *)n->attributes;
    foci_random r = foci_node_random(n);
    uint64_t i = r.first_sample + (uint64_t)sample;
    bool dropped = foci_philox(r.seed, r.stream, r.step, i / 4).v[i % 4] < (uint32_t)(p * 0x1p32);
    return dropped ? 0 : (real)(1 / (1 - p));
}

static void apply(const foci_node *n, const real *x, real *y, bool accumulate) {
    int64_t batch = n->output->shape[0], size = foci_numel(n->output) / batch;
    FOCI_PARALLEL_FOR
    for (int64_t b = 0; b < batch; b++)
        foci_kernel()->scale(size, factor_of(n, b), x + b * size, y + b * size, accumulate);
}

static void forward(const foci_node *n) { apply(n, foci_data(n->input[0]), foci_data(n->output), false); }
static void backward(const foci_node *n) { apply(n, foci_grad(n->output), foci_grad(n->input[0]), n->accumulate[0]); }

static foci_tensor *half(foci_graph *g) { return foci_drop_path(g, RANDOM(g, "x", 9, 2, 3), 0.5); }
static foci_tensor *residual(foci_graph *g) {
    foci_tensor *x = foci_gelu(g, RANDOM(g, "x", 5, 3));
    return foci_add(g, x, foci_drop_path(g, foci_gelu(g, x), 0.3));
}
static const foci_gradient_case gradients[] = {{"p = 0.5", half}, {"p = 0.3 in a residual branch", residual}, {0}};

const foci_op foci_op_drop_path = {.name = "drop_path",
                                   .summary = "drops whole samples with probability p while training",
                                   .forward = forward,
                                   .backward = backward,
                                   .rows = foci_rows_of_first,
                                   .gradients = gradients};

foci_tensor *foci_drop_path(foci_graph *g, foci_tensor *x, double p) {
    if (!foci_operand(g, "drop_path", "input", x, FOCI_REAL)) return NULL;
    if (!(p >= 0 && p < 1)) return foci_graph_fail(g, "drop_path: p is %g, it must be at least 0 and below 1", p);
    if (p == 0 || !foci_graph_trains(g)) return x;
    foci_node *n = foci_record(g, &foci_op_drop_path, 1, &x, &p, sizeof p);
    return foci_emit(n, FOCI_REAL, x->ndim, x->shape);
}
