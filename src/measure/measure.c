/* The list of measures, and how one is asked for: by a text, which becomes its options or the words of a
 * command. */
#include "measure/measure.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "models/models.h"
#include "task/metrics.h"
#include "task/task.h"

const foci_measure *const foci_measures[] = {
#define FOCI_MEASURE(name) &foci_measure_##name,
#include "measure/list.h"
#undef FOCI_MEASURE
    NULL};

static const foci_measure *find(const char *name, size_t length) {
    for (const foci_measure *const *m = foci_measures; *m; m++)
        if (strlen((*m)->name) == length && memcmp((*m)->name, name, length) == 0) return *m;
    return NULL;
}

const foci_measure *foci_measure_find(const char *name) { return find(name, strlen(name)); }

foci_status foci_measure_fits(const foci_measure *m, const foci_config *config) {
    const char *model = foci_config_string(config, "model.kind");
    const foci_task *task = foci_task_of(foci_model_find(model));
    if (!m->task || strcmp(task->name, m->task) == 0) return FOCI_OK;
    return foci_config_fail(config, "model.kind", "%s is a model of %s, but measurement %s needs one of %s", model,
                            task->name, m->name, m->task);
}

void foci_subject_tell(const foci_subject *subject, foci_report *report) {
    foci_report_text(report, "checkpoint", subject->weights);
    foci_report *set = foci_report_list(report, "set");
    for (int i = 0; i < subject->sets; i++) foci_report_text(set, NULL, subject->set[i]);
}

void foci_measure_print(const foci_measure *m, const foci_report *report, FILE *f) {
    if (m->print) {
        m->print(report, f);
        return;
    }
    const char *between = "";
    for (int i = 0; i < FOCI_MEASURE_METRICS && m->metrics[i]; i++) {
        const foci_metric *metric = foci_metric_find(m->metrics[i]);
        char text[128];
        if (!metric || !foci_report_find(report, metric->name)) continue;
        foci_metric_text(metric, metric->title, foci_report_number_of(report, metric->name), metric->decimals, text,
                         sizeof text);
        fprintf(f, "%s%s", between, text);
        between = ", ";
    }
    fputc('\n', f);
}

/* ------------------------------------------------------------------------------------------- finding an
 * option */

/* "step-size" or "step_size" is the key step_size. */
static bool names(const foci_key *key, const char *text, size_t length) {
    if (strlen(key->name) != length) return false;
    for (size_t i = 0; i < length; i++)
        if (text[i] != key->name[i] && !(text[i] == '-' && key->name[i] == '_')) return false;
    return true;
}

static const foci_key *find_in(const foci_key *keys, const char *name, size_t length) {
    for (const foci_key *key = keys; key && key->name; key++)
        if (names(key, name, length)) return key;
    return NULL;
}

/* The row, and where its part of the struct begins; NULL: there is none. */
static const foci_key *find_option(const foci_measure *m, const char *name, size_t length, size_t *at) {
    *at = 0;
    for (const foci_option_rows *rows = m->options; rows->keys; rows++) {
        const foci_key *key = find_in(rows->keys, name, length);
        *at = rows->at;
        if (key) return key;
    }
    return NULL;
}

/* The one that holds inner settings is written by them alone. */
static const foci_key *find_open(const foci_measure *m, const char *name, size_t length, size_t *at) {
    const foci_key *key = find_option(m, name, length, at);
    return key && m->within && strcmp(key->name, m->within) == 0 ? NULL : key;
}

static const char checkpoint[] = "checkpoint"; /* of all that need weights */
static bool is_checkpoint(const foci_measure *m, const char *name, size_t length) {
    return !m->untrained && length == sizeof checkpoint - 1 && memcmp(name, checkpoint, length) == 0;
}

/* As command lines write it: "step-size". */
static const char *word_of(const char *name, foci_arena *arena) {
    char *word = foci_arena_strdup(arena, name);
    for (char *c = word; c && (c = strchr(c, '_'));) *c = '-';
    return word;
}

static const char *list_keys(const foci_key *keys, const char *but, const char *all, foci_arena *arena) {
    for (const foci_key *key = keys; key && key->name && all; key++) {
        if (but && strcmp(key->name, but) == 0) continue;
        const char *name = word_of(key->name, arena);
        all = name ? foci_arena_printf(arena, "%s%s%s", all, *all ? ", " : "", name) : NULL;
    }
    return all;
}

const char *foci_measure_options(const foci_measure *m, foci_arena *arena) {
    const char *all = list_keys(m->inner, NULL, "", arena);
    for (const foci_option_rows *rows = m->options; rows->keys; rows++)
        all = list_keys(rows->keys, m->within, all, arena);
    return all && !m->untrained ? foci_arena_printf(arena, "%s%s%s", all, *all ? ", " : "", checkpoint) : all;
}

/* -------------------------------------------------------------------------------------------- filling the
 * struct */

