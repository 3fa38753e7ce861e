#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "cli/cli.h"
#include "attack/attack.h"

enum { MOST = 64 };

typedef struct options {
    const char *checkpoint;
    const foci_attack *attack[MOST];
    double eps[MOST];
    int attacks, count; /* of attack and eps */
    foci_attack_images images;
    foci_attack_options attack_options;
} options;

enum { CHECKPOINT = 1, METHOD, EPS, SPACE, CLIP, LABELS, NORM, LOSS, TARGETED, STEPS, STEP_SIZE, RESTARTS, START, SAMPLES, DELTA, SEED, LIMIT, BATCH };
static const struct argp_option table[] = {
    {"method", METHOD, "M[,M...]", 0, "attacks, as `foci list attacks` names them", 0},
    {"eps", EPS, "E[,E...]", 0, "radii of the ball, as 1/255 or 0.03", 0},
    {"space", SPACE, "S", 0, "units of eps: pixel (the default; images are in [0, 1], normalised inside the model) or normalised", 0},
    {"clip", CLIP, "C", 0, "valid (the default): only valid images; none", 0},
    {"labels", LABELS, "L", 0, "true (the default), or predicted: the model's own on the clean images; AutoAttack and its parts always use the true ones", 0},
    {"norm", NORM, "N", 0, "linf (the default) or l2", 0},
    {"limit", LIMIT, "N", 0, "attack so many images, evenly spread over the validation set (default: all)", 0},
    {"batch", BATCH, "B", 0, "images at once (default 128); results do not depend on it", 0},
    {"seed", SEED, "N", 0, "of random starts, targets and searches (default 0)", 0},
    {"steps", STEPS, "N", 0, "iterations, or queries (default: pgd 20, spsa 40, apgd and fab 100, square 5000)", 0},
    {"step-size", STEP_SIZE, "X", 0, "pgd: a step as a share of eps (default 0.15); spsa: Adam's rate (default 0.01)", 0},
    {"restarts", RESTARTS, "N", 0, "from so many random starts, for the images still standing (default 1)", 0},
    {"start", START, "S", 0, "pgd, spsa: random (the default), or image", 0},
    {"targeted", TARGETED, "T", 0, "fgsm, pgd, spsa: towards a class: random, or least (the least likely)", 0},
    {"loss", LOSS, "L", 0, "fgsm, pgd: cross_entropy (the default), margin or dlr", 0},
    {"samples", SAMPLES, "N", 0, "spsa: pairs of queries per step (default 128)", 0},
    {"delta", DELTA, "X", 0, "spsa: length of the probes in every coordinate (default 0.01)", 0},
    {"checkpoint", CHECKPOINT, "FILE", 0, "weights (default: the run's best.safetensors, else last.safetensors)", 0},
    {0}};

static foci_status parse_real(const char *option, const char *text, double *x) {
    char *end;
    errno = 0;
    *x = strtod(text, &end);
    if (end != text && *end == '/') {
        const char *below = end + 1;
        const double divisor = strtod(below, &end);
        *x = end == below ? (double)NAN : *x / divisor;
    }
    if (end == text || *end || !isfinite(*x) || *x < 0)
        return foci_fail(FOCI_ERR_CONFIG, "%s: `%s` is not a number such as 1/255 or 0.03", option, text);
    return FOCI_OK;
}

static foci_status parse_positive(const char *option, const char *text, double *x) {
    FOCI_TRY(parse_real(option, text, x));
    return *x > 0 ? FOCI_OK : foci_fail(FOCI_ERR_CONFIG, "%s: `%s` is not above 0", option, text);
}

static foci_status add_method(options *o, const char *name) {
    const foci_attack *attack = foci_attack_find(name);
    if (!attack) return foci_fail(FOCI_ERR_CONFIG, "--method: there is no attack `%s`; `foci list attacks` names them", name);
    if (o->attacks == MOST) return foci_fail(FOCI_ERR_CONFIG, "--method: more than %d", MOST);
    o->attack[o->attacks++] = attack;
    return FOCI_OK;
}
static foci_status add_eps(options *o, const char *text) {
    if (o->count == MOST) return foci_fail(FOCI_ERR_CONFIG, "--eps: more than %d", MOST);
    return parse_real("--eps", text, &o->eps[o->count++]);
}

static foci_status each(options *o, const char *list, foci_status (*add)(options *o, const char *item)) {
    char item[128];
    for (const char *at = list;; at++) {
        const size_t n = strcspn(at, ",");
        snprintf(item, sizeof item, "%.*s", (int)(n < sizeof item ? n : sizeof item - 1), at);
        FOCI_TRY(add(o, item));
        at += n;
        if (!*at) return FOCI_OK;
    }
}

