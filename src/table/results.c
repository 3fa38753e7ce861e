/* Results, each in a file of its own, RESULTS/RUN/MEASUREMENT.json, named by what it was made from, so that tables may
 * share that folder. It says of which weights and data it is: where these are there and differ, it counts for nothing;
 * where they are gone it stands by itself. What came with the table's file lies in `results` beside it. */
#define _GNU_SOURCE
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/file.h"
#include "core/safetensors.h"
#include "run/json.h"
#include "run/open.h"
#include "table/work.h"
#include "task/task.h"

foci_table_result *foci_result_of(const foci_work *w, const foci_job *j) {
    return foci_table_at(w->t, w->t->row[j->row].shown, j->sample, j->measure);
}

enum { PATCHES = 1024 }; /* a side has at most */

/* {"photograph": "iVBOR..", "attention": [[0.1, ..], ..]}; false where it is not of that form. */
static bool take_picture(foci_arena *arena, const json_t *from, foci_table_picture *p) {
    const char *photograph = json_string_value(json_object_get(from, "photograph"));
    const json_t *rows = json_object_get(from, "attention");
    *p = (foci_table_picture){.rows = (int)json_array_size(rows),
                              .columns = (int)json_array_size(json_array_get(rows, 0))};
    if (!photograph ||
        photograph[strspn(photograph, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=")])
        return false;
    p->photograph = foci_arena_strdup(arena, photograph);
    double *attention = foci_arena_alloc(arena, sizeof(double) * (size_t)(p->rows * p->columns + 1));
    p->attention = attention;
    for (int i = 0; attention && i < p->rows * p->columns; i++)
        attention[i] =
            json_number_value(json_array_get(json_array_get(rows, (size_t)(i / p->columns)), (size_t)(i % p->columns)));
    return p->photograph && attention;
}

static void take_pictures(foci_work *w, const json_t *maps, foci_table_result *r) {
    const size_t count = json_array_size(maps);
    r->pictures = 0;
    if (!count) return;
    r->picture = foci_arena_alloc(&w->t->arena, count * sizeof *r->picture);
    while (r->picture && (size_t)r->pictures < count &&
           take_picture(&w->t->arena, json_array_get(maps, (size_t)r->pictures), &r->picture[r->pictures]))
        r->pictures++;
}

static void take_values(foci_work *w, const foci_job *j, const json_t *result) {
    foci_table_result *r = foci_result_of(w, j);
    const foci_table_measure *m = &w->t->measure[j->measure];
    r->known = true;
    for (int i = 0; i < m->fields; i++) {
        const json_t *x = json_object_get(result, m->field[i]->name);
        r->value[i] = json_is_number(x) ? json_number_value(x) : (double)NAN;
    }
    take_pictures(w, json_object_get(result, "maps"), r);
}

/* The data that a run is measured on, by names and content; NULL where they cannot be read. Looked at once. */
static const char *data_of(const foci_work *w, foci_job *j) {
    char weights[FOCI_WORK_PATH], text[512];
    foci_config *config;
    for (const foci_job *k = w->job; k < w->job + w->jobs && !j->data; k++)
        if (k->run && k->data && strcmp(k->run, j->run) == 0) j->data = k->data;
    if (j->data || foci_find_weights(j->run, NULL, weights, sizeof weights) ||
        foci_config_open_trained(&config, j->run, weights, NULL, 0))
        return j->data;
    if (!foci_task_fingerprint(config, FOCI_VALID | FOCI_TEST, text, sizeof text))
        j->data = foci_arena_strdup(&w->t->arena, text);
    foci_config_free(config);
    return j->data;
}

static void tell_weights(const foci_work *w, const foci_job *j, const char *name, foci_report *r) {
    char path[FOCI_WORK_PATH], checksum[FOCI_CHECKSUM];
    const char *checkpoint = w->t->measure[j->measure].asked.checkpoint;
    if (!j->run || foci_find_weights(j->run, checkpoint, path, sizeof path)) return;
    if (!foci_safetensors_checksum(path, checksum)) foci_report_text(r, name, checksum);
}

/* What a measurement is taken of, as far as it is there: texts that change with it. */
static void tell_source(const foci_work *w, foci_job *j, foci_report *r) {
    const foci_job *read = foci_job_read(w, j);
    tell_weights(w, j, "weights", r);
    if (j->run && data_of(w, j)) foci_report_text(r, "data", j->data);
    if (read) tell_weights(w, read, "relative_to", r);
}

/* Nothing that both know of the source differs. */
static bool is_of(const foci_work *w, foci_job *j, const json_t *source) {
    foci_report now = {NULL};
    bool same = true;
    if (j->measure >= 0) tell_source(w, j, &now);
    for (const foci_report_entry *e = now.first; e; e = e->next) {
        const char *then = json_string_value(json_object_get(source, e->name));
        same &= !then || strcmp(then, e->text) == 0;
    }
    foci_report_free(&now);
    return same;
}

static void copy(char *out, size_t size, const json_t *text) {
    const char *value = json_string_value(text);
    snprintf(out, size, "%s", value ? value : "");
}

static bool take_from(foci_work *w, foci_job *j, const char *path, bool closely) {
    char *text;
    size_t size;
    if (!path || foci_path_kind(path) != 'f' || foci_read_file(path, 1 << 22, &text, &size, FOCI_ERR_IO)) return false;
    json_t *file = json_loadb(text, size, JSON_REJECT_DUPLICATES, NULL);
    const json_t *result = json_object_get(file, "result");
    const bool ok = json_is_object(result) && (!closely || is_of(w, j, json_object_get(file, "of")));
    if (ok) {
        j->found = path;
        copy(j->date, sizeof j->date, json_object_get(file, "date"));
        copy(j->foci, sizeof j->foci, json_object_get(file, "foci"));
        if (j->measure >= 0) take_values(w, j, result);
    }
    json_decref(file);
    free(text);
    return ok;
}

bool foci_result_take(foci_work *w, foci_job *j, bool closely) {
    return take_from(w, j, j->result, closely) || take_from(w, j, j->shipped, closely);
}

/* When it was made, and by what. */
static void tell_origin(const foci_work *w, foci_report *r) {
    char date[32];
    const time_t now = time(NULL);
    struct tm utc;
    strftime(date, sizeof date, "%Y-%m-%d %H:%M", gmtime_r(&now, &utc));
    foci_report_text(r, "date", date);
    foci_report_text(r, "foci", w->o->program);
}

foci_status foci_result_keep(foci_work *w, foci_job *j, const json_t *result) {
    char folder[FOCI_WORK_PATH];
    snprintf(folder, sizeof folder, "%.*s", (int)(strrchr(j->result, '/') - j->result), j->result);
    FOCI_TRY(foci_make_dirs(folder));
    foci_report file = {NULL};
    foci_report_text(&file, "name", j->name);
    foci_report *command = foci_report_list(&file, "command");
    for (int i = 0; i < j->words; i++) foci_report_text(command, NULL, j->word[i]);
    if (j->measure >= 0) tell_source(w, j, foci_report_part(&file, "of"));
    tell_origin(w, &file);
    foci_report_json_value(&file, "result", result);
    foci_status s = foci_report_write(&file, &(foci_json_form){.digits = 17, .point = true}, j->result);
    foci_report_free(&file);
    j->found = j->result;
    if (!s && j->measure >= 0) take_values(w, j, result);
    return s;
}
