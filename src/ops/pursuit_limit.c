/* pursuit_limit: where principal component pursuit on the keys (Teo & Nguyen, "RPC-Attention", NeurIPS 2024) cuts off:
 * lambda mu as its code has it, or lambda / mu as the method is usually written, mu = N width / (4 sum |k|), for every
 * head. */
#include <math.h>

#include "ops/attention_head.h"
#include "ops/common.h"

typedef struct attributes {
    double lambda, width;
    bool published;
} attributes;

/* Of a head of zeros: every limit cuts nothing off. */
static const double least = 1e-30;

static double size_of_keys(const foci_tensor *k, int64_t task) {
    const real *rows = foci_data(k) + foci_head_offset(k, task / k->shape[1], task % k->shape[1]);
    double sum = 0;
    for (int64_t i = 0; i < k->shape[2]; i++)
        for (int64_t d = 0; d < k->shape[3]; d++) sum += fabs((double)rows[i * k->stride[2] + d]);
    return sum > least ? sum : least;
}

/* (B, H) */
static void forward(const foci_node *n) {
    const attributes *a = n->attributes;
    const foci_tensor *k = n->input[0];
    FOCI_PARALLEL_FOR
    for (int64_t task = 0; task < foci_numel(n->output); task++) {
        const double mu = (double)k->shape[2] * a->width / (4 * size_of_keys(k, task));
        foci_data(n->output)[task] = (real)(a->published ? a->lambda * mu : a->lambda / mu);
    }
}

/* The limit is proportional to sum |k|, or to one over it: dk = +-dlimit limit / sum |k| sign(k) */
static void backward(const foci_node *n) {
    const attributes *a = n->attributes;
    const foci_tensor *k = n->input[0];
    FOCI_PARALLEL_FOR
    for (int64_t task = 0; task < foci_numel(n->output); task++) {
        const int64_t at = foci_head_offset(k, task / k->shape[1], task % k->shape[1]);
        const double slope = (a->published ? -1 : 1) * (double)foci_data(n->output)[task] / size_of_keys(k, task);
        const real each = (real)(slope * (double)foci_grad(n->output)[task]);
        for (int64_t i = 0; i < k->shape[2]; i++) {
            const real *x = foci_data(k) + at + i * k->stride[2];
            real *dx = foci_grad(k) + at + i * k->stride[2];
            for (int64_t d = 0; d < k->shape[3]; d++)
                dx[d] = (n->accumulate[0] ? dx[d] : 0) + (x[d] > 0 ? each : x[d] < 0 ? -each : 0);
        }
    }
}

static foci_tensor *published(foci_graph *g) {
    return foci_pursuit_limit(g, RANDOM(g, "k", 2, 3, 5, 4), 0.5, 12, true);
}
static foci_tensor *paper(foci_graph *g) {
    foci_tensor *x = foci_scale(g, RANDOM(g, "x", 2, 5, 2 * 2 * 3), 1.5);
    return foci_pursuit_limit(g, foci_heads(g, x, 2, 1, 2), 0.5, 4, false);
}
static const foci_gradient_case gradients[] = {{"lambda mu", published}, {"lambda / mu, a view", paper}, {0}};

const foci_op foci_op_pursuit_limit = {.name = "pursuit_limit",
                                       .summary = "where principal component pursuit cuts keys off, for each head",
                                       .forward = forward,
                                       .backward = backward,
                                       .reads = FOCI_READS_INPUT(0) | FOCI_READS_OUTPUT,
                                       .gradients = gradients};

foci_tensor *foci_pursuit_limit(foci_graph *g, foci_tensor *k, double lambda, double width, bool published_form) {
    const foci_op *op = &foci_op_pursuit_limit;
    if (!foci_head_operand(g, op->name, "k", k, NULL)) return NULL;
    if (!(lambda > 0 && width > 0 && isfinite(lambda) && isfinite(width)))
        return foci_graph_fail(g, "%s: lambda %g and width %g must be above 0", op->name, lambda, width);
    const attributes a = {lambda, width, published_form};
    return foci_emit(foci_record(g, op, 1, &k, &a, sizeof a), FOCI_REAL, FOCI_SHAPE(k->shape[0], k->shape[1]));
}