/* The number of the word `arg` in a list of words. */
static foci_status choose(const char *option, const char *arg, const char *const *words, int *index) {
    char all[128] = "";
    for (*index = 0; words[*index]; ++*index) {
        if (strcmp(arg, words[*index]) == 0) return FOCI_OK;
        const size_t used = strlen(all);
        snprintf(all + used, sizeof all - used, "%s%s", used ? ", " : "", words[*index]);
    }
    return foci_fail(FOCI_ERR_CONFIG, "%s: `%s` is none of %s", option, arg, all);
}

static const char *const spaces[] = {"normalised", "pixel", NULL}, *const clips[] = {"none", "valid", NULL};
static const char *const labels[] = {"true", "predicted", NULL}, *const norms[] = {"linf", "l2", NULL};
static const char *const losses[] = {"cross_entropy", "margin", "dlr", NULL}, *const starts[] = {"random", "image", NULL};
static const char *const aims[] = {"random", "least", NULL};

static foci_status set_option(void *state, int key, char *arg) {
    options *o = state;
    foci_attack_options *a = &o->attack_options;
    long long n = 0;
    int i = 0;
    switch (key) {
    case CHECKPOINT: o->checkpoint = arg; return FOCI_OK;
    case METHOD: return each(o, arg, add_method);
    case EPS: return each(o, arg, add_eps);
    case SPACE: FOCI_TRY(choose("--space", arg, spaces, &i)); o->images.pixel = i; return FOCI_OK;
    case CLIP: FOCI_TRY(choose("--clip", arg, clips, &i)); o->images.clip = i; return FOCI_OK;
    case LABELS: FOCI_TRY(choose("--labels", arg, labels, &i)); a->predicted = i; return FOCI_OK;
    case NORM: FOCI_TRY(choose("--norm", arg, norms, &i)); a->norm = i ? FOCI_L2 : FOCI_LINF; return FOCI_OK;
    case LOSS: FOCI_TRY(choose("--loss", arg, losses, &i)); a->loss = (foci_attack_loss)i; return FOCI_OK;
    case TARGETED: FOCI_TRY(choose("--targeted", arg, aims, &i)); a->aim = i ? FOCI_AIM_LEAST : FOCI_AIM_RANDOM; return FOCI_OK;
    case START: FOCI_TRY(choose("--start", arg, starts, &i)); a->start_at_image = i; return FOCI_OK;
    case STEP_SIZE: return parse_positive("--step-size", arg, &a->step_size);
    case DELTA: return parse_positive("--delta", arg, &a->delta);
    case STEPS: FOCI_TRY(foci_parse_int("--steps", arg, 1, 1000000, &n)); a->steps = n; return FOCI_OK;
    case RESTARTS: FOCI_TRY(foci_parse_int("--restarts", arg, 1, 10000, &n)); a->restarts = n; return FOCI_OK;
    case SAMPLES: FOCI_TRY(foci_parse_int("--samples", arg, 1, 1000000, &n)); a->samples = n; return FOCI_OK;
    case SEED: FOCI_TRY(foci_parse_int("--seed", arg, 0, 9000000000000000, &n)); a->seed = (uint64_t)n; return FOCI_OK;
    case LIMIT: FOCI_TRY(foci_parse_int("--limit", arg, 1, 1000000000, &n)); o->images.limit = n; return FOCI_OK;
    default: FOCI_TRY(foci_parse_int("--batch", arg, 1, 100000, &n)); o->images.batch = n; return FOCI_OK;
    }
}

/* -------------------------------------------------------------------------------------------------- output */

typedef struct context {
    const foci_attack *attack;
    double eps;
} context;

static void progress(void *state, int64_t done, int64_t images) {
    const context *c = state;
    if (foci_is_terminal())
        fprintf(stderr, "\r\033[K%s eps %.6g: %lld of %lld images", c->attack->name, c->eps, (long long)done, (long long)images);
}

/* What the attack does not have is null. */
static void number(foci_report *r, const char *name, bool has, double x) {
    foci_report_number(r, name, has ? x : (double)NAN);
}
static void whole(foci_report *r, const char *name, bool has, int64_t x) {
    if (has) foci_report_whole(r, name, x);
    else foci_report_text(r, name, NULL);
}
static void word(foci_report *r, const char *name, bool has, const char *text) {
    foci_report_text(r, name, has ? text : NULL);
}

/* How it was measured. */
static void report_settings(foci_report *r, const options *o, const foci_attack *attack, const foci_attack_options *a) {
    const bool spsa = attack->samples > 0, steps = attack->step_size > 0;
    foci_report_text(r, "method", attack->name);
    foci_report_number(r, "eps", a->eps);
    foci_report_text(r, "space", spaces[o->images.pixel]);
    foci_report_text(r, "clip", clips[o->images.clip]);
    foci_report_text(r, "labels", labels[a->predicted]);
    foci_report_text(r, "norm", norms[a->norm == FOCI_L2]);
    foci_report_whole(r, "seed", (int64_t)a->seed);
    word(r, "objective", attack->losses, losses[a->loss]);
    word(r, "targeted", a->aim, aims[a->aim == FOCI_AIM_LEAST]);
    whole(r, "steps", attack->steps, a->steps);
    number(r, "step_size", steps, spsa ? a->step_size : a->step_size * a->eps);
    word(r, "start", steps, starts[a->start_at_image]);
    whole(r, "restarts", attack->random, a->restarts);
    whole(r, "samples", spsa, a->samples);
    number(r, "delta", spsa, a->delta);
}

