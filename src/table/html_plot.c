/* What the pictures of a page have in common: they are drawn in the page's own colours, so that they follow light and
 * dark; each is small, and as many stand side by side as the screen is wide. */
#include <math.h>

#include "table/page.h"

void foci_span_widen(foci_span *s, double x) {
    if (!isfinite(x)) return;
    s->low = fmin(s->low, x);
    s->high = fmax(s->high, x);
}

foci_span foci_span_margin(foci_span s) {
    double more = s.high > s.low ? 0.06 * (s.high - s.low) : fmax(fabs(s.high) * 0.05, 1e-9);
    return (foci_span){s.low - more, s.high + more};
}

double foci_span_place(foci_span s, double x, double from, double to) {
    return from + (x - s.low) / (s.high - s.low) * (to - from);
}

foci_span foci_column_span(const foci_grid *g, int column) {
    foci_span s = {INFINITY, -INFINITY};
    for (int row = 0; row < g->table->rows; row++) {
        const foci_cell *cell = foci_grid_cell(g, row, column);
        const foci_table_paper *p = foci_grid_paper(g, row, column);
        if (p) foci_span_widen(&s, p->value);
        foci_span_widen(&s, cell->mean - (isfinite(cell->sd) ? cell->sd : 0));
        foci_span_widen(&s, cell->mean + (isfinite(cell->sd) ? cell->sd : 0));
        for (int i = 0; i < foci_table_samples(g->table); i++) foci_span_widen(&s, foci_grid_value(g, row, column, i));
    }
    return s;
}
