#include "nn/experts.h"

#include <math.h>

static foci_tensor *gate_of(foci_graph *g, foci_tensor *x, int64_t experts) {
    const double bound = 1 / sqrt((double)foci_last_dim(x));
    foci_scope(g, "gate.gate");
    foci_tensor *weight = foci_parameter(g, "weight", FOCI_UNIFORM(bound), FOCI_SHAPE(experts, foci_last_dim(x)));
    foci_tensor *z = foci_linear(g, x, weight, foci_parameter(g, "bias", FOCI_UNIFORM(bound), FOCI_SHAPE(experts)));
    foci_end_scope(g);
    return z;
}

/* (E, out, in) and (E, out) */
static void declare(foci_graph *g, const char *name, int64_t out, int64_t in, const foci_nn_experts_options *o,
                    foci_tensor **weight, foci_tensor **bias) {
    foci_scope(g, "experts.%s", name);
    const double bound = 1 / sqrt((double)(o->small ? in * out : in));
    *weight = foci_parameter(g, "weight", FOCI_UNIFORM(bound), FOCI_SHAPE(o->experts, out, in));
    *bias = foci_parameter(g, "bias", FOCI_ZEROS, FOCI_SHAPE(o->experts, out));
    foci_no_decay(*bias);
    foci_end_scope(g);
}

foci_nn_mixture foci_nn_experts(foci_graph *g, foci_tensor *x, const foci_nn_experts_options *o) {
    if (!x) return (foci_nn_mixture){NULL, NULL};
    foci_experts_options e = {.x = x,
                              .logits = gate_of(g, x, o->experts),
                              .top_k = o->top_k,
                              .gate = o->gate,
                              .capacity = o->capacity,
                              .dropout = o->dropout};
    declare(g, "htoh4", o->hidden, foci_last_dim(x), o, &e.weight1, &e.bias1);
    declare(g, "h4toh", foci_last_dim(x), o->hidden, o, &e.weight2, &e.bias2);
    foci_nn_mixture m = {foci_experts(g, &e), NULL};
    if (o->balanced || foci_graph_observes(g)) m.balance = foci_expert_balance(g, e.logits, o->top_k);
    if (!foci_graph_observes(g)) return m;
    foci_observe(g, "route", foci_route(g, e.logits, o->top_k, o->gate));
    foci_observe(g, "gate", foci_softmax(g, e.logits));
    foci_observe(g, "balance", m.balance);
    return m;
}
