/* run_means: means of runs of consecutive tokens, the landmarks of Nystromformer. Where the runs do not divide the
 * tokens, the last ones are one longer. */
#include <string.h>

#include "ops/attention_head.h"
#include "ops/common.h"

static foci_range run_of(int64_t tokens, int64_t runs, int64_t run) {
    const int64_t size = tokens / runs, shorter = runs - tokens % runs;
    const int64_t first = run * size + (run > shorter ? run - shorter : 0);
    return (foci_range){first, first + size + (run >= shorter)};
}

static void forward(const foci_node *n) {
    const foci_tensor *x = n->input[0];
    const int64_t heads = x->shape[1], runs = n->output->shape[2], width = x->shape[3];
    FOCI_PARALLEL_FOR
    for (int64_t task = 0; task < x->shape[0] * heads; task++) {
        const real *from = foci_data(x) + foci_head_offset(x, task / heads, task % heads);
        for (int64_t run = 0; run < runs; run++) {
            const foci_range r = run_of(x->shape[2], runs, run);
            real *to = foci_data(n->output) + (task * runs + run) * width;
            memset(to, 0, (size_t)width * sizeof *to);
            foci_kernel()->column_sums(r.end - r.first, width, from + r.first * x->stride[2], x->stride[2], to);
            foci_kernel()->scale(width, 1 / (real)(r.end - r.first), to, to, false);
        }
    }
}

static void backward(const foci_node *n) {
    const foci_tensor *x = n->input[0];
    const int64_t heads = x->shape[1], runs = n->output->shape[2], width = x->shape[3];
    FOCI_PARALLEL_FOR
    for (int64_t task = 0; task < x->shape[0] * heads; task++) {
        real *to = foci_grad(x) + foci_head_offset(x, task / heads, task % heads);
        for (int64_t run = 0; run < runs; run++) {
            const foci_range r = run_of(x->shape[2], runs, run);
            const real *from = foci_grad(n->output) + (task * runs + run) * width;
            for (int64_t i = r.first; i < r.end; i++)
                foci_kernel()->scale(width, 1 / (real)(r.end - r.first), from, to + i * x->stride[2], n->accumulate[0]);
        }
    }
}

static foci_tensor *even(foci_graph *g) { return foci_run_means(g, RANDOM(g, "x", 2, 2, 6, 3), 3); }
static foci_tensor *uneven(foci_graph *g) {
    return foci_run_means(g, foci_heads(g, foci_scale(g, RANDOM(g, "x", 2, 11, 12), 2), 2, 1, 2), 4);
}
static foci_tensor *one_each(foci_graph *g) { return foci_run_means(g, RANDOM(g, "x", 1, 2, 3, 2), 3); }
static const foci_gradient_case gradients[] = {
    {"(2, 2, 6, 3), 3", even}, {"a view, uneven", uneven}, {"one token each", one_each}, {0}};

const foci_op foci_op_run_means = {.name = "run_means",
                                   .summary = "means of runs of tokens",
                                   .forward = forward,
                                   .backward = backward,
                                   .gradients = gradients};

foci_tensor *foci_run_means(foci_graph *g, foci_tensor *x, int64_t runs) {
    if (!foci_head_operand(g, "run_means", "input", x, NULL)) return NULL;
    if (runs < 1 || runs > x->shape[2])
        return foci_graph_fail(g, "run_means: %lld runs of the tokens of %s", (long long)runs, foci_shape_text(g, x));
    return foci_emit(foci_record(g, &foci_op_run_means, 1, &x, NULL, 0), FOCI_REAL,
                     FOCI_SHAPE(x->shape[0], x->shape[1], runs, x->shape[3]));
}
