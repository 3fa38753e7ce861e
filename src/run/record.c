#include "run/record.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "base/file.h"
#include "run/folder.h"
#include "run/json.h"

static const size_t most_bytes = (size_t)1 << 31, most_summary = 1 << 20;

/* -------------------------------------------------------------------------------------------------- lines */

static json_t *line_of(const char *text, size_t length) {
    json_t *object = length > FOCI_METRICS_LINE ? NULL : json_loadb(text, length, JSON_REJECT_DUPLICATES, NULL);
    if (json_is_object(object) && json_is_integer(json_object_get(object, "step"))) return object;
    json_decref(object);
    return NULL;
}

foci_status foci_run_record_read(const char *run, json_t **lines) {
    char path[4200], *text;
    size_t size, number = 1;
    *lines = NULL;
    FOCI_TRY(foci_path_join(path, sizeof path, run, "metrics.jsonl"));
    FOCI_TRY(foci_read_file(path, most_bytes, &text, &size, FOCI_ERR_DATA));
    json_t *all = json_array();
    bool complete = all;
    for (char *line = text, *end; complete && (end = memchr(line, '\n', size - (size_t)(line - text)));
         line = end + 1, number++) {
        json_t *object = line_of(line, (size_t)(end - line));
        if (object) complete = json_array_append_new(all, object) == 0;
        else foci_log(FOCI_LOG_WARN, "%s:%zu: no line of metrics; it is left out", path, number);
    }
    free(text);
    if (complete) *lines = all;
    else json_decref(all);
    return complete ? FOCI_OK : foci_fail(FOCI_ERR_RUNTIME, "%s: out of memory", path);
}

const foci_metric *foci_run_record_metric(const json_t *line) {
    for (const foci_task *const *task = foci_tasks; *task; task++)
        if (json_is_number(json_object_get(line, (*task)->metric))) return foci_metric_find((*task)->metric);
    return NULL;
}

const json_t *foci_run_record_score(const json_t *lines, bool last) {
    const json_t *best = NULL, *line;
    size_t i;
    json_array_foreach((json_t *)(uintptr_t)lines, i, line) {
        const foci_metric *m = foci_run_record_metric(line);
        if (!m) continue;
        const double x = json_number_value(json_object_get(line, m->name));
        const double y = json_number_value(json_object_get(best, m->name));
        if (!best || last || foci_metric_is_better(m, x, y)) best = line;
    }
    return best;
}

/* ---------------------------------------------------------------------------------------------------- CSV */

