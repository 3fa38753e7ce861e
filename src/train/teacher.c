#include "train/teacher.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "models/models.h"
#include "run/open.h"
#include "task/image_data.h"
#include "task/load_model.h"
#include "task/training.h"

/* ------------------------------------------------------------------------------------------------- opening */

/* The folder of a run, or of weights, has the config. */
static void folder_of(const char *run, char folder[4200]) {
    const char *slash = strrchr(run, '/');
    if (foci_path_kind(run) == 'd') snprintf(folder, 4200, "%s", run);
    else snprintf(folder, 4200, "%.*s", slash ? (int)(slash - run) : 1, slash ? run : ".");
}

static foci_status open_weights(foci_teacher *t, const char *run, int64_t classes) {
    char folder[4200];
    const foci_model *model;
    folder_of(run, folder);
    FOCI_TRY(foci_weights_of(run, t->weights, sizeof t->weights));
    FOCI_TRY(foci_safetensors_checksum(t->weights, t->checksum));
    FOCI_TRY(foci_config_open_trained(&t->config, folder, t->weights, NULL, 0));
    FOCI_TRY(foci_task_open(t->config, &model, &t->task));
    FOCI_TRY(foci_load_model(&t->parameters, model, t->config, classes, t->weights));
    const foci_request r = {.config = t->config, .batch = t->batch, .classes = classes, .feeds = t->task->feeds};
    foci_graph_options options = foci_run_options(t->config);
    options.place = foci_config_place(t->config, "model.kind");
    FOCI_TRY(foci_program_open_model(&t->program, &t->set, &options, model, &r));
    return foci_program_set_ready(&t->set);
}

/* The same images, and as many classes. */
static foci_status check_shapes(const foci_teacher *t, const foci_config *config, const foci_task *task) {
    const foci_tensor *logits = foci_program_find(t->program, "logits");
    if (t->task != task || !logits)
        return foci_config_fail(config, "train.teacher", "its task is %s, not %s", t->task->name, task->name);
    if (foci_last_dim(logits) != t->classes)
        return foci_config_fail(config, "train.teacher", "it tells %lld classes apart, the data have %lld",
                                (long long)foci_last_dim(logits), (long long)t->classes);
    return FOCI_OK;
}

foci_status foci_teacher_open(foci_teacher *t, const foci_config *config, const foci_task *task,
                              const foci_task_state *data, int64_t batch) {
    const foci_training train = foci_training_read(config);
    *t = (foci_teacher){.batch = batch};
    foci_parameters_init(&t->parameters);
    foci_program_set_init(&t->set, &t->parameters);
    if (!*train.teacher || train.distillation_type == FOCI_DISTILL_NONE) return FOCI_OK;
    t->classes = task->classes(data);
    t->label = calloc((size_t)batch, sizeof *t->label);
    if (!t->label) return foci_fail(FOCI_ERR_RUNTIME, "out of memory for labels of the teacher");
    const foci_status s = open_weights(t, train.teacher, t->classes);
    return s ? foci_context(s, "train.teacher %s", train.teacher) : check_shapes(t, config, task);
}

void foci_teacher_close(foci_teacher *t) {
    if (!t->batch) return;
    foci_program_set_free(&t->set);
    foci_parameters_free(&t->parameters);
    foci_config_free(t->config);
    free(t->label);
    *t = (foci_teacher){.batch = 0};
}

/* ------------------------------------------------------------------------------------------------ checking */

static foci_status check_names(const foci_teacher *t, const char *key, const char *ours) {
    char *its;
    if (foci_meaning_of_weights(t->weights, key, &its)) {
        foci_log(FOCI_LOG_WARN, "%s: the teacher's weights carry no %s: they are taken to be those of the data",
                 t->weights, key);
        return FOCI_OK;
    }
    const bool same = strcmp(its, ours) == 0;
    free(its);
    return same ? FOCI_OK
                : foci_fail(FOCI_ERR_CHECKPOINT, "%s: the teacher's %s are not those of the data", t->weights, key);
}

foci_status foci_teacher_check(const foci_teacher *t, const foci_task_state *data, const foci_meaning *meaning) {
    const char *key = t->program ? t->task->labels : NULL, *ours = key ? foci_meaning_find(meaning, key) : NULL;
    if (!t->program) return FOCI_OK;
    if (ours) FOCI_TRY(check_names(t, key, ours));
    const foci_task_samples *samples = t->task->samples;
    if (samples && samples->transform) foci_images_compare(samples->transform(data), t->config);
    return FOCI_OK;
}

foci_status foci_teacher_fits(const foci_teacher *t, const foci_config *config, const foci_program *p) {
    const foci_graph *g = t->program ? foci_program_graph(t->program) : NULL;
    for (int i = 0; g && i < foci_graph_slots(g); i++) {
        const foci_slot *its = foci_graph_slot(g, i);
        const foci_tensor *ours = foci_program_find(p, its->name);
        if (its->kind != FOCI_SLOT_INPUT || memcmp(ours->shape, its->tensor->shape, sizeof ours->shape) == 0) continue;
        const int64_t *a = its->tensor->shape, *b = ours->shape;
        return foci_config_fail(config, "train.teacher", "it takes %s of %lld x %lld, the model of %lld x %lld",
                                its->name, (long long)a[2], (long long)a[3], (long long)b[2], (long long)b[3]);
    }
    return FOCI_OK;
}

/* ------------------------------------------------------------------------------------------------- at work */

void foci_teacher_ask(const foci_teacher *t, const foci_config *config, char *feeds, size_t size, foci_request *r) {
    int i = 0;
    if (!t->program) return;
    while (r->number[i].name) i++;
    r->number[i] = (foci_named_number){"distillation_alpha", foci_training_read(config).distillation_alpha};
    snprintf(feeds, size, "%s teacher", r->feeds);
    r->feeds = feeds;
}

static int32_t best_of(const foci_real *logits, int64_t classes) {
    int32_t best = 0;
    for (int32_t k = 1; k < classes; k++) best = logits[k] > logits[best] ? k : best;
    return best;
}

foci_status foci_teacher_feed(const foci_teacher *t, const foci_task_state *data, foci_program *p, int64_t first) {
    const foci_real *logits;
    if (!t->program) return FOCI_OK;
    FOCI_TRY(t->task->feed(data, t->program, first));
    FOCI_TRY(foci_program_forward(t->program));
    FOCI_TRY(foci_program_fetch(t->program, "logits", &logits));
    for (int64_t i = 0; i < t->batch; i++) t->label[i] = best_of(logits + i * t->classes, t->classes);
    return foci_program_feed(p, "teacher", t->label);
}

double foci_teacher_flop(const foci_teacher *t) {
    return t->program ? foci_graph_cost(foci_program_graph(t->program)).forward : 0;
}

double foci_teacher_bytes(const foci_teacher *t) {
    return (double)foci_program_set_bytes(&t->set, NULL) + (double)t->parameters.size * sizeof(foci_real);
}
