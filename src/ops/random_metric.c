/* random_metric: a metric that knows nothing, to compare with; drawn anew in every step for every sample and
 * head */
#include "base/philox.h"
#include "ops/attention_head.h"

typedef struct attributes {
    double bottom;
} attributes;

/* (B, H, 1, D): uniform in [bottom, 1), divided by the largest of each head */
static void forward(const foci_node *n) {
    const double bottom = ((const attributes *)n->attributes)->bottom;
    const int64_t width = foci_last_dim(n->output), heads = foci_rows(n->output);
    const foci_random r = foci_node_random(n);
    FOCI_PARALLEL_FOR
    for (int64_t head = 0; head < heads; head++) {
        real *metric = foci_data(n->output) + head * width;
        for (int64_t d = 0; d < width; d++) {
            double u = foci_uniform(foci_philox(r.seed, r.stream, r.step, r.first + (uint64_t)(head * width + d)).v[0]);
            metric[d] = (real)(bottom + (1 - bottom) * u);
        }
        foci_kernel()->scale_metric(width, FOCI_SCALE_MAX, metric);
    }
}

const foci_op foci_op_random_metric = {.name = "random_metric",
                                       .summary = "a random metric, to compare elliptical attention with",
                                       .forward = forward,
                                       .detaches = true};

foci_tensor *foci_random_metric(foci_graph *g, foci_tensor *like, double bottom) {
    const foci_op *op = &foci_op_random_metric;
    if (!foci_head_operand(g, op->name, "like", like, NULL)) return NULL;
    if (!(bottom >= 0 && bottom < 1)) return foci_graph_fail(g, "%s: bottom %g must lie in [0, 1)", op->name, bottom);
    foci_node *n = foci_record(g, op, 0, NULL, &(attributes){bottom}, sizeof(attributes));
    return foci_emit(n, FOCI_REAL, FOCI_SHAPE(like->shape[0], like->shape[1], 1, like->shape[3]));
}
