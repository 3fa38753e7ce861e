#include "shift/classifier.h"

#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "config/config.h"
#include "task/load_model.h"
#include "task/task.h"

static foci_status out_of_memory(void) { return foci_fail(FOCI_ERR_RUNTIME, "out of memory for evaluation"); }

/* ------------------------------------------------------------------------------------------------ classes */

static foci_status name_class(foci_classifier *c, int64_t *room, const char *name) {
    if (c->classes == *room) {
        *room = *room ? 2 * *room : 1024;
        const char **grown = realloc(c->class_name, (size_t)*room * sizeof *grown);
        if (!grown) return out_of_memory();
        c->class_name = grown;
    }
    c->class_name[c->classes++] = name;
    return FOCI_OK;
}

static foci_status read_classes(foci_classifier *c, const char *path) {
    size_t size;
    int64_t room = 0;
    FOCI_TRY(foci_read_file(path, 1 << 24, &c->text, &size, FOCI_ERR_DATA));
    if (strlen(c->text) != size) return foci_fail(FOCI_ERR_DATA, "%s: not a text", path);
    char *rest;
    for (char *line = strtok_r(c->text, "\r\n", &rest); line; line = strtok_r(NULL, "\r\n", &rest))
        FOCI_TRY(name_class(c, &room, line));
    return c->classes ? FOCI_OK : foci_fail(FOCI_ERR_DATA, "%s: names no class", path);
}

static foci_status classes_of_val(foci_classifier *c, const foci_config *config) {
    int64_t room = 0;
    FOCI_TRY(foci_image_sets_open(&c->sets, config, FOCI_VALID));
    for (int k = 0; k < foci_image_set_classes(c->sets.val); k++)
        FOCI_TRY(name_class(c, &room, foci_image_set_class_name(c->sets.val, k)));
    return FOCI_OK;
}

/* Those that the model's weights carry, or, where they carry none, those of the validation data. */
static foci_status classes_of_model(foci_classifier *c, const foci_config *config) {
    foci_labels l;
    FOCI_TRY(foci_labels_open(&l, config, foci_task_images.labels));
    if (!l.count) return classes_of_val(c, config);
    c->text = l.text;
    c->class_name = l.name;
    c->classes = l.count;
    return FOCI_OK;
}

static foci_status find_classes(foci_classifier *c, const foci_config *config, const char *file) {
    FOCI_TRY(file ? read_classes(c, file) : classes_of_model(c, config));
    const int64_t wanted = foci_config_int(config, "model.num_classes");
    if (!wanted || wanted == c->classes) return FOCI_OK;
    if (file)
        return foci_fail(FOCI_ERR_DATA, "%s: names %lld classes, but the model has %lld", file, (long long)c->classes,
                         (long long)wanted);
    return foci_config_fail(config, "model.num_classes", "%lld, but the data has %lld classes", (long long)wanted,
                            (long long)c->classes);
}

/* -------------------------------------------------------------------------------------------------- model */

static foci_status record(foci_classifier *c, const foci_model *model, const foci_config *config) {
    const int64_t chosen = foci_config_int(config, "train.eval_batch");
    c->batch = chosen && chosen < 128 ? chosen : 128;
    foci_graph_options options = foci_run_options(config);
    options.place = foci_config_place(config, "model.kind");
    FOCI_TRY(foci_program_open_model(
        &c->program, &c->set, &options, model,
        &(foci_request){.config = config, .batch = c->batch, .classes = c->classes, .feeds = "images"}));
    FOCI_TRY(foci_program_set_ready(&c->set));
    c->input = foci_large_calloc((size_t)(c->batch * c->pixels) * sizeof *c->input);
    return c->input ? foci_program_feed(c->program, "images", c->input) : out_of_memory();
}

static foci_status open_classifier(foci_classifier *c, const foci_config *config, const char *weights,
                                   const char *classes) {
    const foci_model *model;
    FOCI_TRY(foci_task_wanted(config, &foci_task_images, "images", &model));
    FOCI_TRY(foci_transform_from_config(&c->transform, config, false));
    c->pixels = (int64_t)3 * c->transform.height * c->transform.width;
    FOCI_TRY(find_classes(c, config, classes));
    FOCI_TRY(foci_load_model(&c->parameters, model, config, c->classes, weights));
    return record(c, model, config);
}

