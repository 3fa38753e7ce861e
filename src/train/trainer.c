/* The training loop: a step (step.h), and what is written between two of them. */
#include "train/trainer.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/memory.h"
#include "base/parallel.h"
#include "core/load.h"
#include "kernels/kernels.h"
#include "train/final_test.h"
#include "train/peak.h"
#include "run/record.h"
#include "task/schema.h"
#include "train/step.h"
#include "train/trainer_work.h"

/* ----------------------------------------------------------------------------------------------- an update */

enum { MOST_ROLLBACKS = 3, MOST_IN_A_ROW = 100 };

/* A number that is none, said with the step and the last checkpoint. */
static foci_status diverged(const foci_trainer *t, foci_status s) {
    if (!t->saved) return foci_context(s, "step %lld, before the first checkpoint", (long long)t->state.step + 1);
    return foci_context(s, "step %lld (the last good checkpoint is %s/state.safetensors, step %lld)", (long long)t->state.step + 1,
                        t->folder.path, (long long)t->saved);
}

static foci_status leave_out(foci_trainer *t, const char *why) {
    t->state.left_out++;
    foci_run_log(&t->folder, "step %lld: %s: the update is left out (%lld so far)", (long long)t->state.step + 1, why, (long long)t->state.left_out);
    if (++t->in_a_row < MOST_IN_A_ROW) return FOCI_OK;
    return diverged(t, foci_fail(FOCI_ERR_DIVERGED, "%d updates in a row had to be left out", MOST_IN_A_ROW));
}

/* Weights, moments and averages of the last checkpoint; the step, the schedule and the data go on. */
static foci_status roll_back(foci_trainer *t, foci_status why) {
    if (!t->saved || ++t->rollbacks > MOST_ROLLBACKS) return diverged(t, why);
    foci_error reason;
    foci_error_take(&reason, why);
    foci_run_state then;
    FOCI_TRY(foci_state_load(t->folder.path, &t->programs.parameters, &t->optimizer, t->ema, &then));
    t->state.left_out += t->state.step + 1 - t->saved;
    t->state.watch = then.watch;
    foci_run_log(&t->folder, "step %lld: %s: back to the weights of step %lld, the updates since are left out", (long long)t->state.step + 1,
                 reason.message, (long long)t->saved);
    return FOCI_OK;
}

static foci_status not_finite(foci_trainer *t, foci_status s) {
    switch (t->train.on_nonfinite) {
    case FOCI_NONFINITE_SKIP: return leave_out(t, foci_error_message());
    case FOCI_NONFINITE_ROLLBACK: return roll_back(t, s);
    default: return diverged(t, s);
    }
}

enum { TILE = 1 << 15 };

static void follow(foci_trainer *t) {
    const foci_parameters *p = &t->programs.parameters;
    const double decay = t->train.ema_decay;
    FOCI_PARALLEL_FOR
    for (int64_t i = 0; i < foci_tiles(p->size, TILE); i++) {
        const foci_range r = foci_tile(p->size, TILE, i);
        foci_kernel()->lerp(r.end - r.first, (foci_real)(1 - decay), p->value + r.first, t->ema + r.first);
    }
}

/* Of the gradients that stand in the parameters; or none, where the loss or they forbid it. */
static foci_status make_update(foci_trainer *t, const foci_step *step, double loss) {
    foci_status s = FOCI_OK;
    if (!isfinite(loss)) s = foci_fail(FOCI_ERR_DIVERGED, "the loss is %s", isnan(loss) ? "not a number" : "infinite");
    else if (foci_loss_spikes(&t->state.watch, loss, t->train.spike_zscore)) {
        char text[128];
        snprintf(text, sizeof text, "the loss is %.4f after a mean of %.4f", loss, t->state.watch.mean);
        return leave_out(t, text);
    }
    if (!s) s = foci_step_update(step, &t->optimizer, t->lr, &t->grad_norm);
    if (s == FOCI_ERR_DIVERGED) return not_finite(t, s);
    if (s) return s;
    t->in_a_row = 0;
    t->updated = true;
    foci_loss_take(&t->state.watch, loss);
    if (t->ema) follow(t);
    return FOCI_OK;
}

/* ------------------------------------------------------------------------------------------------- a step */

static foci_status feed(const void *context, foci_program *p, int64_t first) {
    const foci_trainer *t = context;
    return t->task->feed(t->data, p, first);
}

