/* A table's file:
 *
 *     title: CIFAR-10 under attack
 *     note: a line below the table
 *     seeds: [0, 1, 2]                          # train.seed; left out: what each config says
 *     set: {train.epochs: 2}                    # for every run
 *     items: 500000                             # of a training, where the data are not here to tell
 *     baseline: softmax                         # the row that the others are compared with
 *     measure:
 *       clean: val
 *       PGD: {run: "pgd:eps=1/255,limit=1000", show: [top1]}
 *       both: {mean: [clean, PGD]}            # of measurements above that show the same
 *     runs:
 *       - name: softmax
 *         config: ../cifar10/softmax.yaml       # beside this file; left out: only published figures
 *         set: {attention.kind: softmax}
 *         paper: {clean.top1: 72.23 recalled}   # published, LABEL.RESULT, and where the figure comes from
 *       - {name: shifted, config: ../cifar10/elliptical.yaml, eval_set: {attention.reduce: median}}
 *       - {name: mom, config: ../cifar10/softmax.yaml, set: {attention.kind: mom}, seeds: [0]}
 *       - {name: fine, config: fine.yaml, init: encoder, measure: [clean], baseline: mom, items: 1000}
 *       - {name: pupil, config: pupil.yaml, teacher: softmax}
 *     first:                                    # trainings that others begin from, no rows of the table
 *       - {name: encoder, config: encoder.yaml}
 *     claims:                                   # of a run beside its baseline or another: better, or worse by a margin
 * at most
 *       - {claim: Robust to attacks, run: fine, in: [PGD.top1]}
 *       - {claim: Ahead of others, run: fine, than: pupil, in: [PGD.top1]}
 *       - {claim: At equal cost, run: fine, in: [clean.loss], margin: 2}
 *       - {claim: On natural adversarial images, untestable: there is no such set of this size}
 *     facts: [on how published figures are to be read]
 *
 * Runs of one name are one row of the table; each has measurements of its own then.
 * A run may name some of the table's seeds and measurements. eval_set changes keys when it is measured, not in its
 * training. What it begins from (init, teacher) is trained with its
 * own seed, or with the first that it has. Marks of published figures are those of `marks`. */
#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <yaml.h>

#include "base/file.h"
#include "table/table.h"

enum { BYTES = 1 << 18, TEXT = 4096, DEPTH = 8 };

/* Where a published figure comes from: the paper itself; logs of its authors, of a rival's; a rival's table; a later
 * paper that trained it again; or memory alone. */
static const char *const marks[] = {"read", "log", "rival-log", "rival-table", "later", "recalled"};

/* Where a row names another. */
typedef struct named {
    const yaml_node_t *baseline, *init, *teacher;
} named;

typedef struct reader {
    foci_table *t;
    yaml_document_t document;
    const char *set[FOCI_TABLE_SETS]; /* of every run */
    int sets;
    double items;
    const yaml_node_t *baseline;
    named named[FOCI_TABLE_RUNS];
} reader;

static yaml_node_t *node(reader *r, int id) { return yaml_document_get_node(&r->document, id); }

static foci_status fail_at(const reader *r, const yaml_node_t *n, const char *fmt, ...) FOCI_PRINTF(3, 4);
static foci_status fail_at(const reader *r, const yaml_node_t *n, const char *fmt, ...) {
    char text[512];
    va_list args;
    va_start(args, fmt);
    vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    return foci_fail(FOCI_ERR_CONFIG, "%s:%zu:%zu: %s", r->t->path, n->start_mark.line + 1, n->start_mark.column + 1,
                     text);
}

/* A scalar as text that may be shown and be part of a command. */
static foci_status text_of(reader *r, const yaml_node_t *n, const char *what, const char **text) {
    if (n->type != YAML_SCALAR_NODE) return fail_at(r, n, "%s must be a text", what);
    const char *value = (const char *)n->data.scalar.value;
    if (n->data.scalar.length > TEXT || strlen(value) != n->data.scalar.length)
        return fail_at(r, n, "%s is too long or holds a zero byte", what);
    for (const char *c = value; *c; c++)
        if ((unsigned char)*c < ' ' || *c == 127) return fail_at(r, n, "%s holds a control character", what);
    *text = foci_arena_strdup(&r->t->arena, value);
    return *text ? FOCI_OK : foci_out_of_memory();
}

