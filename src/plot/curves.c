#include "plot/curves.h"

#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "run/folder.h"
#include "task/task.h"

/* A value that was not finite is null in the file, and leaves a gap. */
static foci_status append(foci_curve *c, const json_t *step, const json_t *epoch, const json_t *value) {
    if (!json_is_number(value)) return FOCI_OK;
    if (c->count == c->room) {
        size_t room = c->room ? 2 * c->room : 256;
        foci_point *grown = realloc(c->point, room * sizeof *grown);
        if (!grown) return foci_out_of_memory();
        c->point = grown;
        c->room = room;
    }
    c->point[c->count++] = (foci_point){json_number_value(step), json_number_value(epoch), json_number_value(value)};
    return FOCI_OK;
}

/* The curve that a figure belongs to, by its tag, or -1; of a task's own metric, which one that is. */
static int curve_of(const char *name, const foci_metric **metric) {
    static const struct {
        const char *tag;
        int curve;
    } curves[] = {{"train/loss", FOCI_CURVE_LOSS},
                  {"train/lr", FOCI_CURVE_LR},
                  {"val/loss", FOCI_CURVE_VAL_LOSS},
                  {"ema/loss", FOCI_CURVE_EMA_LOSS}};
    char text[FOCI_METRIC_NAME];
    const char *tag = foci_metric_tag(name, text);
    for (size_t i = 0; tag && i < sizeof curves / sizeof *curves; i++)
        if (strcmp(curves[i].tag, tag) == 0) return curves[i].curve;
    for (const foci_task *const *task = foci_tasks; tag && *task; task++) {
        const foci_metric *m = foci_metric_find((*task)->metric);
        const bool score = strcmp(tag, m->tag) == 0;
        if (!score && (strncmp(tag, "ema/", 4) != 0 || strcmp(strchr(m->tag, '/'), tag + 3) != 0)) continue;
        *metric = m;
        return score ? FOCI_CURVE_SCORE : FOCI_CURVE_EMA_SCORE;
    }
    return -1;
}

/* {"step": 50, "epoch": 0.5, "loss": 2.1, ...} while training, {"step": ..., "epoch": ..., "top1": ...} after it; in
 * other lines nothing is for a curve. */
static foci_status read_object(foci_curves *c, json_t *object) {
    const json_t *step = json_object_get(object, "step"), *epoch = json_object_get(object, "epoch");
    bool placed = json_is_number(step) && json_is_number(epoch);
    if (!json_is_number(step)) return foci_fail(FOCI_ERR_DATA, "no numbers `step` and `epoch`");
    const char *name;
    json_t *value;
    json_object_foreach(object, name, value) {
        const int curve = curve_of(name, &c->metric);
        if (curve < 0) continue;
        if (!placed) return foci_fail(FOCI_ERR_DATA, "no numbers `step` and `epoch`");
        FOCI_TRY(append(&c->curve[curve], step, epoch, value));
    }
    return FOCI_OK;
}

static foci_status read_line(foci_curves *c, const char *line, size_t length, const char *path, size_t number) {
    json_error_t e;
    if (length > FOCI_METRICS_LINE)
        return foci_fail(FOCI_ERR_DATA, "%s:%zu: a line of %zu bytes", path, number, length);
    json_t *object = json_loadb(line, length, 0, &e);
    if (!object) return foci_fail(FOCI_ERR_DATA, "%s:%zu: no JSON: %s", path, number, e.text);
    foci_status s = read_object(c, object);
    json_decref(object);
    return s ? foci_context(s, "%s:%zu", path, number) : FOCI_OK;
}

/* A last line without its end is still being written. */
static foci_status read_lines(foci_curves *c, const char *text, size_t size, const char *path) {
    size_t number = 1;
    for (const char *line = text, *end; (end = memchr(line, '\n', size - (size_t)(line - text))); line = end + 1)
        FOCI_TRY(read_line(c, line, (size_t)(end - line), path, number++));
    for (int k = 0; k < FOCI_CURVE_KINDS; k++)
        if (k != FOCI_CURVE_LR && c->curve[k].count) return FOCI_OK;
    return foci_fail(FOCI_ERR_DATA, "%s: no losses or scores in it yet", path);
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
    for (int k = 0; k < FOCI_CURVE_KINDS; k++) free(c->curve[k].point);
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

/* The line of least squares through values [first, end), the nearer the heavier, at i: straight lines stay as they are,
 * also at the ends, where all neighbours lie on one side. It stays among the values: a loss is never negative. */
static double line_at(const double *value, size_t first, size_t end, size_t i) {
    const double before = (double)(i - first), behind = (double)(end - 1 - i);
    const double reach = (before > behind ? before : behind) + 1;
    double w = 0, x = 0, y = 0, xx = 0, xy = 0, least = value[first], most = value[first];
    for (size_t j = first; j < end; j++) {
        const double at = (double)j - (double)i, far = fabs(at) / reach, near = 1 - far * far * far;
        const double weight = near * near * near;
        least = fmin(least, value[j]);
        most = fmax(most, value[j]);
        w += weight;
        x += weight * at;
        y += weight * value[j];
        xx += weight * at * at;
        xy += weight * at * value[j];
    }
    const double spread = w * xx - x * x;
    return fmin(most, fmax(least, spread > 0 ? (xx * y - x * xy) / spread : y / w));
}

foci_status foci_curve_smooth(foci_curve *c, size_t reach) {
    if (c->count < 3 || !reach) return FOCI_OK;
    const size_t wide = 2 * reach + 1 < c->count ? 2 * reach + 1 : c->count;
    double *raw = malloc(c->count * sizeof *raw);
    if (!raw) return foci_out_of_memory();
    for (size_t i = 0; i < c->count; i++) raw[i] = c->point[i].value;
    for (size_t i = 0; i < c->count; i++) {
        const size_t wanted = i > reach ? i - reach : 0, last = c->count - wide, first = wanted < last ? wanted : last;
        c->point[i].value = line_at(raw, first, first + wide, i);
    }
    free(raw);
    return FOCI_OK;
}