static foci_status step(foci_trainer *t) {
    const int64_t update = t->state.position;
    const foci_step s = {.program = t->programs.program[foci_task_shape_of(t->task, t->data, update)], .parameters = &t->programs.parameters,
                         .batch = t->train.batch_size, .micro = t->micro, .feed = feed, .context = t};
    double loss, asked = foci_now();
    FOCI_TRY(t->task->next(t->data, t->state.epoch, update));
    t->data_wait += foci_now() - asked;
    foci_run_picture(&t->folder, t->state.step + 1, t->task, t->data);
    FOCI_TRY(foci_step_gradients(&s, t->state.step, &loss));
    t->lr = foci_schedule_lr(&t->schedule, t->state.step, t->updates_per_epoch);
    FOCI_TRY(make_update(t, &s, loss));
    if (isfinite(loss)) t->loss_sum += loss;
    t->losses++;
    t->items += t->task->items_in(t->data, update);
    t->state.step++;
    t->state.position++;
    if (t->state.position == t->updates_per_epoch) {
        t->state.position = 0;
        t->state.epoch++;
        FOCI_TRY(t->task->seek(t->data, t->state.epoch, 0));
    }
    return FOCI_OK;
}

/* ------------------------------------------------------------------------- what is written along the way */

static void prepare_progress(foci_trainer *t) {
    const foci_program *p = t->programs.program[0];
    const foci_cost cost = foci_graph_cost(foci_program_graph(p));
    const double items = (double)foci_task_items(t->task, p);
    if (!t->options->progress) return;
    t->gflop_per_item = (cost.forward + cost.backward) / items / 1e9;
    t->peak = foci_peak_gflops(t->programs.bf16, 4, 400000);
}

static void report_progress(foci_trainer *t) {
    if (!t->options->progress) return;
    double seconds = foci_now() - t->interval, rate = seconds > 0 ? (double)t->items / seconds : 0;
    t->peak = fmax(t->peak, rate * t->gflop_per_item); /* measured in a moment when the machine was busy with other things */
    double per_step = t->losses ? seconds / (double)t->losses : 0;
    t->options->progress(t->options->context,
                         &(foci_progress){t->state.step, t->steps, t->state.epoch, t->train.epochs,
                                          t->loss_sum / (double)t->losses, t->lr, rate,
                                          per_step * (double)(t->steps - t->state.step),
                                          rate * t->gflop_per_item / t->peak, seconds > 0 ? t->data_wait / seconds : 0, t->task->items});
}

void foci_trainer_interval(foci_trainer *t) {
    t->loss_sum = t->data_wait = 0;
    t->losses = t->items = 0;
    t->interval = foci_now();
}

double foci_trainer_elapsed(const foci_trainer *t) { return t->state.elapsed + foci_now() - t->started; }

static foci_status write_metrics(foci_trainer *t) {
    if (!t->losses) return FOCI_OK;
    const double seconds = foci_now() - t->interval, losses = (double)t->losses;
    foci_report line = {NULL};
    foci_report_whole(&line, "step", t->state.step);
    foci_report_number(&line, "epoch", (double)t->state.step / (double)t->updates_per_epoch);
    foci_report_number(&line, "loss", t->loss_sum / losses);
    foci_report_number(&line, "lr", t->lr);
    foci_report_number(&line, "grad_norm", t->grad_norm);
    foci_report_number(&line, "items_per_s", (double)t->items / seconds);
    foci_report_number(&line, "data_wait_ms", 1e3 * t->data_wait / losses);
    foci_report_number(&line, "elapsed", foci_trainer_elapsed(t));
    foci_status s = foci_run_metrics(&t->folder, &line);
    foci_report_free(&line);
    foci_trainer_interval(t);
    return s;
}

/* Training goes on without what could not be written. */
foci_status foci_trainer_lose(foci_trainer *t, foci_status s) {
    if (s != FOCI_ERR_IO) return s;
    foci_log(FOCI_LOG_WARN, "%s; training goes on", foci_error_message());
    t->lost = true;
    return FOCI_OK;
}

/* metrics.csv and summary.json, from metrics.jsonl. */
static foci_status summarise(foci_trainer *t, foci_run_stand stand, const char *message) {
    json_t *lines;
    const foci_run_summary summary = {stand, message, t->state.step, t->steps, foci_parameters_numel(&t->programs.parameters),
                                      t->state.left_out, (int64_t)t->state.seed, foci_trainer_elapsed(t)};
    FOCI_TRY(foci_run_record_read(t->folder.path, &lines));
    foci_status s = foci_run_record_csv(t->folder.path, lines);
    if (!s) s = foci_run_summary_write(t->folder.path, &summary, lines);
    json_decref(lines);
    return s;
}

static foci_status evaluate(foci_trainer *t) {
    FOCI_TRY(foci_trainer_evaluate(t));
    return foci_trainer_lose(t, summarise(t, FOCI_RUN_RUNNING, NULL));
}

