/* The figure at the end of a training: train.test_at_end. */
#ifndef FOCI_TRAIN_FINAL_TEST_H
#define FOCI_TRAIN_FINAL_TEST_H

#include "run/folder.h"
#include "task/task.h"

/* Where the config asks for it, the task has such a test, and metrics.jsonl has none of this step: loads the run's best
 * weights into p, makes it, and writes the score to log.txt and, as test_METRIC, to metrics.jsonl. FOCI_INTERRUPTED
 * where the watch ended it. Of several processes, process 0 has the folder, and all share the test. */
foci_status foci_final_test(const foci_config *config, const foci_task *task, foci_task_state *data,
                            const foci_model *model, foci_parameters *p, foci_run_folder *folder, int64_t step,
                            foci_group *group, const foci_watch *watch);

#endif
