#include <math.h>
#include <stdio.h>
#include <string.h>

#include "attack/attack.h"
#include "cli/cli.h"

enum { MOST = 64 };

typedef struct settings {
    const char *method, *eps; /* the last; both may be given several times */
    foci_attack_options how;
    foci_attack_images images;
} settings;

static const foci_key rows[] = {
    FOCI_KEY(settings, method, NULL, 0, 0, NULL, "attacks, as `foci list attacks` names them",
             .placeholder = "M[,M...]"),
    FOCI_KEY(settings, eps, NULL, 0, 0, NULL, "radii of the ball, as 1/255 or 0.03", .placeholder = "E[,E...]"),
    {0}};

/* What is measured: each attack with each radius. */
typedef struct plan {
    const foci_parsed *parsed;
    settings o;
    const foci_attack *attack[MOST];
    double eps[MOST];
    int attacks, count; /* of attack and eps */
} plan;

static foci_status add_method(plan *p, const char *name) {
    const foci_attack *attack = foci_attack_find(name);
    if (!attack)
        return foci_fail(FOCI_ERR_CONFIG, "--method: there is no attack `%s`; `foci list attacks` names them", name);
    if (p->attacks == MOST) return foci_fail(FOCI_ERR_CONFIG, "--method: more than %d", MOST);
    p->attack[p->attacks++] = attack;
    return FOCI_OK;
}

static foci_status add_eps(plan *p, const char *text) {
    foci_arena memory = {NULL};
    if (p->count == MOST) return foci_fail(FOCI_ERR_CONFIG, "--eps: more than %d", MOST);
    foci_status s = foci_key_parse(foci_attack_eps, "--eps", text, &memory, &p->o.how);
    foci_arena_free(&memory);
    p->eps[p->count++] = p->o.how.eps;
    return s;
}

static foci_status each(plan *p, const char *list, foci_status (*add)(plan *p, const char *item)) {
    char item[128];
    for (const char *at = list;; at++) {
        const size_t n = strcspn(at, ",");
        snprintf(item, sizeof item, "%.*s", (int)(n < sizeof item ? n : sizeof item - 1), at);
        FOCI_TRY(add(p, item));
        at += n;
        if (!*at) return FOCI_OK;
    }
}

static foci_status read_lists(plan *p) {
    const foci_parsed *parsed = p->parsed;
    const settings *o = parsed->options;
    const char *text;
    for (int i = 0; (text = foci_parsed_text(parsed, &o->method, i)); i++) FOCI_TRY(each(p, text, add_method));
    for (int i = 0; (text = foci_parsed_text(parsed, &o->eps, i)); i++) FOCI_TRY(each(p, text, add_eps));
    if (!p->attacks) return foci_fail(FOCI_ERR_CONFIG, "--method is missing; `foci list attacks` names them");
    return p->count ? FOCI_OK : foci_fail(FOCI_ERR_CONFIG, "--eps is missing");
}

/* -------------------------------------------------------------------------------------------------- output */

typedef struct context {
    const foci_attack *attack;
    double eps;
} context;

