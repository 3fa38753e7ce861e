/* Results to cells: mean and deviation over seeds, paired differences, and which are best and second in their column.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "table/page.h"

static double value_of(const foci_grid *g, int row, int sample, int measure, int field) {
    const foci_table_result *r = foci_table_at(g->table, row, sample, measure);
    return r->known ? r->value[field] : (double)NAN;
}

double foci_grid_value(const foci_grid *g, int row, int column, int sample) {
    const foci_column *c = &g->column[column];
    const foci_table_measure *m = c->measure;
    double sum = 0;
    if (!m->means) return value_of(g, row, sample, c->measure_index, c->field_index);
    for (int i = 0; i < m->means; i++) sum += value_of(g, row, sample, m->mean[i], c->field_index);
    return sum / m->means;
}

const foci_table_paper *foci_grid_paper(const foci_grid *g, int row, int column) {
    const foci_table_row *r = &g->table->row[row];
    const foci_column *c = &g->column[column];
    for (int i = 0; i < r->papers; i++)
        if (strcmp(r->paper[i].label, c->measure->label) == 0 && strcmp(r->paper[i].field, c->field->name) == 0)
            return &r->paper[i];
    return NULL;
}

void foci_paper_text(const foci_grid *g, int row, int column, char text[48]) {
    const foci_table_paper *p = foci_grid_paper(g, row, column);
    text[0] = 0;
    if (p) snprintf(text, 48, "%.*f %s", g->column[column].field->decimals, p->value, p->mark);
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
    if (cell->n > 1) cell->sd = sqrt(squares / (cell->n - 1));
    int used = snprintf(cell->text, sizeof cell->text, "%.*f", decimals, cell->mean);
    if (cell->n > 1) used += snprintf(cell->text + used, sizeof cell->text - used, " ± %.*f", decimals, cell->sd);
    if (cell->n < g->table->seeds) snprintf(cell->text + used, sizeof cell->text - used, " (%d)", cell->n);
}

/* The t of two-sided 95 % intervals with 1, 2, 3 .. degrees of freedom. */
static const double student95[FOCI_TABLE_SEEDS - 1] = {
    12.7062, 4.30265, 3.18245, 2.77645, 2.57058, 2.44691, 2.36462, 2.306,   2.26216, 2.22814, 2.20099, 2.17881, 2.16037,
    2.14479, 2.13145, 2.11991, 2.10982, 2.10092, 2.09302, 2.08596, 2.07961, 2.07387, 2.06866, 2.0639,  2.05954, 2.05553,
    2.05183, 2.04841, 2.04523, 2.04227, 2.03951, 2.03693, 2.03452, 2.03224, 2.03011, 2.02809, 2.02619, 2.02439, 2.02269,
    2.02108, 2.01954, 2.01808, 2.01669, 2.01537, 2.0141,  2.0129,  2.01174, 2.01063, 2.00958, 2.00856, 2.00758, 2.00665,
    2.00575, 2.00488, 2.00404, 2.00324, 2.00247, 2.00172, 2.001,   2.0003,  1.99962, 1.99897, 1.99834};

const char foci_paired_note[] =
    "paired over the seeds that both have, with a 95 % interval by Student's t. Where it holds 0 no difference is "
    "seen. "
    "Among the rows of a baseline the best is marked where it is ahead of the next by such an interval, second where "
    "it is so of the third; nothing is "
    "corrected for the number of comparisons.";

/* Seed by seed: the mean and, from two pairs on, half the interval, t sd / sqrt(n). */
foci_paired foci_grid_difference(const foci_grid *g, int row, int other, int column) {
    foci_paired d = {.half = (double)NAN};
    double sum = 0, base = 0, squares = 0;
    for (int s = 0; s < foci_table_samples(g->table); s++) {
        const double x = foci_grid_value(g, row, column, s), y = foci_grid_value(g, other, column, s);
        if (!isfinite(x - y)) continue;
        sum += x - y;
        base += y;
        d.n++;
    }
    if (!d.n) return d;
    d.mean = sum / d.n;
    d.base = base / d.n;
    d.percent = 100 * d.mean / fabs(d.base);
    for (int s = 0; s < foci_table_samples(g->table); s++) {
        const double x = foci_grid_value(g, row, column, s) - foci_grid_value(g, other, column, s) - d.mean;
        if (isfinite(x)) squares += x * x;
    }
    if (d.n > 1) d.half = student95[d.n - 2] * sqrt(squares / (d.n - 1) / d.n);
    return d;
}

static const char *verdict(const foci_paired *d, const foci_metric *field) {
    if (d->n < 2) return "one seed, no interval";
    if (!foci_is_seen(d)) return "no difference seen";
    return !field->better ? "differs" : d->mean * field->better > 0 ? "better" : "worse";
}