/* ------------------------------------------------------------------------------- walking through a mapping */

typedef struct pair {
    const char *key;
    yaml_node_t *at, *value;
} pair;

static foci_status mapping(const reader *r, const yaml_node_t *n, const char *what) {
    return n->type == YAML_MAPPING_NODE ? FOCI_OK : fail_at(r, n, "%s must consist of `name: value`", what);
}

static bool next_pair(yaml_node_t *n, yaml_node_pair_t **at) {
    *at = *at ? *at + 1 : n->data.mapping.pairs.start;
    return *at < n->data.mapping.pairs.top;
}

static foci_status read_pair(reader *r, yaml_node_t *map, const yaml_node_pair_t *at, pair *p) {
    p->at = node(r, at->key);
    p->value = node(r, at->value);
    FOCI_TRY(text_of(r, p->at, "a name", &p->key));
    for (const yaml_node_pair_t *before = map->data.mapping.pairs.start; before < at; before++) {
        const yaml_node_t *k = node(r, before->key);
        if (strcmp((const char *)k->data.scalar.value, p->key) == 0)
            return fail_at(r, p->at, "duplicate `%s`; the first is in line %zu", p->key, k->start_mark.line + 1);
    }
    return FOCI_OK;
}

static foci_status list(const reader *r, const yaml_node_t *n, const char *what) {
    return n->type == YAML_SEQUENCE_NODE ? FOCI_OK : fail_at(r, n, "%s must be a list", what);
}

/* -------------------------------------------------------------------------------------------------- parts */

static foci_status read_seed(reader *r, const yaml_node_t *n, int64_t *seed) {
    const char *text;
    char *end;
    FOCI_TRY(text_of(r, n, "a seed", &text));
    errno = 0;
    *seed = strtoll(text, &end, 10);
    if (!*text || *end || errno || *seed < 0 || *seed > 9000000000000000)
        return fail_at(r, n, "`%s` is no seed: a whole number from 0 on", text);
    return FOCI_OK;
}

static foci_status read_seeds(reader *r, yaml_node_t *n) {
    FOCI_TRY(list(r, n, "seeds"));
    for (yaml_node_item_t *i = n->data.sequence.items.start; i < n->data.sequence.items.top; i++) {
        int64_t seed;
        FOCI_TRY(read_seed(r, node(r, *i), &seed));
        if (r->t->seeds == FOCI_TABLE_SEEDS) return fail_at(r, node(r, *i), "more than %d seeds", FOCI_TABLE_SEEDS);
        for (int k = 0; k < r->t->seeds; k++)
            if (r->t->seed[k] == seed) return fail_at(r, node(r, *i), "seed %lld stands here twice", (long long)seed);
        r->t->seed[r->t->seeds++] = seed;
    }
    return FOCI_OK;
}

/* Some of the table's seeds. */
static foci_status read_row_seeds(reader *r, yaml_node_t *n, foci_table_row *row) {
    FOCI_TRY(list(r, n, "seeds"));
    for (int s = 0; s < r->t->seeds; s++) row->no_seed[s] = true;
    for (yaml_node_item_t *i = n->data.sequence.items.start; i < n->data.sequence.items.top; i++) {
        int64_t seed;
        int s = 0;
        FOCI_TRY(read_seed(r, node(r, *i), &seed));
        while (s < r->t->seeds && r->t->seed[s] != seed) s++;
        if (s == r->t->seeds) return fail_at(r, node(r, *i), "the table has no seed %lld", (long long)seed);
        row->no_seed[s] = false;
    }
    for (int s = 0; s < r->t->seeds; s++)
        if (!row->no_seed[s]) return FOCI_OK;
    return fail_at(r, n, "a run needs a seed");
}

static foci_status find_measure(reader *r, const yaml_node_t *n, int *index) {
    const char *label;
    FOCI_TRY(text_of(r, n, "a measurement", &label));
    for (*index = 0; *index < r->t->measures; ++*index)
        if (strcmp(r->t->measure[*index].label, label) == 0) return FOCI_OK;
    return fail_at(r, n, "the table has no measurement `%s`", label);
}

