/* dropout: elements are dropped with probability p, the others scaled by 1 / (1 - p). The mask is drawn again
 * in backward. */
#include <math.h>

#include "ops/common.h"

foci_dropout_mask foci_node_dropout(const foci_node *n, double p, uint64_t first) {
    const foci_random r = foci_node_random(n);
    const double all = 0x1p16, dropped = fmin(round(p * all), all - 1);
    return (foci_dropout_mask){r.seed, r.stream, r.step, first, (uint32_t)dropped, (real)(all / (all - dropped))};
}

static void apply(const foci_node *n, const real *x, real *y, bool accumulate) {
    const double p = *(const double *)n->attributes;
    const uint64_t first = foci_node_random(n).first;
    /* of some rows, each has numbers of its own */
    const int64_t size = foci_numel(n->output), each = n->rows.of ? foci_last_dim(n->output) : FOCI_TILE_ELEMENTS;
    FOCI_PARALLEL_FOR
    for (int64_t tile = 0; tile < foci_tiles(size, each); tile++) {
        const foci_range r = foci_tile(size, each, tile);
        const int64_t before = foci_row_number(n, tile) * each;
        const foci_dropout_mask mask = foci_node_dropout(n, p, first + (uint64_t)before);
        foci_kernel()->dropout(r.end - r.first, &mask, x + r.first, y + r.first, accumulate);
    }
}

static void forward(const foci_node *n) { apply(n, foci_data(n->input[0]), foci_data(n->output), false); }
static void backward(const foci_node *n) { apply(n, foci_grad(n->output), foci_grad(n->input[0]), n->accumulate[0]); }

static foci_tensor *half(foci_graph *g) { return foci_dropout(g, RANDOM(g, "x", 3, 5, 7), 0.5); }
static foci_tensor *tenth_twice(foci_graph *g) {
    foci_tensor *x = foci_gelu(g, RANDOM(g, "x", 131));
    return foci_add(g, foci_dropout(g, x, 0.1), foci_dropout(g, x, 0.1));
}
static const foci_gradient_case gradients[] = {{"p = 0.5", half}, {"p = 0.1, two masks", tenth_twice}, {0}};

const foci_op foci_op_dropout = {.name = "dropout",
                                 .summary = "drops elements with probability p while training",
                                 .forward = forward,
                                 .backward = backward,
                                 .rows = foci_rows_of_first,
                                 .gradients = gradients};

foci_tensor *foci_dropout(foci_graph *g, foci_tensor *x, double p) {
    if (!foci_operand(g, "dropout", "input", x, FOCI_REAL)) return NULL;
    if (!(p >= 0 && p < 1)) return foci_graph_fail(g, "dropout: p is %g, it must be at least 0 and below 1", p);
    if (p == 0 || !foci_graph_trains(g)) return x;
    foci_node *n = foci_record(g, &foci_op_dropout, 1, &x, &p, sizeof p);
    return foci_emit(n, FOCI_REAL, x->ndim, x->shape);
}
