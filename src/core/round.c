/* What flows between products is kept in bfloat16. Where products round their operands, a result that they alone read
 * may as well be rounded when it is made: half the memory and half the traffic, and the products' bits are the same.
 * Its gradient, which products read again, goes with it.
 *
 * An operation says which of its inputs, and whether its output, may be so (foci_op.rounds); a result becomes FOCI_BF16
 * where its producer and all who read it agree, and its gradient is written once, not added up. */
#include <stdlib.h>

#include "core/internal.h"

static bool rounds(const foci_node *n, unsigned what) { return n->op->rounds && n->op->rounds(n) & what; }

static bool may_be_rounded(const foci_graph *g, const foci_tensor *t) {
    return !t->base && t->producer && t->dtype == FOCI_REAL && !foci_is_read_elsewhere(g, t) &&
           rounds(t->producer, FOCI_READS_OUTPUT) && foci_gradient_is_written_once(&g->tensor[t->id]);
}

bool foci_graph_round(foci_graph *g) {
    if (!foci_graph_bf16(g)) return true;
    bool *rounded = calloc((size_t)g->tensors, sizeof *rounded);
    if (!rounded) return false;
    for (int id = 0; id < g->tensors; id++) rounded[id] = may_be_rounded(g, g->tensor[id].tensor);
    for (int i = 0; i < g->nodes; i++)
        for (int k = 0; k < g->node[i]->inputs; k++) {
            foci_tensor *t = g->node[i]->input[k];
            if (t && !rounds(g->node[i], FOCI_READS_INPUT(k))) rounded[foci_root(t)->id] = false;
        }
    for (int id = 0; id < g->tensors; id++)
        if (rounded[foci_root(g->tensor[id].tensor)->id]) g->tensor[id].tensor->dtype = FOCI_BF16;
    free(rounded);
    return true;
}
