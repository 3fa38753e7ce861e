/* Optimisers: one pass over the flat arrays of all parameters (docs/mathematics.md 1.9).
 *
 *     clipping:  g <- g min(1, clip / (|all gradients| + 1e-6))
 *     Adam:      g <- g + decay p          AdamW:  p <- p (1 - lr decay)
 *                m <- b1 m + (1 - b1) g;   v <- b2 v + (1 - b2) g^2
 *                p <- p - lr / (1 - b1^t) m / (sqrt(v / (1 - b2^t)) + eps)
 *     SGD:       g <- g + decay p;   m <- momentum m + g;   p <- p - lr m, or (Nesterov) p <- p - lr (g + momentum m)
 *
 * The arrays are cut into fixed tiles, so results do not depend on the number of threads.
 *
 * Of several processes each owns a stretch of the arrays, whole tiles, about as long as the others': the moments of no
 * other stretch are kept there, and nothing else is updated. Norms are sums over the tiles of all, in their order. */
#ifndef FOCI_TRAIN_OPTIMIZER_H
#define FOCI_TRAIN_OPTIMIZER_H

#include "base/group.h"
#include "base/parallel.h"
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
    foci_group *group; /* of processes that update together; NULL: one alone */
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
    int64_t *own;                 /* process r's stretch: elements own[r] .. own[r + 1] - 1; NULL: one process */
    size_t *bytes, *square_bytes; /* likewise, of the arrays and of `square` */
    int64_t first_tile, end_tile; /* of this process */
} foci_optimizer;

/* The parameters must be allocated with gradients. Names that do not exist are FOCI_ERR_CONFIG.
 */
foci_status foci_optimizer_init(foci_optimizer *o, const foci_optimizer_options *options, const foci_parameters *p);
void foci_optimizer_free(foci_optimizer *o);

/* One update with the gradients in p, whose norm before clipping is returned. FOCI_ERR_DIVERGED where that is
 * not finite: then nothing was updated. Of several processes each updates its own stretch, with its gradients. */
foci_status foci_optimizer_step(foci_optimizer *o, foci_parameters *p, double lr, double *grad_norm);

/* ------- of several processes; all do nothing in one */

foci_range foci_optimizer_stretch(const foci_optimizer *o, const foci_parameters *p); /* of this process */
/* An array as long as the parameters of which every process has its stretch: all get all of it. */
void foci_optimizer_share(const foci_optimizer *o, foci_real *array);
/* Process 0 gets all moments, for a checkpoint; or it has them, and all get theirs. What is another's is then given
 * back by foci_optimizer_forget. */
void foci_optimizer_gather(foci_optimizer *o);
void foci_optimizer_scatter(foci_optimizer *o);
void foci_optimizer_forget(foci_optimizer *o);

#endif
