#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/file.h"
#include "cli/cli.h"
#include "cli/plan_show.h"
#include "cli/run_show.h"
#include "task/task.h"
#include "train/trainer.h"

typedef struct settings {
    const char *out, *init;
    bool resume, extend, force, accept_changed_data, dry_run;
} settings;

static const foci_key rows[] = {
    FOCI_KEY(settings, out, NULL, 0, 0, NULL, "run folder (default: runs/NAME, NAME as in the config)",
             .placeholder = "DIR"),
    FOCI_KEY(settings, resume, "false", 0, 0, NULL,
             "go on with the run in the folder, to the same bits as if it had never stopped"),
    FOCI_KEY(
        settings, extend, "false", 0, 0, NULL,
        "go on with it to another length, as --set train.epochs=20 says: weights and moments are kept, the schedule "
        "is that of the new length"),
    FOCI_KEY(settings, force, "false", 0, 0, NULL, "replace the run in the folder"),
    FOCI_KEY(settings, init, NULL, 0, 0, NULL,
             "start from these weights (a run, or safetensors: foci's, timm's DeiT, lmtool's); what they lack, and a "
             "head of "
             "another shape, begins anew",
             .placeholder = "RUN_OR_FILE"),
    FOCI_KEY(settings, accept_changed_data, "false", 0, 0, NULL,
             "with --resume: go on although the data changed since the run was begun; it is noted in log.txt"),
    FOCI_KEY(settings, dry_run, "false", 0, 0, NULL, "print parameters, FLOPs per item and planned memory, and stop"),
    {0}};

static void clock_text(double seconds, char text[32]) {
    if (!isfinite(seconds) || seconds > 359999) seconds = 359999;
    int s = (int)(seconds + 0.5);
    if (s >= 3600) snprintf(text, 32, "%d:%02d:%02d", s / 3600, s / 60 % 60, s % 60);
    else snprintf(text, 32, "%d:%02d", s / 60, s % 60);
}

static const double NOTABLE_WAIT = 0.02; /* share of a step; more is said in the line of progress */

typedef struct shown {
    int64_t every; /* updates, from line to line */
    double since;  /* clock: of the last line about the evaluation at work, or of its begin */
    int64_t done;
} shown;

/* A line that is redrawn on a terminal; elsewhere one line for every `every` updates. */
static void show_progress(void *context, const foci_progress *p) {
    const int64_t every = ((const shown *)context)->every;
    bool terminal = foci_is_terminal();
    if (!terminal && p->step % every && p->step != p->steps) return;
    char eta[32], wait[64] = "";
    clock_text(p->eta, eta);
    if (p->data_wait > NOTABLE_WAIT) snprintf(wait, sizeof wait, "  %.0f %% waiting for data", 100 * p->data_wait);
    fprintf(stderr, "%sstep %lld/%lld  epoch %lld/%lld  loss %.4f  lr %.3g  %.0f %s/s  mfu %.0f %%%s  ETA %s%s",
            terminal ? "\r\033[K" : "", (long long)p->step, (long long)p->steps, (long long)p->epoch,
            (long long)p->epochs, p->loss, p->lr, p->items_per_s, p->items, 100 * p->mfu, wait, eta,
            terminal ? "" : "\n");
    if (terminal) fflush(stderr);
}

/* The same; elsewhere a line now and then, where an evaluation takes long. */
static void show_evaluation(void *context, int64_t done, int64_t count) {
    enum { SECONDS = 60 };
    shown *s = context;
    const bool terminal = foci_is_terminal(), begins = done <= s->done;
    s->done = done;
    if (begins) s->since = foci_now();
    if (!terminal && foci_now() - s->since < SECONDS) return;
    s->since = foci_now();
    fprintf(stderr, "%sevaluating: %lld of %lld%s", terminal ? "\r\033[K" : "", (long long)done, (long long)count,
            terminal ? "" : "\n");
}

static bool goes_on(const settings *o) { return o->resume || o->extend; }

static foci_status check(const foci_parsed *parsed) {
    const settings *o = parsed->options;
    if (o->accept_changed_data && !goes_on(o))
        return foci_fail(FOCI_ERR_CONFIG, "--accept-changed-data goes with --resume");
    if (!o->force || !goes_on(o)) return FOCI_OK;
    return foci_fail(FOCI_ERR_CONFIG, "--%s and --force exclude each other", o->resume ? "resume" : "extend");
}

