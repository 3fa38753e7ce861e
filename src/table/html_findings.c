/* What is found of claims: line by line what speaks for and against each, with its interval drawn; and the facts by
 * which published figures are to be read. */
#include <math.h>

#include "table/page.h"

/* ------------------------------------------------------------------------------------------------- intervals */

/* In percent of what it is compared with, the better to the right. */
static double percent_of(const foci_evidence *e, double difference) {
    return 100 * e->better * difference / fabs(e->seen.difference.base);
}

/* How far the intervals of a claim reach. */
static double reach_of(const foci_evidence *e, int count) {
    double reach = 0;
    for (; count-- > 0; e++) {
        const foci_paired *d = &e->seen.difference;
        const double most = percent_of(e, fabs(d->mean) + d->half);
        if (isfinite(most)) reach = fmax(reach, fabs(most));
        if (isfinite(e->claim->margin)) reach = fmax(reach, e->claim->margin);
    }
    return reach;
}

/* The interval as a bar, its middle as a dot, beside no difference and, dashed, what the claim allows. */
static void interval(FILE *f, const foci_evidence *e, double reach) {
    enum { WIDE = 176, HIGH = 18, MIDDLE = HIGH / 2 };
    static const char *const colour[FOCI_VERDICTS] = {"--soft", "--c2", "--c1", "--soft"};
    const foci_span s = {-reach, reach};
    const foci_paired *d = &e->seen.difference;
    const double zero = foci_span_place(s, 0, 4, WIDE - 4),
                 mean = foci_span_place(s, percent_of(e, d->mean), 4, WIDE - 4),
                 half = fabs(foci_span_place(s, percent_of(e, d->half), 4, WIDE - 4) - zero);
    if (!isfinite(mean) || !isfinite(half)) return;
    fprintf(f, "<svg viewBox=\"0 0 %d %d\" role=\"img\"><path stroke=\"var(--soft)\" d=\"M%.1f 0v%d\"/>", WIDE, HIGH,
            zero, HIGH);
    if (isfinite(e->claim->margin))
        fprintf(f, "<path stroke=\"var(--soft)\" stroke-dasharray=\"2 2\" d=\"M%.1f 0v%d\"/>",
                foci_span_place(s, -e->claim->margin, 4, WIDE - 4), HIGH);
    fprintf(f,
            "<g stroke=\"var(%s)\" fill=\"var(%s)\"><path stroke-width=\"2.5\" d=\"M%.1f %dh%.1f\"/>"
            "<circle stroke=\"none\" cx=\"%.1f\" cy=\"%d\" r=\"4\"/></g></svg>",
            colour[e->verdict], colour[e->verdict], mean - half, MIDDLE, 2 * half, mean, MIDDLE);
}

/* -------------------------------------------------------------------------------------------------- findings */

static void evidence(FILE *f, const foci_evidence *e, int count, bool tables) {
    const double reach = reach_of(e, count);
    fputs("<div class=\"wide claims\"><table>\n<thead><tr><th></th><th>", f);
    if (reach > 0) fprintf(f, "worse | better<small>up to %.*f %%</small>", reach < 10 ? 2 : 0, reach);
    fputs("</th><th></th><th>difference</th><th>95 % interval</th><th>seeds</th></tr></thead>\n<tbody>\n", f);
    for (; count-- > 0; e++) {
        const int n = e->seen.difference.n;
        fputs("<tr><th>", f);
        foci_page_text(f, e->what);
        if (tables) {
            fputs("<small>", f);
            foci_page_link(f, e->grid->table, foci_table_file(e->grid->table));
            fputs("</small>", f);
        }
        fputs("</th><td>", f);
        interval(f, e, reach);
        fprintf(f, "</td><td class=\"words\">%s</td><td>%s</td><td>%s</td><td>%d</td></tr>\n", e->said,
                n ? e->seen.mean : "–", n > 1 ? e->seen.interval : "–", n);
    }
    fputs("</tbody></table></div>\n", f);
}

void foci_page_findings(FILE *f, const foci_findings *all, bool tables) {
    for (const foci_finding *c = all->finding; c < all->finding + all->count; c++) {
        fprintf(f, "<h3 id=\"claim-%d\">", (int)(c - all->finding));
        foci_page_text(f, c->text);
        fprintf(f, ": %s</h3>\n", c->sum);
        if (c->count) evidence(f, c->evidence, c->count, tables);
        if (c->reason) fputs("<p>", f), foci_page_text(f, c->reason), fputs("</p>\n", f);
    }
}

/* ----------------------------------------------------------------------------------------------------- facts */

void foci_page_facts(FILE *f, const foci_grid *const *grid, int grids) {
    bool any = false;
    for (int i = 0; i < grids; i++)
        for (int k = 0; k < grid[i]->table->facts; k++) {
            if (!any) fputs("<h2>How published figures are to be read</h2>\n<ul>\n", f);
            any = true;
            fputs("<li>", f);
            foci_page_text(f, grid[i]->table->fact[k]);
            if (grids > 1) fputs(" (", f), foci_page_link(f, grid[i]->table, NULL), fputc(')', f);
            fputs("</li>\n", f);
        }
    if (any) fputs("</ul>\n", f);
}