/* Some of its measurements. */
static foci_status read_row_measures(reader *r, yaml_node_t *n, foci_table_row *row) {
    FOCI_TRY(list(r, n, "measure"));
    for (int m = 0; m < r->t->measures; m++) row->no_measure[m] = true;
    for (yaml_node_item_t *i = n->data.sequence.items.start; i < n->data.sequence.items.top; i++) {
        int m;
        FOCI_TRY(find_measure(r, node(r, *i), &m));
        row->no_measure[m] = false;
    }
    return FOCI_OK;
}

static foci_status read_items(reader *r, const yaml_node_t *n, double *items) {
    const char *text;
    char *end;
    FOCI_TRY(text_of(r, n, "items", &text));
    *items = strtod(text, &end);
    if (!*text || *end || !(*items >= 1 && *items <= 1e18))
        return fail_at(r, n, "`%s` is no number of images or tokens", text);
    return FOCI_OK;
}

/* {attention.kind: softmax, train.betas: [0.9, 0.99]} -> "attention.kind=softmax", "train.betas=[0.9, 0.99]" */
static foci_status read_sets(reader *r, yaml_node_t *n, const char **set, int *sets) {
    FOCI_TRY(mapping(r, n, "set"));
    for (yaml_node_pair_t *at = NULL; next_pair(n, &at);) {
        pair p;
        const char *value = "", *item;
        FOCI_TRY(read_pair(r, n, at, &p));
        if (p.value->type == YAML_SEQUENCE_NODE) {
            for (yaml_node_item_t *i = p.value->data.sequence.items.start; i < p.value->data.sequence.items.top; i++) {
                FOCI_TRY(text_of(r, node(r, *i), p.key, &item));
                value = foci_arena_printf(&r->t->arena, "%s%s%s", value, *value ? ", " : "", item);
                if (!value) return foci_out_of_memory();
                if (strlen(value) > TEXT) return fail_at(r, p.value, "%s is too long", p.key);
            }
            value = foci_arena_printf(&r->t->arena, "[%s]", value);
        } else {
            FOCI_TRY(text_of(r, p.value, p.key, &value));
        }
        if (*sets == FOCI_TABLE_SETS) return fail_at(r, p.at, "more than %d keys", FOCI_TABLE_SETS);
        set[*sets] = value ? foci_arena_printf(&r->t->arena, "%s=%s", p.key, value) : NULL;
        if (!set[(*sets)++]) return foci_out_of_memory();
    }
    return FOCI_OK;
}

static foci_status read_mean(reader *r, yaml_node_t *n, const char *place, const char *label) {
    int of[FOCI_TABLE_MEASURES], count = 0;
    FOCI_TRY(list(r, n, "mean"));
    for (yaml_node_item_t *i = n->data.sequence.items.start; i < n->data.sequence.items.top; i++) {
        if (count == FOCI_TABLE_MEASURES) return fail_at(r, n, "more than %d measurements", FOCI_TABLE_MEASURES);
        FOCI_TRY(find_measure(r, node(r, *i), &of[count]));
        if (r->t->measure[of[count++]].means) return fail_at(r, node(r, *i), "a mean of means");
    }
    return count ? foci_table_add_mean(r->t, place, label, of, count) : fail_at(r, n, "a mean of nothing");
}

