#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/subject.h"
#include "measure/attack.h"
#include "measure/owner.h"

enum { MOST = 64 };

typedef struct settings {
    const char *method, *eps; /* the last; both may be given several times */
    const char *out;
    foci_attack_options how;
    foci_attack_images images;
} settings;

static const foci_key rows[] = {
    FOCI_KEY(settings, method, NULL, 0, 0, NULL, "attacks, as `foci list attacks` names them",
             .placeholder = "M[,M...]"),
    FOCI_KEY(settings, eps, NULL, 0, 0, NULL, "radii of the ball, as 1/255 or 0.03", .placeholder = "E[,E...]"),
    FOCI_KEY(
        settings, out, NULL, 0, 0, NULL,
        "CSV, a row an image: predictions clean and attacked, and the distance in the attack's norm; written as it "
        "goes, so that the same command goes on after an interruption",
        .placeholder = "FILE"),
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

/* -------------------------------------------------------------------------------------------------- output
 */

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

/* Before anything is measured. */
static void print_head(const plan *p, int64_t images) {
    const foci_subject subject = foci_subject_of(p->parsed, p->parsed->weights);
    foci_report r = {NULL};
    foci_attack_tell_settings(p->attack[0], &p->o.images, &p->o.how, images, &r);
    foci_attack_print_head(&subject, &r, stdout);
    fflush(stdout);
    foci_report_free(&r);
}

static foci_status print(const plan *p, foci_report *r) {
    if (p->parsed->json) return foci_print_report(r, &foci_attack_json);
    foci_attack_print_line(r, stdout);
    foci_report_free(r);
    return FOCI_OK;
}

static foci_status measure_one(plan *p, foci_attack_session *run, const foci_attack *attack, double eps,
                               foci_ledger *ledger) {
    const foci_subject subject = foci_subject_of(p->parsed, p->parsed->weights);
    context c = {attack, eps};
    const foci_watch watch = {progress, &c, &foci_stop};
    foci_attack_report result;
    foci_report r = {NULL};
    p->o.how.eps = eps;
    FOCI_TRY(foci_attack_measure(run, attack, &p->o.how, ledger, &watch, &result));
    if (foci_is_terminal()) fputs("\r\033[K", stderr);
    foci_attack_tell(&subject, attack, &p->o.images, &result, &r);
    FOCI_TRY(print(p, &r));
    return fflush(stdout) ? foci_fail(FOCI_ERR_IO, "standard output: cannot write") : FOCI_OK;
}

/* Of one model, opened once. */
static foci_status measure_all(plan *p, foci_attack_session *run, foci_ledger *ledger) {
    if (!p->parsed->json) print_head(p, foci_attack_count(run));
    for (int m = 0; m < p->attacks; m++)
        for (int e = 0; e < p->count; e++) FOCI_TRY(measure_one(p, run, p->attack[m], p->eps[e], ledger));
    return FOCI_OK;
}

/* Belongs to these attacks, in this order. */
static foci_status open_ledger(const plan *p, foci_ledger *ledger) {
    const foci_subject subject = foci_subject_of(p->parsed, p->parsed->weights);
    foci_report owner = {NULL};
    char *text;
    foci_status s = foci_attack_own(&subject, &p->o.images, &p->o.how, &owner);
    foci_report *methods = foci_report_list(&owner, "method");
    for (int m = 0; m < p->attacks; m++) foci_report_text(methods, NULL, p->attack[m]->name);
    foci_report_numbers(&owner, "eps", p->count, p->eps);
    if (s) {
        foci_report_free(&owner);
        return s;
    }
    FOCI_TRY(foci_owner_text(&owner, "attack", &text));
    s = foci_ledger_open(ledger, p->o.out, text, foci_attack_columns);
    free(text);
    return s;
}

static foci_status measure(plan *p, foci_attack_session *run) {
    foci_ledger ledger = {NULL};
    for (int m = 0; m < p->attacks; m++) FOCI_TRY(foci_attack_check(run, p->attack[m], &p->o.how));
    if (p->o.out) FOCI_TRY(open_ledger(p, &ledger));
    foci_status s = measure_all(p, run, p->o.out ? &ledger : NULL);
    foci_ledger_close(&ledger);
    return s;
}

static foci_status check(const foci_parsed *parsed) {
    plan p = {.parsed = parsed};
    return read_lists(&p);
}

static foci_status attack(const foci_parsed *parsed) {
    plan p = {.parsed = parsed, .o = *(const settings *)parsed->options};
    FOCI_TRY(read_lists(&p));
    foci_attack_session *run = NULL;
    foci_status s = foci_attack_open(&run, parsed->config, parsed->weights, &p.o.images);
    if (!s) s = measure(&p, run);
    foci_attack_close(run);
    return s;
}

const foci_command foci_command_attack = {
    .name = "attack",
    .summary = "accuracy left under FGSM, PGD, SPSA, AutoAttack",
    .synopsis = "RUN_OR_CONFIG",
    .doc = "Attacks the images of the validation set and counts what the model still gets right. With --json one "
           "object per line: for each method, for each eps.",
    .least = 1,
    .most = 1,
    .takes = FOCI_TAKES_COMMON | FOCI_OPENS_WEIGHTS | FOCI_ENDS_BY_SIGNAL | FOCI_FIRST_DOES | FOCI_TAKES_DTYPE,
    .size = sizeof(settings),
    .options = {{rows},
                {foci_attack_image_keys, offsetof(settings, images)},
                {foci_attack_keys, offsetof(settings, how)}},
    .check = check,
    .run = attack};