typedef struct asking {
    foci_asked *asked;
    foci_arena *arena;
    const char *place, *spec;
    const char *inner; /* "word-swap:rate=0.1" */
    unsigned char *options;
} asking;

static foci_status set_option(const asking *a, const char *name, size_t length, const char *value) {
    size_t at;
    const foci_measure *m = a->asked->measure;
    const foci_key *key = find_option(m, name, length, &at);
    const char *label = foci_arena_printf(a->arena, "%s: %s: %.*s", a->place, m->name, (int)length, name);
    if (!label || !value) return foci_out_of_memory();
    return foci_key_parse(key, label, value, a->arena, a->options + at);
}

static foci_status set_defaults(const asking *a) {
    const foci_measure *m = a->asked->measure;
    for (const foci_option_rows *rows = m->options; rows->keys; rows++)
        for (const foci_key *key = rows->keys; key->name; key++)
            if (key->initial) FOCI_TRY(foci_key_parse(key, key->name, key->initial, a->arena, a->options + rows->at));
    for (int i = 0; i < 3 && m->preset[i]; i++) {
        size_t length = strcspn(m->preset[i], "="), at; /* of the command's own where there is no such row */
        if (find_option(m, m->preset[i], length, &at))
            FOCI_TRY(set_option(a, m->preset[i], length, m->preset[i] + length + 1));
    }
    return FOCI_OK;
}

/* A value as a number, NaN where it is none; 1/255 is one where the row takes numbers. Without a row it is
 * "model.img_size=64". */
static double number_of(const asking *a, const foci_key *key, const char *value) {
    double real = (double)NAN;
    char *end;
    if (key && key->type == FOCI_KEY_REAL) {
        foci_key alone = *key;
        alone.at = 0;
        return foci_key_parse(&alone, key->name, value, a->arena, &real) ? (double)NAN : real;
    }
    const char *equals = strchr(value, '=');
    if (!key) value = equals ? equals + 1 : "";
    real = strtod(value, &end);
    return *value && !*end ? real : (double)NAN;
}

/* Checked by its row, and put into the text. */
static foci_status add_inner(asking *a, const foci_key *key, const char *value) {
    const foci_measure *m = a->asked->measure;
    const char *before = a->inner ? a->inner : m->name;
    void *checked = foci_arena_alloc(a->arena, foci_keys_bytes(m->inner));
    const char *label = foci_arena_printf(a->arena, "%s: %s: %s", a->place, m->name, key->name);
    if (!checked || !label) return foci_out_of_memory();
    FOCI_TRY(foci_key_parse(key, label, value, a->arena, checked));
    a->inner = foci_arena_printf(a->arena, "%s%c%s=%s", before, a->inner ? ',' : ':', key->name, value);
    return a->inner ? set_option(a, m->within, strlen(m->within), a->inner) : foci_out_of_memory();
}

static foci_status note(asking *a, const foci_key *key, const char *name, const char *value) {
    foci_asked *asked = a->asked;
    if (!value) return foci_out_of_memory();
    if (asked->count == FOCI_ASKED_OPTIONS)
        return foci_fail(FOCI_ERR_CONFIG, "%s: measurement `%s` has too many options", a->place, a->spec);
    asked->option[asked->count++] =
        (struct foci_asked_option){key, word_of(name, a->arena), value, number_of(a, key, value)};
    return asked->option[asked->count - 1].name ? FOCI_OK : foci_out_of_memory();
}

static foci_status unknown_option(const asking *a, const char *name, size_t length) {
    const char *all = foci_measure_options(a->asked->measure, a->arena);
    return foci_fail(FOCI_ERR_CONFIG,
                     "%s: measurement %s has no option `%.*s`, only %s, and keys of the config (SECTION.KEY=VALUE)",
                     a->place, a->asked->measure->name, (int)length, name, all ? all : "its own");
}

/* "eps=1/255": an option of the measure; "attention.reduce=median": a key of the config. */
static foci_status add_option(asking *a, const char *text, size_t length) {
    size_t at;
    const foci_measure *m = a->asked->measure;
    const char *equals = memchr(text, '=', length);
    if (!equals || equals == text)
        return foci_fail(FOCI_ERR_CONFIG, "%s: `%.*s` in `%s` is not OPTION=VALUE", a->place, (int)length, text,
                         a->spec);
    const size_t name = (size_t)(equals - text);
    const char *value = foci_arena_printf(a->arena, "%.*s", (int)(length - name - 1), equals + 1);
    if (!value) return foci_out_of_memory();
    if (memchr(text, '.', name)) {
        a->asked->sets = true;
        return note(a, NULL, "set", foci_arena_printf(a->arena, "%.*s", (int)length, text));
    }
    if (is_checkpoint(m, text, name)) {
        a->asked->checkpoint = value;
        return note(a, NULL, checkpoint, value);
    }
    const foci_key *inner = find_in(m->inner, text, name), *key = inner ? inner : find_open(m, text, name, &at);
    if (!key) return unknown_option(a, text, name);
    FOCI_TRY(inner ? add_inner(a, key, value) : set_option(a, text, name, value));
    return note(a, key, inner ? "" : key->name, value);
}