static foci_status read_measure(reader *r, const pair *p) {
    const char *spec = NULL, *show[FOCI_TABLE_FIELDS];
    yaml_node_t *mean = NULL;
    int shown = 0;
    bool chosen = false;
    if (p->value->type == YAML_MAPPING_NODE) {
        for (yaml_node_pair_t *at = NULL; next_pair(p->value, &at);) {
            pair q;
            FOCI_TRY(read_pair(r, p->value, at, &q));
            if (strcmp(q.key, "run") == 0) {
                FOCI_TRY(text_of(r, q.value, "run", &spec));
            } else if (strcmp(q.key, "mean") == 0) {
                mean = q.value;
            } else if (strcmp(q.key, "show") == 0) {
                FOCI_TRY(list(r, q.value, "show"));
                chosen = true;
                for (yaml_node_item_t *i = q.value->data.sequence.items.start; i < q.value->data.sequence.items.top;
                     i++) {
                    if (shown == FOCI_TABLE_FIELDS)
                        return fail_at(r, q.value, "more than %d results", FOCI_TABLE_FIELDS);
                    FOCI_TRY(text_of(r, node(r, *i), "a result", &show[shown++]));
                }
            } else {
                return fail_at(r, q.at, "unknown `%s`: a measurement has run and show, or mean", q.key);
            }
        }
        if (!spec == !mean || (mean && chosen))
            return fail_at(r, p->value, "measurement `%s` needs either run, perhaps with show, or mean", p->key);
    } else {
        FOCI_TRY(text_of(r, p->value, "a measurement", &spec));
    }
    char place[4400];
    snprintf(place, sizeof place, "%s:%zu:%zu", r->t->path, p->value->start_mark.line + 1,
             p->value->start_mark.column + 1);
    if (mean) return read_mean(r, mean, place, p->key);
    return foci_table_add_measure(r->t, place, p->key, spec, chosen ? show : NULL, shown);
}

static foci_status read_measures(reader *r, yaml_node_t *n) {
    FOCI_TRY(mapping(r, n, "measure"));
    for (yaml_node_pair_t *at = NULL; next_pair(n, &at);) {
        pair p;
        FOCI_TRY(read_pair(r, n, at, &p));
        FOCI_TRY(read_measure(r, &p));
    }
    return FOCI_OK;
}

static const char *mark_of(const char *text) {
    for (size_t i = 0; i < sizeof marks / sizeof *marks; i++)
        if (strcmp(marks[i], text) == 0) return marks[i];
    return NULL;
}

/* "clean.top1", LABEL.RESULT */
static foci_status find_result(const reader *r, const yaml_node_t *n, const char *text, struct foci_table_of *of) {
    const char *dot = strrchr(text, '.');
    const foci_table *t = r->t;
    of->measure = -1;
    for (int i = 0; dot && i < t->measures; i++)
        if (strlen(t->measure[i].label) == (size_t)(dot - text) &&
            strncmp(t->measure[i].label, text, (size_t)(dot - text)) == 0)
            of->measure = i;
    if (of->measure < 0) return fail_at(r, n, "`%s` does not begin with the name of a measurement: LABEL.RESULT", text);
    const foci_table_measure *m = &t->measure[of->measure];
    for (of->field = 0; of->field < m->fields; of->field++)
        if (strcmp(m->field[of->field]->name, dot + 1) == 0) return FOCI_OK;
    return fail_at(r, n, "measurement `%s` shows no `%s`", m->label, dot + 1);
}

/* {clean.top1: 72.23 recalled} */
static foci_status read_paper(reader *r, yaml_node_t *n, foci_table_row *row) {
    FOCI_TRY(mapping(r, n, "paper"));
    for (yaml_node_pair_t *at = NULL; next_pair(n, &at);) {
        pair p;
        const char *text;
        char *end;
        struct foci_table_of of;
        FOCI_TRY(read_pair(r, n, at, &p));
        FOCI_TRY(text_of(r, p.value, "a published figure", &text));
        FOCI_TRY(find_result(r, p.at, p.key, &of));
        const double value = strtod(text, &end);
        const char *mark = end > text && *end == ' ' && isfinite(value) ? mark_of(end + 1) : NULL;
        if (!mark)
            return fail_at(
                r, p.value,
                "`%s` is not a number and a mark, as in 72.5 recalled (or read, log, rival-log, rival-table, later)",
                text);
        if (row->papers == FOCI_TABLE_MEASURES)
            return fail_at(r, p.at, "more than %d published figures", FOCI_TABLE_MEASURES);
        const foci_table_measure *m = &r->t->measure[of.measure];
        row->paper[row->papers++] = (foci_table_paper){m->label, m->field[of.field]->name, value, mark};
    }
    return FOCI_OK;
}

/* Paths are beside the file. */
static foci_status beside(reader *r, const char *name, const char **path) {
    const char *slash = strrchr(r->t->path, '/');
    *path = *name == '/' || !slash
                ? foci_arena_strdup(&r->t->arena, name)
                : foci_arena_printf(&r->t->arena, "%.*s/%s", (int)(slash - r->t->path), r->t->path, name);
    return *path ? FOCI_OK : foci_out_of_memory();
}

