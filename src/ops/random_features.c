/* random_features: what a performer makes of queries and keys (Choromanski et al., "Rethinking Attention with
 * Performers", 2021). For normal w, y = scale x and z alike,
 *
 *     exp(y z) = E[ exp(w y - |y|^2 / 2) exp(w z - |z|^2 / 2) ].
 *
 * A head's products with w are made where its features go. */
#include <math.h>

#include "kernels/gemm.h"
#include "ops/attention_head.h"
#include "ops/common.h"

enum { X, W };
enum { TILE = 64 };

typedef struct head {
    const foci_random_features_options *o;
    int64_t tokens, width, features, columns; /* N, D, M, M or 2 M */
    const real *x, *w;                        /* (N, D), (M, D) */
    int64_t x_row;
    real factor, *out; /* (N, columns) */
} head;

static head head_of(const foci_node *n, int64_t task) {
    const foci_tensor *x = n->input[X];
    const int64_t heads = x->shape[1], columns = n->output->shape[3];
    const foci_random_features_options *o = n->attributes;
    return (head){.o = o,
                  .tokens = x->shape[2],
                  .width = x->shape[3],
                  .features = n->input[W]->shape[0],
                  .columns = columns,
                  .x = foci_data(x) + foci_head_offset(x, task / heads, task % heads),
                  .w = foci_data(n->input[W]),
                  .x_row = x->stride[2],
                  .factor = o->cancels ? 1 : (real)(1 / sqrt((double)columns)),
                  .out = foci_data(n->output) + task * x->shape[2] * columns};
}

static real half_square(const head *h, int64_t token) {
    double squares;
    foci_kernel()->sum_squares(h->width, h->x + token * h->x_row, &squares);
    return (real)(squares * h->o->scale * h->o->scale / 2);
}

/* w y - |y|^2 / 2 is at most |w|^2 / 2: what has to be taken off so that the kernel has nothing to cut off. */
static real bound(const head *h) {
    const double most = 36;
    double longest = 0, squares;
    for (int64_t m = 0; m < h->features; m++) {
        foci_kernel()->sum_squares(h->width, h->w + m * h->width, &squares);
        longest = fmax(longest, squares / 2);
    }
    return (real)fmax(0, longest - most);
}

static real largest(const head *h, int64_t first, int64_t tokens) {
    real most = -(real)INFINITY, row;
    for (int64_t i = first; i < first + tokens; i++) {
        foci_kernel()->largest(h->features, h->out + i * h->columns, &row);
        most = row > most ? row : most;
    }
    return most;
}

static void softmax(const head *h) {
    const bool keys = h->o->keys, cancels = h->o->cancels;
    real top = 0;
    if (keys) top = cancels ? bound(h) : largest(h, 0, h->tokens);
    for (int64_t i = 0; i < h->tokens; i++) {
        real *row = h->out + i * h->columns;
        const real less = keys ? top : largest(h, i, 1), half = cancels && !keys ? 0 : half_square(h, i);
        foci_kernel()->exp_features(h->features, 1, less + half, (real)h->o->eps, h->factor, row, row);
    }
}

static void pairs(const head *h) {
    for (int64_t i = 0; i < h->tokens; i++) {
        real *row = h->out + i * h->columns, eps = (real)h->o->eps;
        const real half = half_square(h, i);
        foci_kernel()->exp_features(h->features, -1, half, eps, h->factor, row, row + h->features);
        foci_kernel()->exp_features(h->features, 1, half, eps, h->factor, row, row);
    }
}

static void forward(const foci_node *n) {
    const int64_t *shape = n->input[X]->shape;
    FOCI_PARALLEL_FOR
    for (int64_t task = 0; task < shape[0] * shape[1]; task++) {
        const head h = head_of(n, task);
        foci_gemm(&(foci_product){.rows = h.tokens,
                                  .columns = h.features,
                                  .depth = h.width,
                                  .a = {h.x, h.x_row},
                                  .b = {h.w, h.width, true},
                                  .c = h.out,
                                  .ldc = h.columns});
        for (int64_t i = 0; i < h.tokens; i++)
            foci_kernel()->scale(h.features, (real)h.o->scale, h.out + i * h.columns, h.out + i * h.columns, false);
        if (h.o->kind == FOCI_FEATURES_SOFTMAX) softmax(&h);
        else if (h.o->kind == FOCI_FEATURES_PAIR) pairs(&h);
        else
            for (int64_t i = 0; i < h.tokens; i++)
                foci_kernel()->relu_features(h.features, (real)h.o->eps, h.out + i * h.columns);
    }
}

/* dy (M): the gradient of w y of a token. Returns that of -|y|^2 / 2. */
static real row_backward(const head *h, const real *out, const real *dout, real *dy) {
    const real eps = (real)h->o->eps;
    real total = 0;
    if (h->o->kind == FOCI_FEATURES_RELU) {
        foci_kernel()->relu_features_backward(h->features, eps, out, dout, dy);
        return 0;
    }
    foci_kernel()->exp_features_backward(h->features, 1, eps, h->factor, out, dout, dy, false, &total);
    if (h->o->kind == FOCI_FEATURES_PAIR)
        foci_kernel()->exp_features_backward(h->features, -1, eps, h->factor, out + h->features, dout + h->features, dy,
                                             true, &total);
    return total;
}

