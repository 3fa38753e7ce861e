/* What is found of claims: line by line what speaks for and against each, with its interval drawn; and the facts by
 * which published figures are to be read. */
#include "table/page.h"

/* -------------------------------------------------------------------------------------------------- findings */

static void interval(FILE *f, const foci_evidence *e, double reach) {
    enum { WIDE = 176, HIGH = 18 };
    fprintf(f, "<svg viewBox=\"0 0 %d %d\" role=\"img\">", WIDE, HIGH);
    foci_interval_draw(f, e, reach, 0, 0, WIDE, HIGH);
    fputs("</svg>", f);
}

static void evidence(FILE *f, const foci_evidence *e, int count, bool tables) {
    const double reach = foci_interval_reach(e, count);
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
        if (n > 1) interval(f, e, reach);
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