/* What there is of it is shown also where it will not fit. */
static foci_status show_plan(const foci_parsed *parsed) {
    foci_report r = {NULL};
    foci_error end;
    foci_error_take(&end, foci_train_plan(parsed->config, &r));
    if (r.first && parsed->json) FOCI_TRY(foci_print_report(&r, &foci_json_line));
    else if (r.first) foci_plan_print(&r);
    foci_report_free(&r);
    return foci_error_raise(&end);
}

/* As `foci runs` has it. */
static foci_status print_run(const char *folder) {
    foci_run_view v;
    foci_report r = {NULL};
    foci_status s = foci_run_view_open(&v, folder);
    if (!s) foci_run_view_report(&v, &r);
    foci_run_view_close(&v);
    return s ? s : foci_print_report(&r, &foci_json_compact);
}

/* A run goes on with the names of outputs that its weights learnt, whatever its data have now; one that starts from
 * other weights keeps theirs where its task does. */
static foci_status label(const foci_parsed *parsed, const char *out, const char *init) {
    char last[4200];
    const foci_model *model;
    const foci_task *task;
    FOCI_TRY(foci_task_open(parsed->config, &model, &task));
    FOCI_TRY(foci_path_join(last, sizeof last, out, "last.safetensors"));
    const char here = foci_path_kind(last);
    char first = here;
    foci_group_broadcast(parsed->group, &first, sizeof first);
    if (goes_on(parsed->options) && here != first)
        return foci_fail(FOCI_ERR_CONFIG,
                         "%s: not the file here that process 0 sees; a run is gone on with where all see its folder",
                         last);
    if (goes_on(parsed->options) && here == 'f') return foci_config_label(parsed->config, last);
    return init && task->keeps_labels ? foci_config_label(parsed->config, init) : FOCI_OK;
}

/* What goes on with a run that is named as such goes on in its folder. */
static foci_status folder_of(const foci_parsed *parsed, char *folder, size_t size) {
    const settings *o = parsed->options;
    const char *subject = parsed->argument[0];
    if (o->out) return foci_path_join(folder, size, "", o->out);
    if (goes_on(o) && foci_path_kind(subject) == 'd') return foci_path_join(folder, size, "", subject);
    return foci_path_join(folder, size, "runs", foci_config_string(parsed->config, "name"));
}

static foci_status train(const foci_parsed *parsed) {
    const settings *o = parsed->options;
    if (o->dry_run) return foci_speaks ? show_plan(parsed) : FOCI_OK;
    char folder[4200];
    FOCI_TRY(folder_of(parsed, folder, sizeof folder));
    char init[4200];
    if (o->init) FOCI_TRY(foci_group_agree(parsed->group, foci_weights_of(o->init, init, sizeof init)));
    FOCI_TRY(foci_group_agree(parsed->group, label(parsed, folder, o->init ? init : NULL)));
    shown state = {.every = foci_config_int(parsed->config, "train.log_every"), .since = foci_now()};
    FOCI_TRY(foci_train(parsed->config, &(foci_train_options){.out = folder,
                                                              .command = foci_command_line(),
                                                              .init = o->init ? init : NULL,
                                                              .resume = goes_on(o),
                                                              .extend = o->extend,
                                                              .force = o->force,
                                                              .accept_changed_data = o->accept_changed_data,
                                                              .group = parsed->group,
                                                              .stop = &foci_stop,
                                                              .save = &foci_save_now,
                                                              .progress = foci_speaks ? show_progress : NULL,
                                                              .evaluating = foci_speaks ? show_evaluation : NULL,
                                                              .context = &state}));
    return parsed->json && foci_speaks ? print_run(folder) : FOCI_OK;
}

const foci_command foci_command_train = {
    .name = "train",
    .summary = "train a model from a config",
    .synopsis = "CONFIG_OR_RUN",
    .doc =
        "Trains a model. The run folder gets config.yaml, env.json, metrics.jsonl, log.txt, last.safetensors, "
        "best.safetensors and state.safetensors. Ctrl-C, SIGTERM or the end of the terminal finishes the step, saves, "
        "and exits with 75; a second Ctrl-C ends it at once, and what came after the last checkpoint is lost. SIGUSR1 "
        "saves and goes on, SIGUSR2 stops it as SIGTERM does.",
    .least = 1,
    .most = 1,
    .takes = FOCI_TAKES_COMMON | FOCI_OPENS_CONFIG | FOCI_ENDS_BY_SIGNAL | FOCI_TAKES_GROUP,
    .size = sizeof(settings),
    .options = {{rows}},
    .check = check,
    .run = train,
};
