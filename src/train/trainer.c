/* The training loop. A step is: clear the gradients; for every part of the batch forward and backward; one update. */
#include "train/trainer.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/memory.h"
#include "base/parallel.h"
#include "core/load.h"
#include "kernels/kernels.h"
#include "models/models.h"
#include "train/checkpoint.h"
#include "train/final_test.h"
#include "train/load_model.h"
#include "train/programs.h"
#include "train/run_folder.h"
#include "train/schedule.h"
#include "train/schema.h"

typedef struct trainer {
    const foci_config *config;
    const foci_train_options *options;
    const foci_model *model;
    const foci_task_kind *task;
    foci_task_state *data;
    foci_programs programs;
    foci_optimizer optimizer;
    foci_real *ema; /* flat as the parameters; NULL without train.ema_decay */
    foci_schedule schedule;
    foci_run_folder folder;
    foci_run_state state;

    int64_t batch, micro;                /* samples of an update, of one pass */
    int64_t updates_per_epoch, steps;    /* updates in all */
    int64_t saved;                       /* the step of the last checkpoint */
    double saved_at;                     /* clock */
    int rollbacks, in_a_row;             /* since training got on; updates left out one after another */
    bool updated;                        /* since the last checkpoint */
    bool lost;                           /* something could not be written */
    double loss_sum, grad_norm, lr;      /* since the last line of metrics */
    double data_wait;                    /* seconds that steps waited for their batches, likewise */
    int64_t losses, items;
    double started, interval;            /* clock: of this sitting, of the last line */
} trainer;

static double now(void) { return foci_now_ms() / 1e3; } /* seconds */

/* -------------------------------------------------------------------------------------------- preparation */

static foci_status find_task(const foci_config *c, const foci_model **model, const foci_task_kind **task) {
    *model = foci_model_find(foci_config_string(c, "model.kind"));
    const foci_data_set *set = foci_data_set_find(foci_config_string(c, "data.kind"));
    if (set->task != (*model)->task)
        return foci_config_fail(c, "data.kind", "%s is %s, but model.kind %s wants %s", set->name, foci_task_kind_of(set->task)->items,
                                (*model)->name, foci_task_kind_of((*model)->task)->items);
    *task = foci_task_kind_of((*model)->task);
    return FOCI_OK;
}

static const char *dtype(const trainer *t) { return t->programs.bf16 ? "bf16" : "fp32"; }

static void prepare_io(void *context, int shape, foci_model_io *io) {
    const trainer *t = context;
    t->task->prepare(t->data, shape, io);
}

static foci_status open_data_and_model(trainer *t) {
    const foci_config *c = t->config;
    FOCI_TRY(find_task(c, &t->model, &t->task));
    t->batch = foci_config_int(c, "train.batch_size");
    t->micro = foci_config_int(c, "train.micro_batch");
    if (!t->micro) t->micro = t->batch;
    if (t->batch % t->micro)
        return foci_config_fail(c, "train.micro_batch", "%lld does not divide train.batch_size %lld", (long long)t->micro, (long long)t->batch);
    FOCI_TRY(t->task->open(&t->data, c, true));
    t->updates_per_epoch = t->task->updates(t->data);
    t->steps = t->updates_per_epoch * foci_config_int(c, "train.epochs");
    int64_t most = foci_config_int(c, "train.max_steps");
    if (most && most < t->steps) t->steps = most;
    return foci_programs_record(&t->programs, t->model, c, t->micro, t->task->shapes(t->data), prepare_io, t);
}

static foci_optimizer_options optimizer_options(const foci_config *c) {
    const char *name = foci_config_string(c, "train.optimizer");
    foci_optimizer_options o = {.eps = foci_config_real(c, "train.eps"),
                                .momentum = foci_config_real(c, "train.momentum"),
                                .weight_decay = foci_config_real(c, "train.weight_decay"),
                                .clip = foci_config_real(c, "train.clip"),
                                .freeze = foci_config_string(c, "train.freeze"),
                                .lr_scale = foci_config_string(c, "train.lr_scale")};
    while (strcmp(foci_optimizer_name(o.kind), name) != 0) o.kind++;
    const double *betas;
    int n = foci_config_reals(c, "train.betas", &betas);
    o.beta1 = n > 0 ? betas[0] : 0.9;
    o.beta2 = n > 1 ? betas[1] : 0.999;
    return o;
}

