/* The runs of a table's file: what each says, rows of one name, and what they name of each other. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "table/file.h"

/* Where a published figure comes from: the paper itself; logs of its authors, of a rival's; a rival's table; a later
 * paper that trained it again; or memory alone. */
static const char *const marks[] = {"read", "log", "rival-log", "rival-table", "later", "recalled"};

/* Some of the table's seeds. */
static foci_status read_row_seeds(foci_file *r, yaml_node_t *n, foci_table_row *row) {
    FOCI_TRY(foci_file_list(r, n, "seeds"));
    for (int s = 0; s < r->t->seeds; s++) row->no_seed[s] = true;
    for (yaml_node_item_t *i = n->data.sequence.items.start; i < n->data.sequence.items.top; i++) {
        int64_t seed;
        int s = 0;
        FOCI_TRY(foci_file_seed(r, foci_file_node(r, *i), &seed));
        while (s < r->t->seeds && r->t->seed[s] != seed) s++;
        if (s == r->t->seeds)
            return foci_file_fail(r, foci_file_node(r, *i), "the table has no seed %lld", (long long)seed);
        row->no_seed[s] = false;
    }
    for (int s = 0; s < r->t->seeds; s++)
        if (!row->no_seed[s]) return FOCI_OK;
    return foci_file_fail(r, n, "a run needs a seed");
}

/* Some of its measurements. */
static foci_status read_row_measures(foci_file *r, yaml_node_t *n, foci_table_row *row) {
    FOCI_TRY(foci_file_list(r, n, "measure"));
    for (int m = 0; m < r->t->measures; m++) row->no_measure[m] = true;
    for (yaml_node_item_t *i = n->data.sequence.items.start; i < n->data.sequence.items.top; i++) {
        int m;
        FOCI_TRY(foci_file_measure(r, foci_file_node(r, *i), &m));
        row->no_measure[m] = false;
    }
    return FOCI_OK;
}

static const char *mark_of(const char *text) {
    for (size_t i = 0; i < sizeof marks / sizeof *marks; i++)
        if (strcmp(marks[i], text) == 0) return marks[i];
    return NULL;
}

/* {clean.top1: 72.23 recalled} */
static foci_status read_paper(foci_file *r, yaml_node_t *n, foci_table_row *row) {
    FOCI_TRY(foci_file_mapping(r, n, "paper"));
    for (yaml_node_pair_t *at = NULL; foci_file_next_entry(n, &at);) {
        foci_file_entry p;
        const char *text;
        char *end;
        struct foci_table_of of;
        FOCI_TRY(foci_file_read_entry(r, n, at, &p));
        FOCI_TRY(foci_file_text(r, p.value, "a published figure", &text));
        FOCI_TRY(foci_file_result(r, p.at, p.key, &of));
        const double value = strtod(text, &end);
        const char *mark = end > text && *end == ' ' && isfinite(value) ? mark_of(end + 1) : NULL;
        if (!mark)
            return foci_file_fail(
                r, p.value,
                "`%s` is not a number and a mark, as in 72.5 recalled (or read, log, rival-log, rival-table, later)",
                text);
        if (row->papers == FOCI_TABLE_MEASURES)
            return foci_file_fail(r, p.at, "more than %d published figures", FOCI_TABLE_MEASURES);
        const foci_table_measure *m = &r->t->measure[of.measure];
        row->paper[row->papers++] = (foci_table_paper){m->label, m->field[of.field]->name, value, mark};
    }
    return FOCI_OK;
}

/* Paths are beside the file. */
static foci_status beside(foci_file *r, const char *name, const char **path) {
    const char *slash = strrchr(r->t->path, '/');
    *path = *name == '/' || !slash
                ? foci_arena_strdup(&r->t->arena, name)
                : foci_arena_printf(&r->t->arena, "%.*s/%s", (int)(slash - r->t->path), r->t->path, name);
    return *path ? FOCI_OK : foci_out_of_memory();
}

static foci_status read_config(foci_file *r, const yaml_node_t *n, foci_table_row *row) {
    FOCI_TRY(foci_file_text(r, n, "config", &row->config));
    FOCI_TRY(beside(r, row->config, &row->config));
    return foci_path_kind(row->config) ? FOCI_OK : foci_file_fail(r, n, "%s is not there", row->config);
}

/* A run of the same name: no measurement belongs to both. Its published figures are those of the first, too. */
static foci_status join_run(const foci_file *r, const yaml_node_t *n, foci_table_row *first, foci_table_row *row) {
    bool both = first->shown < 0 || row->shown < 0 || !first->config || !row->config;
    for (int m = 0; m < r->t->measures; m++)
        both |= !r->t->measure[m].means && !first->no_measure[m] && !row->no_measure[m];
    if (both) return foci_file_fail(r, n, "a second run is named `%s`, and they share a measurement", row->name);
    if (first->shown != (int)(first - r->t->row)) return FOCI_OK; /* the first of all is there to be joined */
    row->shown = first->shown;
    for (int i = 0; i < row->papers; i++) {
        if (first->papers == FOCI_TABLE_MEASURES)
            return foci_file_fail(r, n, "more than %d published figures", FOCI_TABLE_MEASURES);
        first->paper[first->papers++] = row->paper[i];
    }
    return FOCI_OK;
}

