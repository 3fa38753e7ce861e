/* The score of weights in a file: foci_evaluate. */
#include <string.h>

#include "task/load_model.h"
#include "train/alike.h"
#include "train/trainer.h"

typedef struct subject {
    const foci_model *model;
    const foci_task *task;
    foci_task_state *data;
    foci_parameters parameters;
} subject;

static foci_status open_all(subject *s, const foci_config *config, const char *weights, unsigned splits) {
    FOCI_TRY(foci_task_open(config, &s->model, &s->task));
    FOCI_TRY(foci_task_open_data(s->task, &s->data, config, splits));
    return foci_load_model(&s->parameters, s->model, config, s->task->classes(s->data), weights);
}

foci_status foci_evaluate(const foci_config *config, const char *weights, const foci_evaluation *evaluation,
                          const foci_watch *watch, foci_score *score) {
    /* the others need not be there */
    const unsigned splits = strcmp(evaluation->split, "test") == 0 ? FOCI_TEST : FOCI_VALID;
    subject s = {.data = NULL};
    foci_parameters_init(&s.parameters);
    FOCI_TRY(foci_alike_scores(evaluation->group, config, weights, splits));
    foci_status status = foci_group_agree(evaluation->group, open_all(&s, config, weights, splits));
    if (!status) status = foci_task_evaluate(s.task, s.data, s.model, &s.parameters, evaluation, watch, score);
    foci_parameters_free(&s.parameters);
    foci_task_close_data(s.task, s.data);
    return status;
}