static foci_schedule schedule_of(const trainer *t) {
    const foci_config *c = t->config;
    static const char *const kinds[] = {"constant", "cosine", "linear", "polynomial"};
    foci_schedule s = {.lr = foci_config_real(c, "train.lr"),
                       .min_lr = foci_config_real(c, "train.min_lr"),
                       .warmup_lr = foci_config_real(c, "train.warmup_lr"),
                       .power = foci_config_real(c, "train.power"),
                       .lag = (double)foci_config_int(c, "train.schedule_lag"),
                       .first_update_at_lr = foci_config_bool(c, "train.first_update_at_lr"),
                       .per_epoch = strcmp(foci_config_string(c, "train.schedule_by"), "epoch") == 0};
    while (strcmp(kinds[s.kind], foci_config_string(c, "train.schedule")) != 0) s.kind++;
    double per_epoch = (double)t->updates_per_epoch, warmup_steps = (double)foci_config_int(c, "train.warmup_steps");
    double warmup_epochs = foci_config_real(c, "train.warmup_epochs");
    int64_t epochs = foci_config_int(c, "train.epochs"), steps = foci_config_int(c, "train.schedule_steps");
    if (s.per_epoch) s.total = (double)epochs;
    else s.total = (double)(steps ? steps : epochs * t->updates_per_epoch);
    if (s.per_epoch) s.warmup = warmup_steps > 0 ? warmup_steps / per_epoch : warmup_epochs;
    else s.warmup = warmup_steps > 0 ? warmup_steps : warmup_epochs * per_epoch;
    return s;
}

/* ----------------------------------------------------------------------------------------------- an update */

enum { MOST_ROLLBACKS = 3, MOST_IN_A_ROW = 100 };

/* A number that is none, said with the step and the last checkpoint. */
static foci_status diverged(const trainer *t, foci_status s) {
    if (!t->saved) return foci_context(s, "step %lld, before the first checkpoint", (long long)t->state.step + 1);
    return foci_context(s, "step %lld (the last good checkpoint is %s/state.safetensors, step %lld)", (long long)t->state.step + 1,
                        t->folder.path, (long long)t->saved);
}

static foci_status leave_out(trainer *t, const char *why) {
    t->state.left_out++;
    foci_run_log(&t->folder, "step %lld: %s: the update is left out (%lld so far)", (long long)t->state.step + 1, why, (long long)t->state.left_out);
    if (++t->in_a_row < MOST_IN_A_ROW) return FOCI_OK;
    return diverged(t, foci_fail(FOCI_ERR_DIVERGED, "%d updates in a row had to be left out", MOST_IN_A_ROW));
}

/* Weights, moments and averages of the last checkpoint; the step, the schedule and the data go on. */
static foci_status roll_back(trainer *t, foci_status why) {
    if (!t->saved || ++t->rollbacks > MOST_ROLLBACKS) return diverged(t, why);
    foci_error reason;
    foci_error_take(&reason, why);
    foci_run_state then;
    FOCI_TRY(foci_checkpoint_load(t->folder.path, &t->programs.parameters, &t->optimizer, t->ema, &then));
    t->state.left_out += t->state.step + 1 - t->saved;
    t->state.watch = then.watch;
    foci_run_log(&t->folder, "step %lld: %s: back to the weights of step %lld, the updates since are left out", (long long)t->state.step + 1,
                 reason.message, (long long)t->saved);
    return FOCI_OK;
}

static foci_status not_finite(trainer *t, foci_status s) {
    const char *policy = foci_config_string(t->config, "train.on_nonfinite");
    if (strcmp(policy, "skip") == 0) return leave_out(t, foci_error_message());
    return strcmp(policy, "rollback") == 0 ? roll_back(t, s) : diverged(t, s);
}

enum { TILE = 1 << 15 };

static void follow(trainer *t) {
    const foci_parameters *p = &t->programs.parameters;
    const double decay = foci_config_real(t->config, "train.ema_decay");
    FOCI_PARALLEL_FOR
    for (int64_t i = 0; i < foci_tiles(p->size, TILE); i++) {
        const foci_range r = foci_tile(p->size, TILE, i);
        foci_kernel()->lerp(r.end - r.first, (foci_real)(1 - decay), p->value + r.first, t->ema + r.first);
    }
}