static foci_status read_config(reader *r, const yaml_node_t *n, foci_table_row *row) {
    FOCI_TRY(text_of(r, n, "config", &row->config));
    FOCI_TRY(beside(r, row->config, &row->config));
    return foci_path_kind(row->config) ? FOCI_OK : fail_at(r, n, "%s is not there", row->config);
}

/* A run of the same name: no measurement belongs to both. Its published figures are those of the first, too. */
static foci_status join_run(const reader *r, const yaml_node_t *n, foci_table_row *first, foci_table_row *row) {
    bool both = first->shown < 0 || row->shown < 0 || !first->config || !row->config;
    for (int m = 0; m < r->t->measures; m++)
        both |= !r->t->measure[m].means && !first->no_measure[m] && !row->no_measure[m];
    if (both) return fail_at(r, n, "a second run is named `%s`, and they share a measurement", row->name);
    if (first->shown != (int)(first - r->t->row)) return FOCI_OK; /* the first of all is there to be joined */
    row->shown = first->shown;
    for (int i = 0; i < row->papers; i++) {
        if (first->papers == FOCI_TABLE_MEASURES)
            return fail_at(r, n, "more than %d published figures", FOCI_TABLE_MEASURES);
        first->paper[first->papers++] = row->paper[i];
    }
    return FOCI_OK;
}

/* Those that are rows of the table first, all else behind, in order. */
static foci_status sort_rows(reader *r) {
    foci_table *t = r->t;
    const int all = t->others;
    foci_table_row *row = malloc(sizeof t->row);
    named *names = malloc(sizeof r->named);
    int at[FOCI_TABLE_RUNS], n = 0;
    foci_status s = row && names ? FOCI_OK : foci_out_of_memory();
    for (int pass = 0; !s && pass < 2; pass++)
        for (int i = 0; i < all; i++)
            if ((t->row[i].shown != i) == pass) {
                at[i] = n;
                names[n] = r->named[i];
                row[n++] = t->row[i];
                if (!pass) t->rows++, t->others--;
            }
    for (int i = 0; !s && i < all; i++)
        if (row[i].shown >= 0) row[i].shown = at[row[i].shown];
    if (!s) memcpy(t->row, row, (size_t)all * sizeof *row);
    if (!s) memcpy(r->named, names, (size_t)all * sizeof *names);
    free(row);
    free(names);
    return s;
}

static foci_status read_run(reader *r, yaml_node_t *n, bool shown) {
    FOCI_TRY(mapping(r, n, "a run"));
    const int all = r->t->others;
    if (all == FOCI_TABLE_RUNS) return fail_at(r, n, "more than %d runs", FOCI_TABLE_RUNS);
    foci_table_row *row = &r->t->row[all];
    named *names = &r->named[all];
    r->t->others++;
    row->shown = shown ? all : -1;
    memcpy(row->set, r->set, sizeof row->set);
    row->sets = r->sets;
    row->items = r->items;
    if (shown) names->baseline = r->baseline;
    for (yaml_node_pair_t *at = NULL; next_pair(n, &at);) {
        pair p;
        FOCI_TRY(read_pair(r, n, at, &p));
        if (strcmp(p.key, "name") == 0) FOCI_TRY(text_of(r, p.value, "name", &row->name));
        else if (strcmp(p.key, "config") == 0) FOCI_TRY(read_config(r, p.value, row));
        else if (strcmp(p.key, "set") == 0) FOCI_TRY(read_sets(r, p.value, row->set, &row->sets));
        else if (strcmp(p.key, "seeds") == 0) FOCI_TRY(read_row_seeds(r, p.value, row));
        else if (strcmp(p.key, "items") == 0) FOCI_TRY(read_items(r, p.value, &row->items));
        else if (strcmp(p.key, "init") == 0) names->init = p.value;
        else if (strcmp(p.key, "teacher") == 0) names->teacher = p.value;
        else if (shown && strcmp(p.key, "eval_set") == 0)
            FOCI_TRY(read_sets(r, p.value, row->eval_set, &row->eval_sets));
        else if (shown && strcmp(p.key, "measure") == 0) FOCI_TRY(read_row_measures(r, p.value, row));
        else if (shown && strcmp(p.key, "paper") == 0) FOCI_TRY(read_paper(r, p.value, row));
        else if (shown && strcmp(p.key, "baseline") == 0) names->baseline = p.value;
        else
            return fail_at(r, p.at, "unknown `%s`: a run has name, config, set, seeds, items, init, teacher%s", p.key,
                           shown ? ", eval_set, measure, paper and baseline" : "");
    }
    if (!row->name || !*row->name || (!row->config && !row->papers))
        return fail_at(r, n, "a run needs a name, and a config or published figures");
    for (foci_table_row *other = r->t->row; other < row; other++)
        if (strcmp(other->name, row->name) == 0) FOCI_TRY(join_run(r, n, other, row));
    return FOCI_OK;
}

