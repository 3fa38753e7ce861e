#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/eval_shifted.h"
#include "models/models.h"
#include "shift/contamination.h"
#include "train/trainer.h"

typedef struct settings {
    const char *split, *contaminate;
    enum { DISJOINT, SLIDING } walk;
    foci_shift_options shift;
} settings;

static const foci_key rows[] = {
    FOCI_KEY(settings, split, "val", 0, 0, NULL, "val; text also has test", .placeholder = "S"),
    FOCI_KEY(settings, walk, "disjoint", 0, 0, "disjoint sliding",
             "text: disjoint windows, or sliding by one token, each token but those of the first window predicted from "
             "a full window"),
    FOCI_KEY(settings, contaminate, NULL, 0, 0, NULL,
             "text: beside the text as it is, its perplexity contaminated, as in word-swap:rate=0.015,min=1 (see foci "
             "list contaminations)",
             .placeholder = "KIND[:KEY=VALUE,...]"),
    {0}};

static const char *walk_name(const settings *o) { return o->walk == SLIDING ? "sliding" : "disjoint"; }

/* walk: NULL where the task has none */
static foci_status print_json(const foci_score *s, const char *split, const char *walk) {
    foci_report r = {NULL};
    foci_report_text(&r, "split", split);
    if (walk) foci_report_text(&r, "walk", walk);
    foci_score_report(s, FOCI_IN_RESULT, &r);
    return foci_print_report(&r, &foci_json_line);
}

static foci_status print_score(const foci_score *s, const char *split, const char *walk, bool json) {
    char text[256];
    if (json) return print_json(s, split, walk);
    foci_score_text(s, true, text, sizeof text);
    printf("%s%s%s%s: %s\n", split, walk ? ", " : "", walk ? walk : "", walk ? " windows" : "", text);
    return FOCI_OK;
}

/* ------------------------------------------------------------------------------------- contaminated text */

static void report_setting(foci_report *r, const foci_key *key, const void *options) {
    const void *field = foci_key_field(key, options);
    char word[64];
    switch (key->type) {
    case FOCI_KEY_BOOL: foci_report_flag(r, key->name, *(const bool *)field); break;
    case FOCI_KEY_INT: foci_report_whole(r, key->name, *(const int64_t *)field); break;
    case FOCI_KEY_REAL: foci_report_number(r, key->name, *(const double *)field); break;
    case FOCI_KEY_CHOICE: foci_report_text(r, key->name, foci_key_word(key, options, word) ? word : NULL); break;
    default: foci_report_text(r, key->name, *(const char *const *)field);
    }
}

static void report_settings(foci_report *r, const foci_contamination *c, const void *options,
                            const foci_contamination_count *n) {
    foci_report_text(r, "kind", c->name);
    for (const foci_key *key = c->keys; key->name; key++) report_setting(r, key, options);
    foci_report_whole(r, "lines", n->lines);
    foci_report_whole(r, "words", n->words);
    foci_report_whole(r, "swapped", n->swapped);
}

static const foci_json_form spaced = {.digits = 9, .point = true};

static foci_status print_contaminated_json(const foci_contaminated_score *s, const settings *o,
                                           const foci_contamination *c, const void *options) {
    foci_report r = {NULL};
    foci_report_text(&r, "split", o->split);
    foci_report_text(&r, "walk", walk_name(o));
    foci_score_report(&s->clean, FOCI_IN_RESULT, &r);
    foci_report_number(&r, "contaminated_nll", foci_score_value(&s->contaminated, "nll"));
    foci_report_number(&r, "contaminated_ppl", foci_score_value(&s->contaminated, "ppl"));
    report_settings(foci_report_part(&r, "contamination"), c, options, &s->count);
    return foci_print_report(&r, &spaced);
}

static foci_status print_contaminated(const foci_contaminated_score *s, const settings *o, const foci_contamination *c,
                                      const void *options) {
    foci_report r = {NULL};
    printf("%s, %s windows: perplexity %.3f clean, %.3f contaminated (%.5f and %.5f nats per token) over %lld tokens\n",
           o->split, walk_name(o), foci_score_value(&s->clean, "ppl"), foci_score_value(&s->contaminated, "ppl"),
           foci_score_value(&s->clean, "nll"), foci_score_value(&s->contaminated, "nll"),
           (long long)foci_score_value(&s->clean, "tokens"));
    report_settings(&r, c, options, &s->count);
    return foci_print_report(&r, &spaced);
}

static foci_status evaluate_contaminated(const foci_parsed *parsed, const settings *o) {
    const foci_contamination *c;
    const void *options;
    foci_arena arena = {0};
    foci_contaminated_score score;
    foci_status s = foci_contamination_parse(o->contaminate, &arena, &c, &options);
    if (!s)
        s = foci_evaluate_contaminated(parsed->config, parsed->weights, o->split, o->walk == SLIDING, c, options,
                                       &foci_on_terminal, &score);
    if (!s) s = (parsed->json ? print_contaminated_json : print_contaminated)(&score, o, c, options);
    foci_arena_free(&arena);
    return s;
}

static foci_status check(const foci_parsed *parsed) {
    return foci_shift_check(&((const settings *)parsed->options)->shift);
}

static foci_status evaluate(const foci_parsed *parsed) {
    const settings *o = parsed->options;
    if (foci_shift_asked(&o->shift)) return foci_eval_shifted(parsed, &o->shift);
    if (o->contaminate) return evaluate_contaminated(parsed, o);
    foci_score score;
    FOCI_TRY(foci_evaluate(parsed->config, parsed->weights, o->split, o->walk == SLIDING, &foci_on_terminal, &score));
    const foci_task_kind *task =
        foci_task_kind_of(foci_model_find(foci_config_string(parsed->config, "model.kind"))->task);
    return print_score(&score, o->split, task->walks ? walk_name(o) : NULL, parsed->json);
}

const foci_command foci_command_eval = {
    .name = "eval",
    .summary = "accuracy or perplexity of a run",
    .synopsis = "RUN_OR_CONFIG",
    .doc = "Top-1 and top-5 accuracy over every image of a split, or perplexity over every token; or accuracy on "
           "corrupted images and on "
           "folders of other images.",
    .least = 1,
    .most = 1,
    .takes = FOCI_TAKES_COMMON | FOCI_OPENS_WEIGHTS | FOCI_ENDS_BY_SIGNAL,
    .size = sizeof(settings),
    .options = {{rows}, {foci_shift_keys, offsetof(settings, shift)}},
    .check = check,
    .run = evaluate,
};