foci_comparison foci_grid_compare(const foci_grid *g, const foci_table_row *row, const foci_table_row *than,
                                  int column) {
    const foci_metric *field = g->column[column].field;
    const int at = (int)(row - g->table->row);
    foci_comparison c = {at, column, foci_grid_difference(g, at, (int)(than - g->table->row), column), .interval = "-"};
    const foci_paired *d = &c.difference;
    const int used = snprintf(c.mean, sizeof c.mean, "%+.*f", field->decimals, d->mean);
    if (isfinite(d->percent)) snprintf(c.mean + used, sizeof c.mean - (size_t)used, " (%+.1f %%)", d->percent);
    if (d->n > 1)
        snprintf(c.interval, sizeof c.interval, "%+.*f to %+.*f", field->decimals, d->mean - d->half, field->decimals,
                 d->mean + d->half);
    c.verdict = verdict(d, field);
    return c;
}

static void compare(foci_grid *g, int row, int column) {
    const foci_table_row *r = &g->table->row[row];
    if (!r->baseline) return;
    const foci_comparison c = foci_grid_compare(g, r, r->baseline, column);
    if (c.difference.n) g->comparison[g->comparisons++] = c;
}

/* Rows that have one baseline, and it, are compared with each other; where there is none, all are. */
static bool in_group(const foci_table *t, int row, const foci_table_row *baseline) {
    return !baseline || &t->row[row] == baseline || t->row[row].baseline == baseline;
}

/* The row of the group that comes after `than` (-1: first) by its mean, or -1. */
static int next_best(const foci_grid *g, int column, const foci_table_row *baseline, int than) {
    const int better = g->column[column].field->better;
    const double limit = than < 0 ? INFINITY : foci_grid_cell(g, than, column)->mean * better;
    int best = -1;
    double highest = -INFINITY;
    for (int row = 0; row < g->table->rows; row++) {
        const double x = foci_grid_cell(g, row, column)->mean * better;
        if (x > highest && (x < limit || (x == limit && row > than)) && in_group(g->table, row, baseline))
            best = row, highest = x;
    }
    return best;
}

/* Is it better than the other by more than chance: does the interval of their difference lie on one side of 0? */
static bool is_ahead(const foci_grid *g, int row, int other, int column) {
    const foci_paired d = foci_grid_difference(g, row, other, column);
    return foci_is_seen(&d) && d.mean * g->column[column].field->better > 0;
}

/* Best is told where it is ahead of the next, second where it is ahead of the third besides. */
static void rank(foci_grid *g, int column, const foci_table_row *baseline) {
    const int best = next_best(g, column, baseline, -1), second = best < 0 ? -1 : next_best(g, column, baseline, best),
              third = second < 0 ? -1 : next_best(g, column, baseline, second);
    if (second < 0 || !is_ahead(g, best, second, column)) return;
    g->cell[best * g->columns + column].best = true;
    g->cell[second * g->columns + column].second = third >= 0 && is_ahead(g, second, third, column);
}

static void rank_groups(foci_grid *g, int column) {
    const foci_table *t = g->table;
    bool any = false;
    for (int row = 0; row < t->rows; row++) {
        bool is_baseline = false;
        for (int other = 0; other < t->rows; other++) is_baseline |= t->row[other].baseline == &t->row[row];
        if (is_baseline) rank(g, column, &t->row[row]);
        any |= is_baseline;
    }
    if (!any) rank(g, column, NULL);
}

void foci_column_title(const foci_table_measure *m, const foci_metric *field, char title[128]) {
    snprintf(title, 128, "%s %s%s%s", m->label, field->title, *field->unit ? ", " : "", field->unit);
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
            foci_column_title(measure, c->field, c->title);
            if (worth_showing(g, g->columns)) {
                g->columns++;
                any = true;
            }
        }
        if (!any && measure->fields) g->columns++; /* nothing yet: the last of its fields stands for it */
    }
    const size_t cells = (size_t)(t->rows * g->columns) + 1;
    g->cell = calloc(cells, sizeof *g->cell);
    g->comparison = calloc(cells, sizeof *g->comparison);
    if (!g->cell || !g->comparison) {
        foci_grid_free(g);
        return foci_out_of_memory();
    }
    for (int row = 0; row < t->rows; row++)
        for (int c = 0; c < g->columns; c++) {
            fill(g, row, c, &g->cell[row * g->columns + c]);
            compare(g, row, c);
        }
    for (int c = 0; c < g->columns; c++)
        if (g->column[c].field->better) rank_groups(g, c);
    foci_status s = foci_findings_make(&g->findings, &(const foci_grid *){g}, 1);
    if (s) foci_grid_free(g);
    return s;
}

void foci_grid_free(foci_grid *g) {
    free(g->cell);
    free(g->comparison);
    foci_findings_free(&g->findings);
    g->cell = NULL;
    g->comparison = NULL;
}