/* A checkpoint that cannot be written is tried again with the next one, as long as there is an older one to go back to. */
static foci_status save(foci_trainer *t, bool last) {
    t->state.elapsed = foci_trainer_elapsed(t);
    t->started = foci_now();
    foci_status s = foci_state_save(t->folder.path, &t->programs.parameters, &t->optimizer, t->ema, &t->state, t->train.keep_every);
    t->saved_at = foci_now();
    if (s == FOCI_ERR_IO && t->saved && !last) {
        foci_run_log(&t->folder, "the checkpoint of step %lld was not written (%s); training goes on, that of step %lld is intact",
                     (long long)t->state.step, foci_error_message(), (long long)t->saved);
        return FOCI_OK;
    }
    if (s) return t->saved ? foci_context(s, "the last complete checkpoint is that of step %lld", (long long)t->saved) : s;
    t->saved = t->state.step;
    if (t->updated) t->rollbacks = 0;
    t->updated = false;
    return FOCI_OK;
}

/* Is it time, `every` updates or (0) an epoch after the last time? */
static bool due(const foci_trainer *t, int64_t every) {
    return every ? t->state.step % every == 0 : t->state.position == 0;
}

/* An evaluation that is due at this step and was not made: one who stops a run does not wait for it, and gets it at the resume. */
static bool owes_evaluation(const foci_trainer *t) {
    return t->state.evaluated < t->state.step && (due(t, t->train.eval_every) || t->state.step >= t->steps);
}

static foci_status stop_here(const foci_trainer *t) {
    return foci_fail(FOCI_INTERRUPTED, "stopped after step %lld of %lld; --resume goes on from there", (long long)t->state.step, (long long)t->steps);
}

static foci_status between_steps(foci_trainer *t) {
    bool last = t->state.step >= t->steps, stopped = t->options->stop && *t->options->stop;
    bool asked = t->options->save && *t->options->save;
    const foci_training *train = &t->train;
    const double minutes = train->checkpoint_minutes;
    if (asked) *t->options->save = 0;
    bool evaluation = owes_evaluation(t);
    if (due(t, train->log_every) || evaluation || stopped) FOCI_TRY(foci_trainer_lose(t, write_metrics(t)));
    if (evaluation && !stopped) {
        foci_status s = evaluate(t);
        if (s && s != FOCI_INTERRUPTED) return s;
        stopped = s;
    }
    if (due(t, train->checkpoint_every) || (minutes > 0 && foci_now() - t->saved_at >= 60 * minutes) || asked || last || stopped)
        FOCI_TRY(save(t, last || stopped));
    if (!stopped || (last && !owes_evaluation(t))) return FOCI_OK;
    return stop_here(t);
}

/* --------------------------------------------------------------------------------------------------- runs */

static foci_status start_average(foci_trainer *t) {
    const foci_parameters *p = &t->programs.parameters;
    t->ema = foci_large_alloc((size_t)p->size * sizeof *t->ema);
    if (!t->ema) return foci_fail(FOCI_ERR_RUNTIME, "out of memory for averages of %lld parameters", (long long)p->size);
    memcpy(t->ema, p->value, (size_t)p->size * sizeof *t->ema);
    return FOCI_OK;
}

static void note_difference(void *context, const foci_difference *d) {
    char *text = context;
    size_t used = strlen(text);
    if (!d->may_change)
        snprintf(text + used, 1024 - used, "%s%s (%s there, %s now)", used ? ", " : "", d->key, d->a ? d->a : "absent", d->b ? d->b : "absent");
}

/* A run goes on with the config that it was begun with, but for keys that do not change where it ends. */
static foci_status check_same_config(const foci_trainer *t) {
    char path[4200], text[1024] = "";
    foci_config *before;
    FOCI_TRY(foci_path_join(path, sizeof path, t->folder.path, "config.yaml"));
    FOCI_TRY(foci_config_load(&before, foci_schema_all(), path, NULL, 0));
    foci_status s = foci_config_compare(before, t->config, note_difference, text);
    foci_config_free(before);
    if (s || !*text) return s;
    return foci_fail(FOCI_ERR_CONFIG, "%s was begun with another config: %s; a new run may start from its weights with --init", t->folder.path, text);
}