static foci_status read_runs(reader *r, yaml_node_t *n, bool shown) {
    FOCI_TRY(list(r, n, shown ? "runs" : "first"));
    for (yaml_node_item_t *i = n->data.sequence.items.start; i < n->data.sequence.items.top; i++)
        FOCI_TRY(read_run(r, node(r, *i), shown));
    return FOCI_OK;
}

/* The row of that name, of the first `count`; left alone where none is named. */
static foci_status find_row(reader *r, const yaml_node_t *n, int count, const foci_table_row **found) {
    const char *name;
    if (!n) return FOCI_OK;
    FOCI_TRY(text_of(r, n, "a run", &name));
    for (*found = r->t->row; *found < r->t->row + count; ++*found)
        if ((*found)->config && strcmp((*found)->name, name) == 0) return FOCI_OK;
    return fail_at(r, n, "no run with a config is named `%s`", name);
}

/* Rows that others begin from begin from none themselves. */
static foci_status join_rows(reader *r) {
    const int all = r->t->rows + r->t->others;
    for (int i = 0; i < all; i++) {
        foci_table_row *row = &r->t->row[i];
        const named *n = &r->named[i];
        FOCI_TRY(find_row(r, n->baseline, r->t->rows, &row->baseline));
        FOCI_TRY(find_row(r, n->init, all, &row->init));
        FOCI_TRY(find_row(r, n->teacher, all, &row->teacher));
        if (row->baseline == row) row->baseline = NULL;
    }
    for (int i = 0; i < all; i++) {
        const foci_table_row *row = &r->t->row[i];
        const yaml_node_t *at = row->init ? r->named[i].init : r->named[i].teacher;
        const foci_table_row *before[] = {row->init, row->teacher};
        for (int k = 0; k < 2; k++)
            if (before[k] && (before[k]->init || before[k]->teacher))
                return fail_at(r, at, "`%s` begins from another run itself", before[k]->name);
    }
    return FOCI_OK;
}

/* ------------------------------------------------------------------------------------------ claims and facts */

static foci_status read_margin(const reader *r, const yaml_node_t *n, const char *text, double *margin) {
    char *end;
    *margin = strtod(text, &end);
    if (*text && !*end && *margin >= 0 && *margin <= 1000) return FOCI_OK;
    return fail_at(r, n, "`%s` is no margin: percent, from 0 on", text);
}

static foci_status read_in(reader *r, yaml_node_t *n, foci_table_claim *c) {
    FOCI_TRY(list(r, n, "in"));
    for (yaml_node_item_t *i = n->data.sequence.items.start; i < n->data.sequence.items.top; i++) {
        const char *text;
        if (c->count == FOCI_TABLE_MEASURES) return fail_at(r, n, "more than %d results", FOCI_TABLE_MEASURES);
        FOCI_TRY(text_of(r, node(r, *i), "a result", &text));
        FOCI_TRY(find_result(r, node(r, *i), text, &c->in[c->count++]));
    }
    return FOCI_OK;
}

