/* elliptical_metric: the diagonal of M in elliptical attention, from how far the values of each head moved
 * over one layer (Nielsen et al., "Elliptical Attention", NeurIPS 2024, section 3.3) */
#include <math.h>

#include "ops/attention_head.h"
#include "ops/common.h"

enum { NUM, NUM_BEFORE, DEN, DEN_BEFORE, FILLED, INPUTS };

typedef struct attributes {
    double delta, attenuation;
    foci_metric_scale scale;
    bool causal, median;
    int64_t memory;
} attributes;

/* Rows at the front that are not there. */
static int64_t empty_rows(const foci_node *n) {
    const foci_tensor *filled = n->input[FILLED];
    return filled ? ((const attributes *)n->attributes)->memory - foci_ints(filled)[0] : 0;
}

static int64_t scratch_of(const foci_node *n) {
    const attributes *a = n->attributes;
    return foci_metric_scratch(n->input[NUM]->shape[2], n->input[NUM]->shape[3], a->median);
}

/* From row `first` on. */
static const real *head_of(const foci_tensor *t, int64_t b, int64_t h, int64_t first) {
    return t ? foci_data(t) + foci_head_offset(t, b, h) + first * t->stride[2] : NULL;
}
static int64_t row_of(const foci_tensor *t) { return t ? t->stride[2] : 0; }

static void forward(const foci_node *n) {
    const attributes *a = n->attributes;
    foci_tensor *const *in = n->input;
    const int64_t *shape = in[NUM]->shape, heads = shape[1], out = n->output->stride[1], first = empty_rows(n);
    FOCI_PARALLEL_FOR
    for (int64_t task = 0; task < shape[0] * heads; task++) {
        const int64_t b = task / heads, h = task % heads;
        foci_metric_head head = {.tokens = shape[2] - first,
                                 .width = shape[3],
                                 .cur = head_of(in[NUM], b, h, first),
                                 .prev = head_of(in[NUM_BEFORE], b, h, first),
                                 .den = head_of(in[DEN], b, h, first),
                                 .den_prev = head_of(in[DEN_BEFORE], b, h, first),
                                 .cur_row = row_of(in[NUM]),
                                 .prev_row = row_of(in[NUM_BEFORE]),
                                 .den_row = row_of(in[DEN]),
                                 .den_prev_row = row_of(in[DEN_BEFORE]),
                                 .delta = a->delta,
                                 .attenuation = a->attenuation,
                                 .scale = a->scale,
                                 .causal = a->causal,
                                 .silent = a->memory - first,
                                 .median = a->median,
                                 .out = foci_data(n->output) + task * out};
        foci_kernel()->elliptical_metric(&head, (real *)n->workspace + foci_thread() * scratch_of(n));
    }
}

const foci_op foci_op_elliptical_metric = {.name = "elliptical_metric",
                                           .summary =
                                               "the metric of elliptical attention, from the change over one layer",
                                           .forward = forward,
                                           .detaches = true};

foci_tensor *foci_elliptical_metric(foci_graph *g, const foci_elliptical_metric_options *o) {
    const foci_op *op = &foci_op_elliptical_metric;
    if (!foci_head_operand(g, op->name, "num", o->num, NULL) ||
        !foci_head_operand(g, op->name, "num of the layer before", o->num_before, o->num))
        return NULL;
    if (o->den && (!foci_head_operand(g, op->name, "den", o->den, o->num) ||
                   !foci_head_operand(g, op->name, "den of the layer before", o->den_before, o->num)))
        return NULL;
    if (o->filled && !foci_operand(g, op->name, "filled", o->filled, FOCI_INT)) return NULL;
    if (o->memory < 0 || o->memory >= o->num->shape[2])
        return foci_graph_fail(g, "%s: a memory of %lld of %lld tokens", op->name, (long long)o->memory,
                               (long long)o->num->shape[2]);
    if (o->causal && o->median) return foci_graph_fail(g, "%s: the median has no causal form", op->name);
    const double by = o->den ? o->attenuation : o->delta;
    if (!(by > 0 && isfinite(by)))
        return foci_graph_fail(g, "%s: %s %g must be above 0", op->name, o->den ? "attenuation" : "delta", by);
    foci_tensor *const input[INPUTS] = {o->num, o->num_before, o->den, o->den ? o->den_before : NULL, o->filled};
    attributes a = {o->delta, o->attenuation, o->scale, o->causal, o->median, o->memory};
    foci_node *n = foci_record(g, op, INPUTS, input, &a, sizeof a);
    if (!n) return NULL;
    foci_workspace(n, (size_t)foci_threads() * (size_t)scratch_of(n) * sizeof(real), 0);
    const int64_t *s = o->num->shape;
    return foci_emit(n, FOCI_REAL, FOCI_SHAPE(s[0], s[1], o->causal ? s[2] - o->memory : 1, s[3]));
}
