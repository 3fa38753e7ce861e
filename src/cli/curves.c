#include "cli/curves.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "train/run_folder.h"

/* A value that was not finite is null in the file, and leaves a gap. */
static foci_status append(foci_curve *c, const json_t *step, const json_t *epoch, const json_t *value) {
    if (!json_is_number(value)) return FOCI_OK;
    if (c->count == c->room) {
        size_t room = c->room ? 2 * c->room : 256;
        foci_point *grown = realloc(c->point, room * sizeof *grown);
        if (!grown) return foci_fail(FOCI_ERR_RUNTIME, "out of memory");
        c->point = grown;
        c->room = room;
    }
    c->point[c->count++] = (foci_point){json_number_value(step), json_number_value(epoch), json_number_value(value)};
    return FOCI_OK;
}

/* {"step": 50, "epoch": 0.5, "loss": 2.1, ...} while training, {"step": ..., "epoch": ..., "top1" or "ppl": ...} after it. */
static foci_status read_line(foci_curves *c, const char *line, size_t length, const char *path, size_t number) {
    json_error_t e;
    if (length > FOCI_METRICS_LINE) return foci_fail(FOCI_ERR_DATA, "%s:%zu: a line of %zu bytes", path, number, length);
    json_t *object = json_loadb(line, length, 0, &e);
    if (!object) return foci_fail(FOCI_ERR_DATA, "%s:%zu: no JSON: %s", path, number, e.text);
    const json_t *step = json_object_get(object, "step"), *epoch = json_object_get(object, "epoch"), *ppl = json_object_get(object, "ppl");
    foci_status s = FOCI_OK;
    if (!json_is_number(step) || !json_is_number(epoch))
        s = foci_fail(FOCI_ERR_DATA, "%s:%zu: no numbers `step` and `epoch`", path, number);
    if (ppl) c->text = true;
    if (!s) s = append(&c->loss, step, epoch, json_object_get(object, "loss"));
    if (!s) s = append(&c->score, step, epoch, ppl ? ppl : json_object_get(object, "top1"));
    json_decref(object);
    return s;
}

/* A last line without its end is still being written. */
static foci_status read_lines(foci_curves *c, const char *text, size_t size, const char *path) {
    size_t number = 1;
    for (const char *line = text, *end; (end = memchr(line, '\n', size - (size_t)(line - text))); line = end + 1)
        FOCI_TRY(read_line(c, line, (size_t)(end - line), path, number++));
    return c->loss.count + c->score.count ? FOCI_OK : foci_fail(FOCI_ERR_DATA, "%s: no losses or scores in it yet", path);
}

static void set_name(foci_curves *c, const char *run) {
    char *whole = realpath(run, NULL), *slash = whole ? strrchr(whole, '/') : NULL;
    snprintf(c->name, sizeof c->name, "%s", slash && slash[1] ? slash + 1 : run);
    free(whole);
}

foci_status foci_curves_read(foci_curves *c, const char *run) {
    memset(c, 0, sizeof *c);
    set_name(c, run);
    char path[4200], *text;
    size_t size;
    FOCI_TRY(foci_path_join(path, sizeof path, run, "metrics.jsonl"));
    FOCI_TRY(foci_read_file(path, (size_t)1 << 31, &text, &size, FOCI_ERR_DATA));
    foci_status s = read_lines(c, text, size, path);
    free(text);
    return s;
}

void foci_curves_free(foci_curves *c) {
    free(c->loss.point);
    free(c->score.point);
}

void foci_curve_thin(foci_curve *c, size_t most) {
    size_t each = (c->count + most - 1) / most, n = 0;
    if (each < 2) return;
    for (size_t i = 0; i < c->count; i += each) {
        size_t members = c->count - i < each ? c->count - i : each;
        foci_point mean = {0};
        for (size_t j = i; j < i + members; j++) {
            mean.step += c->point[j].step / (double)members;
            mean.epoch += c->point[j].epoch / (double)members;
            mean.value += c->point[j].value / (double)members;
        }
        c->point[n++] = mean;
    }
    c->count = n;
}
