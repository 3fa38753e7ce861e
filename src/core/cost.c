/* What runs cost: floating-point operations, and the memory that cannot but be touched. */
#include "core/internal.h"

foci_cost foci_graph_cost(const foci_graph *g) {
    foci_cost sum = {0, 0};
    for (int i = 0; i < g->nodes; i++) {
        if (!g->node[i]->op->cost) continue;
        foci_cost c = g->node[i]->op->cost(g->node[i]);
        sum.forward += c.forward;
        if (g->node[i]->reached) sum.backward += c.backward;
    }
    return sum;
}

double foci_graph_cost_again(const foci_graph *g) {
    double sum = 0;
    for (int i = 0; i < g->calls; i++) {
        const foci_node *n = g->call[i].node;
        if (g->call[i].pass == FOCI_AGAIN && n->op->cost) sum += n->op->cost(n).forward;
    }
    return sum;
}

static double bytes_of(const foci_tensor *t) { return t ? (double)foci_tensor_bytes(t) : 0; }

static double forward_bytes(const foci_node *n) {
    double bytes = bytes_of(n->output);
    for (int i = 0; i < n->inputs; i++) bytes += bytes_of(n->input[i]);
    for (int i = 0; i < n->saves; i++) bytes += bytes_of(n->saved[i]);
    return bytes;
}

/* What backward declares to read, the gradients it writes (reads too where it adds) and, for these, that of the output.
 * A gradient that lies where that of the output does is passed on without a touch. */
static double backward_bytes(const foci_node *n) {
    double bytes = n->op->reads & FOCI_READS_OUTPUT ? bytes_of(n->output) : 0, gradients = 0;
    for (int i = 0; i < n->saves; i++) bytes += bytes_of(n->saved[i]);
    for (int i = 0; i < n->inputs; i++) {
        const foci_tensor *t = n->input[i];
        if (n->op->reads & FOCI_READS_INPUT(i)) bytes += bytes_of(t);
        if (foci_wants(n, i) && t->host_grad != n->output->host_grad)
            gradients += bytes_of(t) * (n->accumulate[i] ? 2 : 1);
    }
    return bytes + gradients + (gradients > 0 ? bytes_of(n->output) : 0);
}

double foci_call_flop(const foci_call *c) {
    if (!c->node->op->cost) return 0;
    const foci_cost cost = c->node->op->cost(c->node);
    return c->pass == FOCI_BACKWARD ? cost.backward : cost.forward;
}

double foci_call_bytes(const foci_call *c) {
    const foci_node *n = c->node;
    const foci_cost cost = n->op->cost ? n->op->cost(n) : (foci_cost){0, 0};
    if (c->pass == FOCI_BACKWARD) return cost.backward_bytes > 0 ? cost.backward_bytes : backward_bytes(n);
    return cost.forward_bytes > 0 ? cost.forward_bytes : forward_bytes(n);
}
