/* combine_heads: a sum of heads (B, H, N, D) in any strides, each times its factor, with the heads joined: (B, N, H*D)
 */
#include "ops/attention_head.h"
#include "ops/common.h"

enum { MOST = 3 };
typedef struct attributes {
    double factor[MOST];
} attributes;

static real factor_of(const foci_node *n, int i) { return (real)((const attributes *)n->attributes)->factor[i]; }

/* All runs of neighbours: `size` elements of input i from `in` on, which are those of the output from `out` on. */
typedef void each_run(const foci_node *n, int i, int64_t size, int64_t in, int64_t out);

/* Heads that lie side by side in an input are one run. */
static void row(const foci_node *n, int i, int64_t t, each_run *run) {
    const foci_tensor *x = n->input[i];
    const int64_t tokens = x->shape[2], width = x->shape[3], heads = x->shape[1];
    const int64_t step = x->stride[1] == width ? heads : 1,
                  first = t / tokens * x->stride[0] + t % tokens * x->stride[2];
    for (int64_t h = 0; h < heads; h += step)
        run(n, i, step * width, first + h * x->stride[1], (t * heads + h) * width);
}

static void each_row(const foci_node *n, each_run *run) {
    const int64_t rows = foci_rows(n->output), size = foci_tile_rows(foci_last_dim(n->output));
    FOCI_PARALLEL_FOR
    for (int64_t tile = 0; tile < foci_tiles(rows, size); tile++) {
        const foci_range r = foci_tile(rows, size, tile);
        for (int64_t t = r.first; t < r.end; t++)
            for (int i = 0; i < n->inputs; i++) row(n, i, t, run);
    }
}

static void add_run(const foci_node *n, int i, int64_t size, int64_t in, int64_t out) {
    foci_kernel()->scale(size, factor_of(n, i), foci_data(n->input[i]) + in, foci_data(n->output) + out, i > 0);
}
static void gradient_of_run(const foci_node *n, int i, int64_t size, int64_t in, int64_t out) {
    if (foci_wants(n, i))
        foci_kernel()->scale(size, factor_of(n, i), foci_grad(n->output) + out, foci_grad(n->input[i]) + in,
                             n->accumulate[i]);
}
static void forward(const foci_node *n) { each_row(n, add_run); }
static void backward(const foci_node *n) { each_row(n, gradient_of_run); }

/* A product and a sum for each element of each input. */
static foci_cost cost(const foci_node *n) {
    const double work = 2.0 * n->inputs * (double)foci_numel(n->output);
    return (foci_cost){work, work};
}

static foci_tensor *three(foci_graph *g) {
    foci_tensor *x = foci_scale(g, RANDOM(g, "x", 2, 5, 12), 2);
    return foci_combine_heads(
        g, 3, (foci_tensor *[]){foci_heads(g, x, 2, 1, 2), RANDOM(g, "y", 2, 2, 5, 3), RANDOM(g, "z", 2, 2, 5, 3)},
        (double[]){1, 0.6, -0.6});
}
static foci_tensor *one(foci_graph *g) {
    return foci_combine_heads(g, 1, (foci_tensor *[]){RANDOM(g, "x", 2, 3, 4, 1)}, (double[]){-2});
}
static foci_tensor *itself(foci_graph *g) {
    foci_tensor *x = foci_heads(g, foci_scale(g, RANDOM(g, "x", 2, 5, 12), 2), 2, 1, 2);
    return foci_combine_heads(g, 2, (foci_tensor *[]){x, x}, (double[]){2, 0.5});
}
static const foci_gradient_case gradients[] = {
    {"three, one of them a view", three}, {"one", one}, {"a view and itself", itself}, {0}};

const foci_op foci_op_combine_heads = {.name = "combine_heads",
                                       .summary = "sum of heads times constant factors, the heads joined",
                                       .forward = forward,
                                       .backward = backward,
                                       .cost = cost,
                                       .gradients = gradients};

foci_tensor *foci_combine_heads(foci_graph *g, int count, foci_tensor *const *x, const double *factor) {
    const foci_op *op = &foci_op_combine_heads;
    attributes a = {.factor = {0}};
    if (count < 1 || count > MOST) return foci_graph_fail(g, "%s: %d operands; 1 to %d", op->name, count, MOST);
    for (int i = 0; i < count; i++) {
        if (!foci_head_operand(g, op->name, "operand", x[i], i ? x[0] : NULL)) return NULL;
        a.factor[i] = factor[i];
    }
    foci_node *n = foci_record(g, op, count, x, &a, sizeof a);
    const int64_t *shape = x[0]->shape;
    return n ? foci_emit(n, FOCI_REAL, FOCI_SHAPE(shape[0], shape[2], shape[1] * shape[3])) : NULL;
}
