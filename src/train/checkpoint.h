/* The state of a run on disk, complete at any instant.
 *
 * RUN/state.safetensors holds weights, moments and counters together and appears by one rename, so a run
 * killed at any point resumes from its last complete checkpoint. RUN/last.safetensors, the weights alone, is
 * written after it for everybody else. Both carry a checksum (core/safetensors.h). */
#ifndef FOCI_TRAIN_CHECKPOINT_H
#define FOCI_TRAIN_CHECKPOINT_H

#include "train/optimizer.h"

typedef struct foci_run_state {
    int64_t step;     /* updates made */
    int64_t epoch;    /* epochs completed */
    int64_t position; /* batches of the current epoch already used */
    uint64_t seed;
    double best;    /* best validation metric so far, NAN where there is none */
    double elapsed; /* seconds of training, over all sittings */
} foci_run_state;

/* Writes both files into `folder`, which exists. */
foci_status foci_checkpoint_save(const char *folder, const foci_parameters *p, const foci_optimizer *o,
                                 const foci_run_state *state);

/* Reads state.safetensors. FOCI_ERR_CHECKPOINT where it is damaged, or is that of another model or optimiser.
 */
foci_status foci_checkpoint_load(const char *folder, foci_parameters *p, foci_optimizer *o,
                                 foci_run_state *state);

#endif
