/* Programs of a model for whoever only runs it: one for every shape of a batch, recorded when the first of that shape
 * comes. */
#ifndef FOCI_TASK_BATCH_PROGRAMS_H
#define FOCI_TASK_BATCH_PROGRAMS_H

#include "core/program.h"

typedef struct foci_batch_program {
    int64_t rows, tokens; /* tokens: of a row, 0 where rows have one length */
    foci_program *program;
} foci_batch_program;

typedef struct foci_batch_programs {
    const foci_model *model;
    foci_request request; /* but for what a batch says */
    foci_program_set set;
    foci_batch_program *item;
    int count;
} foci_batch_programs;

void foci_batch_programs_open(foci_batch_programs *s, const foci_model *model, foci_parameters *p,
                              const foci_request *request);
foci_status foci_batch_programs_for(foci_batch_programs *s, int64_t rows, int64_t tokens, foci_program **p);
void foci_batch_programs_close(foci_batch_programs *s);

#endif
