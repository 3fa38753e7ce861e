#include "task/load_model.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/load.h"
#include "core/program.h"
#include "task/task.h"
#include "task/training.h"

/* Words that the model's inputs may be, as the weights have rows for them; 0: its inputs are none. */
static int64_t words_of(const foci_model *model, const char *weights) {
    static const char parallel[] = "module."; /* core/load.c */
    foci_safetensors f;
    int64_t words = 0;
    if (!model->embedding || foci_safetensors_open(&f, weights)) return 0;
    for (int i = 0; i < f.count; i++) {
        const foci_safetensor *t = &f.tensor[i];
        const bool wrapped = strncmp(t->name, parallel, strlen(parallel)) == 0;
        if (foci_names_within(t->name + (wrapped ? strlen(parallel) : 0), model->embedding) && t->ndim)
            words = t->shape[0];
    }
    foci_safetensors_close(&f);
    return words;
}

foci_graph_options foci_run_options(const foci_config *config) {
    return (foci_graph_options){.bf16 = foci_eval_bf16(config)};
}

/* Recording one sample declares the parameters. */
static foci_status declare(foci_parameters *p, const foci_model *model, const foci_config *config, int64_t classes,
                           const char *weights) {
    foci_program_set set;
    foci_program *one;
    foci_program_set_init(&set, p);
    foci_status s = foci_program_open_model(
        &one, &set, &(foci_graph_options){.place = foci_config_place(config, "model.kind")}, model,
        &(foci_request){.config = config,
                        .batch = 1,
                        .classes = classes,
                        .vocabulary = words_of(model, weights),
                        .feeds = foci_task_of(model)->feeds});
    foci_program_set_free(&set);
    return s;
}

/* The names that the weights carry are those that the outputs have here. */
static foci_status check_labels(const foci_model *model, const foci_config *config, const char *weights) {
    const char *key = foci_task_of(model)->labels, *path = foci_config_string(config, "data.labels");
    if (!key || !*path || strcmp(path, weights) == 0) return FOCI_OK;
    foci_safetensors f;
    char *names;
    size_t size;
    FOCI_TRY(foci_labels_read(config, key, &names, &size));
    foci_status s = foci_safetensors_open(&f, weights);
    if (s) {
        free(names);
        return s;
    }
    const char *its = foci_safetensors_metadata(&f, key);
    if (its && strcmp(its, names) != 0)
        s = foci_fail(FOCI_ERR_CHECKPOINT, "%s: its %s is not that of %s", weights, key, path);
    foci_safetensors_close(&f);
    free(names);
    return s;
}

/* A training that diverged may have left weights that are no numbers, and whatever came out of them would be none. */
static foci_status check_finite(const foci_parameters *p, const char *weights) {
    for (int k = 0; k < p->count; k++) {
        const foci_parameter_entry *e = &p->entry[k];
        for (int64_t i = 0; i < e->numel; i++)
            if (!isfinite(p->value[e->offset + i]))
                return foci_fail(FOCI_ERR_DIVERGED, "%s: %s has values that are no numbers; its training diverged",
                                 weights, e->name);
    }
    return FOCI_OK;
}

foci_status foci_load_model(foci_parameters *p, const foci_model *model, const foci_config *config, int64_t classes,
                            const char *weights) {
    FOCI_TRY(foci_eval_check_dtype(config));
    foci_parameters_init(p);
    FOCI_TRY(declare(p, model, config, classes, weights));
    FOCI_TRY(foci_parameters_allocate(p, false));
    FOCI_TRY(check_labels(model, config, weights));
    FOCI_TRY(foci_load_weights(p, weights));
    return check_finite(p, weights);
}
