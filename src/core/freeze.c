/* What is frozen needs no gradient, and neither does what depends on nothing else: the backward pass ends there. Which
 * parameters are frozen is known once all their names are, so it is seen to before anything is planned. */
#include "core/internal.h"

static bool is_frozen(const foci_graph *g, int entry) {
    const foci_parameters *p = g->parameters;
    return foci_parameters_within(p, entry, g->options.freeze);
}

static bool depends(foci_tensor *t) {
    if (t && t->base) t->requires_grad = t->base->requires_grad;
    return t && t->requires_grad;
}

void foci_graph_freeze(foci_graph *g) {
    if (!g->options.freeze) return;
    for (int i = 0; i < g->tensors; i++)
        if (g->tensor[i].role == FOCI_ROLE_PARAMETER && is_frozen(g, g->tensor[i].entry))
            g->tensor[i].tensor->requires_grad = false;
    for (int i = 0; i < g->nodes; i++) {
        const foci_node *n = g->node[i];
        bool any = false;
        for (int k = 0; k < n->inputs; k++) any |= depends(n->input[k]);
        n->output->requires_grad = n->op->backward && any;
    }
    depends(g->output);
}
