/* A table's measurements: what each is, by the list of measures, the command that measures it, and its
 * columns. */
#include <stdlib.h>
#include <string.h>

#include "table/table.h"

static foci_status add_fields(foci_table_measure *m, const char *place, const char *const *show, int shown) {
    const char *const *names = show ? show : m->asked.measure->metrics;
    for (int i = 0; show ? i < shown : i < FOCI_MEASURE_METRICS && names[i]; i++) {
        const foci_metric *f = foci_metric_find(names[i]);
        if (!f) return foci_fail(FOCI_ERR_CONFIG, "%s: there is no result named `%s`", place, names[i]);
        if (m->fields == FOCI_TABLE_FIELDS)
            return foci_fail(FOCI_ERR_CONFIG, "%s: more than %d results of one measurement", place, FOCI_TABLE_FIELDS);
        m->field[m->fields++] = f;
    }
    return FOCI_OK;
}

foci_status foci_table_add_measure(foci_table *t, const char *place, const char *label, const char *spec,
                                   const char *const *show, int shown) {
    if (t->measures == FOCI_TABLE_MEASURES)
        return foci_fail(FOCI_ERR_CONFIG, "%s: more than %d measurements", place, FOCI_TABLE_MEASURES);
    for (int i = 0; i < t->measures; i++)
        if (strcmp(t->measure[i].label, label) == 0)
            return foci_fail(FOCI_ERR_CONFIG, "%s: a second measurement is named `%s`", place, label);
    foci_table_measure *m = &t->measure[t->measures];
    *m = (foci_table_measure){.label = foci_arena_strdup(&t->arena, label), .spec = foci_arena_strdup(&t->arena, spec)};
    if (!m->label || !m->spec) return foci_out_of_memory();
    FOCI_TRY(foci_measure_ask(&m->asked, place, m->spec, &t->arena));
    m->count = foci_measure_words(&m->asked, m->words, &t->arena);
    if (m->count < 0) return foci_out_of_memory();
    FOCI_TRY(add_fields(m, place, show, shown));
    t->measures++;
    return FOCI_OK;
}

foci_status foci_table_add_mean(foci_table *t, const char *place, const char *label, const int *of, int count) {
    const foci_table_measure *first = &t->measure[of[0]];
    FOCI_TRY(foci_table_add_measure(t, place, label, first->spec, NULL, 0));
    foci_table_measure *m = &t->measure[t->measures - 1];
    memcpy(m->field, first->field, sizeof m->field);
    m->fields = first->fields;
    memcpy(m->mean, of, (size_t)count * sizeof *of);
    m->means = count;
    for (int i = 1; i < count; i++)
        if (t->measure[of[i]].fields != m->fields ||
            memcmp(t->measure[of[i]].field, m->field, (size_t)m->fields * sizeof *m->field) != 0)
            return foci_fail(FOCI_ERR_CONFIG, "%s: `%s` shows other results than `%s`", place, t->measure[of[i]].label,
                             first->label);
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
    t->row[t->rows].shown = t->rows;
    return &t->row[t->rows++];
}