/* Those that are rows of the table first, all else behind, in order. */
foci_status foci_file_sort_rows(foci_file *r) {
    foci_table *t = r->t;
    const int all = t->others;
    foci_table_row *row = malloc(sizeof t->row);
    foci_named *names = malloc(sizeof r->named);
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

static foci_status read_run(foci_file *r, yaml_node_t *n, bool shown) {
    FOCI_TRY(foci_file_mapping(r, n, "a run"));
    const int all = r->t->others;
    if (all == FOCI_TABLE_RUNS) return foci_file_fail(r, n, "more than %d runs", FOCI_TABLE_RUNS);
    foci_table_row *row = &r->t->row[all];
    foci_named *names = &r->named[all];
    r->t->others++;
    row->shown = shown ? all : -1;
    memcpy(row->set, r->set, sizeof row->set);
    row->sets = r->sets;
    row->items = r->items;
    if (shown) names->baseline = r->baseline;
    for (yaml_node_pair_t *at = NULL; foci_file_next_entry(n, &at);) {
        foci_file_entry p;
        FOCI_TRY(foci_file_read_entry(r, n, at, &p));
        if (strcmp(p.key, "name") == 0) FOCI_TRY(foci_file_text(r, p.value, "name", &row->name));
        else if (strcmp(p.key, "config") == 0) FOCI_TRY(read_config(r, p.value, row));
        else if (strcmp(p.key, "set") == 0) FOCI_TRY(foci_file_sets(r, p.value, row->set, &row->sets));
        else if (strcmp(p.key, "seeds") == 0) FOCI_TRY(read_row_seeds(r, p.value, row));
        else if (strcmp(p.key, "items") == 0) FOCI_TRY(foci_file_items(r, p.value, &row->items));
        else if (strcmp(p.key, "init") == 0) names->init = p.value;
        else if (strcmp(p.key, "teacher") == 0) names->teacher = p.value;
        else if (shown && strcmp(p.key, "eval_set") == 0)
            FOCI_TRY(foci_file_sets(r, p.value, row->eval_set, &row->eval_sets));
        else if (shown && strcmp(p.key, "measure") == 0) FOCI_TRY(read_row_measures(r, p.value, row));
        else if (shown && strcmp(p.key, "paper") == 0) FOCI_TRY(read_paper(r, p.value, row));
        else if (shown && strcmp(p.key, "baseline") == 0) names->baseline = p.value;
        else
            return foci_file_fail(r, p.at, "unknown `%s`: a run has name, config, set, seeds, items, init, teacher%s",
                                  p.key, shown ? ", eval_set, measure, paper and baseline" : "");
    }
    if (!row->name || !*row->name || (!row->config && !row->papers))
        return foci_file_fail(r, n, "a run needs a name, and a config or published figures");
    for (foci_table_row *other = r->t->row; other < row; other++)
        if (strcmp(other->name, row->name) == 0) FOCI_TRY(join_run(r, n, other, row));
    return FOCI_OK;
}

foci_status foci_file_runs(foci_file *r, yaml_node_t *n, bool shown) {
    FOCI_TRY(foci_file_list(r, n, shown ? "runs" : "first"));
    for (yaml_node_item_t *i = n->data.sequence.items.start; i < n->data.sequence.items.top; i++)
        FOCI_TRY(read_run(r, foci_file_node(r, *i), shown));
    return FOCI_OK;
}

/* The row of that name, of the first `count`; left alone where none is named. */
foci_status foci_file_row(foci_file *r, const yaml_node_t *n, int count, const foci_table_row **found) {
    const char *name;
    if (!n) return FOCI_OK;
    FOCI_TRY(foci_file_text(r, n, "a run", &name));
    for (*found = r->t->row; *found < r->t->row + count; ++*found)
        if ((*found)->config && strcmp((*found)->name, name) == 0) return FOCI_OK;
    return foci_file_fail(r, n, "no run with a config is named `%s`", name);
}

/* Rows that others begin from begin from none themselves. */
foci_status foci_file_join_rows(foci_file *r) {
    const int all = r->t->rows + r->t->others;
    for (int i = 0; i < all; i++) {
        foci_table_row *row = &r->t->row[i];
        const foci_named *n = &r->named[i];
        FOCI_TRY(foci_file_row(r, n->baseline, r->t->rows, &row->baseline));
        FOCI_TRY(foci_file_row(r, n->init, all, &row->init));
        FOCI_TRY(foci_file_row(r, n->teacher, all, &row->teacher));
        if (row->baseline == row) row->baseline = NULL;
    }
    for (int i = 0; i < all; i++) {
        const foci_table_row *row = &r->t->row[i];
        const yaml_node_t *at = row->init ? r->named[i].init : r->named[i].teacher;
        const foci_table_row *before[] = {row->init, row->teacher};
        for (int k = 0; k < 2; k++)
            if (before[k] && (before[k]->init || before[k]->teacher))
                return foci_file_fail(r, at, "`%s` begins from another run itself", before[k]->name);
    }
    return FOCI_OK;
}
