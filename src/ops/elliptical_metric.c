/* elliptical_metric: the diagonal of M in elliptical attention, from how far the values of each head moved
 * over one layer (Nielsen et al., "Elliptical Attention", NeurIPS 2024, section 3.3) */
#include <math.h>

#include "ops/attention_head.h"
#include "ops/common.h"

enum { NUM, NUM_BEFORE, DEN, DEN_BEFORE, FILLED, INPUTS };

typedef struct attributes {
    double delta, attenuation;
    foci_metric_scale scale;
    bool causal, median, pairs;
    int64_t memory;
} attributes;

/* Rows at the front that are not there. */
static int64_t empty_rows(const foci_node *n) {
    const foci_tensor *filled = n->input[FILLED];
    return filled ? ((const attributes *)n->attributes)->memory - foci_ints(filled)[0] : 0;
}

/* Reals of scratch memory of one thread. */
static int64_t scratch_of(const foci_node *n) {
    const attributes *a = n->attributes;
    return foci_metric_scratch(n->input[NUM]->shape[2], n->input[NUM]->shape[3], a->median);
}

/* Rows of an input, from row `first` on, of head h of `heads`, neighbours of which may share one of it. */
typedef struct rows_of_head {
    foci_numbers first;
    int64_t row;
} rows_of_head;
static rows_of_head head_of(const foci_node *n, int input, int64_t b, int64_t h, int64_t heads, int64_t first) {
    const foci_tensor *t = n->input[input];
    if (!t) return (rows_of_head){0};
    const int64_t at = foci_head_offset(t, b, h * t->shape[1] / heads) + first * t->stride[2];
    return (rows_of_head){foci_numbers_at(foci_values(t), at), t->stride[2]};
}

static void forward(const foci_node *n) {
    const attributes *a = n->attributes;
    const int64_t *shape = n->input[NUM]->shape, heads = n->output->shape[1], out = n->output->stride[1],
                  first = empty_rows(n);
    FOCI_PARALLEL_FOR
    for (int64_t task = 0; task < shape[0] * heads; task++) {
        const int64_t b = task / heads, h = task % heads;
        const rows_of_head cur = head_of(n, NUM, b, h, heads, first), prev = head_of(n, NUM_BEFORE, b, h, heads, first);
        const rows_of_head den = head_of(n, DEN, b, h, heads, first),
                           den_prev = head_of(n, DEN_BEFORE, b, h, heads, first);
        foci_metric_head head = {.tokens = shape[2] - first,
                                 .width = shape[3],
                                 .cur = cur.first,
                                 .prev = prev.first,
                                 .den = den.first,
                                 .den_prev = den_prev.first,
                                 .cur_row = cur.row,
                                 .prev_row = prev.row,
                                 .den_row = den.row,
                                 .den_prev_row = den_prev.row,
                                 .delta = a->delta,
                                 .attenuation = a->attenuation,
                                 .scale = a->scale,
                                 .causal = a->causal,
                                 .silent = a->memory - first,
                                 .median = a->median,
                                 .pairs = a->pairs,
                                 .out = foci_data(n->output) + task * out};
        foci_kernel()->elliptical_metric(&head, (real *)n->workspace + foci_thread() * scratch_of(n));
    }
}

static unsigned rounds(const foci_node *n) {
    (void)n;
    return FOCI_READS_INPUT(NUM) | FOCI_READS_INPUT(NUM_BEFORE) | FOCI_READS_INPUT(DEN) | FOCI_READS_INPUT(DEN_BEFORE);
}

const foci_op foci_op_elliptical_metric = {.name = "elliptical_metric",
                                           .summary =
                                               "the metric of elliptical attention, from the change over one layer",
                                           .forward = forward,
                                           .rounds = rounds,
                                           .detaches = true};

foci_tensor *foci_elliptical_metric(foci_graph *g, const foci_elliptical_metric_options *o) {
    const foci_op *op = &foci_op_elliptical_metric;
    if (!foci_head_operand(g, op->name, "num", o->num, NULL) ||
        !foci_head_operand(g, op->name, "num of the layer before", o->num_before, o->num))
        return NULL;
    foci_tensor like = *o->num; /* but for the heads: those of keys, or of queries that share them */
    if (o->den && o->den->ndim == 4 && o->den->shape[1] > 0) like.shape[1] = o->den->shape[1];
    if (o->den && (!foci_head_operand(g, op->name, "den", o->den, &like) ||
                   !foci_head_operand(g, op->name, "den of the layer before", o->den_before, &like)))
        return NULL;
    const int64_t most = like.shape[1] > o->num->shape[1] ? like.shape[1] : o->num->shape[1];
    if (most % like.shape[1] || most % o->num->shape[1])
        return foci_graph_fail(g, "%s: the heads of num %s and den %s do not go together", op->name,
                               foci_shape_text(g, o->num), foci_shape_text(g, o->den));
    if (o->pairs && o->num->shape[3] % 2)
        return foci_graph_fail(g, "%s: heads %s have no pairs", op->name, foci_shape_text(g, o->num));
    if (o->filled && !foci_operand(g, op->name, "filled", o->filled, FOCI_INT)) return NULL;
    if (o->memory < 0 || o->memory >= o->num->shape[2])
        return foci_graph_fail(g, "%s: a memory of %lld of %lld tokens", op->name, (long long)o->memory,
                               (long long)o->num->shape[2]);
    if (o->causal && o->median) return foci_graph_fail(g, "%s: the median has no causal form", op->name);
    const double by = o->den ? o->attenuation : o->delta;
    if (!(by > 0 && isfinite(by)))
        return foci_graph_fail(g, "%s: %s %g must be above 0", op->name, o->den ? "attenuation" : "delta", by);
    foci_tensor *const input[INPUTS] = {o->num, o->num_before, o->den, o->den ? o->den_before : NULL, o->filled};
    attributes a = {o->delta, o->attenuation, o->scale, o->causal, o->median, o->pairs, o->memory};
    foci_node *n = foci_record(g, op, INPUTS, input, &a, sizeof a);
    if (!n) return NULL;
    foci_workspace(n, (size_t)foci_threads() * (size_t)scratch_of(n) * sizeof(real), 0);
    const int64_t *s = o->num->shape;
    return foci_emit(n, FOCI_REAL, FOCI_SHAPE(s[0], most, o->causal ? s[2] - o->memory : 1, s[3]));
}
