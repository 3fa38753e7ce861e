#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "cli/cli.h"
#include "cli/table_show.h"

enum { VARIED = 16, VALUES = 64 };

/* A key and the values it takes, as texts in their order. */
typedef struct varied {
    const char *key;
    char *value[VALUES];
    int values;
} varied;

typedef struct settings {
    const char *vary, *measure, *out, *runs;
    foci_table_steps steps;
    bool status;
} settings;

static const foci_key rows[] = {
    FOCI_KEY(settings, vary, NULL, 0, 0, NULL,
             "a key of the config and the values it takes; repeatable: all combinations. train.seed gives the seeds "
             "that means are "
             "taken over",
             .placeholder = "KEY=A,B,..."),
    FOCI_KEY(
        settings, measure, NULL, 0, 0, NULL,
        "what is measured, as `foci list measures` names it: val,pgd:eps=1/255,limit=1000 (default: val); repeatable",
        .placeholder = "M[,M...]"),
    FOCI_KEY(settings, out, NULL, 0, 0, NULL, "results, logs and the table (default: sweeps/NAME of the config)",
             .placeholder = "DIR"),
    FOCI_KEY(settings, runs, NULL, 0, 0, NULL, "trained runs (default: runs in DIR of --out)", .placeholder = "DIR"),
    FOCI_KEY(settings, status, "false", 0, 0, NULL, "run nothing: show what is there so far"),
    {0}};

/* What the texts of the options come to. */
typedef struct plan {
    varied vary[VARIED];
    int varies;
    const char *measure[FOCI_TABLE_MEASURES];
    int measures;
    foci_arena arena;
} plan;

/* Up to the next comma that is in no brackets. */
static size_t piece(const char *text) {
    size_t n = 0;
    for (int depth = 0; text[n] && !(text[n] == ',' && depth == 0); n++) depth += (text[n] == '[') - (text[n] == ']');
    return n;
}

/* KEY=A,B,C */
static foci_status add_vary(plan *o, const char *arg) {
    const char *equals = strchr(arg, '=');
    if (!equals || equals == arg || !equals[1])
        return foci_fail(FOCI_ERR_CONFIG, "--vary: `%s` is not KEY=A,B,...", arg);
    if (o->varies == VARIED) return foci_fail(FOCI_ERR_CONFIG, "--vary: more than %d keys", VARIED);
    varied *v = &o->vary[o->varies++];
    v->key = foci_arena_printf(&o->arena, "%.*s", (int)(equals - arg), arg);
    for (int i = 0; i < o->varies - 1; i++)
        if (v->key && strcmp(o->vary[i].key, v->key) == 0)
            return foci_fail(FOCI_ERR_CONFIG, "--vary: %s stands there twice", v->key);
    for (const char *at = equals + 1;; at++) {
        const size_t n = piece(at);
        if (!n) return foci_fail(FOCI_ERR_CONFIG, "--vary: an empty value in `%s`", arg);
        if (v->values == VALUES) return foci_fail(FOCI_ERR_CONFIG, "--vary: more than %d values of %s", VALUES, v->key);
        v->value[v->values++] = foci_arena_printf(&o->arena, "%.*s", (int)n, at);
        at += n;
        if (!*at) break;
    }
    return v->key && v->value[v->values - 1] ? FOCI_OK : foci_out_of_memory();
}

/* "val,pgd:eps=1/255,limit=100,test": what has a = and no : belongs to the measurement before it. */
static foci_status add_measures(plan *o, const char *arg) {
    for (const char *at = arg;;) {
        size_t n = piece(at);
        for (const char *next = at + n; *next; next = at + n) {
            const size_t more = piece(next + 1), equals = strcspn(next + 1, "="), colon = strcspn(next + 1, ":");
            if (equals >= more || colon < more) break;
            n += 1 + more;
        }
        if (o->measures == FOCI_TABLE_MEASURES)
            return foci_fail(FOCI_ERR_CONFIG, "--measure: more than %d", FOCI_TABLE_MEASURES);
        o->measure[o->measures] = foci_arena_printf(&o->arena, "%.*s", (int)n, at);
        if (!o->measure[o->measures++]) return foci_out_of_memory();
        at += n;
        if (!*at) return FOCI_OK;
        at++;
    }
}

static foci_status read_texts(plan *p, const foci_parsed *parsed) {
    const settings *o = parsed->options;
    for (int i = 0; foci_parsed_text(parsed, &o->vary, i); i++)
        FOCI_TRY(add_vary(p, foci_parsed_text(parsed, &o->vary, i)));
    for (int i = 0; foci_parsed_text(parsed, &o->measure, i); i++)
        FOCI_TRY(add_measures(p, foci_parsed_text(parsed, &o->measure, i)));
    if (parsed->overrides > FOCI_TABLE_SETS / 2)
        return foci_fail(FOCI_ERR_CONFIG, "--set: more than %d", FOCI_TABLE_SETS / 2);
    return p->measures ? FOCI_OK : add_measures(p, "val");
}

static bool is_seed(const varied *v) { return strcmp(v->key, "train.seed") == 0; }

