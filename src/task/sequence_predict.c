/* The most probable classes of lines of text, cut, padded and computed as in an evaluation. */
#include <stdlib.h>
#include <string.h>

#include "config/config.h"
#include "task/predict.h"
#include "task/sequence_data.h"
#include "task/batch_programs.h"
#include "task/training.h"

typedef struct work {
    const foci_predicting *p;
    const foci_data_set *set; /* that says what a line is */
    foci_vocabulary *words;   /* that lines are read by, or NULL */
    foci_batch_programs programs;
    int64_t batch, length, cut;
    bool fit;        /* rows are as long as the longest of a batch, */
    int64_t longest; /* which is this; else all are `length` long */
    int32_t *line;   /* (batch, cut): ids of lines, one behind the other */
    int64_t *tokens; /* (batch): how many there are */
    int32_t *ids;    /* (batch, longest) */
    foci_real *mask; /* likewise; fed where padding stands behind */
    char **wrong;    /* (batch) what is with a line; NULL: nothing */
} work;

static foci_status out_of_memory(void) { return foci_fail(FOCI_ERR_RUNTIME, "out of memory for lines"); }

/* Line k of the batch; one that is wrong becomes padding, so that the others go on. */
static foci_status read_line(work *w, int64_t k, const char *text) {
    w->tokens[k] = 0;
    const foci_status s = w->set->line(w->words, text, w->cut, w->line + k * w->cut, &w->tokens[k]);
    if (s && s != FOCI_ERR_DATA) return s;
    if (s) foci_context(s, "`%.40s`", text);
    if (s && !(w->wrong[k] = strdup(foci_error_message()))) return out_of_memory();
    if (s) w->tokens[k] = 0;
    return FOCI_OK;
}

static void lay_row(const work *w, int64_t k) {
    const int64_t first = w->set->in_front ? w->longest - w->tokens[k] : 0, end = first + w->tokens[k];
    int32_t *ids = w->ids + k * w->longest;
    foci_real *mask = w->mask + k * w->longest;
    for (int64_t t = 0; t < w->longest; t++) mask[t] = t >= first && t < end;
    memset(ids, 0, (size_t)w->longest * sizeof *ids);
    memcpy(ids + first, w->line + k * w->cut, (size_t)w->tokens[k] * sizeof *ids);
}

static foci_status read_batch(work *w, int64_t first, int64_t n) {
    w->longest = w->fit ? 1 : w->length;
    for (int64_t k = 0; k < n; k++) {
        FOCI_TRY(read_line(w, k, w->p->sample[first + k].text));
        w->longest = w->tokens[k] > w->longest ? w->tokens[k] : w->longest;
    }
    for (int64_t k = 0; k < n; k++) lay_row(w, k);
    return FOCI_OK;
}

static foci_status tell(work *w, int64_t i, int64_t k, const foci_real *logits) {
    const foci_status s = foci_predict_tell(w->p, i, "line", w->wrong[k], logits);
    free(w->wrong[k]);
    w->wrong[k] = NULL;
    return s;
}

/* Lines first .. first + n - 1. */
static foci_status run_batch(work *w, int64_t first, int64_t n) {
    const foci_real *logits;
    foci_program *p;
    FOCI_TRY(read_batch(w, first, n));
    FOCI_TRY(foci_batch_programs_for(&w->programs, n, w->longest, &p));
    FOCI_TRY(foci_program_feed(p, "ids", w->ids));
    if (!w->set->in_front) FOCI_TRY(foci_program_feed(p, "mask", w->mask));
    FOCI_TRY(foci_program_forward(p));
    FOCI_TRY(foci_program_fetch(p, "logits", &logits));
    for (int64_t k = 0; k < n; k++) FOCI_TRY(tell(w, first + k, k, logits + k * w->p->labels->count));
    foci_watch_tell(w->p->watch, first + n, w->p->count);
    return foci_watch_stopped(w->p->watch);
}

static foci_status allocate(work *w) {
    const foci_training train = foci_training_read(w->p->config);
    w->batch = foci_eval_batch(&train, train.batch_size, w->p->count);
    const size_t rows = (size_t)w->batch;
    w->line = calloc(rows * (size_t)w->cut, sizeof *w->line);
    w->tokens = calloc(rows, sizeof *w->tokens);
    w->ids = calloc(rows * (size_t)w->length, sizeof *w->ids);
    w->mask = calloc(rows * (size_t)w->length, sizeof *w->mask);
    w->wrong = calloc(rows, sizeof *w->wrong);
    return w->line && w->tokens && w->ids && w->mask && w->wrong ? FOCI_OK : out_of_memory();
}

static void release(work *w) {
    for (int64_t k = 0; k < w->batch && w->wrong; k++) free(w->wrong[k]);
    foci_batch_programs_close(&w->programs);
    foci_vocabulary_free(w->words);
    free(w->wrong);
    free(w->mask);
    free(w->ids);
    free(w->tokens);
    free(w->line);
}

static foci_status predict_all(work *w) {
    const foci_predicting *p = w->p;
    foci_request r = {.config = p->config, .classes = p->labels->count};
    if (w->set->words) FOCI_TRY(w->set->words(p->config, &w->words));
    FOCI_TRY(foci_sequences_check_words(w->words, p->config, p->model, p->parameters));
    r.vocabulary = w->words ? foci_vocabulary_size(w->words) : 0;
    r.feeds = w->set->in_front ? "ids" : "ids mask";
    foci_batch_programs_open(&w->programs, p->model, p->parameters, &r);
    FOCI_TRY(allocate(w));
    for (int64_t first = 0; first < p->count; first += w->batch)
        FOCI_TRY(run_batch(w, first, p->count - first < w->batch ? p->count - first : w->batch));
    return FOCI_OK;
}

static foci_status predict(const foci_predicting *p) {
    work w = {.p = p, .set = foci_data_set_of(p->config), .length = foci_config_int(p->config, "model.length")};
    w.cut = foci_sequence_cut(p->config);
    w.fit = foci_sequences_fit(p->config);
    if (!w.set->line) return foci_config_fail(p->config, "data.kind", "%s are no lines of text", w.set->name);
    const foci_status s = predict_all(&w);
    release(&w);
    return s;
}

/* "0.9312 pos, 0.0688 neg   a film that ..." */
static void print(const foci_report *one, FILE *f) {
    foci_predict_print_classes(one, "probability", f);
    fprintf(f, "  %.60s\n", foci_report_text_of(one, "line"));
}

const foci_predictor foci_sequence_predictor = {.lines = true, .run = predict, .print = print};
