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
 *     claims:                                   # a run is better than its baseline, or another; or worse by a margin
 *       - {claim: Robust to attacks, run: fine, in: [PGD.top1]}
 *       - {claim: Ahead of others, run: fine, than: pupil, in: [PGD.top1]}
 *       - {claim: At equal cost, run: fine, in: [clean.loss], margin: 2}
 *       - {claim: On natural adversarial images, untestable: there is no such set of this size}
 *     facts: [on how published figures are to be read]
 *
 * Runs of one name are one row of the table; each has measurements of its own then. A run may name some of the table's
 * seeds and measurements. eval_set changes keys when it is measured, not in its training. What it begins from (init,
 * teacher) is trained with its own seed, or with the first that it has. Marks of published figures: file_rows.c. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "table/file.h"

enum { BYTES = 1 << 18 };

foci_status foci_file_seed(foci_file *r, const yaml_node_t *n, int64_t *seed) {
    const char *text;
    char *end;
    FOCI_TRY(foci_file_text(r, n, "a seed", &text));
    errno = 0;
    *seed = strtoll(text, &end, 10);
    if (!*text || *end || errno || *seed < 0 || *seed > 9000000000000000)
        return foci_file_fail(r, n, "`%s` is no seed: a whole number from 0 on", text);
    return FOCI_OK;
}

static foci_status read_seeds(foci_file *r, yaml_node_t *n) {
    FOCI_TRY(foci_file_list(r, n, "seeds"));
    for (yaml_node_item_t *i = n->data.sequence.items.start; i < n->data.sequence.items.top; i++) {
        int64_t seed;
        FOCI_TRY(foci_file_seed(r, foci_file_node(r, *i), &seed));
        if (r->t->seeds == FOCI_TABLE_SEEDS)
            return foci_file_fail(r, foci_file_node(r, *i), "more than %d seeds", FOCI_TABLE_SEEDS);
        for (int k = 0; k < r->t->seeds; k++)
            if (r->t->seed[k] == seed)
                return foci_file_fail(r, foci_file_node(r, *i), "seed %lld stands here twice", (long long)seed);
        r->t->seed[r->t->seeds++] = seed;
    }
    return FOCI_OK;
}

foci_status foci_file_items(foci_file *r, const yaml_node_t *n, double *items) {
    const char *text;
    char *end;
    FOCI_TRY(foci_file_text(r, n, "items", &text));
    *items = strtod(text, &end);
    if (!*text || *end || !(*items >= 1 && *items <= 1e18))
        return foci_file_fail(r, n, "`%s` is no number of images or tokens", text);
    return FOCI_OK;
}

/* {attention.kind: softmax, train.betas: [0.9, 0.99]} -> "attention.kind=softmax", "train.betas=[0.9, 0.99]" */
foci_status foci_file_sets(foci_file *r, yaml_node_t *n, const char **set, int *sets) {
    FOCI_TRY(foci_file_mapping(r, n, "set"));
    for (yaml_node_pair_t *at = NULL; foci_file_next_entry(n, &at);) {
        foci_file_entry p;
        const char *value = "", *item;
        FOCI_TRY(foci_file_read_entry(r, n, at, &p));
        if (p.value->type == YAML_SEQUENCE_NODE) {
            for (yaml_node_item_t *i = p.value->data.sequence.items.start; i < p.value->data.sequence.items.top; i++) {
                FOCI_TRY(foci_file_text(r, foci_file_node(r, *i), p.key, &item));
                value = foci_arena_printf(&r->t->arena, "%s%s%s", value, *value ? ", " : "", item);
                if (!value) return foci_out_of_memory();
                if (strlen(value) > FOCI_FILE_TEXT) return foci_file_fail(r, p.value, "%s is too long", p.key);
            }
            value = foci_arena_printf(&r->t->arena, "[%s]", value);
        } else {
            FOCI_TRY(foci_file_text(r, p.value, p.key, &value));
        }
        if (*sets == FOCI_TABLE_SETS) return foci_file_fail(r, p.at, "more than %d keys", FOCI_TABLE_SETS);
        set[*sets] = value ? foci_arena_printf(&r->t->arena, "%s=%s", p.key, value) : NULL;
        if (!set[(*sets)++]) return foci_out_of_memory();
    }
    return FOCI_OK;
}

