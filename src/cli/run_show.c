#include "cli/run_show.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "task/schema.h"

static const json_t *last_line(const json_t *lines) {
    const size_t n = json_array_size(lines);
    return n ? json_array_get(lines, n - 1) : NULL;
}

static long long integer(const json_t *object, const char *name) {
    return (long long)json_integer_value(json_object_get(object, name));
}

static double latest(const json_t *lines, const char *name) {
    for (size_t i = json_array_size(lines); i-- > 0;) {
        const json_t *x = json_object_get(json_array_get(lines, i), name);
        if (json_is_number(x)) return json_number_value(x);
    }
    return 0;
}

/* A run without a summary, of an older foci: its length follows from its config and from how far a step gets, and it is
 * finished where it got there. */
static foci_status view_without_summary(foci_run_view *v) {
    char path[4200];
    foci_config *c;
    const double epoch = latest(v->lines, "epoch");
    if (epoch <= 0) return FOCI_OK;
    FOCI_TRY(foci_path_join(path, sizeof path, v->path, "config.yaml"));
    FOCI_TRY(foci_config_load(&c, foci_schema_all(), path, NULL, 0));
    const long long most = foci_config_int(c, "train.max_steps");
    v->steps = llround((double)v->step / epoch * (double)foci_config_int(c, "train.epochs"));
    if (most && most < v->steps) v->steps = most;
    foci_config_free(c);
    if (v->status == FOCI_RUN_KILLED && v->best && v->step >= v->steps) v->status = FOCI_RUN_FINISHED;
    return FOCI_OK;
}

foci_status foci_run_view_open(foci_run_view *v, const char *path) {
    size_t length = strlen(path);
    while (length > 1 && path[length - 1] == '/') length--;
    const char *name = path + length;
    while (name > path && name[-1] != '/') name--;
    *v = (foci_run_view){.path = path, .name = name};
    FOCI_TRY(foci_run_record_read(path, &v->lines));
    FOCI_TRY(foci_run_summary_read(path, &v->status, &v->summary));
    v->best = foci_run_record_score(v->lines, false);
    v->last = foci_run_record_score(v->lines, true);
    v->step = integer(last_line(v->lines), "step");
    v->steps = integer(v->summary, "steps");
    v->elapsed = latest(v->lines, "elapsed");
    return v->summary ? FOCI_OK : view_without_summary(v);
}

void foci_run_view_close(foci_run_view *v) {
    json_decref(v->lines);
    json_decref(v->summary);
}

void foci_run_name_text(const char *name, char text[256]) {
    snprintf(text, 256, "%s", name);
    for (char *c = text; *c; c++)
        if ((unsigned char)*c < ' ' || *c == 127) *c = '?';
}

void foci_run_view_report(const foci_run_view *v, foci_report *r) {
    foci_report_text(r, "run", v->path);
    foci_report_text(r, "state", foci_run_status_name(v->status));
    foci_report_whole(r, "step", v->step);
    foci_report_number(r, "elapsed", v->elapsed);
    if (v->steps) foci_report_whole(r, "steps", v->steps);
    foci_run_report_scores(r, v->best, v->last);
}

void foci_run_steps_text(const foci_run_view *v, char text[64]) {
    if (v->steps) snprintf(text, 64, "%lld/%lld", v->step, v->steps);
    else snprintf(text, 64, "%lld", v->step);
}

void foci_run_score_text(const json_t *line, char text[64]) {
    const foci_metric *m = foci_run_record_metric(line);
    snprintf(text, 64, "-");
    if (!m) return;
    const double x = json_number_value(json_object_get(line, m->name));
    foci_metric_text(m, m->brief ? m->brief : m->title, x, m->decimals, text, 64);
    const size_t used = strlen(text);
    snprintf(text + used, 64 - used, " (%lld)", integer(line, "step"));
}
