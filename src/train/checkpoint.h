/* The state of a run on disk, complete at any instant.
 *
 * RUN/state.safetensors holds weights, moments, averages and counters together and appears by one rename, so a run
 * killed at any point resumes from its last complete checkpoint. Written after it for everybody else: RUN/last.safetensors,
 * the weights alone; ema.safetensors, their average; step-N.safetensors, weights that stay. All carry a checksum
 * (core/safetensors.h), by which they are read back before they take the place of those before. */
#ifndef FOCI_TRAIN_CHECKPOINT_H
#define FOCI_TRAIN_CHECKPOINT_H

#include "train/loss_watch.h"
#include "train/optimizer.h"

typedef struct foci_run_state {
    int64_t step;        /* updates made or left out */
    int64_t epoch;       /* epochs completed */
    int64_t position;    /* batches of the current epoch already used */
    int64_t checkpoints; /* written so far */
    int64_t evaluated;   /* the step of the last evaluation */
    int64_t left_out;    /* updates that were not made, by train.on_nonfinite and train.spike_zscore */
    uint64_t seed;
    double best;    /* best validation metric so far, NAN where there is none */
    double elapsed; /* seconds of training, over all sittings */
    foci_loss_watch watch;
} foci_run_state;

/* Writes into `folder`, which exists; counts the checkpoint. ema: flat as the parameters, or NULL. The weights of every
 * keep_every-th stay (0: of none). */
foci_status foci_checkpoint_save(const char *folder, const foci_parameters *p, foci_optimizer *o, foci_real *ema,
                                 foci_run_state *state, int64_t keep_every);

/* The weights of a state that is on disk already, where the run ended between it and them. */
foci_status foci_checkpoint_weights(const char *folder, const foci_parameters *p, foci_real *ema, const foci_run_state *state,
                                    int64_t keep_every);

/* Reads state.safetensors. FOCI_ERR_CHECKPOINT where it is damaged, or is that of another model or optimiser. */
foci_status foci_checkpoint_load(const char *folder, foci_parameters *p, foci_optimizer *o, foci_real *ema, foci_run_state *state);

#endif
