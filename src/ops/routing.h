/* Which experts a token goes to, the same wherever it is asked: the k largest of its logits, of equal ones the first.
 */
#ifndef FOCI_OPS_ROUTING_H
#define FOCI_OPS_ROUTING_H

#include "ops/common.h"

typedef struct foci_routing {
    int64_t tokens, experts, chosen; /* n, E, k */
    foci_gating gate;
} foci_routing;

/* The options of an operation that routes, checked; false after an error. */
bool foci_routing_operand(foci_graph *g, const char *op, const foci_tensor *logits, int64_t top_k);
foci_routing foci_routing_of(const foci_tensor *logits, int64_t top_k, foci_gating gate);

/* index (n, k) by falling logit; score (n, k) or NULL: the weights a. */
void foci_route_tokens(const foci_routing *r, const real *logits, int32_t *index, real *score);

/* dlogits (n, E) = or += from dscore (n, k). */
void foci_route_backward(const foci_routing *r, const real *logits, const int32_t *index, const real *score,
                         const real *dscore, real *dlogits, bool accumulate);

enum { FOCI_ROUTING_TILE = 256 }; /* tokens */

#endif