static foci_status start(foci_trainer *t) {
    const foci_config *c = t->config;
    uint64_t seed = (uint64_t)t->train.seed;
    foci_optimizer_options options = foci_trainer_optimizer(&t->train);
    const bool average = t->train.ema_decay > 0;
    FOCI_TRY(foci_training_programs_allocate(&t->programs, seed, (options.kind == FOCI_SGD ? 1 : 2) + average));
    FOCI_TRY(foci_optimizer_init(&t->optimizer, &options, &t->programs.parameters));
    t->schedule = foci_trainer_schedule(t);
    t->state = (foci_run_state){.seed = seed, .best = NAN};
    char start_from[2048] = "";
    if (t->options->init) FOCI_TRY(foci_init_weights(&t->programs.parameters, t->options->init, t->model->head, start_from, sizeof start_from));
    if (average) FOCI_TRY(start_average(t));
    FOCI_TRY(foci_run_folder_open(&t->folder, t->options->out, t->options->resume, t->options->force));
    char saved[4200], text[512];
    FOCI_TRY(foci_path_join(saved, sizeof saved, t->folder.path, "state.safetensors"));
    if (t->options->resume && foci_path_kind(saved)) {
        FOCI_TRY(check_same_config(t));
        FOCI_TRY(foci_state_load(t->folder.path, &t->programs.parameters, &t->optimizer, t->ema, &t->state));
        FOCI_TRY(foci_state_weights(t->folder.path, &t->programs.parameters, &t->optimizer, t->ema, &t->state, t->train.keep_every));
        FOCI_TRY(foci_run_folder_rewind(&t->folder, t->state.step));
    }
    if (t->train.tensorboard) FOCI_TRY(foci_run_events(&t->folder, t->state.step));
    FOCI_TRY(foci_run_folder_describe(&t->folder, c, t->options->command));
    t->task->describe(t->data, text, sizeof text);
    foci_run_log(&t->folder, "%s: %s, %s attention, %lld parameters, products in %s", t->folder.path, t->model->name,
                 foci_config_string(c, "attention.kind"), (long long)foci_parameters_numel(&t->programs.parameters), foci_trainer_dtype(t));
    foci_run_log(&t->folder, "data: %s", text);
    size_t unshared, bytes = foci_program_set_bytes(&t->programs.set, &unshared);
    foci_run_log(&t->folder, "plan: %.1f MB for a pass of %lld (%.1f MB without sharing); %lld updates an epoch, %lld in all",
                 (double)bytes / 1e6, (long long)t->micro, (double)unshared / 1e6,
                 (long long)t->updates_per_epoch, (long long)t->steps);
    if (*start_from && !t->state.step) foci_run_log(&t->folder, "%s", start_from);
    if (t->state.step) foci_run_log(&t->folder, "resuming after step %lld", (long long)t->state.step);
    return t->task->seek(t->data, t->state.epoch, t->state.position);
}

static foci_status run(foci_trainer *t) {
    FOCI_TRY(foci_trainer_open(t));
    FOCI_TRY(start(t));
    t->started = t->saved_at = foci_now();
    t->saved = t->state.step;
    prepare_progress(t);
    foci_trainer_interval(t);
    FOCI_TRY(foci_trainer_lose(t, summarise(t, FOCI_RUN_RUNNING, NULL)));
    if (owes_evaluation(t)) {
        foci_status s = evaluate(t);
        if (s) return s == FOCI_INTERRUPTED ? stop_here(t) : s;
        FOCI_TRY(save(t, true));
    }
    while (t->state.step < t->steps) {
        FOCI_TRY(step(t));
        report_progress(t);
        FOCI_TRY(between_steps(t));
    }
    FOCI_TRY(foci_final_test(t->config, t->task, t->data, t->model, &t->programs.parameters, &t->folder, t->state.step, t->watch));
    if (!t->lost) return FOCI_OK;
    return foci_fail(FOCI_ERR_IO, "%s: the run is over and its last checkpoint complete, but metrics or best weights could not be written on the way",
                     t->folder.path);
}

/* The last word of a run, which does not hide how it ended. */
static foci_status conclude(foci_trainer *t, foci_status s) {
    foci_error end = {FOCI_OK, ""};
    if (s) foci_error_take(&end, s);
    const foci_run_stand stand = !s ? FOCI_RUN_FINISHED : s == FOCI_INTERRUPTED ? FOCI_RUN_INTERRUPTED : s == FOCI_ERR_DIVERGED ? FOCI_RUN_DIVERGED : FOCI_RUN_FAILED;
    foci_status written = summarise(t, stand, s ? end.message : NULL);
    return s ? foci_error_raise(&end) : written;
}

foci_status foci_train(const foci_config *config, const foci_train_options *options) {
    const foci_watch watch = {options->evaluating, options->context, options->stop};
    foci_trainer t = {.config = config, .options = options, .watch = &watch, .folder.lock = -1};
    foci_status s = run(&t);
    if (s && t.folder.log) fprintf(t.folder.log, "%s\n", foci_error_message());
    if (t.started > 0) s = conclude(&t, s);
    foci_trainer_close(&t);
    return s;
}

