#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/eval_shifted.h"
#include "models/models.h"
#include "task/task.h"
#include "shift/contamination.h"
#include "train/trainer.h"

typedef struct options {
    const char *checkpoint, *split, *contaminate;
    bool sliding;
    foci_shift_options shift;
} options;

enum { CHECKPOINT = 1, SPLIT, WALK, CONTAMINATE };
static const struct argp_option table[] = {
    {"checkpoint", CHECKPOINT, "FILE", 0, "weights (default: the run's best.safetensors, else last.safetensors)", 0},
    {"split", SPLIT, "S", 0, "val (the default); text also has test", 0},
    {"walk", WALK, "WALK", 0, "text: disjoint windows (the default), or sliding by one token, each token but those of the "
                              "first window predicted from a full window", 0},
    {"contaminate", CONTAMINATE, "KIND[:KEY=VALUE,...]", 0, "text: beside the text as it is, its perplexity contaminated, as in "
                                                             "word-swap:rate=0.015,min=1 (see foci list contaminations)", 0},
    FOCI_SHIFT_OPTIONS,
    {0}};

static foci_status set_option(void *state, int key, char *arg) {
    options *o = state;
    if (key >= FOCI_SHIFT_CORRUPT) return foci_shift_option(&o->shift, key, arg);
    if (key == CHECKPOINT) o->checkpoint = arg;
    else if (key == SPLIT) o->split = arg;
    else if (key == CONTAMINATE) o->contaminate = arg;
    else if (strcmp(arg, "sliding") == 0 || strcmp(arg, "disjoint") == 0) o->sliding = *arg == 's';
    else return foci_fail(FOCI_ERR_CONFIG, "--walk: `%s` is not disjoint or sliding", arg);
    return FOCI_OK;
}

static const char *walk_name(const options *o) { return o->sliding ? "sliding" : "disjoint"; }

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

static void report_setting(foci_report *r, const foci_key *key, const void *settings) {
    const void *field = foci_key_field(key, settings);
    char word[64];
    switch (key->type) {
    case FOCI_KEY_BOOL: foci_report_flag(r, key->name, *(const bool *)field); break;
    case FOCI_KEY_INT: foci_report_whole(r, key->name, *(const int64_t *)field); break;
    case FOCI_KEY_REAL: foci_report_number(r, key->name, *(const double *)field); break;
    case FOCI_KEY_CHOICE: foci_report_text(r, key->name, foci_key_word(key, settings, word) ? word : NULL); break;
    default: foci_report_text(r, key->name, *(const char *const *)field);
    }
}

static void report_settings(foci_report *r, const foci_contamination *c, const void *settings,
                            const foci_contamination_count *n) {
    foci_report_text(r, "kind", c->name);
    for (const foci_key *key = c->keys; key->name; key++) report_setting(r, key, settings);
    foci_report_whole(r, "lines", n->lines);
    foci_report_whole(r, "words", n->words);
    foci_report_whole(r, "swapped", n->swapped);
}

static const foci_json_form spaced = {.digits = 9, .point = true};

static foci_status print_contaminated_json(const foci_contaminated_score *s, const options *o,
                                           const foci_contamination *c, const void *settings) {
    foci_report r = {NULL};
    foci_report_text(&r, "split", o->split);
    foci_report_text(&r, "walk", walk_name(o));
    foci_report_number(&r, "nll", s->clean.nll);
    foci_report_number(&r, "loss", s->clean.nll);
    foci_report_number(&r, "ppl", s->clean.ppl);
    foci_report_whole(&r, "tokens", s->clean.tokens);
    foci_report_number(&r, "contaminated_nll", s->contaminated.nll);
    foci_report_number(&r, "contaminated_ppl", s->contaminated.ppl);
    report_settings(foci_report_part(&r, "contamination"), c, settings, &s->count);
    return foci_print_report(&r, &spaced);
}

static foci_status print_contaminated(const foci_contaminated_score *s, const options *o, const foci_contamination *c,
                                      const void *settings) {
    foci_report r = {NULL};
    printf("%s, %s windows: perplexity %.3f clean, %.3f contaminated (%.5f and %.5f nats per token) over %lld tokens\n",
           o->split, walk_name(o), s->clean.ppl, s->contaminated.ppl, s->clean.nll, s->contaminated.nll,
           (long long)s->clean.tokens);
    report_settings(&r, c, settings, &s->count);
    return foci_print_report(&r, &spaced);
}

static foci_status evaluate_contaminated(const foci_config *config, const char *weights, const options *o, bool json) {
    const foci_contamination *c;
    const void *settings;
    foci_arena arena = {0};
    foci_contaminated_score score;
    foci_status s = foci_contamination_parse(o->contaminate, &arena, &c, &settings);
    if (!s)
        s = foci_evaluate_contaminated(config, weights, o->split, o->sliding, c, settings, &foci_on_terminal, &score);
    if (!s) s = (json ? print_contaminated_json : print_contaminated)(&score, o, c, settings);
    foci_arena_free(&arena);
    return s;
}

static foci_status evaluate(const foci_config *config, const char *weights, const options *o, const foci_common *common) {
    if (foci_shift_asked(&o->shift)) return foci_eval_shifted(config, weights, &o->shift, common);
    if (o->contaminate) return evaluate_contaminated(config, weights, o, common->json);
    foci_score score;
    const foci_task *task = foci_task_of(foci_model_find(foci_config_string(config, "model.kind")));
    const char *const set[] = {o->sliding ? "walk=sliding" : "walk=disjoint"};
    FOCI_TRY(foci_evaluate(config, weights, &(foci_evaluation){o->split, set, o->sliding || task->settings}, &foci_on_terminal, &score));
    return print_score(&score, o->split, task->settings ? walk_name(o) : NULL, common->json);
}

foci_status foci_cmd_eval(int argc, char **argv) {
    options o = {.split = "val"};
    foci_common common = {0};
    const char *path[1];
    int count;
    bool done;
    const foci_arguments a = {table, set_option, &o, "RUN_OR_CONFIG",
                              "Top-1 and top-5 accuracy over every image of a split, or perplexity over every token; or accuracy on corrupted images and on folders of "
                              "other images.", true, 1, 1};
    FOCI_TRY(foci_parse_arguments(&a, argc, argv, &common, path, &count, &done));
    if (done) return FOCI_OK;
    char weights[4200];
    FOCI_TRY(foci_find_weights(path[0], o.checkpoint, weights, sizeof weights));
    foci_config *config;
    FOCI_TRY(foci_open_config(&config, path[0], &common));
    foci_catch_signals();
    foci_status s = evaluate(config, weights, &o, &common);
    foci_config_free(config);
    return s;
}
