/* A layer of experts: a gate chooses a few of many two-layer networks for every token. Names as fastmoe's. */
#ifndef FOCI_NN_EXPERTS_H
#define FOCI_NN_EXPERTS_H

#include "nn/layers.h"

typedef struct foci_nn_experts_options {
    int64_t experts, top_k, hidden; /* E, k, F */
    foci_gating gate;
    double capacity, dropout; /* foci_experts_options */
    bool small;               /* weights begin as those of one large layer of C F inputs, nearly at zero */
    bool balanced;            /* the balance loss is wanted */
} foci_nn_experts_options;

typedef struct foci_nn_mixture {
    foci_tensor *y;       /* like x */
    foci_tensor *balance; /* (1), foci_expert_balance; NULL where it is not wanted */
} foci_nn_mixture;

/* gate.gate.weight (E, C), experts.htoh4.weight (E, F, C), experts.h4toh.weight (E, C, F) and their biases: x (.., C).
 * Offers for inspection `route` (.., E), the weights of the experts, 0 where one was not chosen; `gate` (.., E), the
 * softmax over all; `balance`. */
foci_nn_mixture foci_nn_experts(foci_graph *g, foci_tensor *x, const foci_nn_experts_options *o);

#endif
