/* A table as Markdown, and several, with what follows for their claims. */
#include <string.h>

#include "table/page.h"

void foci_markdown_text(FILE *f, const char *text) {
    for (; *text; text++) {
        if (strchr("|*_`<>[]\\", *text)) fputc('\\', f);
        fputc(*text, f);
    }
}

static void markdown_differences(const foci_grid *g, FILE *f) {
    if (!g->comparisons) return;
    fprintf(f, "\nDifferences: %s\n\n| | less | | difference | 95 %% interval | seeds | |\n", foci_paired_note);
    fputs("|---|---|---|---:|---:|---:|---|\n", f);
    for (const foci_comparison *x = g->comparison; x < g->comparison + g->comparisons; x++) {
        const foci_table_row *r = &g->table->row[x->row];
        const char *const name[] = {r->name, r->baseline->name, g->column[x->column].title};
        for (int i = 0; i < 3; i++) {
            fputs("| ", f);
            foci_markdown_text(f, name[i]);
            fputc(' ', f);
        }
        fprintf(f, "| %s | %s | %d | %s |\n", x->mean, x->interval, x->difference.n, x->verdict);
    }
}

void foci_markdown_figures(const foci_grid *g, FILE *f) {
    const foci_table *t = g->table;
    fputs("| |", f);
    for (int c = 0; c < g->columns; c++) {
        fputc(' ', f);
        foci_markdown_text(f, g->column[c].title);
        fputs(g->column[c].paper ? " | paper |" : " |", f);
    }
    fputs("\n|---|", f);
    for (int c = 0; c < g->columns; c++) fputs(g->column[c].paper ? "---:|---:|" : "---:|", f);
    for (int row = 0; row < t->rows; row++) {
        fputs("\n| ", f);
        foci_markdown_text(f, t->row[row].name);
        fputs(" |", f);
        for (int c = 0; c < g->columns; c++) {
            const foci_cell *cell = foci_grid_cell(g, row, c);
            char paper[48];
            foci_paper_text(g, row, c, paper);
            fprintf(f, " %s%s%s |",
                    cell->best     ? "**"
                    : cell->second ? "<u>"
                                   : "",
                    cell->text,
                    cell->best     ? "**"
                    : cell->second ? "</u>"
                                   : "");
            if (g->column[c].paper) fprintf(f, " %s |", paper);
        }
    }
    fputc('\n', f);
    if (t->seeds > 1) fprintf(f, "\nMean ± standard deviation over %d seeds, or (n).\n", t->seeds);
    if (*t->note) {
        fputc('\n', f);
        foci_markdown_text(f, t->note);
        fputc('\n', f);
    }
}

void foci_grid_markdown(const foci_grid *g, FILE *f) {
    if (*g->table->title) {
        fputs("**", f);
        foci_markdown_text(f, g->table->title);
        fputs("**\n\n", f);
    }
    foci_markdown_figures(g, f);
    markdown_differences(g, f);
}

/* ------------------------------------------------------------------------------------------- several tables */

static void evidence(const foci_finding *c, FILE *f) {
    fputs("| | | difference | 95 % interval | seeds | |\n|---|---|---:|---:|---:|---|\n", f);
    for (const foci_evidence *e = c->evidence; e < c->evidence + c->count; e++) {
        fputs("| ", f);
        foci_markdown_text(f, foci_table_file(e->grid->table));
        fputs(" | ", f);
        foci_markdown_text(f, e->what);
        fprintf(f, " | %s | %s | %d | %s |\n", e->seen.difference.n ? e->seen.mean : "-",
                e->seen.difference.n > 1 ? e->seen.interval : "-", e->seen.difference.n, e->said);
    }
}

/* Is anything of it measured? */
static bool is_begun(const foci_grid *g) {
    bool any = false;
    for (int i = 0; i < g->table->rows * g->columns; i++) any |= g->cell[i].n > 0;
    return any;
}

static void findings(const foci_findings *all, FILE *f) {
    if (all->count) fprintf(f, "### What holds\n\n%s%s\n", foci_claim_note, foci_paired_note);
    for (const foci_finding *c = all->finding; c < all->finding + all->count; c++) {
        fputs("\n**", f);
        foci_markdown_text(f, c->text);
        fprintf(f, ": %s.**", c->sum);
        if (c->reason) fputc(' ', f), foci_markdown_text(f, c->reason);
        fputs("\n\n", f);
        if (c->count) evidence(c, f);
    }
}

static void facts(const foci_grid *const *grid, int grids, FILE *f) {
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
    findings(&all, f);
    facts(grid, grids, f);
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
