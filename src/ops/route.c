/* route: the weights with which a token's experts are mixed, for pictures and measures */
#include <string.h>

#include "ops/routing.h"

typedef struct attributes {
    int64_t top_k;
    foci_gating gate;
} attributes;

/* a (.., E): 0 where an expert was not chosen; index and score (n, k) in scratch memory. */
static void forward(const foci_node *n) {
    const attributes *o = n->attributes;
    const foci_routing r = foci_routing_of(n->input[0], o->top_k, o->gate);
    real *score = n->workspace, *out = foci_data(n->output);
    int32_t *index = (int32_t *)(score + r.tokens * r.chosen);
    foci_route_tokens(&r, foci_data(n->input[0]), index, score);
    memset(out, 0, (size_t)(r.tokens * r.experts) * sizeof *out);
    for (int64_t i = 0; i < r.tokens * r.chosen; i++) out[i / r.chosen * r.experts + index[i]] = score[i];
}

const foci_op foci_op_route = {.name = "route",
                               .summary = "the weights of a token's experts, for inspection",
                               .forward = forward,
                               .detaches = true};

foci_tensor *foci_route(foci_graph *g, foci_tensor *logits, int64_t top_k, foci_gating gate) {
    if (!foci_routing_operand(g, "route", logits, top_k)) return NULL;
    foci_node *n = foci_record(g, &foci_op_route, 1, &logits, &(attributes){top_k, gate}, sizeof(attributes));
    foci_workspace(n, (size_t)(foci_rows(logits) * top_k) * (sizeof(real) + sizeof(int32_t)), 0);
    return foci_emit(n, FOCI_REAL, logits->ndim, logits->shape);
}
