/* The recorded graphs of a training run: one for each shape of a step, sharing parameters and one block of memory. */
#ifndef FOCI_TASK_PROGRAMS_H
#define FOCI_TASK_PROGRAMS_H

#include "core/graph.h"

enum { FOCI_MAX_SHAPES = 2 };

typedef struct foci_program {
    foci_graph *graph;
    foci_model_io io;
} foci_program;

typedef struct foci_programs {
    foci_parameters parameters;
    foci_program program[FOCI_MAX_SHAPES];
    int count;
    bool bf16; /* train.dtype */
    size_t bytes, bytes_unshared; /* of the largest */
    void *memory;
} foci_programs;

/* `prepare` sets what a shape needs beyond the batch. Parameters are declared, not yet allocated; nothing is bound. */
foci_status foci_programs_record(foci_programs *p, const foci_model *model, const foci_config *config, int64_t batch, int shapes,
                                 void (*prepare)(void *context, int shape, foci_model_io *io), void *context);
/* Parameters with gradients and initial values, and the block of memory. `arrays`: as large as the parameters, that come on top
 * (moments, averages). Refused with advice where all of it will not fit into memory. */
foci_status foci_programs_allocate(foci_programs *p, uint64_t seed, int arrays);
void foci_programs_free(foci_programs *p);

#endif
