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

typedef struct options {
    foci_table_options table;
    varied vary[VARIED];
    int varies;
    const char *measure[FOCI_TABLE_MEASURES], *set[FOCI_TABLE_SETS], *title;
    int measures, sets;
    foci_arena arena;
} options;

enum { VARY = 1, MEASURE, SET, OUT, RUNS, JOBS, THREADS, STATUS };
static const struct argp_option table[] = {
    {"vary", VARY, "KEY=A,B,...", 0, "a key of the config and the values it takes; repeatable: all combinations. train.seed gives the seeds "
                                     "that means are taken over", 0},
    {"measure", MEASURE, "M[,M...]", 0, "what is measured, as `foci table list` names it: val,pgd:eps=1/255,limit=1000 (default: val); repeatable", 0},
    {"set", SET, "KEY=VALUE", 0, "change a key of the config for all runs; repeatable", 0},
    {"out", OUT, "DIR", 0, "results, logs and the table (default: sweeps/NAME of the config)", 0},
    {"runs", RUNS, "DIR", 0, "trained runs (default: runs in DIR of --out)", 0},
    {"jobs", JOBS, "N", 0, "commands at once; the threads are divided among them (default 1)", 0},
    {"threads", THREADS, "N", 0, "of all commands together (default: all cores)", 0},
    {"status", STATUS, NULL, 0, "run nothing: show what is there so far", 0},
    {0}};

static foci_status out_of_memory(void) { return foci_fail(FOCI_ERR_RUNTIME, "out of memory"); }

/* Up to the next comma that is in no brackets. */
static size_t piece(const char *text) {
    size_t n = 0;
    for (int depth = 0; text[n] && !(text[n] == ',' && depth == 0); n++) depth += (text[n] == '[') - (text[n] == ']');
    return n;
}

/* KEY=A,B,C */
static foci_status add_vary(options *o, const char *arg) {
    const char *equals = strchr(arg, '=');
    if (!equals || equals == arg || !equals[1]) return foci_fail(FOCI_ERR_CONFIG, "--vary: `%s` is not KEY=A,B,...", arg);
    if (o->varies == VARIED) return foci_fail(FOCI_ERR_CONFIG, "--vary: more than %d keys", VARIED);
    varied *v = &o->vary[o->varies++];
    v->key = foci_arena_printf(&o->arena, "%.*s", (int)(equals - arg), arg);
    for (int i = 0; i < o->varies - 1; i++)
        if (v->key && strcmp(o->vary[i].key, v->key) == 0) return foci_fail(FOCI_ERR_CONFIG, "--vary: %s stands there twice", v->key);
    for (const char *at = equals + 1;; at++) {
        const size_t n = piece(at);
        if (!n) return foci_fail(FOCI_ERR_CONFIG, "--vary: an empty value in `%s`", arg);
        if (v->values == VALUES) return foci_fail(FOCI_ERR_CONFIG, "--vary: more than %d values of %s", VALUES, v->key);
        v->value[v->values++] = foci_arena_printf(&o->arena, "%.*s", (int)n, at);
        at += n;
        if (!*at) break;
    }
    return v->key && v->value[v->values - 1] ? FOCI_OK : out_of_memory();
}

/* "val,pgd:eps=1/255,limit=100,test": what has a = and no : belongs to the measurement before it. */
static foci_status add_measures(options *o, const char *arg) {
    for (const char *at = arg;;) {
        size_t n = piece(at);
        for (const char *next = at + n; *next; next = at + n) {
            const size_t more = piece(next + 1), equals = strcspn(next + 1, "="), colon = strcspn(next + 1, ":");
            if (equals >= more || colon < more) break;
            n += 1 + more;
        }
        if (o->measures == FOCI_TABLE_MEASURES) return foci_fail(FOCI_ERR_CONFIG, "--measure: more than %d", FOCI_TABLE_MEASURES);
        o->measure[o->measures] = foci_arena_printf(&o->arena, "%.*s", (int)n, at);
        if (!o->measure[o->measures++]) return out_of_memory();
        at += n;
        if (!*at) return FOCI_OK;
        at++;
    }
}

static foci_status set_option(void *state, int key, char *arg) {
    options *o = state;
    long long n = 0;
    switch (key) {
    case VARY: return add_vary(o, arg);
    case MEASURE: return add_measures(o, arg);
    case SET:
        if (o->sets == FOCI_TABLE_SETS / 2) return foci_fail(FOCI_ERR_CONFIG, "--set: more than %d", FOCI_TABLE_SETS / 2);
        o->set[o->sets++] = arg;
        return FOCI_OK;
    case OUT: o->table.out = arg; return FOCI_OK;
    case RUNS: o->table.runs = arg; return FOCI_OK;
    case JOBS: FOCI_TRY(foci_parse_int("--jobs", arg, 1, 64, &n)); o->table.jobs = (int)n; return FOCI_OK;
    case THREADS: FOCI_TRY(foci_parse_int("--threads", arg, 1, 1024, &n)); o->table.threads = (int)n; return FOCI_OK;
    default: o->table.status_only = true; return FOCI_OK;
    }
}

