/* normalise: rows x / |x| of heads (B, H, N, D), times a length that a head may have of its own */
#include <math.h>

#include "ops/attention_head.h"
#include "ops/common.h"

enum { X, LOG_LENGTH };

static real length_of(const foci_node *n, int64_t head) {
    return n->input[LOG_LENGTH] ? (real)exp((double)foci_data(n->input[LOG_LENGTH])[head]) : 1;
}

static void forward(const foci_node *n) {
    const foci_tensor *x = n->input[X];
    const int64_t heads = x->shape[1], tokens = x->shape[2], width = x->shape[3];
    FOCI_PARALLEL_FOR
    for (int64_t task = 0; task < x->shape[0] * heads; task++) {
        const real *from = foci_data(x) + foci_head_offset(x, task / heads, task % heads);
        real *to = foci_data(n->output) + task * tokens * width, length = length_of(n, task % heads);
        for (int64_t i = 0; i < tokens; i++)
            foci_kernel()->normalise(width, length, from + i * x->stride[2], to + i * width);
    }
}

/* The gradient of a head's log_length: every (sample, head) leaves its part in the workspace (B, H). */
static void backward(const foci_node *n) {
    const foci_tensor *x = n->input[X];
    const int64_t batch = x->shape[0], heads = x->shape[1], tokens = x->shape[2], width = x->shape[3];
    real *part = n->workspace;
    FOCI_PARALLEL_FOR
    for (int64_t task = 0; task < batch * heads; task++) {
        const int64_t offset = foci_head_offset(x, task / heads, task % heads);
        const real *dy = foci_grad(n->output) + task * tokens * width, length = length_of(n, task % heads);
        real *dx = foci_wants(n, X) ? foci_grad(x) + offset : NULL, inner;
        double sum = 0;
        for (int64_t i = 0; i < tokens; i++) {
            foci_kernel()->normalise_backward(width, length, foci_data(x) + offset + i * x->stride[2], dy + i * width,
                                              dx ? dx + i * x->stride[2] : NULL, n->accumulate[X], &inner);
            sum += (double)inner;
        }
        part[task] = (real)sum;
    }
    if (foci_wants(n, LOG_LENGTH))
        foci_add_tiles(batch, heads, part, foci_grad(n->input[LOG_LENGTH]), n->accumulate[LOG_LENGTH]);
}

static foci_tensor *plain(foci_graph *g) { return foci_normalise(g, RANDOM(g, "x", 2, 3, 5, 7), NULL); }
static foci_tensor *lengths(foci_graph *g) {
    return foci_normalise(g, RANDOM(g, "x", 3, 2, 5, 4), RANDOM(g, "log_length", 2));
}
static foci_tensor *view_used_twice(foci_graph *g) {
    foci_tensor *x = foci_heads(g, foci_scale(g, RANDOM(g, "x", 2, 3, 12), 2), 2, 1, 2),
                *length = RANDOM(g, "log_length", 2);
    return foci_add(g, foci_normalise(g, x, length), foci_normalise(g, x, length));
}
static const foci_gradient_case gradients[] = {
    {"(2, 3, 5, 7)", plain}, {"with lengths", lengths}, {"a view and lengths used twice", view_used_twice}, {0}};

const foci_op foci_op_normalise = {.name = "normalise",
                                   .summary = "rows of heads divided by their length",
                                   .forward = forward,
                                   .backward = backward,
                                   .reads = FOCI_READS_INPUT(X) | FOCI_READS_INPUT(LOG_LENGTH),
                                   .gradients = gradients};

foci_tensor *foci_normalise(foci_graph *g, foci_tensor *x, foci_tensor *log_length) {
    if (!foci_head_operand(g, "normalise", "input", x, NULL)) return NULL;
    if (log_length && !foci_operand(g, "normalise", "log_length", log_length, FOCI_REAL)) return NULL;
    if (log_length && foci_numel(log_length) != x->shape[1])
        return foci_graph_fail(g, "normalise: input %s has %lld heads, log_length %s has not", foci_shape_text(g, x),
                               (long long)x->shape[1], foci_shape_text(g, log_length));
    foci_node *n = foci_record(g, &foci_op_normalise, 2, (foci_tensor *[]){x, log_length}, NULL, 0);
    if (!n) return NULL;
    foci_workspace(n, 0, (size_t)(x->shape[0] * x->shape[1]) * sizeof(real));
    return foci_emit(n, FOCI_REAL, 4, x->shape);
}