static foci_status read_claim(reader *r, yaml_node_t *n) {
    FOCI_TRY(mapping(r, n, "a claim"));
    if (r->t->claims == FOCI_TABLE_CLAIMS) return fail_at(r, n, "more than %d claims", FOCI_TABLE_CLAIMS);
    foci_table_claim *c = &r->t->claim[r->t->claims++];
    *c = (foci_table_claim){.margin = (double)NAN};
    for (yaml_node_pair_t *at = NULL; next_pair(n, &at);) {
        pair p;
        const char *margin;
        FOCI_TRY(read_pair(r, n, at, &p));
        if (strcmp(p.key, "claim") == 0) FOCI_TRY(text_of(r, p.value, "claim", &c->text));
        else if (strcmp(p.key, "run") == 0) FOCI_TRY(find_row(r, p.value, r->t->rows, &c->row));
        else if (strcmp(p.key, "than") == 0) FOCI_TRY(find_row(r, p.value, r->t->rows, &c->than));
        else if (strcmp(p.key, "in") == 0) FOCI_TRY(read_in(r, p.value, c));
        else if (strcmp(p.key, "untestable") == 0) FOCI_TRY(text_of(r, p.value, "untestable", &c->reason));
        else if (strcmp(p.key, "margin") == 0) {
            FOCI_TRY(text_of(r, p.value, "margin", &margin));
            FOCI_TRY(read_margin(r, p.value, margin, &c->margin));
        } else
            return fail_at(r, p.at,
                           "unknown `%s`: a claim has claim, run, than, in and margin, or claim and untestable", p.key);
    }
    if (!c->text || !c->row != !c->count || !c->row == !c->reason)
        return fail_at(r, n, "a claim needs claim, run and in, or claim and untestable");
    if (c->row && !c->than) c->than = c->row->baseline;
    if (c->row && !c->than) return fail_at(r, n, "`%s` has no baseline; `than` names another run", c->row->name);
    for (int i = 0; i < c->count; i++)
        if (!r->t->measure[c->in[i].measure].field[c->in[i].field]->better)
            return fail_at(r, n, "neither more nor less of a result is better");
    return FOCI_OK;
}

static foci_status read_claims(reader *r, yaml_node_t *n) {
    FOCI_TRY(list(r, n, "claims"));
    for (yaml_node_item_t *i = n->data.sequence.items.start; i < n->data.sequence.items.top; i++)
        FOCI_TRY(read_claim(r, node(r, *i)));
    return FOCI_OK;
}

static foci_status read_facts(reader *r, yaml_node_t *n) {
    FOCI_TRY(list(r, n, "facts"));
    for (yaml_node_item_t *i = n->data.sequence.items.start; i < n->data.sequence.items.top; i++) {
        if (r->t->facts == FOCI_TABLE_FACTS) return fail_at(r, n, "more than %d facts", FOCI_TABLE_FACTS);
        FOCI_TRY(text_of(r, node(r, *i), "a fact", &r->t->fact[r->t->facts++]));
    }
    return FOCI_OK;
}

/* Runs refer to what all have and to measurements: they come last, wherever they stand. */
static foci_status read_table(reader *r) {
    yaml_node_t *root = yaml_document_get_root_node(&r->document), *runs = NULL, *first = NULL, *claims = NULL;
    if (!root) return foci_fail(FOCI_ERR_CONFIG, "%s: the file is empty", r->t->path);
    FOCI_TRY(mapping(r, root, "a table"));
    for (yaml_node_pair_t *at = NULL; next_pair(root, &at);) {
        pair p;
        FOCI_TRY(read_pair(r, root, at, &p));
        if (strcmp(p.key, "title") == 0) FOCI_TRY(text_of(r, p.value, "title", &r->t->title));
        else if (strcmp(p.key, "note") == 0) FOCI_TRY(text_of(r, p.value, "note", &r->t->note));
        else if (strcmp(p.key, "seeds") == 0) FOCI_TRY(read_seeds(r, p.value));
        else if (strcmp(p.key, "set") == 0) FOCI_TRY(read_sets(r, p.value, r->set, &r->sets));
        else if (strcmp(p.key, "items") == 0) FOCI_TRY(read_items(r, p.value, &r->items));
        else if (strcmp(p.key, "baseline") == 0) r->baseline = p.value;
        else if (strcmp(p.key, "measure") == 0) FOCI_TRY(read_measures(r, p.value));
        else if (strcmp(p.key, "runs") == 0) runs = p.value;
        else if (strcmp(p.key, "first") == 0) first = p.value;
        else if (strcmp(p.key, "claims") == 0) claims = p.value;
        else if (strcmp(p.key, "facts") == 0) FOCI_TRY(read_facts(r, p.value));
        else
            return fail_at(r, p.at,
                           "unknown `%s`: a table has title, note, seeds, set, items, baseline, measure, runs, first, "
                           "claims and facts",
                           p.key);
    }
    if (!r->t->measures) return foci_fail(FOCI_ERR_CONFIG, "%s: `measure` is missing", r->t->path);
    if (!runs) return foci_fail(FOCI_ERR_CONFIG, "%s: `runs` is missing", r->t->path);
    FOCI_TRY(read_runs(r, runs, true));
    if (!r->t->others) return foci_fail(FOCI_ERR_CONFIG, "%s: there are no runs", r->t->path);
    if (first) FOCI_TRY(read_runs(r, first, false));
    FOCI_TRY(sort_rows(r));
    FOCI_TRY(join_rows(r));
    return claims ? read_claims(r, claims) : FOCI_OK;
}

