/* Several tables as one page: first the claims that their files make, what all tables together say of each, and then
 * every table. */
#include "table/page.h"

static void claims(const foci_findings *all, FILE *f) {
    if (!all->count) return;
    fputs("<h2>What holds</h2>\n<div class=\"wide\"><table><tbody>\n", f);
    for (int i = 0; i < all->count; i++) {
        fprintf(f, "<tr><th><a href=\"#claim-%d\">", i);
        foci_page_text(f, all->finding[i].text);
        fprintf(f, "</a></th><td>%s</td></tr>\n", all->finding[i].sum);
    }
    fprintf(f, "</tbody></table></div>\n<p class=\"soft\">%s%s</p>\n", foci_claim_note, foci_paired_note);
    foci_page_findings(f, all, true);
}

static void contents(const foci_grid *const *grid, int grids, FILE *f) {
    fputs("<h2>Tables</h2>\n<ul>\n", f);
    for (int i = 0; i < grids; i++) {
        fputs("<li>", f);
        foci_page_link(f, grid[i]->table, NULL);
        fputs("</li>\n", f);
    }
    fputs("</ul>\n", f);
}

foci_status foci_report_html(const foci_grid *const *grid, int grids, FILE *f) {
    foci_findings all;
    FOCI_TRY(foci_findings_make(&all, grid, grids));
    foci_page_begin(f, "Elliptical attention: the paper's tables, and what holds");
    claims(&all, f);
    foci_page_facts(f, grid, grids);
    contents(grid, grids, f);
    for (int i = 0; i < grids; i++) {
        foci_page_section(f, grid[i]->table);
        fputs("<p class=\"soft where\"><code>foci table run ", f);
        foci_page_text(f, grid[i]->table->path);
        fputs("</code></p>\n", f);
        foci_page_table(grid[i], f);
        fputs("</section>\n", f);
    }
    foci_page_end(f);
    foci_findings_free(&all);
    return FOCI_OK;
}
