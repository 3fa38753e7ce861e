/* What a run knows of its data: the names of its outputs, which go with the weights, and the files that it learns from,
 * which must be the same when it goes on. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "core/load.h"
#include "run/environment.h"
#include "task/hugging_face.h"
#include "train/trainer_work.h"

static const char LIST[] = "data.txt";

foci_status foci_trainer_know(foci_trainer *t) {
    char digest[512];
    if (t->task->mean) FOCI_TRY(t->task->mean(t->data, &t->meaning));
    FOCI_TRY(foci_teacher_check(&t->teacher, t->data, &t->meaning));
    if (t->task->check) FOCI_TRY(t->task->check(t->data));
    if (!t->task->list) return FOCI_OK;
    FOCI_TRY(t->task->list(t->data, &t->files));
    FOCI_TRY(foci_manifest_look(&t->files));
    foci_manifest_digest(&t->files, digest, sizeof digest);
    return foci_meaning_add(&t->meaning, "data", digest);
}

/* ---------------------------------------------------------------------------------------------- from others */

/* A vocabulary is not mapped word by word: it is kept as a whole. */
static foci_status check_vocabulary(const foci_trainer *t, const foci_head *head) {
    foci_safetensors f;
    if (!t->task->keeps_labels || !head->labels) return FOCI_OK;
    FOCI_TRY(foci_safetensors_open(&f, t->options->init));
    const char *its = foci_safetensors_metadata(&f, head->key);
    const bool same = !its || strcmp(its, head->labels) == 0;
    foci_safetensors_close(&f);
    if (same) return FOCI_OK;
    return foci_fail(FOCI_ERR_CHECKPOINT, "%s: its %s is not that of the data; data.labels: %s keeps it",
                     t->options->init, head->key, t->options->init);
}

static const char *names_of(const foci_trainer *t, const char *key) {
    return key ? foci_meaning_find(&t->meaning, key) : NULL;
}

/* Outputs and words of inputs have the weights of those of their name. */
static foci_status take_names(foci_trainer *t, const foci_head *outputs, const foci_real *before, char *from,
                              size_t size) {
    foci_parameters *p = &t->programs.parameters;
    const foci_head words = {t->model->embedding, t->task->words, names_of(t, t->task->words), "words"};
    FOCI_TRY(foci_init_head(p, t->options->init, outputs, t->train.fresh, before, from, size));
    return foci_init_head(p, t->options->init, &words, t->train.fresh, before, from, size);
}

/* Parameters that may have another shape: as many rows as there are outputs or words. */
static void name_heads(const foci_trainer *t, char *names, size_t size) {
    const char *head = t->model->head, *embedding = t->model->embedding;
    snprintf(names, size, "%s%s%s", head ? head : "", head && embedding ? " " : "", embedding ? embedding : "");
}

static foci_status check_fresh(const foci_trainer *t) {
    const foci_parameters *p = &t->programs.parameters;
    size_t length;
    for (const char *at = t->train.fresh + strspn(t->train.fresh, " "); *at; at += length + strspn(at + length, " ")) {
        bool known = false;
        length = strcspn(at, " ");
        for (int i = 0; i < p->count; i++) known |= foci_name_within(p->entry[i].name, at, length);
        if (!known)
            return foci_config_fail(t->config, "train.fresh", "no parameter is called %.*s, or begins so", (int)length,
                                    at);
    }
    return FOCI_OK;
}

foci_status foci_trainer_init(foci_trainer *t, char *from, size_t size) {
    foci_parameters *p = &t->programs.parameters;
    const foci_head outputs = {t->model->head, t->task->labels, names_of(t, t->task->labels), "outputs"};
    char heads[256];
    FOCI_TRY(check_fresh(t));
    FOCI_TRY(foci_hugging_face_check(t->config, t->task->classes ? t->task->classes(t->data) : 0, t->options->init));
    FOCI_TRY(check_vocabulary(t, &outputs));
    foci_real *before = foci_large_alloc((size_t)p->size * sizeof *before);
    if (!before) return foci_fail(FOCI_ERR_RUNTIME, "out of memory for weights to start from");
    memcpy(before, p->value, (size_t)p->size * sizeof *before);
    name_heads(t, heads, sizeof heads);
    foci_status s = foci_init_weights(p, t->options->init, heads, t->train.fresh, from, size);
    if (!s) s = take_names(t, &outputs, before, from, size);
    free(before);
    return s;
}

