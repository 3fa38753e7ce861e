/* Claims held against results: a claim names a row, another (its baseline, as a rule) and the results that it should be
 * better in, or worse by so many percent at most. What follows is said by the interval of the paired difference alone.
 */
#include <math.h>
#include <string.h>

#include "table/table.h"

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

static void hold(const foci_grid *g, const foci_table_claim *c, int i, foci_evidence *e) {
    const foci_column *column = column_of(g, &c->in[i]);
    const foci_table_measure *m = &g->table->measure[c->in[i].measure];
    const foci_metric *field = m->field[c->in[i].field];
    *e = (foci_evidence){.grid = g, .claim = c, .other = c->than != c->row->baseline};
    foci_column_title(m, field, e->title);
    if (!column) return;
    e->seen = foci_grid_compare(g, c->row, c->than, (int)(column - g->column));
    e->verdict = judge(&e->seen.difference, field->better, c->margin);
}

void foci_claim_judge(const foci_grid *g, const foci_table_claim *c, foci_evidence *e) {
    for (int i = 0; i < c->count; i++) hold(g, c, i, &e[i]);
}

const char *foci_verdict_text(const foci_evidence *e) {
    static const char *const text[FOCI_VERDICTS] = {"not measured", "holds", "does not hold", "no difference seen"};
    if (e->seen.difference.n == 1) return "one seed, no interval";
    return e->verdict == FOCI_NOT_SEEN && !isnan(e->claim->margin) ? "cannot be told" : text[e->verdict];
}

void foci_claim_sum(const foci_evidence *e, int count, char text[96]) {
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
    else snprintf(text, 96, "not seen");
}