/* Of the gradients that stand in the parameters; or none, where the loss or they forbid it. */
static foci_status make_update(trainer *t, double loss) {
    foci_status s = FOCI_OK;
    if (!isfinite(loss)) s = foci_fail(FOCI_ERR_DIVERGED, "the loss is %s", isnan(loss) ? "not a number" : "infinite");
    else if (foci_loss_spikes(&t->state.watch, loss, foci_config_real(t->config, "train.spike_zscore"))) {
        char text[128];
        snprintf(text, sizeof text, "the loss is %.4f after a mean of %.4f", loss, t->state.watch.mean);
        return leave_out(t, text);
    }
    if (!s) s = foci_optimizer_step(&t->optimizer, &t->programs.parameters, t->lr, &t->grad_norm);
    if (s == FOCI_ERR_DIVERGED) return not_finite(t, s);
    if (s) return s;
    t->in_a_row = 0;
    t->updated = true;
    foci_loss_take(&t->state.watch, loss);
    if (t->ema) follow(t);
    return FOCI_OK;
}

/* ------------------------------------------------------------------------------------------------- a step */

static foci_status step(trainer *t) {
    foci_parameters *p = &t->programs.parameters;
    int64_t update = t->state.position;
    foci_program *s = &t->programs.program[t->task->shape_of(t->data, update)];
    double asked = now();
    FOCI_TRY(t->task->next(t->data, t->state.epoch, update));
    t->data_wait += now() - asked;
    foci_run_picture(&t->folder, t->state.step + 1, t->task, t->data);
    double share = (double)t->micro / (double)t->batch, loss = 0;
    foci_parameters_zero_grad(p);
    foci_graph_promise(s->graph, (foci_real)share);
    for (int64_t first = 0; first < t->batch; first += t->micro) {
        t->task->bind(t->data, &s->io, first);
        foci_graph_set_step(s->graph, (uint64_t)t->state.step, (uint64_t)first);
        foci_graph_forward(s->graph);
        loss += share * (double)foci_data(s->io.loss)[0];
        foci_graph_backward(s->graph, (foci_real)share);
    }
    t->lr = foci_schedule_lr(&t->schedule, t->state.step, t->updates_per_epoch);
    FOCI_TRY(make_update(t, loss));
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

static void report_progress(const trainer *t) {
    if (!t->options->progress) return;
    double seconds = now() - t->interval, rate = seconds > 0 ? (double)t->items / seconds : 0;
    double per_step = t->losses ? seconds / (double)t->losses : 0;
    t->options->progress(t->options->context,
                         &(foci_progress){t->state.step, t->steps, t->state.epoch, foci_config_int(t->config, "train.epochs"),
                                          t->loss_sum / (double)t->losses, t->lr, rate,
                                          per_step * (double)(t->steps - t->state.step), seconds > 0 ? t->data_wait / seconds : 0, t->task->items});
}

static void start_interval(trainer *t) {
    t->loss_sum = t->data_wait = 0;
    t->losses = t->items = 0;
    t->interval = now();
}

static double elapsed(const trainer *t) { return t->state.elapsed + now() - t->started; }

static foci_status write_metrics(trainer *t) {
    if (!t->losses) return FOCI_OK;
    double seconds = now() - t->interval;
    foci_status s = foci_run_metrics(&t->folder, "step", (double)t->state.step, "epoch",
                              (double)t->state.step / (double)t->updates_per_epoch, "loss", t->loss_sum / (double)t->losses,
                              "lr", t->lr, "grad_norm", t->grad_norm, "items_per_s", (double)t->items / seconds, "data_wait_ms",
                              1e3 * t->data_wait / (double)t->losses, "elapsed", elapsed(t), NULL);
    start_interval(t);
    return s;
}

/* Training goes on without what could not be written. */
static foci_status lose(trainer *t, foci_status s) {
    if (s != FOCI_ERR_IO) return s;
    foci_log(FOCI_LOG_WARN, "%s; training goes on", foci_error_message());
    t->lost = true;
    return FOCI_OK;
}

/* A checkpoint that cannot be written is tried again with the next one, as long as there is an older one to go back to. */
static foci_status save(trainer *t, bool last) {
    t->state.elapsed = elapsed(t);
    t->started = now();
    foci_status s = foci_checkpoint_save(t->folder.path, &t->programs.parameters, &t->optimizer, t->ema, &t->state,
                                         foci_config_int(t->config, "train.keep_every"));
    t->saved_at = now();
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

static void describe_score(const foci_score *score, char *text, size_t size) {
    if (isnan(score->top1)) snprintf(text, size, "loss %.4f, perplexity %.2f over %lld tokens", score->loss, score->ppl, (long long)score->items);
    else snprintf(text, size, "top-1 %.2f %%, top-5 %.2f %%, loss %.4f over %lld images", score->top1, score->top5, score->loss, (long long)score->items);
}

/* The averaged weights take the place of the others meanwhile. */
static foci_status evaluate_average(trainer *t, foci_score *score) {
    foci_parameters *p = &t->programs.parameters;
    foci_real *weights = p->value;
    p->value = t->ema;
    foci_status s = t->task->evaluate(t->data, t->model, p, "val", false, score);
    p->value = weights;
    return s;
}

static foci_status evaluate(trainer *t) {
    foci_score score, average = {NAN, NAN, NAN, NAN, 0};
    char text[128];
    double epoch = (double)t->state.step / (double)t->updates_per_epoch;
    FOCI_TRY(t->task->evaluate(t->data, t->model, &t->programs.parameters, "val", false, &score));
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
                             elapsed(t), end, average.loss, "ema_ppl", average.ppl, NULL);
    else
        s = foci_run_metrics(&t->folder, "step", step, "epoch", epoch, "val_loss", score.loss, "top1", score.top1, "top5", score.top5,
                             "images", items, "elapsed", elapsed(t), end, average.loss, "ema_top1", average.top1, "ema_top5", average.top5, NULL);
    FOCI_TRY(lose(t, s));
    double metric = t->task->metric(&score), best = t->state.best;
    foci_score before = {.top1 = best, .ppl = best};
    if (!isfinite(best) || t->task->better(&score, &before)) {
        char path[4200];
        t->state.best = metric;
        FOCI_TRY(foci_path_join(path, sizeof path, t->folder.path, "best.safetensors"));
        FOCI_TRY(lose(t, foci_save_weights(&t->programs.parameters, path, NULL, 0)));
    }
    start_interval(t); /* evaluation is not training time */
    return FOCI_OK;
}

/* Is it time, `every` updates or (0) an epoch after the last time? */
static bool due(const trainer *t, int64_t every) {
    return every ? t->state.step % every == 0 : t->state.position == 0;
}

static foci_status between_steps(trainer *t) {
    const foci_config *c = t->config;
    bool last = t->state.step >= t->steps, stopped = t->options->stop && *t->options->stop;
    bool asked = t->options->save && *t->options->save;
    double minutes = foci_config_real(c, "train.checkpoint_minutes");
    if (asked) *t->options->save = 0;
    bool evaluation = due(t, foci_config_int(c, "train.eval_every")) || last;
    if (due(t, foci_config_int(c, "train.log_every")) || evaluation || stopped) FOCI_TRY(lose(t, write_metrics(t)));
    if (evaluation && !stopped) FOCI_TRY(evaluate(t));
    if (due(t, foci_config_int(c, "train.checkpoint_every")) || (minutes > 0 && now() - t->saved_at >= 60 * minutes) || asked || last || stopped)
        FOCI_TRY(save(t, last || stopped));
    if (!stopped || last) return FOCI_OK;
    return foci_fail(FOCI_INTERRUPTED, "stopped after step %lld of %lld; --resume goes on from there", (long long)t->state.step, (long long)t->steps);
}

/* --------------------------------------------------------------------------------------------------- runs */

static foci_status start_average(trainer *t) {
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
static foci_status check_same_config(const trainer *t) {
    char path[4200], text[1024] = "";
    foci_config *before;
    FOCI_TRY(foci_path_join(path, sizeof path, t->folder.path, "config.yaml"));
    FOCI_TRY(foci_config_load(&before, foci_schema_all(), path, NULL, 0));
    foci_status s = foci_config_compare(before, t->config, note_difference, text);
    foci_config_free(before);
    if (s || !*text) return s;
    return foci_fail(FOCI_ERR_CONFIG, "%s was begun with another config: %s; a new run may start from its weights with --init", t->folder.path, text);
}

static foci_status start(trainer *t) {
    const foci_config *c = t->config;
    uint64_t seed = (uint64_t)foci_config_int(c, "train.seed");
    foci_optimizer_options options = optimizer_options(c);
    const bool average = foci_config_real(c, "train.ema_decay") > 0;
    FOCI_TRY(foci_programs_allocate(&t->programs, seed, (options.kind == FOCI_SGD ? 1 : 2) + average));
    FOCI_TRY(foci_optimizer_init(&t->optimizer, &options, &t->programs.parameters));
    t->schedule = schedule_of(t);
    t->state = (foci_run_state){.seed = seed, .best = NAN};
    char start_from[2048] = "";
    if (t->options->init) FOCI_TRY(foci_init_weights(&t->programs.parameters, t->options->init, t->model->head, start_from, sizeof start_from));
    if (average) FOCI_TRY(start_average(t));
    FOCI_TRY(foci_run_folder_open(&t->folder, t->options->out, t->options->resume, t->options->force));
    char saved[4200], text[512];
    FOCI_TRY(foci_path_join(saved, sizeof saved, t->folder.path, "state.safetensors"));
    if (t->options->resume && foci_path_kind(saved)) {
        FOCI_TRY(check_same_config(t));
        FOCI_TRY(foci_checkpoint_load(t->folder.path, &t->programs.parameters, &t->optimizer, t->ema, &t->state));
        FOCI_TRY(foci_checkpoint_weights(t->folder.path, &t->programs.parameters, t->ema, &t->state, foci_config_int(c, "train.keep_every")));
        FOCI_TRY(foci_run_folder_rewind(&t->folder, t->state.step));
    }
    if (foci_config_bool(c, "train.tensorboard")) FOCI_TRY(foci_run_events(&t->folder, t->state.step));
    FOCI_TRY(foci_run_folder_describe(&t->folder, c, t->options->command));
    t->task->describe(t->data, text, sizeof text);
    foci_run_log(&t->folder, "%s: %s, %s attention, %lld parameters, products in %s", t->folder.path, t->model->name,
                 foci_config_string(c, "attention.kind"), (long long)foci_parameters_numel(&t->programs.parameters), dtype(t));
    foci_run_log(&t->folder, "data: %s", text);
    foci_run_log(&t->folder, "plan: %.1f MB for a pass of %lld (%.1f MB without sharing); %lld updates an epoch, %lld in all",
                 (double)t->programs.bytes / 1e6, (long long)t->micro, (double)t->programs.bytes_unshared / 1e6,
                 (long long)t->updates_per_epoch, (long long)t->steps);
    if (*start_from && !t->state.step) foci_run_log(&t->folder, "%s", start_from);
    if (t->state.step) foci_run_log(&t->folder, "resuming after step %lld", (long long)t->state.step);
    return t->task->seek(t->data, t->state.epoch, t->state.position);
}

static foci_status run(trainer *t) {
    FOCI_TRY(open_data_and_model(t));
    FOCI_TRY(start(t));
    t->started = t->saved_at = now();
    t->saved = t->state.step;
    start_interval(t);
    while (t->state.step < t->steps) {
        FOCI_TRY(step(t));
        report_progress(t);
        FOCI_TRY(between_steps(t));
    }
    FOCI_TRY(foci_final_test(t->config, t->task, t->data, t->model, &t->programs.parameters, &t->folder, t->state.step));
    if (!t->lost) return FOCI_OK;
    return foci_fail(FOCI_ERR_IO, "%s: the run is over and its last checkpoint complete, but metrics or best weights could not be written on the way",
                     t->folder.path);
}

static void close_trainer(trainer *t) {
    if (t->data) t->task->close(t->data);
    foci_optimizer_free(&t->optimizer);
    free(t->ema);
    foci_programs_free(&t->programs);
    foci_run_folder_close(&t->folder);
}

foci_status foci_train(const foci_config *config, const foci_train_options *options) {
    trainer t = {.config = config, .options = options, .folder.lock = -1};
    foci_status s = run(&t);
    if (s && t.folder.log) fprintf(t.folder.log, "%s\n", foci_error_message());
    close_trainer(&t);
    return s;
}

/* ------------------------------------------------------------------------------------------------ dry run */

/* "blocks.3" of "blocks.3.attn.qkv.weight", "norm" of "norm.weight": two parts where the second is a number. */
static size_t module_length(const char *name) {
    size_t n = strcspn(name, ".");
    if (name[n] && name[n + 1] >= '0' && name[n + 1] <= '9') n += 1 + strcspn(name + n + 1, ".");
    return n;
}

static void print_parameters(const foci_parameters *p, FILE *out) {
    fprintf(out, "%-32s %14s\n", "module", "parameters");
    for (int i = 0; i < p->count;) {
        const char *name = p->entry[i].name;
        size_t length = module_length(name);
        int64_t sum = 0;
        for (; i < p->count && module_length(p->entry[i].name) == length && strncmp(p->entry[i].name, name, length) == 0; i++)
            sum += p->entry[i].numel;
        fprintf(out, "%-32.*s %14lld\n", (int)length, name, (long long)sum);
    }
    fprintf(out, "%-32s %14lld\n", "total", (long long)foci_parameters_numel(p));
}

static void prepare_without_data(void *context, int shape, foci_model_io *io) {
    (void)context, (void)shape;
    io->labelled = true;
}

/* A plan needs the data only for their number, and for classes or words that the config does not name. */
static foci_status open_or_imagine(trainer *t, char *text, size_t size) {
    foci_status s = open_data_and_model(t);
    if (!s) t->task->describe(t->data, text, size);
    if (s != FOCI_ERR_DATA) return s;
    foci_error missing;
    foci_error_take(&missing, s);
    foci_programs_free(&t->programs);
    if (foci_programs_record(&t->programs, t->model, t->config, t->micro, 1, prepare_without_data, NULL)) return foci_error_raise(&missing);
    snprintf(text, size, "cannot be read (%s)", missing.message);
    return FOCI_OK;
}

static foci_status print_plan(trainer *t, FILE *out) {
    char text[2200];
    FOCI_TRY(open_or_imagine(t, text, sizeof text));
    print_parameters(&t->programs.parameters, out);
    const foci_program *s = &t->programs.program[0];
    foci_cost cost = foci_graph_cost(s->graph);
    double again = foci_graph_cost_again(s->graph);
    int64_t items = t->micro * (s->io.ids ? s->io.ids->shape[1] : 1);
    double flat = (double)t->programs.parameters.size * sizeof(foci_real);
    int moments = strcmp(foci_config_string(t->config, "train.optimizer"), "sgd") == 0 ? 1 : 2;
    fprintf(out, "\ndata             %s\n", text);
    if (t->data) fprintf(out, "updates          %lld an epoch, %lld in all\n", (long long)t->updates_per_epoch, (long long)t->steps);
    fprintf(out, "MFLOP per %-6s %.2f forward, %.2f backward\n", t->task->item, cost.forward / (double)items / 1e6, cost.backward / (double)items / 1e6);
    fprintf(out, "products         in %s\n", dtype(t));
    if (again > 0) fprintf(out, "recompute        %.2f MFLOP per %s again in the backward pass\n", again / (double)items / 1e6, t->task->item);
    fprintf(out, "plan             %.1f MB for a pass of %lld (%.1f MB without sharing)\n", (double)t->programs.bytes / 1e6,
            (long long)t->micro, (double)t->programs.bytes_unshared / 1e6);
    fprintf(out, "parameters       %.1f MB with gradients and %d moment%s\n", flat * (2 + moments) / 1e6, moments, moments > 1 ? "s" : "");
    return FOCI_OK;
}

foci_status foci_train_plan(const foci_config *config, FILE *out) {
    trainer t = {.config = config, .folder.lock = -1};
    foci_status s = print_plan(&t, out);
    close_trainer(&t);
    return s;
}

/* --------------------------------------------------------------------------------------------- evaluation */

static foci_status evaluate_file(trainer *t, const char *weights, const char *split, bool sliding, foci_score *score) {
    FOCI_TRY(find_task(t->config, &t->model, &t->task));
    FOCI_TRY(t->task->open(&t->data, t->config, false));
    FOCI_TRY(foci_load_model(&t->programs.parameters, t->model, t->config, t->task->classes(t->data), weights));
    return t->task->evaluate(t->data, t->model, &t->programs.parameters, split, sliding, score);
}

foci_status foci_evaluate(const foci_config *config, const char *weights, const char *split, bool sliding, foci_score *score) {
    trainer t = {.config = config, .folder.lock = -1};
    foci_status s = evaluate_file(&t, weights, split, sliding, score);
    close_trainer(&t);
    return s;
}
