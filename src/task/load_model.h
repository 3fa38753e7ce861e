/* A trained model from a config and a weights file, for everything that only runs it. */
#ifndef FOCI_TASK_LOAD_MODEL_H
#define FOCI_TASK_LOAD_MODEL_H

#include "core/program.h"

/* Declares the model's parameters and fills them from the file; `classes`: labels or words of the data. No gradients
 * are allocated. FOCI_ERR_CHECKPOINT where the weights carry names of other outputs than data.labels, FOCI_ERR_DIVERGED
 * where they hold values that are no numbers. The caller frees p, after a failure too. */
foci_status foci_load_model(foci_parameters *p, const foci_model *model, const foci_config *config, int64_t classes,
                            const char *weights);

/* For a program that only runs it. */
foci_graph_options foci_run_options(const foci_config *config);

#endif
