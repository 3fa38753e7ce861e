/* add_position: x (B, N, C) + position (N, C), the same for every sample */
#include "ops/common.h"

enum { X, POSITION };

static void forward(const foci_node *n) {
    int64_t batch = n->output->shape[0], size = foci_numel(n->output) / batch;
    const real *x = foci_data(n->input[X]), *position = foci_data(n->input[POSITION]);
    real *y = foci_data(n->output);
    FOCI_PARALLEL_FOR
    for (int64_t b = 0; b < batch; b++) foci_kernel()->add(size, x + b * size, position, y + b * size);
}

/* dx is dy; dposition its sum over the batch, by tiles of positions, each over the samples in order */
static void backward(const foci_node *n) {
    int64_t batch = n->output->shape[0], size = foci_numel(n->output) / batch;
    const real *dy = foci_grad(n->output);
    real *dx = foci_grad(n->input[X]), *dposition = foci_grad(n->input[POSITION]);
    if (dx && dx != dy) {
        FOCI_PARALLEL_FOR
        for (int64_t b = 0; b < batch; b++)
            foci_kernel()->scale(size, 1, dy + b * size, dx + b * size, n->accumulate[X]);
    }
    if (!dposition || dposition == dy) return;
    int64_t tiles = foci_tiles(size, FOCI_TILE_ELEMENTS / 16);
    FOCI_PARALLEL_FOR
    for (int64_t tile = 0; tile < tiles; tile++) {
        foci_range r = foci_tile(size, FOCI_TILE_ELEMENTS / 16, tile);
        for (int64_t b = 0; b < batch; b++)
            foci_kernel()->scale(r.end - r.first, 1, dy + b * size + r.first, dposition + r.first,
                                 b > 0 || n->accumulate[POSITION]);
    }
}

static foci_tensor *record(foci_graph *g, int64_t batch, int64_t tokens, int64_t width, bool with_one) {
    foci_tensor *x = RANDOM(g, "x", batch, tokens, width);
    foci_tensor *p = with_one ? RANDOM(g, "p", 1, tokens, width) : RANDOM(g, "p", tokens, width);
    return foci_add_position(g, x, p);
}
static foci_tensor *two_dims(foci_graph *g) { return record(g, 3, 5, 7, false); }
static foci_tensor *leading_one(foci_graph *g) { return record(g, 2, 3, 4, true); }
static foci_tensor *computed_position(foci_graph *g) { /* one sample: both gradients may share memory */
    foci_tensor *x = RANDOM(g, "x", 1, 3, 2);
    foci_tensor *p = RANDOM(g, "p", 1, 3, 2);
    return foci_gelu(g, foci_add_position(g, foci_gelu(g, x), foci_gelu(g, p)));
}
static const foci_gradient_case gradients[] = {{"(3, 5, 7) + (5, 7)", two_dims},
                                               {"(2, 3, 4) + (1, 3, 4)", leading_one},
                                               {"one sample, results", computed_position},
                                               {0}};

const foci_op foci_op_add_position = {.name = "add_position",
                                      .summary = "adds one (N, C) table to every sample",
                                      .forward = forward,
                                      .backward = backward,
                                      .passes_gradient = true,
                                      .gradients = gradients};

foci_tensor *foci_add_position(foci_graph *g, foci_tensor *x, foci_tensor *position) {
    if (!foci_operand(g, "add_position", "input", x, FOCI_REAL) ||
        !foci_operand(g, "add_position", "position", position, FOCI_REAL))
        return NULL;
    const int64_t *p = position->shape + (position->ndim == 3);
    bool fits = x->ndim == 3 && (position->ndim == 2 || (position->ndim == 3 && position->shape[0] == 1)) &&
                p[0] == x->shape[1] && p[1] == x->shape[2];
    if (!fits)
        return foci_graph_fail(g, "add_position: input %s does not take positions %s", foci_shape_text(g, x),
                               foci_shape_text(g, position));
    foci_node *n = foci_record(g, &foci_op_add_position, 2, (foci_tensor *[]){x, position}, NULL, 0);
    return foci_emit(n, FOCI_REAL, x->ndim, x->shape);
}