static void report_scores(foci_report *to, const foci_attack_report *r) {
    foci_report_whole(to, "images", r->images);
    foci_report_number(to, "top1", r->top1);
    foci_report_number(to, "top5", r->top5);
    foci_report_number(to, "loss", r->loss);
    foci_report_number(to, "clean_top1", r->clean_top1);
    foci_report_number(to, "clean_top5", r->clean_top5);
    foci_report_number(to, "clean_loss", r->clean_loss);
    foci_report_whole(to, "outside", r->outside);
    foci_report_number(to, "largest", r->largest);
    foci_report_number(to, "seconds", r->seconds);
    foci_report_number(to, "images_per_s", (double)r->images / r->seconds);
    number(to, "reached", r->options.aim, r->reached);
}

static foci_status print_json(const options *o, const foci_common *common, const foci_attack *attack,
                              const foci_attack_report *r, const char *weights) {
    foci_report all = {NULL};
    report_settings(&all, o, attack, &r->options);
    report_scores(&all, r);
    foci_report_text(&all, "checkpoint", weights);
    foci_report_sets(&all, common);
    return foci_print_report(&all, &(foci_json_form){.compact = true, .digits = 17, .point = true});
}

static void print_head(const options *o, const foci_common *common, int64_t images) {
    const foci_attack_options *a = &o->attack_options;
    printf("%lld images, %s space, clip %s, labels %s, %s, seed %lld", (long long)images, spaces[o->images.pixel], clips[o->images.clip],
           labels[a->predicted], norms[a->norm == FOCI_L2], (long long)a->seed);
    for (int i = 0; i < common->sets; i++) printf(", %s", common->set[i]);
    printf("\n%-12s %9s %9s %9s %9s %9s %10s\n", "attack", "eps", "top-1 %", "top-5 %", "clean", "loss", "images/s");
    fflush(stdout);
}

static void print_line(const foci_attack *attack, const foci_attack_report *r) {
    printf("%-12s %9.6f %9.2f %9.2f %9.2f %9.4f %10.1f", attack->name, r->options.eps, r->top1, r->top5, r->clean_top1, r->loss,
           (double)r->images / r->seconds);
    if (r->options.aim) printf("  reached %.2f %%", r->reached);
    if (r->outside) printf("  %lld left the ball and count as not attacked", (long long)r->outside);
    putchar('\n');
}

static foci_status measure_all(options *o, foci_attack_run_of *run, const foci_common *common, const char *weights) {
    for (int m = 0; m < o->attacks; m++) FOCI_TRY(foci_attack_check(run, o->attack[m], &o->attack_options));
    if (!common->json) print_head(o, common, foci_attack_count(run));
    for (int m = 0; m < o->attacks; m++)
        for (int e = 0; e < o->count; e++) {
            context c = {o->attack[m], o->eps[e]};
            const foci_watch watch = {progress, &c, &foci_stop};
            foci_attack_report report;
            o->attack_options.eps = o->eps[e];
            FOCI_TRY(foci_attack_measure(run, o->attack[m], &o->attack_options, &watch, &report));
            if (foci_is_terminal()) fputs("\r\033[K", stderr);
            if (common->json) FOCI_TRY(print_json(o, common, o->attack[m], &report, weights));
            else print_line(o->attack[m], &report);
            fflush(stdout);
        }
    return FOCI_OK;
}

foci_status foci_cmd_attack(int argc, char **argv) {
    static options o;
    o = (options){.images = {.pixel = true, .clip = true}};
    foci_common common = {0};
    const char *path[1];
    char weights[4200];
    int count;
    bool done;
    const foci_arguments a = {table, set_option, &o, "RUN_OR_CONFIG",
                              "Attacks the images of the validation set and counts what the model still gets right. With --json one object "
                              "per line: for each method, for each eps.",
                              true, 1, 1};
    FOCI_TRY(foci_parse_arguments(&a, argc, argv, &common, path, &count, &done));
    if (done) return FOCI_OK;
    if (!o.attacks) return foci_fail(FOCI_ERR_CONFIG, "--method is missing; `foci list attacks` names them");
    if (!o.count) return foci_fail(FOCI_ERR_CONFIG, "--eps is missing");
    FOCI_TRY(foci_find_weights(path[0], o.checkpoint, weights, sizeof weights));
    foci_config *config;
    FOCI_TRY(foci_open_config(&config, path[0], &common));
    foci_attack_run_of *run = NULL;
    foci_catch_signals();
    foci_status status = foci_attack_open(&run, config, weights, &o.images);
    if (!status) status = measure_all(&o, run, &common, weights);
    foci_attack_close(run);
    foci_config_free(config);
    return status;
}
