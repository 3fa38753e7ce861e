/* Optimisers: one pass over the flat arrays of all parameters (docs/mathematics.md 1.9).
 *
 *     clipping:  g <- g min(1, clip / (|all gradients| + 1e-6))
 *     Adam:      g <- g + decay p          AdamW:  p <- p (1 - lr decay)
 *                m <- b1 m + (1 - b1) g;   v <- b2 v + (1 - b2) g^2
 *                p <- p - lr / (1 - b1^t) m / (sqrt(v / (1 - b2^t)) + eps)
 *     SGD:       g <- g + decay p;   m <- momentum m + g;   p <- p - lr m, or (Nesterov) p <- p - lr (g + momentum m)
 *
 * The arrays are cut into fixed tiles, so results do not depend on the number of threads. */
#ifndef FOCI_TRAIN_OPTIMIZER_H
#define FOCI_TRAIN_OPTIMIZER_H

#include "core/parameters.h"
#include "task/training.h"

const char *foci_optimizer_name(foci_optimizer_kind kind);             /* "adamw" */
bool foci_optimizer_find(const char *name, foci_optimizer_kind *kind); /* false: there is none */

typedef struct foci_optimizer_options {
    foci_optimizer_kind kind;
    double beta1, beta2, eps; /* Adam, AdamW */
    double momentum;          /* SGD */
    bool nesterov;
    double weight_decay;
    double clip;                 /* largest global norm of the gradient; 0: no clipping */
    const char *const *no_decay; /* names without decay, ended by NULL; where this is NULL, foci_decays decides */
    /* "patch_embed blocks.0": parameters of these names, or below them, stay as they are; NULL: none */
    const char *freeze;
    /* "head=10 blocks=0.1": factors of the learning rate, the longest name decides; NULL: all 1 */
    const char *lr_scale;
} foci_optimizer_options;

/* timm's rule: weights decay; what has one dimension does not, nor what was declared so (foci_no_decay: class tokens,
 * tables of positions). */
bool foci_decays(const foci_parameter_entry *e);

typedef struct foci_optimizer_tile {
    int64_t first, end; /* elements of the flat arrays */
    double decay, rate; /* rate: factor of the learning rate */
} foci_optimizer_tile;

typedef struct foci_optimizer {
    foci_optimizer_options options; /* names are not kept */
    foci_real *m, *v;               /* flat, as the parameters; v is NULL for SGD */
    int64_t updates;                /* made so far */
    foci_optimizer_tile *tile;
    double *square; /* per tile: sum of squared gradients */
    int64_t tiles;
} foci_optimizer;

/* The parameters must be allocated with gradients. Names that do not exist are FOCI_ERR_CONFIG.
 */
foci_status foci_optimizer_init(foci_optimizer *o, const foci_optimizer_options *options, const foci_parameters *p);
void foci_optimizer_free(foci_optimizer *o);

/* One update with the gradients in p, whose norm before clipping is returned. FOCI_ERR_DIVERGED where that is
 * not finite: then nothing was updated. */
foci_status foci_optimizer_step(foci_optimizer *o, foci_parameters *p, double lr, double *grad_norm);

#endif
