/* The most probable classes of lines of text, cut, padded and computed as in an evaluation. */
#include <stdlib.h>
#include <string.h>

#include "config/config.h"
#include "core/program.h"
#include "task/predict.h"
#include "task/sequence_data.h"
#include "task/training.h"

typedef struct work {
    const foci_predicting *p;
    const foci_data_set *set; /* that says what a line is */
    foci_program *program;
    int64_t batch, length, cut;
    int32_t *ids;    /* (batch, length) */
    foci_real *mask; /* likewise */
    char **wrong;    /* (batch) what is with a line; NULL: nothing */
} work;

static foci_status out_of_memory(void) { return foci_fail(FOCI_ERR_RUNTIME, "out of memory for lines"); }

/* Row k of the batch; a line that is wrong becomes padding, so that the others go on. */
static foci_status read_line(work *w, int64_t k, const char *text) {
    int32_t *ids = w->ids + k * w->length;
    foci_real *mask = w->mask + k * w->length;
    int64_t length = 0;
    const foci_status s = w->set->line(text, w->cut, ids, &length);
    if (s && s != FOCI_ERR_DATA) return s;
    if (s) foci_context(s, "`%.40s`", text);
    if (s && !(w->wrong[k] = strdup(foci_error_message()))) return out_of_memory();
    if (s) length = 0;
    for (int64_t t = 0; t < w->length; t++) mask[t] = t < length;
    memset(ids + length, 0, (size_t)(w->length - length) * sizeof *ids);
    return FOCI_OK;
}

static foci_status tell(work *w, int64_t first, int64_t k, const foci_real *logits) {
    foci_report one = {NULL};
    foci_report_text(&one, "line", w->p->sample[first + k].text);
    if (w->wrong[k]) foci_report_text(&one, "error", w->wrong[k]);
    else foci_predict_classes(logits, w->p->labels, w->p->options->top, &one);
    const foci_status s = w->p->take(w->p->context, first + k, &one);
    foci_report_free(&one);
    free(w->wrong[k]);
    w->wrong[k] = NULL;
    return s;
}

/* Lines first .. first + n - 1; the rows behind them hold what was there before. */
static foci_status run_batch(work *w, int64_t first, int64_t n) {
    const foci_real *logits;
    for (int64_t k = 0; k < n; k++) FOCI_TRY(read_line(w, k, w->p->sample[first + k].text));
    FOCI_TRY(foci_program_feed(w->program, "ids", w->ids));
    FOCI_TRY(foci_program_feed(w->program, "mask", w->mask));
    FOCI_TRY(foci_program_forward(w->program));
    FOCI_TRY(foci_program_fetch(w->program, "logits", &logits));
    for (int64_t k = 0; k < n; k++) FOCI_TRY(tell(w, first, k, logits + k * w->p->labels->count));
    foci_watch_tell(w->p->watch, first + n, w->p->count);
    return foci_watch_stopped(w->p->watch);
}

static foci_status open_program(work *w, foci_program_set *set) {
    const foci_training train = foci_training_read(w->p->config);
    w->batch = foci_eval_batch(&train, train.batch_size, w->p->count);
    const foci_request r = {
        .config = w->p->config, .batch = w->batch, .classes = w->p->labels->count, .feeds = "ids mask"};
    FOCI_TRY(foci_program_open_model(&w->program, set, &(foci_graph_options){0}, w->p->model, &r));
    const size_t rows = (size_t)w->batch;
    w->ids = calloc(rows * (size_t)w->length, sizeof *w->ids);
    w->mask = calloc(rows * (size_t)w->length, sizeof *w->mask);
    w->wrong = calloc(rows, sizeof *w->wrong);
    return w->ids && w->mask && w->wrong ? foci_program_set_ready(set) : out_of_memory();
}

static foci_status predict(const foci_predicting *p) {
    work w = {.p = p, .set = foci_data_set_of(p->config), .length = foci_config_int(p->config, "model.length")};
    foci_program_set set;
    w.cut = foci_sequence_cut(p->config);
    if (!w.set->line) return foci_config_fail(p->config, "data.kind", "%s are no lines of text", w.set->name);
    foci_program_set_init(&set, p->parameters);
    set.advice = "lower train.eval_batch";
    foci_status s = open_program(&w, &set);
    for (int64_t first = 0; first < p->count && !s; first += w.batch)
        s = run_batch(&w, first, p->count - first < w.batch ? p->count - first : w.batch);
    for (int64_t k = 0; k < w.batch && w.wrong; k++) free(w.wrong[k]);
    foci_program_set_free(&set);
    free(w.wrong);
    free(w.mask);
    free(w.ids);
    return s;
}

/* "0.9312 pos, 0.0688 neg   a film that ..." */
static void print(const foci_report *one, FILE *f) {
    foci_predict_print_classes(one, "probability", f);
    fprintf(f, "  %.60s\n", foci_report_text_of(one, "line"));
}

const foci_predictor foci_sequence_predictor = {.lines = true, .run = predict, .print = print};
