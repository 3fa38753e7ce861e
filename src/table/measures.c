/* What tables can measure, one row each: a foci command, its options, and the numbers of its JSON that are of interest. */
#include <stdlib.h>
#include <string.h>

#include "table/table.h"

#define ATTACK "eps limit space clip labels norm seed batch steps step-size restarts start targeted loss samples delta checkpoint"

const foci_table_kind foci_table_kinds[] = {
    {"val", "validation score", {"eval", "--split", "val"}, "checkpoint walk", NULL, {"top1", "top5", "ppl"}, false},
    {"test", "test score", {"eval", "--split", "test"}, "checkpoint walk", NULL, {"top1", "ppl"}, false},
    {"fgsm", "top-1 under FGSM", {"attack", "--method", "fgsm"}, ATTACK, "eps", {"top1", "top5"}, false},
    {"pgd", "top-1 under PGD", {"attack", "--method", "pgd"}, ATTACK, "eps", {"top1", "top5"}, false},
    {"spsa", "top-1 under SPSA", {"attack", "--method", "spsa"}, ATTACK, "eps", {"top1", "top5"}, false},
    {"autoattack", "top-1 under AutoAttack", {"attack", "--method", "autoattack"}, ATTACK, "eps", {"top1", "top5"}, false},
    {"corrupt", "top-1 error on corrupted images", {"eval", "--corrupt", "imagenet-c"}, "limit severity seed checkpoint relative-to", NULL,
     {"mean_error", "mce"}, false},
    {"word-swap", "perplexity with words swapped", {"eval", "--split", "test"}, "split walk checkpoint rate min stop_words word seed", "rate",
     {"contaminated_ppl", "ppl"}, false},
    {"analyze", "collapse of tokens and redundancy of heads", {"analyze"}, "limit batch layer checkpoint", NULL,
     {"token_cosine", "head_distance", "effective_rank"}, false},
    {"bench", "speed and memory of a training step", {"bench"}, "steps batch", NULL,
     {"items_per_s", "rss_mb", "plan_mb", "gflop", "parameters"}, true},
    {0}};

static const foci_table_kind *find_kind(const char *name, size_t length) {
    for (const foci_table_kind *k = foci_table_kinds; k->name; k++)
        if (strlen(k->name) == length && memcmp(k->name, name, length) == 0) return k;
    return NULL;
}

static bool is_word(const char *words, const char *word, size_t length) {
    for (const char *at = words; *at; at += strspn(at, " ")) {
        size_t n = strcspn(at, " ");
        if (n == length && memcmp(at, word, n) == 0) return true;
        at += n;
    }
    return false;
}

static const char *kind_names(foci_arena *arena) {
    const char *all = "";
    for (const foci_table_kind *k = foci_table_kinds; k->name; k++) all = foci_arena_printf(arena, "%s%s%s", all ? all : "", *all ? ", " : "", k->name);
    return all ? all : "";
}

/* The word-swap's options go into one argument of eval, "word-swap:rate=0.015,min=1". */
static const char swap_options[] = "rate min stop_words word seed";

typedef struct reading {
    foci_table *t;
    foci_table_measure *m;
    const char *place, *swap;
} reading;

static foci_status add_word(reading *r, const char *word) {
    if (r->m->count == FOCI_TABLE_WORDS) return foci_fail(FOCI_ERR_CONFIG, "%s: measurement `%s` has too many options", r->place, r->m->spec);
    r->m->words[r->m->count++] = word;
    return word ? FOCI_OK : foci_fail(FOCI_ERR_RUNTIME, "out of memory");
}

/* "eps=1/255": an option of the command; "attention.reduce=median": a key of the config. */
static foci_status add_option(reading *r, const char *text, size_t length) {
    foci_arena *arena = &r->t->arena;
    const foci_table_kind *kind = r->m->kind;
    const char *equals = memchr(text, '=', length);
    if (!equals || equals == text)
        return foci_fail(FOCI_ERR_CONFIG, "%s: `%.*s` in `%s` is not OPTION=VALUE", r->place, (int)length, text, r->m->spec);
    const size_t name = (size_t)(equals - text);
    const char *value = foci_arena_printf(arena, "%.*s", (int)(length - name - 1), equals + 1);
    if (memchr(text, '.', name)) {
        FOCI_TRY(add_word(r, "--set"));
        return add_word(r, foci_arena_printf(arena, "%.*s", (int)length, text));
    }
    if (!is_word(kind->options, text, name))
        return foci_fail(FOCI_ERR_CONFIG, "%s: measurement %s has no option `%.*s`, only %s, and keys of the config (SECTION.KEY=VALUE)",
                         r->place, kind->name, (int)name, text, kind->options);
    if (strcmp(kind->name, "word-swap") == 0 && is_word(swap_options, text, name)) {
        r->swap = foci_arena_printf(arena, "%s%s%.*s", r->swap ? r->swap : "word-swap", r->swap ? "," : ":", (int)length, text);
        return r->swap ? FOCI_OK : foci_fail(FOCI_ERR_RUNTIME, "out of memory");
    }
    FOCI_TRY(add_word(r, foci_arena_printf(arena, "--%.*s", (int)name, text)));
    return add_word(r, value);
}

