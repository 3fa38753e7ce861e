#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/file.h"
#include "cli/cli.h"
#include "train/trainer.h"

typedef struct options {
    const char *out, *init;
    bool resume, force, dry_run;
} options;

enum { OUT = 1, INIT, RESUME, FORCE, DRY_RUN };
static const struct argp_option table[] = {
    {"out", OUT, "DIR", 0, "run folder (default: runs/NAME, NAME as in the config)", 0},
    {"resume", RESUME, NULL, 0, "go on with the run in the folder, to the same bits as if it had never stopped", 0},
    {"force", FORCE, NULL, 0, "replace the run in the folder", 0},
    {"init", INIT, "RUN_OR_FILE", 0, "start from these weights (a run, or safetensors: foci's, timm's DeiT, lmtool's); what they lack, and a head of another "
                            "shape, begins anew", 0},
    {"dry-run", DRY_RUN, NULL, 0, "print parameters, FLOPs per item and planned memory, and stop", 0},
    {0}};

static foci_status set_option(void *state, int key, char *arg) {
    options *o = state;
    switch (key) {
    case OUT: o->out = arg; break;
    case INIT: o->init = arg; break;
    case RESUME: o->resume = true; break;
    case FORCE: o->force = true; break;
    default: o->dry_run = true;
    }
    return FOCI_OK;
}

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
    fprintf(stderr, "%sstep %lld/%lld  epoch %lld/%lld  loss %.4f  lr %.3g  %.0f %s/s  mfu %.0f %%%s  ETA %s%s", terminal ? "\r\033[K" : "",
            (long long)p->step, (long long)p->steps, (long long)p->epoch, (long long)p->epochs, p->loss, p->lr,
            p->items_per_s, p->items, 100 * p->mfu, wait, eta, terminal ? "" : "\n");
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
    fprintf(stderr, "%sevaluating: %lld of %lld%s", terminal ? "\r\033[K" : "", (long long)done, (long long)count, terminal ? "" : "\n");
}

static foci_status train(const foci_config *config, const options *o) {
    if (o->dry_run) return foci_train_plan(config, stdout);
    char folder[4200];
    FOCI_TRY(foci_path_join(folder, sizeof folder, "runs", foci_config_string(config, "name")));
    char init[4200];
    if (o->init) FOCI_TRY(foci_weights_of(o->init, init, sizeof init));
    shown state = {.every = foci_config_int(config, "train.log_every")};
    foci_catch_signals();
    return foci_train(config, &(foci_train_options){.out = o->out ? o->out : folder,
                                                    .command = foci_command_line(),
                                                    .init = o->init ? init : NULL,
                                                    .resume = o->resume,
                                                    .force = o->force,
                                                    .stop = &foci_stop,
                                                    .save = &foci_save_now,
                                                    .progress = show_progress,
                                                    .evaluating = show_evaluation,
                                                    .context = &state});
}

foci_status foci_cmd_train(int argc, char **argv) {
    options o = {0};
    foci_common common = {0};
    const char *path[1];
    int count;
    bool done;
    const foci_arguments a = {table, set_option, &o, "CONFIG",
                              "Trains a model. The run folder gets config.yaml, env.json, metrics.jsonl, log.txt, last.safetensors, "
                              "best.safetensors and state.safetensors. Ctrl-C finishes the step, saves, and exits with 75; SIGUSR1 saves and goes on.",
                              true, 1, 1};
    FOCI_TRY(foci_parse_arguments(&a, argc, argv, &common, path, &count, &done));
    if (done) return FOCI_OK;
    if (o.resume && o.force) return foci_fail(FOCI_ERR_CONFIG, "--resume and --force exclude each other");
    foci_config *config;
    FOCI_TRY(foci_open_config(&config, path[0], &common));
    foci_status s = train(config, &o);
    foci_config_free(config);
    return s;
}
