/* The programs of a training: one for each shape of a step, with the parameters that they share. */
#ifndef FOCI_TRAIN_PROGRAMS_H
#define FOCI_TRAIN_PROGRAMS_H

#include "core/program.h"

typedef struct foci_training_programs {
    foci_parameters parameters;
    foci_program_set set;
    foci_program **program; /* of each shape */
    bool bf16;              /* train.dtype */
} foci_training_programs;

/* Records the model for `batch` samples of each of `shapes` shapes; `ask` says what a shape feeds, and what else it
 * needs. Parameters are declared, not yet allocated. */
foci_status foci_training_programs_record(foci_training_programs *p, const foci_model *model, const foci_config *config,
                                          int64_t batch, int shapes,
                                          void (*ask)(void *context, int shape, foci_request *r), void *context);
/* Bytes of the parameters with gradients and `arrays` more that are as large (moments, averages). */
double foci_training_programs_flat(const foci_training_programs *p, double arrays);
/* FOCI_ERR_RUNTIME, with advice, where all of it will not fit into memory. */
foci_status foci_training_programs_fit(const foci_training_programs *p, double arrays);
/* Parameters with gradients and initial values, and the block of memory, where it fits. */
foci_status foci_training_programs_allocate(foci_training_programs *p, uint64_t seed, double arrays);
void foci_training_programs_free(foci_training_programs *p);

#endif
