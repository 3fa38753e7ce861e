/* Several tables as one page, or as Markdown: first the claims that their files make, what all tables together say of
 * each, and then every table. */
#include <math.h>
#include <string.h>

#include "table/page.h"

static const char note[] =
    "A claim is that a row is better than its baseline in a result, or worse by a margin at most. It holds where the "
    "95 % interval of the difference lies on that side, does not where it lies on the other; where it holds both, no "
    "difference is seen. Differences are ";

/* ------------------------------------------------------------------------------------------------------- HTML */

static void html_claims(const foci_findings *all, FILE *f) {
    if (!all->count) return;
    fputs("<h2>What holds</h2>\n<div class=\"wide\"><table><tbody>\n", f);
    for (int i = 0; i < all->count; i++) {
        fprintf(f, "<tr><th><a href=\"#claim-%d\">", i);
        foci_page_text(f, all->finding[i].text);
        fprintf(f, "</a></th><td>%s</td></tr>\n", all->finding[i].sum);
    }
    fprintf(f, "</tbody></table></div>\n<p class=\"soft\">%s%s</p>\n", note, foci_paired_note);
    foci_page_findings(f, all, true);
}

static void html_facts(const foci_grid *const *grid, int grids, FILE *f) {
    bool any = false;
    for (int i = 0; i < grids; i++) any |= grid[i]->table->facts > 0;
    if (!any) return;
    fputs("<h2>How published figures are to be read</h2>\n<ul>\n", f);
    for (int i = 0; i < grids; i++)
        for (int k = 0; k < grid[i]->table->facts; k++) {
            fputs("<li>", f);
            foci_page_text(f, grid[i]->table->fact[k]);
            fputs(" (", f);
            foci_page_link(f, grid[i]->table);
            fputs(")</li>\n", f);
        }
    fputs("</ul>\n", f);
}

static void html_list(const foci_grid *const *grid, int grids, FILE *f) {
    fputs("<h2>Tables</h2>\n<ul>\n", f);
    for (int i = 0; i < grids; i++) {
        fputs("<li>", f);
        foci_page_link(f, grid[i]->table);
        fputs("</li>\n", f);
    }
    fputs("</ul>\n", f);
}

foci_status foci_report_html(const foci_grid *const *grid, int grids, FILE *f) {
    foci_findings all;
    FOCI_TRY(foci_findings_make(&all, grid, grids));
    foci_page_begin(f, "Elliptical attention: the paper's tables, and what holds");
    html_claims(&all, f);
    html_facts(grid, grids, f);
    html_list(grid, grids, f);
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

/* --------------------------------------------------------------------------------------------------- Markdown */

static void markdown_evidence(const foci_finding *c, FILE *f) {
    fputs("| | | difference | 95 % interval | seeds | |\n|---|---|---:|---:|---:|---|\n", f);
    for (const foci_evidence *e = c->evidence; e < c->evidence + c->count; e++) {
        fputs("| ", f);
        foci_markdown_text(f, foci_table_file(e->grid->table));
        fputs(" | ", f);
        foci_markdown_text(f, e->claim->row->name);
        fputs(", ", f);
        foci_markdown_text(f, e->title);
        if (e->other) fputs(", beside ", f), foci_markdown_text(f, e->claim->than->name);
        fprintf(f, " | %s | %s | %d | %s", e->seen.difference.n ? e->seen.mean : "-",
                e->seen.difference.n > 1 ? e->seen.interval : "-", e->seen.difference.n, foci_verdict_text(e));
        if (isfinite(e->claim->margin)) fprintf(f, " (at most %g %% worse)", e->claim->margin);
        fputs(" |\n", f);
    }
}

/* Is anything of it measured? */
static bool is_begun(const foci_grid *g) {
    bool any = false;
    for (int i = 0; i < g->table->rows * g->columns; i++) any |= g->cell[i].n > 0;
    return any;
}

static void markdown_claims(const foci_findings *all, FILE *f) {
    if (all->count) fprintf(f, "### What holds\n\n%s%s\n", note, foci_paired_note);
    for (const foci_finding *c = all->finding; c < all->finding + all->count; c++) {
        fputs("\n**", f);
        foci_markdown_text(f, c->text);
        fprintf(f, ": %s.**", c->sum);
        if (c->reason) fputc(' ', f), foci_markdown_text(f, c->reason);
        fputs("\n\n", f);
        if (c->count) markdown_evidence(c, f);
    }
}

static void markdown_facts(const foci_grid *const *grid, int grids, FILE *f) {
    bool any = false;
    for (int i = 0; i < grids; i++)
        for (int k = 0; k < grid[i]->table->facts; k++) {
            if (!any) fputs("\n### How published figures are to be read\n\n", f);
            any = true;
            fputs("- ", f);
            foci_markdown_text(f, grid[i]->table->fact[k]);
            fprintf(f, " (%s)\n", foci_table_file(grid[i]->table));
        }
}

foci_status foci_report_markdown(const foci_grid *const *grid, int grids, FILE *f) {
    foci_findings all;
    FOCI_TRY(foci_findings_make(&all, grid, grids));
    markdown_claims(&all, f);
    markdown_facts(grid, grids, f);
    for (int i = 0; i < grids; i++) {
        if (!is_begun(grid[i])) continue;
        const foci_table *t = grid[i]->table;
        fputs("\n### ", f);
        foci_markdown_text(f, *t->title ? t->title : t->path);
        fprintf(f, "\n\n`foci table run %s`\n\n", t->path);
        foci_markdown_figures(grid[i], f);
    }
    foci_findings_free(&all);
    return FOCI_OK;
}