static foci_status syntax_error(const reader *r, const yaml_parser_t *p) {
    return foci_fail(FOCI_ERR_CONFIG, "%s:%zu:%zu: %s", r->t->path, p->problem_mark.line + 1,
                     p->problem_mark.column + 1, p->problem ? p->problem : "not a YAML file");
}

/* libyaml's time grows with the square of the depth and of the number of anchors: both are looked at event by event
 * first. */
static foci_status check_event(const reader *r, const yaml_event_t *e, int *depth) {
    const yaml_char_t *anchor = NULL;
    const char *wrong = NULL;
    switch (e->type) {
    case YAML_SCALAR_EVENT: anchor = e->data.scalar.anchor; break;
    case YAML_SEQUENCE_START_EVENT: anchor = e->data.sequence_start.anchor, ++*depth; break;
    case YAML_MAPPING_START_EVENT: anchor = e->data.mapping_start.anchor, ++*depth; break;
    case YAML_SEQUENCE_END_EVENT:
    case YAML_MAPPING_END_EVENT: --*depth; break;
    case YAML_ALIAS_EVENT: wrong = "an alias; write the value out"; break;
    default: break;
    }
    if (anchor) wrong = "an anchor; tables have none";
    if (*depth > DEPTH) wrong = "it nests too deep for a table";
    if (!wrong) return FOCI_OK;
    return foci_fail(FOCI_ERR_CONFIG, "%s:%zu:%zu: %s", r->t->path, e->start_mark.line + 1, e->start_mark.column + 1,
                     wrong);
}

static foci_status check_events(const reader *r, yaml_parser_t *p) {
    int depth = 0;
    for (bool more = true; more;) {
        yaml_event_t event;
        if (!yaml_parser_parse(p, &event)) return syntax_error(r, p);
        more = event.type != YAML_STREAM_END_EVENT;
        foci_status s = check_event(r, &event, &depth);
        yaml_event_delete(&event);
        if (s) return s;
    }
    return FOCI_OK;
}

static foci_status load_document(reader *r, yaml_parser_t *p) {
    return yaml_parser_load(p, &r->document) ? FOCI_OK : syntax_error(r, p);
}

static foci_status parse(reader *r, const char *text, size_t size, bool checking) {
    yaml_parser_t parser;
    if (!yaml_parser_initialize(&parser)) return foci_out_of_memory();
    yaml_parser_set_input_string(&parser, (const unsigned char *)text, size);
    foci_status s = checking ? check_events(r, &parser) : load_document(r, &parser);
    yaml_parser_delete(&parser);
    return s;
}

static foci_status load(reader *r, const char *text, size_t size) {
    FOCI_TRY(parse(r, text, size, true));
    return parse(r, text, size, false);
}

foci_status foci_table_read(foci_table **t, const char *path) {
    char *text;
    size_t size;
    FOCI_TRY(foci_read_file(path, BYTES, &text, &size, FOCI_ERR_CONFIG));
    reader r = {.t = foci_table_new(path)};
    foci_status s = r.t ? load(&r, text, size) : foci_out_of_memory();
    if (!s) {
        s = read_table(&r);
        yaml_document_delete(&r.document);
    }
    free(text);
    if (s) foci_table_free(r.t);
    else *t = r.t;
    return s;
}
