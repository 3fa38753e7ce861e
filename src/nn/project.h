/* What every block of attention begins with: tokens to heads. How the parts share weights, and what those are called,
 * is the model's; which parts there are is asked for by the attention variant. */
#ifndef FOCI_NN_PROJECT_H
#define FOCI_NN_PROJECT_H

#include "nn/layers.h"

typedef struct foci_heads_of_layer {
    foci_tensor *q, *k, *k2, *v;  /* (B, H, N, D), k and v perhaps of fewer heads; k2 NULL where it is not asked for */
    foci_tensor *q_norm, *k_norm; /* (D): weights by which heads are normalised before they are compared, or NULL */
} foci_heads_of_layer;

/* One linear layer for the parts that it may hold; they stand in its weights in the order q, k, k2, v. */
typedef struct foci_nn_projection {
    const char *name;
    foci_tensor *x; /* (B, N, C) */
    unsigned parts; /* FOCI_PROJECT_* */
    bool cached;    /* foci_cached: generation goes on from the parts of earlier tokens */
} foci_nn_projection;

typedef struct foci_nn_heads {
    int heads;
    int64_t width; /* D */
    bool bias;
    foci_init weight;
} foci_nn_heads;

/* The parts that are wanted, FOCI_PROJECT_*. A layer none of whose parts is wanted is left out. Where q is not wanted
 * it is k, and the other way round. */
foci_heads_of_layer foci_nn_project(foci_graph *g, const foci_nn_projection *projection, int count, unsigned wanted,
                                    const foci_nn_heads *heads);

#endif
