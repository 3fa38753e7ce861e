#include "ops/blocks.h"

bool foci_blocks_operand(foci_graph *g, const char *op, const foci_tensor *blocks) {
    if (!foci_operand(g, op, "blocks", blocks, FOCI_REAL)) return false;
    if (blocks->ndim != 2 || blocks->shape[0] > FOCI_MAX_BLOCKS)
        foci_graph_fail(g, "%s: blocks %s must be (K, size), K at most %d", op, foci_shape_text(g, blocks),
                        FOCI_MAX_BLOCKS);
    return foci_graph_ok(g);
}

bool foci_choice_operand(foci_graph *g, const char *op, const foci_tensor *choice, const foci_tensor *q) {
    if (!foci_operand(g, op, "choice", choice, FOCI_REAL)) return false;
    const int64_t n = foci_numel(choice), heads = q->shape[0] * q->shape[1];
    if (n != 1 && n != heads && n != heads * q->shape[2])
        foci_graph_fail(g, "%s: choice %s is not one number, one for each head or one for each query of q %s", op,
                        foci_shape_text(g, choice), foci_shape_text(g, q));
    return foci_graph_ok(g);
}
