#define _GNU_SOURCE
#include "run/folder.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/file.h"
#include "run/environment.h"
#include "run/record.h"

static foci_status inside(const foci_run_folder *r, const char *name, char path[4200]) {
    return foci_path_join(path, 4200, r->path, name);
}

foci_status foci_run_folder_append(const foci_run_folder *r, const char *name, FILE **file) {
    char path[4200];
    FOCI_TRY(inside(r, name, path));
    *file = fopen(path, "ae");
    if (!*file) return foci_fail(FOCI_ERR_IO, "%s: %s", path, strerror(errno));
    setvbuf(*file, NULL, _IOLBF, 0); /* whole lines */
    return FOCI_OK;
}

bool foci_run_folder_locked(const char *path) {
    char file[4200];
    if (foci_path_join(file, sizeof file, path, "lock")) return false;
    int fd = open(file, O_RDONLY | O_CLOEXEC);
    bool locked = fd >= 0 && flock(fd, LOCK_SH | LOCK_NB) < 0 && errno == EWOULDBLOCK;
    if (fd >= 0) close(fd);
    return locked;
}

/* What is no line of metrics goes as well, and is named. */
foci_status foci_run_folder_rewind(foci_run_folder *r, int64_t step, bool evaluated) {
    char path[4200], *text;
    size_t size, keep = 0, number = 1;
    FOCI_TRY(inside(r, "metrics.jsonl", path));
    FOCI_TRY(foci_read_file(path, (size_t)1 << 31, &text, &size, FOCI_ERR_IO));
    for (char *line = text, *end; (end = memchr(line, '\n', size - (size_t)(line - text))); line = end + 1, number++) {
        const size_t length = (size_t)(end + 1 - line);
        json_t *object = length > FOCI_METRICS_LINE ? NULL : json_loadb(line, length, JSON_REJECT_DUPLICATES, NULL);
        const json_t *at = json_object_get(object, "step");
        bool good = json_is_integer(at), wanted = good && json_integer_value(at) <= step;
        if (good && !evaluated && json_integer_value(at) == step && foci_run_record_metric(object)) wanted = false;
        json_decref(object);
        if (!good) foci_run_log(r, "%s:%zu: no line of metrics; it is removed", path, number);
        if (!wanted) continue;
        memmove(text + keep, line, length);
        keep += length;
    }
    foci_status s = keep == size ? FOCI_OK : foci_write_file(path, text, keep);
    free(text);
    if (s) return s;
    fclose(r->metrics);
    r->metrics = NULL;
    return foci_run_folder_append(r, "metrics.jsonl", &r->metrics);
}

static foci_status write_config(const foci_run_folder *r, const foci_config *config) {
    char path[4200], *yaml = foci_config_record(config);
    if (!yaml) return foci_out_of_memory();
    foci_status s = inside(r, "config.yaml", path);
    if (!s) s = foci_write_file(path, yaml, strlen(yaml));
    free(yaml);
    return s;
}

foci_status foci_run_folder_describe(const foci_run_folder *r, const foci_config *config, const char *command) {
    FOCI_TRY(foci_environment_write(r->path, command));
    return write_config(r, config);
}

void foci_run_folder_close(foci_run_folder *r) {
    foci_events_close(r->events);
    if (r->metrics) fclose(r->metrics);
    if (r->log) fclose(r->log);
    if (r->lock >= 0) close(r->lock);
    r->metrics = r->log = NULL;
    r->events = NULL;
    r->lock = -1;
}

void foci_run_log(foci_run_folder *r, const char *fmt, ...) {
    char line[2048];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(line, sizeof line, fmt, ap);
    va_end(ap);
    if (r->log) fprintf(r->log, "%s\n", line);
    foci_log(FOCI_LOG_INFO, "%s", line);
}

foci_status foci_run_metrics(foci_run_folder *r, const foci_report *line) {
    if (!r->metrics) return FOCI_OK;
    FOCI_TRY(foci_report_json(line, &foci_json_line, r->metrics));
    fputc('\n', r->metrics);
    foci_status events = foci_events_metrics(r->events, line);
    if (ferror(r->metrics)) return foci_fail(FOCI_ERR_IO, "%s/metrics.jsonl: %s", r->path, strerror(errno));
    return events;
}

foci_status foci_run_events(foci_run_folder *r, int64_t step) { return foci_events_open(&r->events, r->path, step); }

void foci_run_picture(foci_run_folder *r, int64_t step, const foci_task *task, const foci_task_state *data) {
    if (!r->events || r->pictured || !task->sheet) return;
    r->pictured = true;
    foci_image image = {0};
    foci_status s = task->sheet(data, &image);
    if (!s) s = foci_events_image(r->events, step, "train/images", &image);
    foci_image_free(&image);
    if (s) foci_run_log(r, "no picture of the first batch: %s", foci_error_message());
}