static void progress(void *state, int64_t done, int64_t images) {
    const context *c = state;
    if (foci_is_terminal())
        fprintf(stderr, "\r\033[K%s eps %.6g: %lld of %lld images", c->attack->name, c->eps, (long long)done,
                (long long)images);
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

/* What stands in a field of choices. */
typedef char word_of_choice[64];
static const char *word_of(const foci_key *keys, const void *options, const void *field, char *text) {
    while (foci_key_field(keys, options) != field) keys++;
    foci_key_word(keys, options, text);
    return text;
}
#define WORD(keys, options, name) word_of(keys, options, &(options)->name, (word_of_choice){0})

/* How it was measured. */
static void report_settings(foci_report *r, const plan *p, const foci_attack *attack,
                            const foci_attack_options *a) {
    const foci_attack_images *i = &p->o.images;
    const bool spsa = attack->samples > 0, steps = attack->step_size > 0;
    foci_report_text(r, "method", attack->name);
    foci_report_number(r, "eps", a->eps);
    foci_report_text(r, "space", WORD(foci_attack_image_keys, i, space));
    foci_report_text(r, "clip", WORD(foci_attack_image_keys, i, clip));
    foci_report_text(r, "labels", WORD(foci_attack_keys, a, labels));
    foci_report_text(r, "norm", WORD(foci_attack_keys, a, norm));
    foci_report_whole(r, "seed", a->seed);
    word(r, "objective", attack->losses, WORD(foci_attack_keys, a, loss));
    word(r, "targeted", a->targeted, WORD(foci_attack_keys, a, targeted));
    whole(r, "steps", attack->steps, a->steps);
    number(r, "step_size", steps, spsa ? a->step_size : a->step_size * a->eps);
    word(r, "start", steps, WORD(foci_attack_keys, a, start));
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
    number(to, "reached", r->options.targeted, r->reached);
}

static foci_status print_json(const plan *p, const foci_attack *attack, const foci_attack_report *r) {
    foci_report all = {NULL};
    report_settings(&all, p, attack, &r->options);
    report_scores(&all, r);
    foci_report_text(&all, "checkpoint", p->parsed->weights);
    foci_report_sets(&all, p->parsed);
    return foci_print_report(&all, &(foci_json_form){.compact = true, .digits = 17, .point = true});
}

static void print_head(const plan *p, int64_t images) {
    const foci_attack_options *a = &p->o.how;
    const foci_attack_images *i = &p->o.images;
    printf("%lld images, %s space, clip %s, labels %s, %s, seed %lld", (long long)images,
           WORD(foci_attack_image_keys, i, space), WORD(foci_attack_image_keys, i, clip),
           WORD(foci_attack_keys, a, labels), WORD(foci_attack_keys, a, norm), (long long)a->seed);
    for (int k = 0; k < p->parsed->overrides; k++) printf(", %s", p->parsed->override[k]);
    printf("\n%-12s %9s %9s %9s %9s %9s %10s\n", "attack", "eps", "top-1 %", "top-5 %", "clean", "loss", "images/s");
    fflush(stdout);
}

static void print_line(const foci_attack *attack, const foci_attack_report *r) {
    printf("%-12s %9.6f %9.2f %9.2f %9.2f %9.4f %10.1f", attack->name, r->options.eps, r->top1, r->top5, r->clean_top1,
           r->loss, (double)r->images / r->seconds);
    if (r->options.targeted) printf("  reached %.2f %%", r->reached);
    if (r->outside) printf("  %lld left the ball and count as not attacked", (long long)r->outside);
    putchar('\n');
}

static foci_status measure_all(plan *p, foci_attack_run_of *run) {
    for (int m = 0; m < p->attacks; m++) FOCI_TRY(foci_attack_check(run, p->attack[m], &p->o.how));
    if (!p->parsed->json) print_head(p, foci_attack_count(run));
    for (int m = 0; m < p->attacks; m++)
        for (int e = 0; e < p->count; e++) {
            context c = {p->attack[m], p->eps[e]};
            const foci_watch watch = {progress, &c, &foci_stop};
            foci_attack_report report;
            p->o.how.eps = p->eps[e];
            FOCI_TRY(foci_attack_measure(run, p->attack[m], &p->o.how, &watch, &report));
            if (foci_is_terminal()) fputs("\r\033[K", stderr);
            if (p->parsed->json) FOCI_TRY(print_json(p, p->attack[m], &report));
            else print_line(p->attack[m], &report);
            fflush(stdout);
        }
    return FOCI_OK;
}

static foci_status check(const foci_parsed *parsed) {
    plan p = {.parsed = parsed};
    return read_lists(&p);
}

static foci_status attack(const foci_parsed *parsed) {
    plan p = {.parsed = parsed, .o = *(const settings *)parsed->options};
    FOCI_TRY(read_lists(&p));
    foci_attack_run_of *run = NULL;
    foci_status s = foci_attack_open(&run, parsed->config, parsed->weights, &p.o.images);
    if (!s) s = measure_all(&p, run);
    foci_attack_close(run);
    return s;
}

const foci_command foci_command_attack = {
    .name = "attack",
    .summary = "accuracy left under FGSM, PGD, SPSA, AutoAttack",
    .synopsis = "RUN_OR_CONFIG",
    .doc = "Attacks the images of the validation set and counts what the model still gets right. With --json one "
           "object per line: for "
           "each method, for each eps.",
    .least = 1,
    .most = 1,
    .takes = FOCI_TAKES_COMMON | FOCI_OPENS_WEIGHTS | FOCI_ENDS_BY_SIGNAL,
    .size = sizeof(settings),
    .options = {{rows},
                {foci_attack_image_keys, offsetof(settings, images)},
                {foci_attack_keys, offsetof(settings, how)}},
    .check = check,
    .run = attack,
};
