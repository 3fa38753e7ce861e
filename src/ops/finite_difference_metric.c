/* finite_difference_metric: how much the output of attention moves with each coordinate of the queries, by
 * central differences; an estimate of the diagonal of M that looks at one layer alone. It costs 2 D passes of
 * attention. */
#include <math.h>
#include <string.h>

#include "ops/attention_head.h"

typedef struct scratch {
    real *queries, *plus, *minus, *log_sum, *kernel; /* (N, D) thrice, (N) */
} scratch;

static int64_t scratch_elements(const int64_t *shape) {
    int64_t own = 3 * shape[2] * shape[3] + shape[2];
    return foci_attention_layout_of(shape[2], shape[3], shape[3], false, false).reals +
           (own + FOCI_ALIGN) / FOCI_ALIGN * FOCI_ALIGN;
}

static scratch scratch_of(const foci_node *n) {
    const int64_t *shape = n->input[ATTENTION_Q]->shape, matrix = shape[2] * shape[3];
    real *kernel = (real *)n->workspace + foci_thread() * scratch_elements(shape);
    real *own = kernel + foci_attention_layout_of(shape[2], shape[3], shape[3], false, false).reals;
    return (scratch){own, own + matrix, own + 2 * matrix, own + 3 * matrix, kernel};
}

/* out (N, D) = attention of the queries with coordinate d moved by t */
static void attend_moved(foci_attention_head head, const scratch *s, int64_t d, real t, real *out) {
    for (int64_t i = 0; i < head.queries; i++) {
        memcpy(s->queries + i * head.width, foci_numbers_at(head.q, i * head.q_row).first,
               (size_t)head.width * sizeof(real));
        s->queries[i * head.width + d] += t;
    }
    head.q = foci_reals(s->queries);
    head.q_row = head.out_row = head.width;
    head.out = foci_reals(out);
    head.log_sum = s->log_sum;
    head.dropout.threshold = 0;
    foci_kernel()->attention_forward(&head, 0, head.queries, s->kernel);
}

/* m_d = mean over queries of the L1 norm of out(q + t e_d) - out(q - t e_d), over 2 t, with t = 1 / (2
 * sqrt(D)) */
static void forward(const foci_node *n) {
    const int64_t *shape = n->input[ATTENTION_Q]->shape, heads = shape[1], tokens = shape[2], width = shape[3];
    const foci_metric_scale scale = ((const foci_attention_attributes *)n->attributes)->result;
    const double t = 0.5 / sqrt((double)width);
    real *out = foci_data(n->output);
    FOCI_PARALLEL_FOR
    for (int64_t task = 0; task < shape[0] * heads * width; task++) {
        const int64_t head = task / width, d = task % width;
        const scratch s = scratch_of(n);
        const foci_attention_head of_head = foci_attention_head_of(n, head / heads, head % heads);
        attend_moved(of_head, &s, d, (real)t, s.plus);
        attend_moved(of_head, &s, d, (real)-t, s.minus);
        double moved = 0;
        for (int64_t i = 0; i < tokens * width; i++) moved += fabs((double)s.plus[i] - (double)s.minus[i]);
        out[task] = (real)(moved / (double)tokens / (2 * t));
    }
    for (int64_t head = 0; head < shape[0] * heads; head++)
        foci_kernel()->scale_metric(width, scale, out + head * width);
}

const foci_op foci_op_finite_difference_metric = {
    .name = "finite_difference_metric",
    .summary = "the metric of elliptical attention, from central differences of attention's output",
    .forward = forward,
    .detaches = true};

foci_tensor *foci_finite_difference_metric(foci_graph *g, foci_tensor *q, foci_tensor *k, foci_tensor *v,
                                           const foci_sdpa_options *options, foci_metric_scale scale) {
    const foci_op *op = &foci_op_finite_difference_metric;
    if (!foci_head_operand(g, op->name, "k", k, q) || !foci_head_operand(g, op->name, "v", v, q)) return NULL;
    foci_node *n = foci_record_attention(g, op, q, k, v, options, scale);
    if (!n) return NULL;
    foci_workspace(n, (size_t)foci_threads() * (size_t)scratch_elements(q->shape) * sizeof(real), 0);
    return foci_emit(n, FOCI_REAL, FOCI_SHAPE(q->shape[0], q->shape[1], 1, q->shape[3]));
}
