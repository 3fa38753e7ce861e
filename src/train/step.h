/* The training step, the only one: the trainer, the benchmark and the golden trajectories take this.
 *
 *     foci_step_gradients    clears the gradients; for every part of the batch: feed, forward, loss, backward
 *     foci_step_update       the gradient's norm, clipping, the optimiser
 *
 * Between the two whoever trains sees the loss, and may leave the update out. */
#ifndef FOCI_TRAIN_STEP_H
#define FOCI_TRAIN_STEP_H

#include "core/carry.h"
#include "train/optimizer.h"

typedef enum foci_step_phase {
    FOCI_STEP_CLEAR,
    FOCI_STEP_FORWARD,
    FOCI_STEP_BACKWARD,
    FOCI_STEP_UPDATE
} foci_step_phase;

typedef struct foci_step {
    foci_program *program;       /* of `micro` samples, with an output `loss`: their mean */
    foci_parameters *parameters; /* with gradients */
    int64_t batch, micro;        /* samples of an update, and of a part of it, which divides them */
    /* Feeds samples first .. first + micro - 1 of the batch; NULL: the inputs are fed already. */
    foci_status (*feed)(const void *context, foci_program *p, int64_t first);
    foci_carry *carry; /* of the whole batch: fed before a part, taken after it; NULL: nothing is carried */
    void (*ended)(void *context, foci_step_phase phase); /* for clocks: forward and backward once a part; may be NULL */
    void *context;
} foci_step;

/* The gradients of the batch's mean loss, in the parameters; `number` is the step's, which random numbers are drawn by.
 */
foci_status foci_step_gradients(const foci_step *s, int64_t number, double *loss);
/* One update with them; foci_optimizer_step says what may go wrong. */
foci_status foci_step_update(const foci_step *s, foci_optimizer *o, double lr, double *grad_norm);

#endif
