/* Results to cells: mean and deviation over seeds, and which are best and second in their column. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "table/table.h"

double foci_grid_value(const foci_grid *g, int row, int column, int sample) {
    const foci_column *c = &g->column[column];
    const foci_table_result *r = foci_table_at(g->table, row, sample, c->measure_index);
    return r->known ? r->value[c->field_index] : (double)NAN;
}

const foci_table_paper *foci_grid_paper(const foci_grid *g, int row, int column) {
    const foci_table_row *r = &g->table->row[row];
    const foci_column *c = &g->column[column];
    for (int i = 0; i < r->papers; i++)
        if (strcmp(r->paper[i].label, c->measure->label) == 0 && strcmp(r->paper[i].field, c->field->name) == 0)
            return &r->paper[i];
    return NULL;
}

/* Mean, and the deviation of a sample (n - 1). */
static void fill(const foci_grid *g, int row, int column, foci_cell *cell) {
    const int decimals = g->column[column].field->decimals;
    double sum = 0, squares = 0;
    *cell = (foci_cell){.mean = (double)NAN, .sd = (double)NAN};
    for (int s = 0; s < foci_table_samples(g->table); s++) {
        const double x = foci_grid_value(g, row, column, s);
        cell->failed |= foci_table_at(g->table, row, s, g->column[column].measure_index)->failed;
        if (!isfinite(x)) continue;
        sum += x;
        cell->n++;
    }
    if (!cell->n) {
        if (cell->failed) snprintf(cell->text, sizeof cell->text, "failed");
        return;
    }
    cell->mean = sum / cell->n;
    for (int s = 0; s < foci_table_samples(g->table); s++) {
        const double x = foci_grid_value(g, row, column, s) - cell->mean;
        if (isfinite(x)) squares += x * x;
    }
    if (cell->n < 2) {
        snprintf(cell->text, sizeof cell->text, "%.*f", decimals, cell->mean);
        return;
    }
    cell->sd = sqrt(squares / (cell->n - 1));
    snprintf(cell->text, sizeof cell->text, "%.*f ± %.*f", decimals, cell->mean, decimals, cell->sd);
}

/* What the column shows of a mean: what cannot be told apart in print shares its place. */
static double shown(const foci_grid *g, int row, int column) {
    const double unit = pow(10, g->column[column].field->decimals);
    return round(foci_grid_cell(g, row, column)->mean * unit) * g->column[column].field->better;
}

static double highest_below(const foci_grid *g, int column, double limit) {
    double best = -INFINITY;
    for (int row = 0; row < g->table->rows; row++) {
        const double x = shown(g, row, column);
        if (x > best && x < limit) best = x;
    }
    return best;
}

/* Of two or more. The second is told only where there is a third. */
static void rank(foci_grid *g, int column) {
    int rows = 0;
    for (int row = 0; row < g->table->rows; row++) rows += foci_grid_cell(g, row, column)->n > 0;
    if (!g->column[column].field->better || rows < 2) return;
    const double best = highest_below(g, column, INFINITY), second = highest_below(g, column, best);
    if (highest_below(g, column, best) == -INFINITY) return; /* all are equal */
    for (int row = 0; row < g->table->rows; row++) {
        foci_cell *cell = &g->cell[row * g->columns + column];
        cell->best = cell->n && shown(g, row, column) == best;
        cell->second = cell->n && shown(g, row, column) == second;
    }
}

static bool worth_showing(foci_grid *g, int column) {
    bool any = false;
    foci_column *c = &g->column[column];
    for (int row = 0; row < g->table->rows; row++) {
        if (foci_grid_paper(g, row, column)) any = c->paper = true;
        for (int s = 0; s < foci_table_samples(g->table); s++) any |= isfinite(foci_grid_value(g, row, column, s));
    }
    return any;
}

foci_status foci_grid_make(foci_grid *g, const foci_table *t) {
    memset(g, 0, sizeof *g);
    g->table = t;
    for (int m = 0; m < t->measures; m++) {
        const foci_table_measure *measure = &t->measure[m];
        bool any = false;
        for (int f = 0; f < measure->fields; f++) {
            foci_column *c = &g->column[g->columns];
            *c = (foci_column){.measure = measure, .field = measure->field[f], .measure_index = m, .field_index = f};
            snprintf(c->title, sizeof c->title, "%s %s%s%s", measure->label, c->field->title,
                     *c->field->unit ? ", " : "", c->field->unit);
            if (worth_showing(g, g->columns)) {
                g->columns++;
                any = true;
            }
        }
        if (!any && measure->fields) g->columns++; /* nothing yet: the last of its fields stands for it */
    }
    g->cell = calloc((size_t)(t->rows * g->columns) + 1, sizeof *g->cell);
    if (!g->cell) return foci_fail(FOCI_ERR_RUNTIME, "out of memory");
    for (int row = 0; row < t->rows; row++)
        for (int c = 0; c < g->columns; c++) fill(g, row, c, &g->cell[row * g->columns + c]);
    for (int c = 0; c < g->columns; c++) rank(g, c);
    return FOCI_OK;
}

void foci_grid_free(foci_grid *g) {
    free(g->cell);
    g->cell = NULL;
}