static foci_status add_options(reading *r, const char *text) {
    bool needed = !r->m->kind->needs;
    for (const char *at = text; *at;) {
        const size_t n = strcspn(at, ",");
        FOCI_TRY(add_option(r, at, n));
        if (r->m->kind->needs && strncmp(at, r->m->kind->needs, strlen(r->m->kind->needs)) == 0) needed = true;
        at += n + (at[n] == ',');
    }
    if (!needed)
        return foci_fail(FOCI_ERR_CONFIG, "%s: measurement %s needs %s, as in `%s:%s=...`", r->place, r->m->kind->name, r->m->kind->needs,
                         r->m->kind->name, r->m->kind->needs);
    if (!r->swap) return FOCI_OK;
    FOCI_TRY(add_word(r, "--contaminate"));
    return add_word(r, r->swap);
}

static foci_status add_fields(reading *r, const char *const *show, int shown) {
    const char *const *names = show ? show : r->m->kind->fields;
    for (int i = 0; show ? i < shown : i < FOCI_TABLE_FIELDS && names[i]; i++) {
        const foci_metric *f = foci_metric_find(names[i]);
        if (!f) return foci_fail(FOCI_ERR_CONFIG, "%s: there is no result named `%s`", r->place, names[i]);
        if (r->m->fields == FOCI_TABLE_FIELDS) return foci_fail(FOCI_ERR_CONFIG, "%s: more than %d results of one measurement", r->place, FOCI_TABLE_FIELDS);
        r->m->field[r->m->fields++] = f;
    }
    return FOCI_OK;
}

foci_status foci_table_add_measure(foci_table *t, const char *place, const char *label, const char *spec, const char *const *show,
                                   int shown) {
    if (t->measures == FOCI_TABLE_MEASURES) return foci_fail(FOCI_ERR_CONFIG, "%s: more than %d measurements", place, FOCI_TABLE_MEASURES);
    for (int i = 0; i < t->measures; i++)
        if (strcmp(t->measure[i].label, label) == 0) return foci_fail(FOCI_ERR_CONFIG, "%s: a second measurement is named `%s`", place, label);
    foci_table_measure *m = &t->measure[t->measures];
    *m = (foci_table_measure){.label = foci_arena_strdup(&t->arena, label), .spec = foci_arena_strdup(&t->arena, spec)};
    if (!m->label || !m->spec) return foci_fail(FOCI_ERR_RUNTIME, "out of memory");
    const size_t name = strcspn(spec, ":");
    m->kind = find_kind(spec, name);
    if (!m->kind)
        return foci_fail(FOCI_ERR_CONFIG, "%s: there is no measurement `%.*s`: %s", place, (int)name, spec, kind_names(&t->arena));
    reading r = {t, m, place, NULL};
    for (int i = 0; m->kind->command[i]; i++) FOCI_TRY(add_word(&r, m->kind->command[i]));
    FOCI_TRY(add_options(&r, spec + name + (spec[name] == ':')));
    FOCI_TRY(add_fields(&r, show, shown));
    t->measures++;
    return FOCI_OK;
}

foci_table *foci_table_new(const char *path) {
    foci_table *t = calloc(1, sizeof *t);
    if (!t) return NULL;
    t->path = foci_arena_strdup(&t->arena, path);
    t->title = t->note = "";
    return t;
}

void foci_table_free(foci_table *t) {
    if (!t) return;
    foci_arena_free(&t->arena);
    free(t->result);
    free(t);
}

foci_table_row *foci_table_add_row(foci_table *t) {
    if (t->rows == FOCI_TABLE_RUNS) return NULL;
    return &t->row[t->rows++];
}