foci_status foci_classifier_open(foci_classifier *c, const foci_config *config, const char *weights,
                                 const char *classes) {
    *c = (foci_classifier){.config = config, .by_file = classes != NULL};
    foci_parameters_init(&c->parameters);
    foci_program_set_init(&c->set, &c->parameters);
    foci_status s = open_classifier(c, config, weights, classes);
    if (s) foci_classifier_close(c);
    return s;
}

void foci_classifier_close(foci_classifier *c) {
    foci_program_set_free(&c->set);
    foci_parameters_free(&c->parameters);
    foci_image_sets_close(&c->sets);
    free(c->class_name);
    free(c->text);
    free(c->input);
    *c = (foci_classifier){.classes = 0};
}

foci_status foci_classifier_run(foci_classifier *c) {
    FOCI_TRY(foci_program_forward(c->program));
    return foci_program_fetch(c->program, "logits", &c->logits);
}

/* ------------------------------------------------------------------------------------------------- images */

static foci_status label_folders(foci_images_of *m, const foci_classifier *c, const char *path) {
    const int folders = foci_image_set_classes(m->set);
    m->label = calloc((size_t)folders, sizeof *m->label);
    m->present = calloc((size_t)c->classes, sizeof *m->present);
    if (!m->label || !m->present) return out_of_memory();
    for (int k = 0; k < folders; k++) {
        const char *name = foci_image_set_class_name(m->set, k);
        int64_t class = 0;
        while (class < c->classes && strcmp(c->class_name[class], name) != 0) class ++;
        if (class == c->classes)
            return foci_fail(FOCI_ERR_DATA, "%s: the folder %s is none of the model's %lld classes (%s, ...)", path,
                             name, (long long)c->classes, c->class_name[0]);
        m->label[k] = (int32_t) class;
        m->present[class] = true;
    }
    return FOCI_OK;
}

/* Those of the classes that count, and of these `limit`. */
static foci_status list_images(foci_images_of *m, const char *path, const bool *only, int64_t limit) {
    const int64_t all = foci_image_set_count(m->set);
    int64_t fit = 0;
    m->index = malloc((size_t)all * sizeof *m->index);
    if (!m->index) return out_of_memory();
    for (int64_t i = 0; i < all; i++)
        if (!only || only[m->label[foci_image_set_label(m->set, i)]]) m->index[fit++] = i;
    if (!fit) return foci_fail(FOCI_ERR_DATA, "%s: no image of these classes", path);
    m->samples = (foci_image_samples){m->set, m->index, fit, limit && limit < fit ? limit : fit};
    return FOCI_OK;
}

/* The classes came from elsewhere; so the validation images are not open yet. */
static foci_status open_validation(foci_images_of *m, const foci_classifier *c) {
    foci_image_sets sets = {NULL, NULL};
    if (c->by_file) return foci_fail(FOCI_ERR_CONFIG, "the classes come from a file: name the images too (--val-dir)");
    const foci_status s = foci_image_sets_open(&sets, c->config, FOCI_VALID);
    if (s) foci_image_sets_close(&sets);
    m->set = sets.val;
    return s;
}

foci_status foci_images_of_open(foci_images_of *m, const foci_classifier *c, const char *path, const bool *only,
                                int64_t limit) {
    *m = (foci_images_of){.set = c->sets.val, .owned = path || !c->sets.val};
    if (path) FOCI_TRY(foci_image_set_open(&m->set, path));
    else if (m->owned) FOCI_TRY(open_validation(m, c));
    if (!path) path = "data.val";
    foci_status s = label_folders(m, c, path);
    if (!s) s = list_images(m, path, only, limit);
    if (s) foci_images_of_close(m);
    return s;
}

void foci_images_of_close(foci_images_of *m) {
    if (m->owned) foci_image_set_close(m->set);
    free(m->label);
    free(m->present);
    free(m->index);
    *m = (foci_images_of){.set = NULL};
}