/* -------------------------------------------------------------------------------------------- measurements */

foci_status foci_file_measure(foci_file *r, const yaml_node_t *n, int *index) {
    const char *label;
    FOCI_TRY(foci_file_text(r, n, "a measurement", &label));
    for (*index = 0; *index < r->t->measures; ++*index)
        if (strcmp(r->t->measure[*index].label, label) == 0) return FOCI_OK;
    return foci_file_fail(r, n, "the table has no measurement `%s`", label);
}

static foci_status read_mean(foci_file *r, yaml_node_t *n, const char *place, const char *label) {
    int of[FOCI_TABLE_MEASURES], count = 0;
    FOCI_TRY(foci_file_list(r, n, "mean"));
    for (yaml_node_item_t *i = n->data.sequence.items.start; i < n->data.sequence.items.top; i++) {
        if (count == FOCI_TABLE_MEASURES) return foci_file_fail(r, n, "more than %d measurements", FOCI_TABLE_MEASURES);
        FOCI_TRY(foci_file_measure(r, foci_file_node(r, *i), &of[count]));
        if (r->t->measure[of[count++]].means) return foci_file_fail(r, foci_file_node(r, *i), "a mean of means");
    }
    return count ? foci_table_add_mean(r->t, place, label, of, count) : foci_file_fail(r, n, "a mean of nothing");
}

static foci_status read_measure(foci_file *r, const foci_file_entry *p) {
    const char *spec = NULL, *show[FOCI_TABLE_FIELDS];
    yaml_node_t *mean = NULL;
    int shown = 0;
    bool chosen = false;
    if (p->value->type == YAML_MAPPING_NODE) {
        for (yaml_node_pair_t *at = NULL; foci_file_next_entry(p->value, &at);) {
            foci_file_entry q;
            FOCI_TRY(foci_file_read_entry(r, p->value, at, &q));
            if (strcmp(q.key, "run") == 0) {
                FOCI_TRY(foci_file_text(r, q.value, "run", &spec));
            } else if (strcmp(q.key, "mean") == 0) {
                mean = q.value;
            } else if (strcmp(q.key, "show") == 0) {
                FOCI_TRY(foci_file_list(r, q.value, "show"));
                chosen = true;
                for (yaml_node_item_t *i = q.value->data.sequence.items.start; i < q.value->data.sequence.items.top;
                     i++) {
                    if (shown == FOCI_TABLE_FIELDS)
                        return foci_file_fail(r, q.value, "more than %d results", FOCI_TABLE_FIELDS);
                    FOCI_TRY(foci_file_text(r, foci_file_node(r, *i), "a result", &show[shown++]));
                }
            } else {
                return foci_file_fail(r, q.at, "unknown `%s`: a measurement has run and show, or mean", q.key);
            }
        }
        if (!spec == !mean || (mean && chosen))
            return foci_file_fail(r, p->value, "measurement `%s` needs either run, perhaps with show, or mean", p->key);
    } else {
        FOCI_TRY(foci_file_text(r, p->value, "a measurement", &spec));
    }
    char place[4400];
    snprintf(place, sizeof place, "%s:%zu:%zu", r->t->path, p->value->start_mark.line + 1,
             p->value->start_mark.column + 1);
    if (mean) return read_mean(r, mean, place, p->key);
    return foci_table_add_measure(r->t, place, p->key, spec, chosen ? show : NULL, shown);
}

static foci_status read_measures(foci_file *r, yaml_node_t *n) {
    FOCI_TRY(foci_file_mapping(r, n, "measure"));
    for (yaml_node_pair_t *at = NULL; foci_file_next_entry(n, &at);) {
        foci_file_entry p;
        FOCI_TRY(foci_file_read_entry(r, n, at, &p));
        FOCI_TRY(read_measure(r, &p));
    }
    return FOCI_OK;
}