static void write_cell(FILE *f, const json_t *value) {
    if (json_is_integer(value)) fprintf(f, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
    else if (json_is_real(value)) foci_csv_number(f, json_real_value(value), 9);
}

static bool write_rows(FILE *f, const json_t *lines) {
    json_t *columns = json_object(), *line, *value;
    const char *name, *comma = "";
    size_t i;
    if (!columns) return false;
    json_array_foreach((json_t *)(uintptr_t)lines, i, line)
        json_object_foreach(line, name, value) if (!strpbrk(name, ",\"\n\r"))
            json_object_set_new(columns, name, json_null());
    json_object_foreach(columns, name, value) {
        fprintf(f, "%s%s", comma, name);
        comma = ",";
    }
    fputc('\n', f);
    json_array_foreach((json_t *)(uintptr_t)lines, i, line) {
        comma = "";
        json_object_foreach(columns, name, value) {
            fputs(comma, f);
            write_cell(f, json_object_get(line, name));
            comma = ",";
        }
        fputc('\n', f);
    }
    json_decref(columns);
    return true;
}

foci_status foci_run_record_csv(const char *run, const json_t *lines) {
    char path[4200], *text = NULL;
    size_t size;
    FOCI_TRY(foci_path_join(path, sizeof path, run, "metrics.csv"));
    FILE *f = open_memstream(&text, &size);
    bool complete = f && write_rows(f, lines);
    if (f) complete &= fclose(f) == 0;
    foci_status s =
        complete ? foci_write_file(path, text, size) : foci_fail(FOCI_ERR_RUNTIME, "%s: out of memory", path);
    free(text);
    return s;
}

/* ------------------------------------------------------------------------------------------------ summary */

static const char *const statuses[FOCI_RUN_STATUSES] = {"running",  "finished", "interrupted",
                                                        "diverged", "failed",   "killed"};
const char *foci_run_status_name(foci_run_status status) { return statuses[status]; }

static double peak_mb(void) {
    struct rusage use;
    return getrusage(RUSAGE_SELF, &use) == 0 ? (double)use.ru_maxrss / 1e3 * 1.024 : 0;
}

static double mean_speed(const json_t *lines) {
    double speed = 0;
    size_t i, n = 0;
    const json_t *line;
    json_array_foreach((json_t *)(uintptr_t)lines, i, line) {
        const json_t *rate = json_object_get(line, "items_per_s");
        if (json_is_number(rate)) speed += json_number_value(rate), n++;
    }
    return n ? speed / (double)n : (double)NAN;
}

void foci_run_report_scores(foci_report *r, const json_t *best, const json_t *last) {
    if (!best) return;
    foci_report_text(r, "metric", foci_run_record_metric(best)->name);
    foci_report_json_value(r, "best", best);
    foci_report_json_value(r, "last", last);
}

static void report_summary(foci_report *r, const foci_run_summary *s, const json_t *lines) {
    const double speed = mean_speed(lines);
    foci_report_text(r, "state", statuses[s->status]);
    foci_report_whole(r, "step", s->step);
    foci_report_whole(r, "steps", s->steps);
    foci_report_whole(r, "parameters", s->parameters);
    foci_report_whole(r, "left_out", s->left_out);
    foci_report_whole(r, "seed", s->seed);
    foci_report_number(r, "elapsed", s->elapsed);
    foci_report_number(r, "peak_mb", peak_mb());
    foci_report_text(r, "foci", FOCI_VERSION);
    if (s->message) foci_report_text(r, "message", s->message);
    if (isfinite(speed)) foci_report_number(r, "items_per_s", speed);
    foci_run_report_scores(r, foci_run_record_score(lines, false), foci_run_record_score(lines, true));
}

foci_status foci_run_summary_write(const char *run, const foci_run_summary *summary, const json_t *lines) {
    char path[4200];
    foci_report r = {NULL};
    FOCI_TRY(foci_path_join(path, sizeof path, run, "summary.json"));
    report_summary(&r, summary, lines);
    foci_status s = foci_report_write(&r, &(foci_json_form){.indent = 2, .digits = 9, .point = true}, path);
    foci_report_free(&r);
    return s;
}

foci_status foci_run_summary_read(const char *run, foci_run_status *status, json_t **object) {
    char path[4200], *text;
    size_t size;
    json_error_t e;
    *object = NULL;
    *status = foci_run_folder_locked(run) ? FOCI_RUN_RUNNING : FOCI_RUN_KILLED;
    FOCI_TRY(foci_path_join(path, sizeof path, run, "summary.json"));
    if (!foci_path_kind(path)) return FOCI_OK;
    FOCI_TRY(foci_read_file(path, most_summary, &text, &size, FOCI_ERR_DATA));
    *object = json_loadb(text, size, JSON_REJECT_DUPLICATES, &e);
    free(text);
    if (!*object) return foci_fail(FOCI_ERR_DATA, "%s:%d: %s", path, e.line, e.text);
    const char *word = json_string_value(json_object_get(*object, "state"));
    for (int k = FOCI_RUN_FINISHED; word && k < FOCI_RUN_STATUSES && *status == FOCI_RUN_KILLED; k++)
        if (strcmp(word, statuses[k]) == 0) *status = (foci_run_status)k;
    return FOCI_OK;
}
