#include "ops/routing.h"

#include <math.h>
#include <string.h>

bool foci_routing_operand(foci_graph *g, const char *op, const foci_tensor *logits, int64_t top_k) {
    if (!foci_operand(g, op, "logits", logits, FOCI_REAL)) return false;
    if (top_k < 1 || top_k > foci_last_dim(logits))
        foci_graph_fail(g, "%s: top_k is %lld, of %lld experts", op, (long long)top_k,
                        (long long)foci_last_dim(logits));
    return foci_graph_ok(g);
}

foci_routing foci_routing_of(const foci_tensor *logits, int64_t top_k, foci_gating gate) {
    return (foci_routing){foci_rows(logits), foci_last_dim(logits), top_k, gate};
}

static bool holds(const int32_t *index, int64_t count, int64_t e) {
    for (int64_t j = 0; j < count; j++)
        if (index[j] == e) return true;
    return false;
}

static void choose(const foci_routing *r, const real *z, int32_t *index) {
    for (int64_t j = 0; j < r->chosen; j++) {
        int64_t best = -1;
        for (int64_t e = 0; e < r->experts; e++)
            if (!holds(index, j, e) && (best < 0 || z[e] > z[best])) best = e;
        index[j] = (int32_t)best;
    }
}

/* exp(z_e - largest) over the sum of what the gate divides by */
static void weigh(const foci_routing *r, const real *z, const int32_t *index, real *score) {
    const double largest = (double)z[index[0]];
    double total = 0;
    for (int64_t j = 0; j < r->chosen && r->gate == FOCI_GATE_TOPK; j++) total += exp((double)z[index[j]] - largest);
    for (int64_t e = 0; e < r->experts && r->gate == FOCI_GATE_ALL; e++) total += exp((double)z[e] - largest);
    for (int64_t j = 0; j < r->chosen; j++) score[j] = (real)(exp((double)z[index[j]] - largest) / total);
}

void foci_route_tokens(const foci_routing *r, const real *logits, int32_t *index, real *score) {
    FOCI_PARALLEL_FOR
    for (int64_t tile = 0; tile < foci_tiles(r->tokens, FOCI_ROUTING_TILE); tile++) {
        const foci_range t = foci_tile(r->tokens, FOCI_ROUTING_TILE, tile);
        for (int64_t i = t.first; i < t.end; i++) {
            const real *z = logits + i * r->experts;
            choose(r, z, index + i * r->chosen);
            if (score) weigh(r, z, index + i * r->chosen, score + i * r->chosen);
        }
    }
}

/* Of a softmax p over some of the logits: dz = p (dp - sum p dp); where dp is only that of the chosen ones. */
static void token_backward(const foci_routing *r, const real *z, const int32_t *index, const real *score,
                           const real *dscore, real *dz) {
    double inner = 0;
    for (int64_t j = 0; j < r->chosen; j++) inner += (double)score[j] * (double)dscore[j];
    if (r->gate == FOCI_GATE_ALL) { /* p_e = p_i exp(z_e - z_i) */
        const double p = (double)score[0], at = (double)z[index[0]];
        for (int64_t e = 0; e < r->experts; e++) dz[e] -= (real)(p * exp((double)z[e] - at) * inner);
    }
    for (int64_t j = 0; j < r->chosen; j++)
        dz[index[j]] += (real)((double)score[j] * ((double)dscore[j] - (r->gate == FOCI_GATE_TOPK ? inner : 0)));
}

void foci_route_backward(const foci_routing *r, const real *logits, const int32_t *index, const real *score,
                         const real *dscore, real *dlogits, bool accumulate) {
    if (!accumulate) memset(dlogits, 0, (size_t)(r->tokens * r->experts) * sizeof *dlogits);
    FOCI_PARALLEL_FOR
    for (int64_t tile = 0; tile < foci_tiles(r->tokens, FOCI_ROUTING_TILE); tile++) {
        const foci_range t = foci_tile(r->tokens, FOCI_ROUTING_TILE, tile);
        for (int64_t i = t.first; i < t.end; i++)
            token_backward(r, logits + i * r->experts, index + i * r->chosen, score + i * r->chosen,
                           dscore + i * r->chosen, dlogits + i * r->experts);
    }
}
