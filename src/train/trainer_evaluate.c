/* Scores: along the way of a training, and of weights in a file. */
#include <math.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/file.h"
#include "core/load.h"
#include "task/load_model.h"
#include "train/trainer_work.h"

/* ------------------------------------------------------------------------------------------ along the way */

static void describe_score(const foci_score *score, char *text, size_t size) {
    if (isnan(score->top1)) snprintf(text, size, "loss %.4f, perplexity %.2f over %lld tokens", score->loss, score->ppl, (long long)score->items);
    else snprintf(text, size, "top-1 %.2f %%, top-5 %.2f %%, loss %.4f over %lld images", score->top1, score->top5, score->loss, (long long)score->items);
}

/* The averaged weights take the place of the others meanwhile. */
static foci_status evaluate_average(foci_trainer *t, foci_score *score) {
    foci_parameters *p = &t->programs.parameters;
    foci_real *weights = p->value;
    p->value = t->ema;
    foci_status s = t->task->evaluate(t->data, t->model, p, "val", false, t->watch, score);
    p->value = weights;
    return s;
}

foci_status foci_trainer_evaluate(foci_trainer *t) {
    foci_score score, average = {NAN, NAN, NAN, NAN, 0};
    char text[128];
    double epoch = (double)t->state.step / (double)t->updates_per_epoch;
    FOCI_TRY(t->task->evaluate(t->data, t->model, &t->programs.parameters, "val", false, t->watch, &score));
    describe_score(&score, text, sizeof text);
    foci_run_log(&t->folder, "epoch %.2f, step %lld: validation %s", epoch, (long long)t->state.step, text);
    if (t->ema) {
        FOCI_TRY(evaluate_average(t, &average));
        describe_score(&average, text, sizeof text);
        foci_run_log(&t->folder, "    with averaged weights: %s", text);
    }
    foci_status s;
    const double step = (double)t->state.step, items = (double)score.items;
    const char *end = t->ema ? "ema_loss" : NULL; /* where the line ends without averages */
    if (isnan(score.top1))
        s = foci_run_metrics(&t->folder, "step", step, "epoch", epoch, "nll", score.loss, "ppl", score.ppl, "tokens", items, "elapsed",
                             foci_trainer_elapsed(t), end, average.loss, "ema_ppl", average.ppl, NULL);
    else
        s = foci_run_metrics(&t->folder, "step", step, "epoch", epoch, "val_loss", score.loss, "top1", score.top1, "top5", score.top5,
                             "images", items, "elapsed", foci_trainer_elapsed(t), end, average.loss, "ema_top1", average.top1, "ema_top5", average.top5, NULL);
    FOCI_TRY(foci_trainer_lose(t, s));
    double metric = t->task->metric(&score), best = t->state.best;
    foci_score before = {.top1 = best, .ppl = best};
    if (!isfinite(best) || t->task->better(&score, &before)) {
        char path[4200];
        t->state.best = metric;
        FOCI_TRY(foci_path_join(path, sizeof path, t->folder.path, "best.safetensors"));
        FOCI_TRY(foci_trainer_lose(t, foci_save_weights(&t->programs.parameters, path, NULL, 0)));
    }
    t->state.evaluated = t->state.step;
    foci_trainer_interval(t); /* evaluation is not training time */
    return FOCI_OK;
}

/* --------------------------------------------------------------------------------------- weights in a file */

static foci_status evaluate_file(foci_trainer *t, const char *weights, const char *split, bool sliding, foci_score *score) {
    FOCI_TRY(foci_trainer_task(t->config, &t->model, &t->task));
    FOCI_TRY(t->task->open(&t->data, t->config, false));
    FOCI_TRY(foci_load_model(&t->programs.parameters, t->model, t->config, t->task->classes(t->data), weights));
    return t->task->evaluate(t->data, t->model, &t->programs.parameters, split, sliding, t->watch, score);
}

foci_status foci_evaluate(const foci_config *config, const char *weights, const char *split, bool sliding, const foci_watch *watch,
                          foci_score *score) {
    foci_trainer t = {.config = config, .watch = watch, .folder.lock = -1};
    foci_status s = evaluate_file(&t, weights, split, sliding, score);
    foci_trainer_close(&t);
    return s;
}
