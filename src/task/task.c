#include "task/task.h"

#include <stdlib.h>
#include <string.h>

#include "config/config.h"
#include "models/models.h"

const foci_task *const foci_tasks[] = {
#define FOCI_TASK(name) &foci_task_##name,
#include "task/list.h"
#undef FOCI_TASK
    NULL};

const foci_task *foci_task_find(const char *name) {
    int i = 0;
    while (foci_tasks[i] && strcmp(foci_tasks[i]->name, name) != 0) i++;
    return foci_tasks[i];
}

const foci_task *foci_task_of(const foci_model *model) { return foci_task_find(model->task); }

/* ---------------------------------------------------------------------------------------- what a config has */

foci_status foci_task_open(const foci_config *config, const foci_model **model, const foci_task **task) {
    const foci_data_set *set = foci_data_set_of(config);
    *model = foci_model_find(foci_config_string(config, "model.kind"));
    *task = foci_task_of(*model);
    if (strcmp(set->task, (*task)->name) == 0) return FOCI_OK;
    return foci_config_fail(config, "data.kind", "%s is %s, but model.kind %s wants %s", set->name,
                            foci_task_find(set->task)->items, (*model)->name, (*task)->items);
}

foci_status foci_task_wanted(const foci_config *config, const foci_task *task, const char *what,
                             const foci_model **model) {
    const foci_data_set *set = foci_data_set_of(config);
    *model = foci_model_find(foci_config_string(config, "model.kind"));
    if (strcmp((*model)->task, task->name) == 0 && strcmp(set->task, task->name) == 0) return FOCI_OK;
    return foci_config_fail(config, "model.kind", "%s on %s has no %s", (*model)->name, set->name, what);
}

foci_status foci_task_open_data(const foci_task *task, foci_task_state **state, const foci_config *config,
                                unsigned splits) {
    foci_task_state *s = calloc(1, task->size);
    *state = NULL;
    if (!s) return foci_fail(FOCI_ERR_RUNTIME, "out of memory for data");
    const foci_status status = task->open(s, config, splits);
    if (status) foci_task_close_data(task, s);
    else *state = s;
    return status;
}

void foci_task_close_data(const foci_task *task, foci_task_state *state) {
    if (state) task->close(state);
    free(state);
}

foci_status foci_task_fingerprint(const foci_config *config, unsigned splits, char *text, size_t size) {
    const foci_model *model;
    const foci_task *task;
    foci_task_state *data;
    foci_manifest files = {NULL};
    *text = 0;
    FOCI_TRY(foci_task_open(config, &model, &task));
    if (!task->list) return FOCI_OK;
    FOCI_TRY(foci_task_open_data(task, &data, config, splits));
    foci_status s = task->list(data, &files);
    if (!s) s = foci_manifest_look(&files);
    if (!s) foci_manifest_digest(&files, text, size);
    foci_manifest_free(&files);
    foci_task_close_data(task, data);
    return s;
}

/* ----------------------------------------------------------------------------------------------- evaluation */

foci_status foci_task_evaluate(const foci_task *task, foci_task_state *state, const foci_model *model,
                               foci_parameters *p, const foci_evaluation *e, const foci_watch *watch,
                               foci_score *score) {
    foci_arena memory = {NULL};
    const size_t bytes = foci_keys_bytes(task->settings);
    void *settings = bytes ? foci_arena_alloc(&memory, bytes) : NULL;
    *score = (foci_score){0};
    foci_status s = bytes && !settings
                        ? foci_out_of_memory()
                        : foci_keys_parse(task->settings, task->items, e->set, e->sets, &memory, settings);
    if (!s) s = task->evaluate(state, model, p, e, settings, watch, score);
    foci_arena_free(&memory);
    return s;
}

/* -------------------------------------------------------------------------------------------------- a step */

int foci_task_shapes(const foci_task *task, const foci_task_state *state) {
    return task->shapes ? task->shapes(state) : 1;
}

int foci_task_shape_of(const foci_task *task, const foci_task_state *state, int64_t update) {
    return task->shape_of ? task->shape_of(state, update) : 0;
}

int64_t foci_task_items(const foci_task *task, const foci_program *p) {
    const foci_tensor *t = foci_program_find(p, task->counted);
    return task->counts_rows ? t->shape[0] : foci_numel(t);
}
