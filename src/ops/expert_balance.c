/* expert_balance: E sum over e of (c_e / (n k)) (sum over the tokens of P_ne / (n k)), where expert e was chosen c_e
 * times and P is the softmax over all logits: least where all experts are chosen alike, then 1/k (Fedus et al., "Switch
 * Transformers", 2021, eq. 4, as published with the golden cases). */
#include <math.h>
#include <string.h>

#include "ops/routing.h"

static foci_routing routing_of(const foci_node *n) {
    return foci_routing_of(n->input[0], *(const int64_t *)n->attributes, FOCI_GATE_ALL);
}

/* dP_ne = E c_e / (n k)^2, kept for backward. */
static void share(const foci_routing *r, const int32_t *index, real *share) {
    const double all = (double)(r->tokens * r->chosen);
    memset(share, 0, (size_t)r->experts * sizeof *share);
    for (int64_t i = 0; i < r->tokens * r->chosen; i++) share[index[i]] += 1;
    for (int64_t e = 0; e < r->experts; e++) share[e] = (real)((double)r->experts * (double)share[e] / all / all);
}

static void forward(const foci_node *n) {
    const foci_routing r = routing_of(n);
    const int64_t tiles = foci_tiles(r.tokens, FOCI_ROUTING_TILE);
    real *p = n->workspace, *weight = foci_data(n->saved[0]);
    double *partial = (double *)(p + (r.tokens * r.experts + 1) / 2 * 2), sum = 0;
    int32_t *index = (int32_t *)(partial + tiles);
    foci_route_tokens(&r, foci_data(n->input[0]), index, NULL);
    share(&r, index, weight);
    FOCI_PARALLEL_FOR
    for (int64_t tile = 0; tile < tiles; tile++) {
        const foci_range t = foci_tile(r.tokens, FOCI_ROUTING_TILE, tile);
        const int64_t at = t.first * r.experts;
        foci_kernel()->softmax(t.end - t.first, r.experts, foci_data(n->input[0]) + at, p + at);
        partial[tile] = 0;
        for (int64_t i = at; i < t.end * r.experts; i++) partial[tile] += (double)weight[i % r.experts] * (double)p[i];
    }
    for (int64_t tile = 0; tile < tiles; tile++) sum += partial[tile];
    foci_data(n->output)[0] = (real)sum;
}

/* dz = P (dP - sum P dP) */
static void backward(const foci_node *n) {
    const foci_routing r = routing_of(n);
    const real *weight = foci_data(n->saved[0]);
    const double dy = (double)foci_grad(n->output)[0];
    real *p = n->workspace;
    FOCI_PARALLEL_FOR
    for (int64_t tile = 0; tile < foci_tiles(r.tokens, FOCI_ROUTING_TILE); tile++) {
        const foci_range t = foci_tile(r.tokens, FOCI_ROUTING_TILE, tile);
        const int64_t first = t.first * r.experts;
        foci_kernel()->softmax(t.end - t.first, r.experts, foci_data(n->input[0]) + first, p + first);
        for (int64_t i = t.first; i < t.end; i++) {
            const real *q = p + i * r.experts;
            real *dz = foci_grad(n->input[0]) + i * r.experts;
            double inner = 0;
            for (int64_t e = 0; e < r.experts; e++) inner += (double)q[e] * (double)weight[e];
            for (int64_t e = 0; e < r.experts; e++)
                dz[e] = (n->accumulate[0] ? dz[e] : 0) + (real)(dy * (double)q[e] * ((double)weight[e] - inner));
        }
    }
}

static foci_tensor *of(foci_graph *g, int64_t tokens, int64_t experts, int64_t k) {
    return foci_expert_balance(g, RANDOM(g, "logits", tokens, experts), k);
}
static foci_tensor *one_of_four(foci_graph *g) { return of(g, 11, 4, 1); }
static foci_tensor *three_of_five(foci_graph *g) { return of(g, 300, 5, 3); }
static foci_tensor *all(foci_graph *g) { return of(g, 4, 3, 3); }
static const foci_gradient_case gradients[] = {
    {"1 of 4", one_of_four}, {"3 of 5, several tiles", three_of_five}, {"all", all}, {0}};

const foci_op foci_op_expert_balance = {.name = "expert_balance",
                                        .summary = "how unevenly experts are used, with a gradient for the gate",
                                        .forward = forward,
                                        .backward = backward,
                                        .reads = FOCI_READS_INPUT(0),
                                        .gradients = gradients};

foci_tensor *foci_expert_balance(foci_graph *g, foci_tensor *logits, int64_t top_k) {
    if (!foci_routing_operand(g, "expert_balance", logits, top_k)) return NULL;
    foci_node *n = foci_record(g, &foci_op_expert_balance, 1, &logits, &top_k, sizeof top_k);
    const foci_routing r = foci_routing_of(logits, top_k, FOCI_GATE_ALL);
    const size_t p = (size_t)((r.tokens * r.experts + 1) / 2 * 2) * sizeof(real);
    foci_save(n, FOCI_REAL, r.experts);
    foci_workspace(n,
                   p + (size_t)foci_tiles(r.tokens, FOCI_ROUTING_TILE) * sizeof(double) +
                       (size_t)(r.tokens * top_k) * sizeof(int32_t),
                   p);
    return foci_emit(n, FOCI_REAL, FOCI_SHAPE(1));
}
