/* Training and evaluation from a config. */
#ifndef FOCI_TRAIN_TRAINER_H
#define FOCI_TRAIN_TRAINER_H

#include "base/report.h"
#include "config/config.h"
#include "task/task.h"

/* foci_train, its options and foci_progress are public: foci/foci.h. */

/* Parameters by module, FLOPs per item, planned bytes, data: what `--dry-run` prints. FOCI_ERR_RUNTIME, with a full
 * report, where it would not fit into memory. */
foci_status foci_train_plan(const foci_config *config, foci_report *r);

/* FOCI_OK where a training would take its first step: opens the data and records the model as it does, and stops. */
foci_status foci_train_check(const foci_config *config);

/* Scores the weights in a file. */
foci_status foci_evaluate(const foci_config *config, const char *weights, const foci_evaluation *evaluation,
                          const foci_watch *watch, foci_score *score);

#endif