static foci_status take_seeds(foci_table *t, const varied *v) {
    typedef struct seeds {
        int64_t seed;
    } seeds;
    static const foci_key row = FOCI_KEY(seeds, seed, NULL, 0, 9e15, NULL, "");
    for (int i = 0; i < v->values; i++) {
        seeds s;
        FOCI_TRY(foci_key_parse(&row, "--vary train.seed", v->value[i], &t->arena, &s));
        for (int k = 0; k < t->seeds; k++)
            if (t->seed[k] == s.seed)
                return foci_fail(FOCI_ERR_CONFIG, "--vary train.seed: %lld stands there twice", (long long)s.seed);
        t->seed[t->seeds++] = s.seed;
    }
    return FOCI_OK;
}

/* A row for combination number i: "softmax", or of several keys "softmax, lr 0.001". */
static foci_status add_row(const plan *o, foci_table *t, const foci_parsed *parsed, long long i) {
    foci_table_row *row = foci_table_add_row(t);
    if (!row) return foci_fail(FOCI_ERR_CONFIG, "--vary: more than %d combinations", FOCI_TABLE_RUNS);
    const char *name = "";
    row->config = parsed->argument[0];
    for (int s = 0; s < parsed->overrides; s++) row->set[row->sets++] = parsed->override[s];
    for (int k = 0; k < o->varies; k++) {
        const varied *v = &o->vary[k];
        if (is_seed(v)) continue;
        const char *value = v->value[i % v->values], *dot = strrchr(v->key, '.');
        i /= v->values;
        row->set[row->sets] = foci_arena_printf(&t->arena, "%s=%s", v->key, value);
        if (!row->set[row->sets++]) return foci_out_of_memory();
        /* a word speaks for itself, a number needs its key */
        const bool word = isalpha((unsigned char)*value) && strcmp(value, "true") != 0 && strcmp(value, "false") != 0;
        name = foci_arena_printf(&t->arena, "%s%s%s%s%s", name, *name ? ", " : "",
                                 word  ? ""
                                 : dot ? dot + 1
                                       : v->key,
                                 word ? "" : " ", value);
        if (!name) return foci_out_of_memory();
    }
    row->name = *name ? name : "run";
    return FOCI_OK;
}

static foci_status build(const plan *o, foci_table *t, const foci_parsed *parsed) {
    long long combinations = 1;
    for (int k = 0; k < o->varies; k++) {
        if (is_seed(&o->vary[k])) FOCI_TRY(take_seeds(t, &o->vary[k]));
        else combinations *= o->vary[k].values;
        if (combinations > FOCI_TABLE_RUNS)
            return foci_fail(FOCI_ERR_CONFIG, "--vary: more than %d combinations", FOCI_TABLE_RUNS);
    }
    for (long long i = 0; i < combinations; i++) FOCI_TRY(add_row(o, t, parsed, i));
    for (int i = 0; i < o->measures; i++)
        FOCI_TRY(foci_table_add_measure(t, "--measure", o->measure[i], o->measure[i], NULL, 0));
    t->title = foci_arena_printf(&t->arena, "Sweep of %s", parsed->argument[0]);
    return t->title ? FOCI_OK : foci_out_of_memory();
}

static foci_status default_folder(const char *config, char *folder, size_t size) {
    foci_config *c;
    FOCI_TRY(foci_config_open(&c, config, NULL, 0));
    foci_status s = foci_path_join(folder, size, "sweeps", foci_config_string(c, "name"));
    foci_config_free(c);
    return s;
}

static foci_status sweep(const foci_parsed *parsed, plan *p) {
    const settings *o = parsed->options;
    char folder[4200];
    FOCI_TRY(read_texts(p, parsed));
    FOCI_TRY(default_folder(parsed->argument[0], folder, sizeof folder));
    foci_table *t = foci_table_new(parsed->argument[0]);
    if (!t) return foci_out_of_memory();
    foci_status s = build(p, t, parsed);
    if (!s)
        s = foci_table_show(
            t, &(foci_table_options){.out = o->out ? o->out : folder, .runs = o->runs, .status_only = o->status},
            &o->steps, parsed->threads);
    foci_table_free(t);
    return s;
}

static foci_status run(const foci_parsed *parsed) {
    plan p = {.varies = 0};
    foci_status s = sweep(parsed, &p);
    foci_arena_free(&p.arena);
    return s;
}

const foci_command foci_command_sweep = {
    .name = "sweep",
    .summary = "a table of one config with some keys varied",
    .synopsis = "CONFIG",
    .doc = "Trains a config in all combinations of some keys' values, measures each, and shows them in a table, as "
           "`foci table run` does. Stopped at any moment, it goes on where it was.",
    .least = 1,
    .most = 1,
    .takes = FOCI_TAKES_SET | FOCI_TAKES_THREADS | FOCI_ENDS_BY_SIGNAL,
    .size = sizeof(settings),
    .options = {{rows}, {foci_table_steps_keys, offsetof(settings, steps)}},
    .run = run,
};