/* dx = scale dy w - scale^2 x total */
static void backward(const foci_node *n) {
    const foci_tensor *x = n->input[X];
    const int64_t heads = x->shape[1], tiles = foci_tiles(x->shape[2], TILE);
    FOCI_PARALLEL_FOR
    for (int64_t task = 0; task < x->shape[0] * heads * tiles; task++) {
        const head h = head_of(n, task / tiles);
        const foci_range t = foci_tile(h.tokens, TILE, task % tiles);
        const real scale = (real)h.o->scale, *dout = foci_grad(n->output) + (h.out - foci_data(n->output));
        real *dx = foci_grad(x) + (h.x - foci_data(x)), *dy = (real *)n->workspace + foci_thread() * TILE * h.features;
        for (int64_t i = t.first; i < t.end; i++) {
            real *row = dy + (i - t.first) * h.features;
            const real total = row_backward(&h, h.out + i * h.columns, dout + i * h.columns, row);
            foci_kernel()->scale(h.features, scale, row, row, false);
            foci_kernel()->scale(h.width, -scale * scale * total, h.x + i * h.x_row, dx + i * h.x_row,
                                 n->accumulate[X]);
        }
        foci_gemm(&(foci_product){.rows = t.end - t.first,
                                  .columns = h.width,
                                  .depth = h.features,
                                  .a = {dy, h.features},
                                  .b = {h.w, h.width},
                                  .c = dx + t.first * h.x_row,
                                  .ldc = h.x_row,
                                  .add = true});
    }
}

static foci_cost cost(const foci_node *n) {
    const double product = 2.0 * (double)foci_numel(n->input[X]) * (double)n->input[W]->shape[0];
    return (foci_cost){product, product};
}

/* ----------------------------------------------------------------------------------------- gradient check */

static foci_tensor *featured(foci_graph *g, foci_tensor *x, foci_random_features_options o) {
    foci_real w[5 * 4];
    for (int i = 0; i < 5 * 4; i++) w[i] = (foci_real)(2 * sin(3 * i + 1));
    o.scale = 0.7;
    return foci_random_features(g, x, foci_constant(g, "w", FOCI_REAL, FOCI_SHAPE(5, 4), w), &o);
}
static foci_tensor *of_keys(foci_graph *g) { /* in range, nothing is taken off them */
    return featured(g, RANDOM(g, "x", 2, 2, 6, 4), (foci_random_features_options){.keys = true, .cancels = true});
}
static foci_tensor *relu(foci_graph *g) {
    return featured(g, RANDOM(g, "x", 2, 2, 6, 4), (foci_random_features_options){FOCI_FEATURES_RELU, .eps = 0.1});
}
static foci_tensor *pair(foci_graph *g) {
    return featured(g, RANDOM(g, "x", 2, 2, 6, 4), (foci_random_features_options){FOCI_FEATURES_PAIR, .eps = 0.1});
}
static foci_tensor *several_tiles(foci_graph *g) {
    return featured(g, RANDOM(g, "x", 1, 1, 70, 4), (foci_random_features_options){FOCI_FEATURES_PAIR});
}
static foci_tensor *view_used_twice(foci_graph *g) {
    foci_tensor *x = foci_heads(g, foci_scale(g, RANDOM(g, "x", 1, 3, 16), 1.5), 2, 1, 2);
    const foci_random_features_options o = {FOCI_FEATURES_PAIR, .eps = 0.1};
    return foci_add(g, featured(g, x, o), featured(g, x, o));
}
/* What is taken off a query's row is no constant to differences: divided by the row's sum it is none to see. */
static foci_tensor *of_queries(foci_graph *g) {
    foci_tensor *q = featured(g, RANDOM(g, "x", 1, 2, 6, 4), (foci_random_features_options){.cancels = true});
    return foci_linear_attention(g, q, foci_elu_one(g, RANDOM(g, "k", 1, 2, 6, 5)), RANDOM(g, "v", 1, 2, 6, 3),
                                 &(foci_linear_options){.factor = 1});
}
static const foci_gradient_case gradients[] = {{"of keys", of_keys},
                                               {"of queries, in attention", of_queries},
                                               {"relu", relu},
                                               {"pair", pair},
                                               {"several tiles", several_tiles},
                                               {"a view used twice", view_used_twice},
                                               {0}};

const foci_op foci_op_random_features = {.name = "random_features",
                                         .summary = "the random features of a performer",
                                         .forward = forward,
                                         .backward = backward,
                                         .reads = FOCI_READS_INPUT(X) | FOCI_READS_INPUT(W) | FOCI_READS_OUTPUT,
                                         .cost = cost,
                                         .gradients = gradients};

foci_tensor *foci_random_features(foci_graph *g, foci_tensor *x, foci_tensor *w,
                                  const foci_random_features_options *options) {
    const foci_op *op = &foci_op_random_features;
    if (!foci_head_operand(g, op->name, "input", x, NULL) || !foci_operand(g, op->name, "w", w, FOCI_REAL)) return NULL;
    if (w->ndim != 2 || w->shape[1] != x->shape[3] || w->requires_grad)
        return foci_graph_fail(g, "%s: w %s must be rows of %lld numbers without gradient", op->name,
                               foci_shape_text(g, w), (long long)x->shape[3]);
    if (!isfinite(options->scale) || !(options->eps >= 0) || (options->cancels && options->eps != 0))
        return foci_graph_fail(g, "%s: scale %g or eps %g is no number to use", op->name, options->scale, options->eps);
    foci_node *n = foci_record(g, op, 2, (foci_tensor *[]){x, w}, options, sizeof *options);
    foci_workspace(n, 0, (size_t)(foci_threads() * TILE * w->shape[0]) * sizeof(real));
    const int64_t columns = w->shape[0] * (options->kind == FOCI_FEATURES_PAIR ? 2 : 1);
    return foci_emit(n, FOCI_REAL, FOCI_SHAPE(x->shape[0], x->shape[1], x->shape[2], columns));
}
