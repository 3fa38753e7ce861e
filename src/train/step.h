/* The training step, the only one: the trainer, the benchmark and the golden trajectories take this.
 *
 *     foci_step_gradients    clears the gradients; for every part of the batch: feed, forward, loss, backward
 *     foci_step_update       the gradient's norm, clipping, the optimiser
 *
 * Between the two whoever trains sees the loss, and may leave the update out.
 *
 * A batch of several shards (train.shards) is that of several processes, each of which runs the parts of its own
 * shards, or of one that runs them all, to the same bits (gradient_sum.h). */
#ifndef FOCI_TRAIN_STEP_H
#define FOCI_TRAIN_STEP_H

#include "core/carry.h"
#include "train/gradient_sum.h"
#include "train/optimizer.h"
#include "train/statistics.h"

typedef enum foci_step_phase {
    FOCI_STEP_CLEAR,
    FOCI_STEP_FORWARD,
    FOCI_STEP_BACKWARD,
    FOCI_STEP_EXCHANGE, /* gradients have gone to their owners and are summed up */
    FOCI_STEP_UPDATE,
    FOCI_STEP_SHARE /* all have the new weights */
} foci_step_phase;

/* What a step of several shards needs. */
typedef struct foci_step_shards {
    foci_gradient_sum sum;
    foci_statistics statistics;
} foci_step_shards;

typedef struct foci_step {
    foci_program *program;       /* of `micro` samples, with an output `loss`: their mean */
    foci_parameters *parameters; /* with gradients */
    int64_t batch, micro;        /* samples of an update, and of a part of it, which divides them, and a shard */
    foci_step_shards *shards;    /* NULL: the batch is one */
    double *losses;              /* (batch / micro) gets those of the parts that are run here; may be NULL */
    /* Feeds samples first .. first + micro - 1 of the batch; NULL: the inputs are fed already. */
    foci_status (*feed)(const void *context, foci_program *p, int64_t first);
    foci_carry *carry; /* of the whole batch: fed before a part, taken after it; NULL: nothing is carried */
    /* for clocks: forward and backward once a part, exchange and share where there are shards; may be NULL */
    void (*ended)(void *context, foci_step_phase phase);
    void *context;
} foci_step;

/* Of the optimiser that owns the stretches of the arrays. */
foci_status foci_step_shards_open(foci_step_shards *s, foci_parameters *p, int64_t shards, const foci_optimizer *o);
void foci_step_shards_close(foci_step_shards *s); /* a zeroed one is fine */
/* The samples of a batch whose parts are run here. */
foci_range foci_step_samples(const foci_step_shards *s, int64_t batch);

/* The gradients of the batch's mean loss, in the parameters; `number` is the step's, which random numbers are drawn by.
 * Of several processes each has those of its own shards, and their part of the loss: foci_step_loss, of the losses that
 * all have gathered, is that of the batch. */
foci_status foci_step_gradients(const foci_step *s, int64_t number, double *loss);
double foci_step_loss(const foci_step *s);
/* One update with them; foci_optimizer_step says what may go wrong. */
foci_status foci_step_update(const foci_step *s, foci_optimizer *o, double lr, double *grad_norm);

#endif