/* ------------------------------------------------------------------------------------------------- asking */

static bool was_given(const foci_asked *asked, const char *name) {
    for (int i = 0; i < asked->count; i++)
        if (asked->option[i].key && strcmp(asked->option[i].key->name, name) == 0) return true;
    return false;
}

static foci_status no_such_measure(const asking *a, int length) {
    const char *all = "";
    for (const foci_measure *const *m = foci_measures; *m && all; m++)
        all = foci_arena_printf(a->arena, "%s%s%s", all, *all ? ", " : "", (*m)->name);
    return foci_fail(FOCI_ERR_CONFIG, "%s: there is no measurement `%.*s`: %s", a->place, length, a->spec,
                     all ? all : "");
}

foci_status foci_measure_ask(foci_asked *asked, const char *place, const char *spec, foci_arena *arena) {
    asking a = {.asked = asked, .arena = arena, .place = place, .spec = spec};
    const size_t name = strcspn(spec, ":");
    const foci_measure *m = find(spec, name);
    *asked = (foci_asked){.measure = m};
    if (!m) return no_such_measure(&a, (int)name);
    asked->options = a.options = foci_arena_alloc(arena, m->size + 1);
    if (!a.options) return foci_out_of_memory();
    FOCI_TRY(set_defaults(&a));
    for (const char *at = spec + name + (spec[name] == ':'); *at;) {
        const size_t n = strcspn(at, ",");
        FOCI_TRY(add_option(&a, at, n));
        at += n + (at[n] == ',');
    }
    if (!m->needs || was_given(asked, m->needs)) return FOCI_OK;
    return foci_fail(FOCI_ERR_CONFIG, "%s: measurement %s needs %s, as in `%s:%s=...`", place, m->name, m->needs,
                     m->name, m->needs);
}

/* ------------------------------------------------------------------------------------------------- as words
 */

typedef struct words {
    const char **word;
    int count;
    foci_arena *arena;
    bool failed;
} words;

static void say(words *w, const char *word) {
    w->failed |= !word;
    w->word[w->count++] = word;
}

static void say_option(words *w, const char *name, const char *value, const foci_key *key) {
    const bool flag = key && key->type == FOCI_KEY_BOOL;
    if (flag && strcmp(value, "true") != 0) return;
    say(w, foci_arena_printf(w->arena, "--%s", name));
    if (!flag) say(w, value);
}

/* "confidence:limit=10", its own options in one word. */
static const char *as_spec(const foci_asked *asked, foci_arena *arena) {
    const char *spec = asked->measure->name;
    for (int i = 0; i < asked->count && spec; i++)
        if (asked->option[i].key)
            spec = foci_arena_printf(arena, "%s%c%s=%s", spec, strchr(spec, ':') ? ',' : ':', asked->option[i].name,
                                     asked->option[i].value);
    return spec;
}

static void say_preset(words *w, const char *preset) {
    char name[64];
    const size_t length = strcspn(preset, "=");
    snprintf(name, sizeof name, "%.*s", (int)length, preset);
    say_option(w, name, preset + length + 1, NULL);
}

/* The settings that go inside come last, in one word. */
static void say_inner(words *w, const foci_asked *asked) {
    const char *all = asked->measure->name;
    for (int i = 0; i < asked->count && all; i++)
        if (!*asked->option[i].name)
            all = foci_arena_printf(w->arena, "%s%c%s=%s", all, strchr(all, ':') ? ',' : ':',
                                    asked->option[i].key->name, asked->option[i].value);
    say_option(w, asked->measure->within, all, NULL);
}

bool foci_measure_reads(const foci_measure *m, const char *word) {
    const foci_key key = {.name = m->reads};
    return m->reads && strncmp(word, "--", 2) == 0 && names(&key, word + 2, strlen(word + 2));
}

int foci_measure_words(const foci_asked *asked, const char *word[FOCI_ASKED_WORDS], foci_arena *arena) {
    const foci_measure *m = asked->measure;
    words w = {.word = word, .arena = arena};
    say(&w, m->command ? m->command : "eval");
    for (int i = 0; i < 3 && m->preset[i]; i++) say_preset(&w, m->preset[i]);
    if (!m->command) say_option(&w, "measure", as_spec(asked, arena), NULL);
    for (int i = 0; i < asked->count; i++) {
        const struct foci_asked_option *o = &asked->option[i];
        if (*o->name && (m->command || !o->key)) say_option(&w, o->name, o->value, o->key);
    }
    if (m->within) say_inner(&w, asked);
    return w.failed ? -1 : w.count;
}
