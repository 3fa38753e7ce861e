/* val, test: the score of a split, top-1 or perplexity, whatever the model's task measures. */
#include "measure/score.h"

#include <string.h>

#include "models/models.h"
#include "task/task.h"
#include "train/trainer.h"

const foci_key foci_score_keys[] = {
    FOCI_KEY(foci_score_options, split, "val", 0, 0, NULL, "val; text also has test", .placeholder = "S"),
    FOCI_KEY(foci_score_options, walk, "disjoint", 0, 0, "disjoint sliding",
             "text: disjoint windows, or sliding by one token, each token but those of the first window "
             "predicted from a "
             "full window"),
    {0}};

void foci_score_head(const foci_score_options *o, bool walks, foci_report *r) {
    foci_report_text(r, "split", o->split);
    if (walks) foci_report_text(r, "walk", o->walk == FOCI_SLIDING ? "sliding" : "disjoint");
}

/* A task without a choice of walks is asked for one only where the user chose another than the default: it refuses. */
static foci_status run(const foci_subject *subject, const void *options, const foci_watch *watch, foci_report *r) {
    const foci_score_options *o = options;
    const bool sliding = o->walk == FOCI_SLIDING;
    const foci_task *task = foci_task_of(foci_model_find(foci_config_string(subject->config, "model.kind")));
    const char *const set[] = {sliding ? "walk=sliding" : "walk=disjoint"};
    const foci_evaluation how = {o->split, set, sliding || task->settings};
    foci_score score;
    FOCI_TRY(foci_evaluate(subject->config, subject->weights, &how, watch, &score));
    foci_score_head(o, task->settings, r);
    foci_score_report(&score, FOCI_IN_RESULT, r);
    return FOCI_OK;
}

/* "val: top-1 65.14 %, ..." */
static void print(const foci_report *r, FILE *f) {
    const char *walk = foci_report_text_of(r, "walk");
    char text[256];
    foci_result_text(r, text, sizeof text);
    fprintf(f, "%s%s%s%s: %s\n", foci_report_text_of(r, "split"), walk ? ", " : "", walk ? walk : "",
            walk ? " windows" : "", text);
}

#define OF_SPLIT(which) \
    .size = sizeof(foci_score_options), .options = {{foci_score_keys}}, .run = run, .print = print, .command = "eval", \
    .preset = {"split=" which}

const foci_measure foci_measure_val = {
    .name = "val", .summary = "score of the validation data", .metrics = {"top1", "top5", "ppl"}, OF_SPLIT("val")};
const foci_measure foci_measure_test = {
    .name = "test", .summary = "score of the test data", .metrics = {"top1", "ppl"}, OF_SPLIT("test")};
