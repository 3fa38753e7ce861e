/* token_convolution: over the tokens of a head, the same filter for all its coordinates (Nystromformer's skip) */
#include <string.h>

#include "ops/attention_head.h"
#include "ops/common.h"

enum { X, W };

/* Output rows that tap t of a filter reaches: row n takes row n + t - taps / 2. */
static foci_range reached(int64_t tokens, int64_t taps, int64_t t) {
    const int64_t shift = t - taps / 2;
    return (foci_range){shift < 0 ? -shift : 0, shift > 0 ? tokens - shift : tokens};
}

typedef struct head {
    int64_t tokens, width, taps, x_row, y_row;
    const real *x, *w; /* (N, D), (taps) */
    int64_t y;         /* where its output begins, (N, D) */
} head;

static head head_of(const foci_node *n, int64_t b, int64_t h) {
    const foci_tensor *x = n->input[X];
    const int64_t heads = x->shape[1], tokens = x->shape[2], width = x->shape[3], taps = n->input[W]->shape[2];
    return (head){.tokens = tokens,
                  .width = width,
                  .taps = taps,
                  .x_row = x->stride[2],
                  .y_row = heads * width,
                  .x = foci_data(x) + foci_head_offset(x, b, h),
                  .w = foci_data(n->input[W]) + h * taps,
                  .y = b * tokens * heads * width + h * width};
}

static void forward(const foci_node *n) {
    const int64_t heads = n->input[X]->shape[1];
    FOCI_PARALLEL_FOR
    for (int64_t task = 0; task < n->input[X]->shape[0] * heads; task++) {
        const head h = head_of(n, task / heads, task % heads);
        real *y = foci_data(n->output) + h.y;
        for (int64_t i = 0; i < h.tokens; i++) memset(y + i * h.y_row, 0, (size_t)h.width * sizeof *y);
        for (int64_t t = 0; t < h.taps; t++) {
            const foci_range r = reached(h.tokens, h.taps, t);
            for (int64_t i = r.first; i < r.end; i++)
                foci_kernel()->scale(h.width, h.w[t], h.x + (i + t - h.taps / 2) * h.x_row, y + i * h.y_row, true);
        }
    }
}

static void backward_x(const foci_node *n, const head *h, const real *dy, real *dx) {
    for (int64_t i = 0; i < h->tokens && !n->accumulate[X]; i++)
        memset(dx + i * h->x_row, 0, (size_t)h->width * sizeof *dx);
    for (int64_t t = 0; t < h->taps; t++) {
        const foci_range r = reached(h->tokens, h->taps, t);
        for (int64_t i = r.first; i < r.end; i++)
            foci_kernel()->scale(h->width, h->w[t], dy + i * h->y_row, dx + (i + t - h->taps / 2) * h->x_row, true);
    }
}

/* Of one head of one sample: (taps) */
static void backward_w(const head *h, const real *dy, real *part) {
    for (int64_t t = 0; t < h->taps; t++) {
        const foci_range r = reached(h->tokens, h->taps, t);
        double sum = 0, inner;
        for (int64_t i = r.first; i < r.end; i++) {
            foci_kernel()->dot(h->width, dy + i * h->y_row, h->x + (i + t - h->taps / 2) * h->x_row, &inner);
            sum += inner;
        }
        part[t] = (real)sum;
    }
}

static void backward(const foci_node *n) {
    const foci_tensor *x = n->input[X], *w = n->input[W];
    const int64_t batch = x->shape[0], heads = x->shape[1], taps = w->shape[2];
    real *parts = n->workspace; /* (B, H, taps) */
    FOCI_PARALLEL_FOR
    for (int64_t task = 0; task < batch * heads; task++) {
        const head h = head_of(n, task / heads, task % heads);
        const real *dy = foci_grad(n->output) + h.y;
        if (foci_wants(n, X)) backward_x(n, &h, dy, foci_grad(x) + (h.x - foci_data(x)));
        if (foci_wants(n, W)) backward_w(&h, dy, parts + task * taps);
    }
    if (foci_wants(n, W)) foci_add_tiles(batch, heads * taps, parts, foci_grad(w), n->accumulate[W]);
}

static foci_cost cost(const foci_node *n) {
    const double products = 2.0 * (double)foci_numel(n->output) * (double)n->input[W]->shape[2];
    return (foci_cost){products, 2 * products};
}

static foci_tensor *plain(foci_graph *g) {
    return foci_token_convolution(g, RANDOM(g, "x", 2, 3, 7, 4), RANDOM(g, "w", 3, 1, 3, 1));
}
static foci_tensor *longer_than_the_tokens(foci_graph *g) {
    return foci_token_convolution(g, RANDOM(g, "x", 2, 2, 2, 3), RANDOM(g, "w", 2, 1, 7, 1));
}
static foci_tensor *view_used_twice(foci_graph *g) {
    foci_tensor *x = foci_heads(g, foci_scale(g, RANDOM(g, "x", 2, 5, 12), 2), 2, 1, 2);
    foci_tensor *w = foci_scale(g, RANDOM(g, "w", 2, 1, 5, 1), 2);
    return foci_add(g, foci_token_convolution(g, x, w), foci_token_convolution(g, x, w));
}
static const foci_gradient_case gradients[] = {{"(2, 3, 7, 4), 3 taps", plain},
                                               {"longer than the tokens", longer_than_the_tokens},
                                               {"a view used twice", view_used_twice},
                                               {0}};

const foci_op foci_op_token_convolution = {.name = "token_convolution",
                                           .summary = "a filter per head over its tokens",
                                           .forward = forward,
                                           .backward = backward,
                                           .reads = FOCI_READS_INPUT(X) | FOCI_READS_INPUT(W),
                                           .cost = cost,
                                           .gradients = gradients};

foci_tensor *foci_token_convolution(foci_graph *g, foci_tensor *x, foci_tensor *w) {
    const foci_op *op = &foci_op_token_convolution;
    if (!foci_head_operand(g, op->name, "input", x, NULL) || !foci_operand(g, op->name, "w", w, FOCI_REAL)) return NULL;
    if (w->ndim != 4 || w->shape[0] != x->shape[1] || w->shape[1] != 1 || w->shape[2] % 2 == 0 || w->shape[3] != 1)
        return foci_graph_fail(g, "%s: w %s must be (%lld, 1, an odd number, 1), a filter for each head of %s",
                               op->name, foci_shape_text(g, w), (long long)x->shape[1], foci_shape_text(g, x));
    foci_node *n = foci_record(g, op, 2, (foci_tensor *[]){x, w}, NULL, 0);
    foci_workspace(n, 0, (size_t)(x->shape[0] * x->shape[1] * w->shape[2]) * sizeof(real));
    return foci_emit(n, FOCI_REAL, FOCI_SHAPE(x->shape[0], x->shape[2], x->shape[1] * x->shape[3]));
}
