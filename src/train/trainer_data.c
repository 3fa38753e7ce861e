/* What a run knows of its data: the names of its outputs, which go with the weights, and the files that it learns from,
 * which must be the same when it goes on. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "core/load.h"
#include "run/environment.h"
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

foci_status foci_trainer_init(foci_trainer *t, char *from, size_t size) {
    foci_parameters *p = &t->programs.parameters;
    const foci_head head = {t->model->head, t->task->labels,
                            t->task->labels ? foci_meaning_find(&t->meaning, t->task->labels) : NULL};
    FOCI_TRY(check_vocabulary(t, &head));
    foci_real *before = foci_large_alloc((size_t)p->size * sizeof *before);
    if (!before) return foci_fail(FOCI_ERR_RUNTIME, "out of memory for weights to start from");
    memcpy(before, p->value, (size_t)p->size * sizeof *before);
    foci_status s = foci_init_weights(p, t->options->init, t->model->head, from, size);
    if (!s) s = foci_init_head(p, t->options->init, &head, before, from, size);
    free(before);
    return s;
}

/* ----------------------------------------------------------------------------------------------- comparing */

/* The path of the list of names in the run; false: its task has none. */
static bool labels_path(const foci_trainer *t, char path[4200], foci_status *s) {
    char name[64];
    if (!t->task->labels || !foci_meaning_find(&t->meaning, t->task->labels)) return false;
    snprintf(name, sizeof name, "%s.txt", t->task->labels);
    *s = foci_path_join(path, 4200, t->folder.path, name);
    return !*s;
}

static foci_status compare_labels(const foci_trainer *t) {
    enum { MOST = 1 << 28 };
    char path[4200], *before;
    size_t size;
    foci_status s = FOCI_OK;
    if (!labels_path(t, path, &s) || foci_path_kind(path) != 'f') return s;
    FOCI_TRY(foci_read_file(path, MOST, &before, &size, FOCI_ERR_DATA));
    const bool same = strcmp(before, foci_meaning_find(&t->meaning, t->task->labels)) == 0;
    free(before);
    if (same) return FOCI_OK;
    return foci_fail(FOCI_ERR_DATA, "%s: the %s of the data is no longer that of the run, which its weights learnt",
                     path, t->task->labels);
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
    FOCI_TRY(compare_labels(t));
    FOCI_TRY(foci_path_join(path, sizeof path, t->folder.path, LIST));
    if (foci_path_kind(path) == 'f') return compare_files(t, path);
    foci_run_log(&t->folder, "an older foci began this run and kept no list of its files; whether its data changed is "
                             "not known");
    return FOCI_OK;
}

/* ------------------------------------------------------------------------------------------------- keeping */

foci_status foci_trainer_keep(const foci_trainer *t) {
    char path[4200];
    foci_status s = FOCI_OK;
    if (labels_path(t, path, &s)) {
        const char *names = foci_meaning_find(&t->meaning, t->task->labels);
        s = foci_write_file(path, names, strlen(names));
    }
    FOCI_TRY(s);
    if (!t->files.count) return FOCI_OK;
    FOCI_TRY(foci_path_join(path, sizeof path, t->folder.path, LIST));
    return foci_manifest_write(&t->files, path);
}
