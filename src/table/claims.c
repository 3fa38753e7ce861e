/* Claims held against results: a claim names a row, another (its baseline, as a rule) and the results that it should be
 * better in, or worse by so many percent at most. What follows is said by the interval of the paired difference alone.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "table/page.h"

const char foci_claim_note[] =
    "A claim is that a row is better than its baseline in a result, or worse by a margin at most. It holds where the "
    "95 % interval of the difference lies on that side, does not where it lies on the other; where it holds both, no "
    "difference is seen. Differences are ";

static const foci_column *column_of(const foci_grid *g, const struct foci_table_of *of) {
    for (const foci_column *c = g->column; c < g->column + g->columns; c++)
        if (c->measure_index == of->measure && c->field_index == of->field) return c;
    return NULL;
}

/* How much worse the row is, as an interval, beside how much it may be. */
static foci_verdict judge(const foci_paired *d, int better, double margin) {
    const double worse = -better * d->mean, most = isnan(margin) ? 0 : margin / 100 * fabs(d->base);
    if (d->n < 2) return FOCI_NOT_MEASURED;
    if (worse + d->half < most || (!isnan(margin) && worse + d->half == most)) return FOCI_HOLDS;
    return worse - d->half > most ? FOCI_FAILS : FOCI_NOT_SEEN;
}

static const char *verdict_text(const foci_evidence *e) {
    static const char *const text[FOCI_VERDICTS] = {"not measured", "holds", "does not hold", "no difference seen"};
    if (e->seen.difference.n == 1) return "one seed, no interval";
    return e->verdict == FOCI_NOT_SEEN && !isnan(e->claim->margin) ? "cannot be told" : text[e->verdict];
}

static void hold(const foci_grid *g, const foci_table_claim *c, int i, foci_evidence *e) {
    const foci_column *column = column_of(g, &c->in[i]);
    const foci_table_measure *m = &g->table->measure[c->in[i].measure];
    const foci_metric *field = m->field[c->in[i].field];
    const bool other = c->than != c->row->baseline;
    char title[128];
    *e = (foci_evidence){.grid = g, .claim = c, .better = field->better};
    if (column) {
        e->seen = foci_grid_compare(g, c->row, c->than, (int)(column - g->column));
        e->verdict = judge(&e->seen.difference, field->better, c->margin);
    }
    foci_column_title(m, field, title);
    snprintf(e->what, sizeof e->what, "%s: %s%s%s", c->row->name, title, other ? ", beside " : "",
             other ? c->than->name : "");
    const int used = snprintf(e->said, sizeof e->said, "%s", verdict_text(e));
    if (isfinite(c->margin))
        snprintf(e->said + used, sizeof e->said - (size_t)used, " (at most %g %% worse)", c->margin);
}

static void sum_up(const foci_evidence *e, int count, char text[96]) {
    int n[FOCI_VERDICTS] = {0};
    for (int i = 0; i < count; i++) n[e[i].verdict]++;
    const int measured = count - n[FOCI_NOT_MEASURED];
    if (!count) snprintf(text, 96, "not testable at this scale");
    else if (!measured) snprintf(text, 96, "not measured");
    else if (n[FOCI_HOLDS] == measured) snprintf(text, 96, "holds");
    else if (n[FOCI_HOLDS]) snprintf(text, 96, "holds in %d of %d", n[FOCI_HOLDS], measured);
    else if (n[FOCI_FAILS] == measured) snprintf(text, 96, "does not hold");
    else if (n[FOCI_FAILS])
        snprintf(text, 96, "does not hold in %d of %d, not seen in the others", n[FOCI_FAILS], measured);
    else snprintf(text, 96, isnan(e->claim->margin) ? "not seen" : "cannot be told");
}

static bool is_new(const foci_grid *const *grid, int at, int claim) {
    const char *text = grid[at]->table->claim[claim].text;
    for (int i = 0; i <= at; i++)
        for (int k = 0; k < (i < at ? grid[i]->table->claims : claim); k++)
            if (strcmp(grid[i]->table->claim[k].text, text) == 0) return false;
    return true;
}

/* What all tables have on a claim, from `e` on. */
static foci_finding find(const foci_grid *const *grid, int grids, const char *text, foci_evidence *e) {
    foci_finding f = {.text = text, .evidence = e};
    for (int i = 0; i < grids; i++)
        for (const foci_table_claim *c = grid[i]->table->claim; c < grid[i]->table->claim + grid[i]->table->claims;
             c++) {
            if (strcmp(c->text, text) != 0) continue;
            if (c->reason) f.reason = c->reason;
            for (int k = 0; k < c->count; k++) hold(grid[i], c, k, &e[f.count++]);
        }
    sum_up(e, f.count, f.sum);
    return f;
}

foci_status foci_findings_make(foci_findings *f, const foci_grid *const *grid, int grids) {
    size_t claims = 1, results = 1;
    for (int i = 0; i < grids; i++)
        for (int k = 0; k < grid[i]->table->claims; k++, claims++) results += (size_t)grid[i]->table->claim[k].count;
    *f = (foci_findings){calloc(claims, sizeof *f->finding), 0, calloc(results, sizeof *f->evidence)};
    if (!f->finding || !f->evidence) {
        foci_findings_free(f);
        return foci_out_of_memory();
    }
    foci_evidence *next = f->evidence;
    for (int i = 0; i < grids; i++)
        for (int k = 0; k < grid[i]->table->claims; k++) {
            if (!is_new(grid, i, k)) continue;
            const foci_finding new = find(grid, grids, grid[i]->table->claim[k].text, next);
            f->finding[f->count++] = new;
            next += new.count;
        }
    return FOCI_OK;
}

void foci_findings_free(foci_findings *f) {
    free(f->finding);
    free(f->evidence);
    *f = (foci_findings){0};
}
