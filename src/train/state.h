/* What a training has come to: counters that are kept with weights, moments and averages, so that a run goes on where
 * it ended. (run/checkpoint.h says how they lie on disk.) */
#ifndef FOCI_TRAIN_STATE_H
#define FOCI_TRAIN_STATE_H

#include "core/carry.h"
#include "task/meaning.h"
#include "train/loss_watch.h"
#include "train/optimizer.h"

typedef struct foci_run_state {
    int64_t step;        /* updates made or left out */
    int64_t epoch;       /* epochs completed */
    int64_t position;    /* batches of the current epoch already used */
    int64_t checkpoints; /* that the config asked for, so far */
    int64_t counted;     /* the step of the last of these */
    int64_t evaluated;   /* the step of the last evaluation */
    int64_t left_out;    /* updates that were not made, by train.on_nonfinite and train.spike_zscore */
    uint64_t seed;
    double best;    /* best validation metric so far, NAN where there is none */
    double elapsed; /* seconds of training, over all sittings */
    foci_loss_watch watch;
    const char *teacher;         /* checksum of the weights learnt from; NULL or "": none */
    const foci_meaning *meaning; /* of the weights; NULL: nothing is said of it */
    foci_carry *carry;           /* what the next window goes on from; NULL: nothing */
} foci_run_state;

/* Writes a checkpoint. ema: flat as the parameters, or NULL. The weights of every keep_every-th that is counted stay
 * (0: of none). */
foci_status foci_state_save(const char *folder, const foci_parameters *p, foci_optimizer *o, foci_real *ema,
                            foci_run_state *state, int64_t keep_every);

/* The weights of a state that is on disk already, where the run ended between it and them. */
foci_status foci_state_weights(const char *folder, const foci_parameters *p, foci_optimizer *o, foci_real *ema,
                               foci_run_state *state, int64_t keep_every);

/* FOCI_ERR_CHECKPOINT where it is damaged, or is that of another model, optimiser or teacher (state->teacher). */
foci_status foci_state_load(const char *folder, const foci_parameters *p, foci_optimizer *o, foci_real *ema,
                            foci_run_state *state);

#endif
