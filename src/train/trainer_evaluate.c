/* Scores along the way. */
#include <math.h>

#include "base/file.h"
#include "core/load.h"
#include "train/trainer_work.h"

static foci_status score_weights(foci_trainer *t, foci_score *score) {
    const foci_evaluation validation = {.split = "val", .group = t->group};
    return foci_task_evaluate(t->task, t->data, t->model, &t->programs.parameters, &validation, t->watch, score);
}

/* The averaged weights take the place of the others meanwhile. */
static foci_status evaluate_average(foci_trainer *t, foci_score *score) {
    foci_parameters *p = &t->programs.parameters;
    foci_real *weights = p->value;
    foci_optimizer_share(&t->optimizer, t->ema);
    p->value = t->ema;
    foci_status s = score_weights(t, score);
    p->value = weights;
    return s;
}

static foci_status write_scores(foci_trainer *t, double epoch, const foci_score *score, const foci_score *average) {
    foci_report line = {NULL};
    foci_report_whole(&line, "step", t->state.step);
    foci_report_number(&line, "epoch", epoch);
    foci_score_report(score, FOCI_IN_VALIDATION, &line);
    foci_report_number(&line, "elapsed", foci_trainer_elapsed(t));
    foci_score_report(average, FOCI_IN_AVERAGE, &line);
    foci_status s = foci_run_metrics(&t->folder, &line);
    foci_report_free(&line);
    return foci_trainer_lose(t, s);
}

static foci_status keep_best(foci_trainer *t, const foci_score *score) {
    const foci_metric *m = foci_metric_find(t->task->metric);
    const double x = foci_score_value(score, m->name);
    char path[4200];
    if (isfinite(t->state.best) && !foci_metric_is_better(m, x, t->state.best)) return FOCI_OK;
    t->state.best = x;
    if (!foci_group_leads(t->group)) return FOCI_OK;
    FOCI_TRY(foci_path_join(path, sizeof path, t->folder.path, "best.safetensors"));
    return foci_trainer_lose(t, foci_save_weights(&t->programs.parameters, path, t->meaning.pair, t->meaning.count));
}

static bool is_sound(const foci_score *score) {
    const foci_metric *metric[FOCI_SCORE_METRICS];
    for (int i = 0, n = foci_score_metrics(score, metric); i < n; i++)
        if (!isfinite(foci_score_value(score, metric[i]->name))) return false;
    return true;
}

foci_status foci_trainer_evaluate(foci_trainer *t) {
    foci_score score, average = {0};
    char text[256];
    const double epoch = (double)t->state.step / (double)t->updates_per_epoch;
    foci_group_doing(t->group, "step %lld: evaluation", (long long)t->state.step);
    FOCI_TRY(score_weights(t, &score));
    t->unsound = !is_sound(&score);
    foci_score_text(&score, false, text, sizeof text);
    foci_run_log(&t->folder, "epoch %.2f, step %lld: validation %s", epoch, (long long)t->state.step, text);
    if (t->ema) {
        FOCI_TRY(evaluate_average(t, &average));
        foci_score_text(&average, false, text, sizeof text);
        foci_run_log(&t->folder, "    with averaged weights: %s", text);
    }
    FOCI_TRY(foci_trainer_all(t, write_scores(t, epoch, &score, &average)));
    FOCI_TRY(foci_trainer_all(t, keep_best(t, &score)));
    t->state.evaluated = t->state.step;
    foci_pace_line(&t->pace); /* evaluation is not training time */
    return foci_trainer_all(t, foci_trainer_lose(t, foci_trainer_summarise(t, FOCI_RUN_RUNNING, NULL)));
}
