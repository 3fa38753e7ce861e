/* Argument blocks of kernels that take more than a handful. */
#ifndef FOCI_KERNELS_TYPES_H
#define FOCI_KERNELS_TYPES_H

#include "foci/foci.h"

/* Which elements dropout drops: element i looks at word (first + i) % 4 of Philox block (first + i) / 4. */
typedef struct foci_dropout_mask {
    uint64_t seed, stream, step, first;
    uint32_t threshold; /* words below it drop: p * 2^32 */
    foci_real factor;   /* of the kept ones: 1 / (1 - p) */
} foci_dropout_mask;

/* One update of Adam or AdamW (golden/README 1.9). */
typedef struct foci_adam_step {
    double lr, beta1, beta2, eps;
    double decay;      /* 0: none */
    bool decoupled;    /* AdamW: the decay shrinks the parameter; otherwise (Adam) it is added to the gradient */
    double correction1, correction2; /* 1 - beta^t */
    double grad_scale; /* every gradient is multiplied by it: clipping, averaging */
} foci_adam_step;

/* One update of stochastic gradient descent, momentum as in PyTorch: b = momentum b + g, theta -= lr b. */
typedef struct foci_sgd_step {
    double lr, momentum, decay, grad_scale;
} foci_sgd_step;

#endif