/* "clean.top1", LABEL.RESULT */
foci_status foci_file_result(const foci_file *r, const yaml_node_t *n, const char *text, struct foci_table_of *of) {
    const char *dot = strrchr(text, '.');
    const foci_table *t = r->t;
    of->measure = -1;
    for (int i = 0; dot && i < t->measures; i++)
        if (strlen(t->measure[i].label) == (size_t)(dot - text) &&
            strncmp(t->measure[i].label, text, (size_t)(dot - text)) == 0)
            of->measure = i;
    if (of->measure < 0)
        return foci_file_fail(r, n, "`%s` does not begin with the name of a measurement: LABEL.RESULT", text);
    const foci_table_measure *m = &t->measure[of->measure];
    for (of->field = 0; of->field < m->fields; of->field++)
        if (strcmp(m->field[of->field]->name, dot + 1) == 0) return FOCI_OK;
    return foci_file_fail(r, n, "measurement `%s` shows no `%s`", m->label, dot + 1);
}

/* ------------------------------------------------------------------------------------------------- the whole */

/* Runs refer to what all have and to measurements: they come last, wherever they stand. */
static foci_status read_table(foci_file *r) {
    yaml_node_t *root = yaml_document_get_root_node(&r->document), *runs = NULL, *first = NULL, *claims = NULL;
    if (!root) return foci_fail(FOCI_ERR_CONFIG, "%s: the file is empty", r->t->path);
    FOCI_TRY(foci_file_mapping(r, root, "a table"));
    for (yaml_node_pair_t *at = NULL; foci_file_next_entry(root, &at);) {
        foci_file_entry p;
        FOCI_TRY(foci_file_read_entry(r, root, at, &p));
        if (strcmp(p.key, "title") == 0) FOCI_TRY(foci_file_text(r, p.value, "title", &r->t->title));
        else if (strcmp(p.key, "note") == 0) FOCI_TRY(foci_file_text(r, p.value, "note", &r->t->note));
        else if (strcmp(p.key, "seeds") == 0) FOCI_TRY(read_seeds(r, p.value));
        else if (strcmp(p.key, "set") == 0) FOCI_TRY(foci_file_sets(r, p.value, r->set, &r->sets));
        else if (strcmp(p.key, "items") == 0) FOCI_TRY(foci_file_items(r, p.value, &r->items));
        else if (strcmp(p.key, "baseline") == 0) r->baseline = p.value;
        else if (strcmp(p.key, "measure") == 0) FOCI_TRY(read_measures(r, p.value));
        else if (strcmp(p.key, "runs") == 0) runs = p.value;
        else if (strcmp(p.key, "first") == 0) first = p.value;
        else if (strcmp(p.key, "claims") == 0) claims = p.value;
        else if (strcmp(p.key, "facts") == 0) FOCI_TRY(foci_file_facts(r, p.value));
        else
            return foci_file_fail(
                r, p.at,
                "unknown `%s`: a table has title, note, seeds, set, items, baseline, measure, runs, first, "
                "claims and facts",
                p.key);
    }
    if (!r->t->measures) return foci_fail(FOCI_ERR_CONFIG, "%s: `measure` is missing", r->t->path);
    if (!runs) return foci_fail(FOCI_ERR_CONFIG, "%s: `runs` is missing", r->t->path);
    FOCI_TRY(foci_file_runs(r, runs, true));
    if (!r->t->others) return foci_fail(FOCI_ERR_CONFIG, "%s: there are no runs", r->t->path);
    if (first) FOCI_TRY(foci_file_runs(r, first, false));
    FOCI_TRY(foci_file_sort_rows(r));
    FOCI_TRY(foci_file_join_rows(r));
    return claims ? foci_file_claims(r, claims) : FOCI_OK;
}

foci_status foci_table_read(foci_table **t, const char *path) {
    char *text;
    size_t size;
    FOCI_TRY(foci_read_file(path, BYTES, &text, &size, FOCI_ERR_CONFIG));
    foci_file r = {.t = foci_table_new(path)};
    foci_status s = r.t ? foci_file_load(&r, text, size) : foci_out_of_memory();
    if (!s) {
        s = read_table(&r);
        yaml_document_delete(&r.document);
    }
    free(text);
    if (s) foci_table_free(r.t);
    else *t = r.t;
    return s;
}