static bool is_seed(const varied *v) { return strcmp(v->key, "train.seed") == 0; }

static foci_status take_seeds(foci_table *t, const varied *v) {
    for (int i = 0; i < v->values; i++) {
        long long seed = 0;
        FOCI_TRY(foci_parse_int("--vary train.seed", v->value[i], 0, 9000000000000000, &seed));
        for (int k = 0; k < t->seeds; k++)
            if (t->seed[k] == seed) return foci_fail(FOCI_ERR_CONFIG, "--vary train.seed: %lld stands there twice", seed);
        t->seed[t->seeds++] = seed;
    }
    return FOCI_OK;
}

/* A row for combination number i: "softmax", or of several keys "softmax, lr 0.001". */
static foci_status add_row(const options *o, foci_table *t, const char *config, long long i) {
    foci_table_row *row = foci_table_add_row(t);
    if (!row) return foci_fail(FOCI_ERR_CONFIG, "--vary: more than %d combinations", FOCI_TABLE_RUNS);
    const char *name = "";
    row->config = config;
    for (int s = 0; s < o->sets; s++) row->set[row->sets++] = o->set[s];
    for (int k = 0; k < o->varies; k++) {
        const varied *v = &o->vary[k];
        if (is_seed(v)) continue;
        const char *value = v->value[i % v->values], *dot = strrchr(v->key, '.');
        i /= v->values;
        row->set[row->sets] = foci_arena_printf(&t->arena, "%s=%s", v->key, value);
        if (!row->set[row->sets++]) return out_of_memory();
        /* a word speaks for itself, a number needs its key */
        const bool word = isalpha((unsigned char)*value) && strcmp(value, "true") != 0 && strcmp(value, "false") != 0;
        name = foci_arena_printf(&t->arena, "%s%s%s%s%s", name, *name ? ", " : "", word ? "" : dot ? dot + 1 : v->key, word ? "" : " ", value);
        if (!name) return out_of_memory();
    }
    row->name = *name ? name : "run";
    return FOCI_OK;
}

static foci_status build(options *o, foci_table *t, const char *config) {
    long long combinations = 1;
    for (int k = 0; k < o->varies; k++) {
        if (is_seed(&o->vary[k])) FOCI_TRY(take_seeds(t, &o->vary[k]));
        else combinations *= o->vary[k].values;
        if (combinations > FOCI_TABLE_RUNS) return foci_fail(FOCI_ERR_CONFIG, "--vary: more than %d combinations", FOCI_TABLE_RUNS);
    }
    for (long long i = 0; i < combinations; i++) FOCI_TRY(add_row(o, t, config, i));
    if (!o->measures) FOCI_TRY(add_measures(o, "val"));
    for (int i = 0; i < o->measures; i++) FOCI_TRY(foci_table_add_measure(t, "--measure", o->measure[i], o->measure[i], NULL, 0));
    t->title = foci_arena_printf(&t->arena, "Sweep of %s", config);
    return t->title ? FOCI_OK : out_of_memory();
}

static foci_status sweep(options *o, const char *config) {
    char folder[4200];
    foci_config *c;
    FOCI_TRY(foci_open_config(&c, config, &(foci_common){0}));
    foci_status s = foci_path_join(folder, sizeof folder, "sweeps", foci_config_string(c, "name"));
    foci_config_free(c);
    FOCI_TRY(s);
    if (!o->table.out) o->table.out = folder;
    foci_table *t = foci_table_new(config);
    if (!t) return out_of_memory();
    s = build(o, t, config);
    if (!s) s = foci_table_show(t, &o->table);
    foci_table_free(t);
    return s;
}

foci_status foci_cmd_sweep(int argc, char **argv) {
    options o = {.table.jobs = 1};
    const char *path[1];
    int count;
    bool done;
    const foci_arguments a = {table, set_option, &o, "CONFIG",
                              "Trains a config in all combinations of some keys' values, measures each, and shows them in a table, as `foci table "
                              "run` does. Stopped at any moment, it goes on where it was.", false, 1, 1};
    foci_status s = foci_parse_arguments(&a, argc, argv, NULL, path, &count, &done);
    if (!s && !done) s = sweep(&o, path[0]);
    foci_arena_free(&o.arena);
    return s;
}