/* ----------------------------------------------------------------------------------------------- comparing */

/* The path of a list of names in the run. */
static foci_status list_path(const foci_trainer *t, const char *key, char path[4200]) {
    char name[64];
    snprintf(name, sizeof name, "%s.txt", key);
    return foci_path_join(path, 4200, t->folder.path, name);
}

/* The lists of names that there are: of outputs, of words. */
static foci_status each_list(const foci_trainer *t,
                             foci_status (*visit)(const foci_trainer *t, const char *key, const char *names)) {
    const char *const keys[] = {t->task->labels, t->task->words};
    for (int i = 0; i < 2; i++)
        if (names_of(t, keys[i])) FOCI_TRY(visit(t, keys[i], names_of(t, keys[i])));
    return FOCI_OK;
}

static foci_status compare_list(const foci_trainer *t, const char *key, const char *names) {
    enum { MOST = 1 << 28 };
    char path[4200], *before;
    size_t size;
    FOCI_TRY(list_path(t, key, path));
    if (foci_path_kind(path) != 'f') return FOCI_OK;
    FOCI_TRY(foci_read_file(path, MOST, &before, &size, FOCI_ERR_DATA));
    const bool same = strcmp(before, names) == 0;
    free(before);
    if (same) return FOCI_OK;
    return foci_fail(FOCI_ERR_DATA, "%s: the %s of the data is no longer that of the run, which its weights learnt",
                     path, key);
}

static foci_status write_list(const foci_trainer *t, const char *key, const char *names) {
    char path[4200];
    FOCI_TRY(list_path(t, key, path));
    return foci_write_file(path, names, strlen(names));
}

static foci_status compare_files(foci_trainer *t, const char *path) {
    foci_manifest before;
    char text[2048];
    FOCI_TRY(foci_manifest_read(&before, path));
    const int64_t changed = foci_manifest_compare(&before, &t->files, text, sizeof text);
    foci_manifest_free(&before);
    if (!changed) return FOCI_OK;
    if (!t->options->accept_changed_data)
        return foci_fail(FOCI_ERR_DATA,
                         "%s was begun with other data: %s; --accept-changed-data goes on with what is there now",
                         t->folder.path, text);
    foci_run_log(&t->folder, "the data changed since the run was begun, which was accepted: %s", text);
    return FOCI_OK;
}

static void compare_environment(foci_trainer *t) {
    char text[512];
    if (foci_environment_differs(t->folder.path, text, sizeof text))
        foci_run_log(&t->folder, "the run was begun with %s: bits may differ from there on", text);
}

foci_status foci_trainer_compare(foci_trainer *t) {
    char path[4200];
    compare_environment(t);
    FOCI_TRY(each_list(t, compare_list));
    FOCI_TRY(foci_path_join(path, sizeof path, t->folder.path, LIST));
    if (foci_path_kind(path) == 'f') return compare_files(t, path);
    foci_run_log(&t->folder, "an older foci began this run and kept no list of its files; whether its data changed is "
                             "not known");
    return FOCI_OK;
}

/* ------------------------------------------------------------------------------------------------- keeping */

foci_status foci_trainer_keep(const foci_trainer *t) {
    char path[4200];
    FOCI_TRY(each_list(t, write_list));
    if (!t->files.count) return FOCI_OK;
    FOCI_TRY(foci_path_join(path, sizeof path, t->folder.path, LIST));
    return foci_manifest_write(&t->files, path);
}
