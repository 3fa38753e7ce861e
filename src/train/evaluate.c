/* The score of weights in a file: foci_evaluate. */
#include <string.h>

#include "task/load_model.h"
#include "train/trainer.h"

foci_status foci_evaluate(const foci_config *config, const char *weights, const foci_evaluation *evaluation,
                          const foci_watch *watch, foci_score *score) {
    const foci_model *model;
    const foci_task *task;
    foci_task_state *data = NULL;
    foci_parameters p;
    foci_parameters_init(&p);
    FOCI_TRY(foci_task_open(config, &model, &task));
    /* the others need not be there */
    FOCI_TRY(foci_task_open_data(task, &data, config, strcmp(evaluation->split, "test") == 0 ? FOCI_TEST : FOCI_VALID));
    foci_status s = foci_load_model(&p, model, config, task->classes(data), weights);
    if (!s) s = foci_task_evaluate(task, data, model, &p, evaluation, watch, score);
    foci_parameters_free(&p);
    foci_task_close_data(task, data);
    return s;
}
