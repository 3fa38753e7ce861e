/* Several tables as one page, or as Markdown: first the claims that their files make, what all tables together say of
 * each, and then every table. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "table/page.h"

/* One claim, with what the tables have on it; or why it is not tested. */
typedef struct gathered {
    const char *text, *reason;
    foci_evidence *evidence;
    int count;
} gathered;

typedef struct gathering {
    gathered *claim;
    int claims;
    foci_evidence *evidence; /* of all */
} gathering;

static bool is_new(const foci_grid *const *grid, int at, int claim) {
    const char *text = grid[at]->table->claim[claim].text;
    for (int i = 0; i <= at; i++)
        for (int k = 0; k < (i < at ? grid[i]->table->claims : claim); k++)
            if (strcmp(grid[i]->table->claim[k].text, text) == 0) return false;
    return true;
}

static void gather(const foci_grid *const *grid, int grids, const char *text, gathered *c) {
    for (int i = 0; i < grids; i++)
        for (const foci_table_claim *k = grid[i]->table->claim; k < grid[i]->table->claim + grid[i]->table->claims;
             k++) {
            if (strcmp(k->text, text) != 0) continue;
            if (k->reason) c->reason = k->reason;
            foci_claim_judge(grid[i], k, c->evidence + c->count);
            c->count += k->count;
        }
}

/* The claims in the order in which they come first; those of one text are one. */
static foci_status gather_all(const foci_grid *const *grid, int grids, gathering *all) {
    size_t claims = 1, results = 1;
    for (int i = 0; i < grids; i++)
        for (int k = 0; k < grid[i]->table->claims; k++, claims++) results += (size_t)grid[i]->table->claim[k].count;
    *all = (gathering){calloc(claims, sizeof(gathered)), 0, calloc(results, sizeof(foci_evidence))};
    if (!all->claim || !all->evidence) return foci_fail(FOCI_ERR_RUNTIME, "out of memory");
    foci_evidence *next = all->evidence;
    for (int i = 0; i < grids; i++)
        for (int k = 0; k < grid[i]->table->claims; k++) {
            if (!is_new(grid, i, k)) continue;
            gathered *c = &all->claim[all->claims++];
            *c = (gathered){.text = grid[i]->table->claim[k].text, .evidence = next};
            gather(grid, grids, c->text, c);
            next += c->count;
        }
    return FOCI_OK;
}

static void gathering_free(gathering *all) {
    free(all->claim);
    free(all->evidence);
}

static const char note[] =
    "A claim is that a row is better than its baseline in a result, or worse by a margin at most. It holds where the "
    "95 % "
    "interval of the difference lies on that side, does not where it lies on the other; where it holds both, no "
    "difference is seen. Differences are ";

/* ------------------------------------------------------------------------------------------------------- HTML */

static void html_claims(const gathering *all, FILE *f) {
    char sum[96];
    if (!all->claims) return;
    fputs("<h2>What holds</h2>\n<div class=\"wide\"><table><tbody>\n", f);
    for (const gathered *c = all->claim; c < all->claim + all->claims; c++) {
        foci_claim_sum(c->evidence, c->count, sum);
        fprintf(f, "<tr><th><a href=\"#claim-%d\">", (int)(c - all->claim));
        foci_page_text(f, c->text);
        fprintf(f, "</a></th><td>%s</td></tr>\n", sum);
    }
    fprintf(f, "</tbody></table></div>\n<p class=\"soft\">%s%s</p>\n", note, foci_paired_note);
    for (const gathered *c = all->claim; c < all->claim + all->claims; c++) {
        foci_claim_sum(c->evidence, c->count, sum);
        fprintf(f, "<h3 id=\"claim-%d\">", (int)(c - all->claim));
        foci_page_text(f, c->text);
        fprintf(f, ": %s</h3>\n", sum);
        if (c->count) foci_page_evidence(f, c->evidence, c->count, true);
        if (c->reason) fputs("<p>", f), foci_page_text(f, c->reason), fputs("</p>\n", f);
    }
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
    gathering all;
    foci_status s = gather_all(grid, grids, &all);
    if (!s) {
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
    }
    gathering_free(&all);
    return s;
}

/* --------------------------------------------------------------------------------------------------- Markdown */

static void markdown_evidence(const gathered *c, FILE *f) {
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

foci_status foci_report_markdown(const foci_grid *const *grid, int grids, FILE *f) {
    gathering all;
    char sum[96];
    FOCI_TRY(gather_all(grid, grids, &all));
    if (all.claims) fprintf(f, "### What holds\n\n%s%s\n", note, foci_paired_note);
    for (const gathered *c = all.claim; c < all.claim + all.claims; c++) {
        foci_claim_sum(c->evidence, c->count, sum);
        fputs("\n**", f);
        foci_markdown_text(f, c->text);
        fprintf(f, ": %s.**", sum);
        if (c->reason) fputc(' ', f), foci_markdown_text(f, c->reason);
        fputs("\n\n", f);
        if (c->count) markdown_evidence(c, f);
    }
    for (int i = 0; i < grids; i++) {
        if (!is_begun(grid[i])) continue;
        const foci_table *t = grid[i]->table;
        fputs("\n### ", f);
        foci_markdown_text(f, *t->title ? t->title : t->path);
        fprintf(f, "\n\n`foci table run %s`\n\n", t->path);
        foci_markdown_figures(grid[i], f);
    }
    gathering_free(&all);
    return FOCI_OK;
}
