/* The table for a terminal. */
#include <string.h>

#include "base/error.h"
#include "table/page.h"

/* Columns of a UTF-8 text on a terminal, as far as tables need it. */
static int width_of(const char *text) {
    int n = 0;
    for (; *text; text++) n += (*text & 0xc0) != 0x80;
    return n;
}

static int widest(int width, const char *text) { return width_of(text) > width ? width_of(text) : width; }

static void left(FILE *f, const char *text, int width) { fprintf(f, "%s%*s", text, width - width_of(text), ""); }
static void right(FILE *f, const char *text, int width) { fprintf(f, "%*s%s", width - width_of(text), "", text); }

static void unit_text(const foci_column *c, char text[96]) {
    snprintf(text, 96, "%s%s%s", c->field->title, *c->field->unit ? ", " : "", c->field->unit);
}

/* Where there is no bold and no underline, a star and a prime behind the figure say it. */
static void plain_text(const foci_cell *c, bool colour, char text[64]) {
    snprintf(text, 64, "%s%s", c->n || c->failed ? c->text : "-", colour ? "" : c->best ? "*" : c->second ? "'" : " ");
}

/* The columns of a terminal that a column of the table takes: its figures, with their mark, and the published ones. */
typedef struct layout {
    int figure, paper;
} layout;

static layout measure(const foci_grid *g, int column, bool colour) {
    const foci_column *c = &g->column[column];
    char text[96];
    unit_text(c, text);
    layout l = {1 + widest(width_of(c->measure->label), text), width_of("paper")};
    for (int row = 0; row < g->table->rows; row++) {
        plain_text(foci_grid_cell(g, row, column), colour, text);
        l.figure = widest(l.figure, text);
        foci_paper_text(g, row, column, text);
        l.paper = widest(l.paper, text);
    }
    return l;
}

/* The titles stand in two lines: measurement, result. */
static void print_titles(const foci_grid *g, FILE *f, int first, const layout *l) {
    char unit[96];
    left(f, "", first);
    for (int c = 0; c < g->columns; c++) {
        fputs("   ", f);
        right(f, g->column[c].measure->label, l[c].figure - 1);
        fprintf(f, " %*s", g->column[c].paper ? 1 + l[c].paper : 0, "");
    }
    fputc('\n', f);
    left(f, "", first);
    for (int c = 0; c < g->columns; c++) {
        fputs("   ", f);
        unit_text(&g->column[c], unit);
        right(f, unit, l[c].figure - 1);
        fputc(' ', f);
        if (g->column[c].paper) right(f, "paper", 1 + l[c].paper);
    }
    fputc('\n', f);
}

static void print_figure(FILE *f, const foci_cell *cell, int width, bool colour) {
    char text[64];
    plain_text(cell, colour, text);
    fprintf(f, "   %*s", width - width_of(text), "");
    if (colour && cell->best) fprintf(f, "\033[1m%s\033[0m", text);
    else if (colour && cell->second) fprintf(f, "\033[4m%s\033[0m", text);
    else fputs(text, f);
}

static void print_row(const foci_grid *g, FILE *f, int row, int first, const layout *l, bool colour) {
    char paper[48];
    left(f, g->table->row[row].name, first);
    for (int c = 0; c < g->columns; c++) {
        print_figure(f, foci_grid_cell(g, row, c), l[c].figure, colour);
        foci_paper_text(g, row, c, paper);
        if (g->column[c].paper) right(f, paper, 1 + l[c].paper);
    }
    fputc('\n', f);
}

static void print_differences(const foci_grid *g, FILE *f) {
    const foci_comparison *end = g->comparison + g->comparisons;
    int title = 0, mean = 0, interval = 0, row = -1;
    for (const foci_comparison *x = g->comparison; x < end; x++) {
        title = widest(title, g->column[x->column].title);
        mean = widest(mean, x->mean);
        interval = widest(interval, x->interval);
    }
    if (g->comparisons) fprintf(f, "\nDifferences: %s\n", foci_paired_note);
    for (const foci_comparison *x = g->comparison; x < end; x++) {
        const foci_table_row *r = &g->table->row[x->row];
        if (x->row != row) fprintf(f, "\n%s less %s\n", r->name, r->baseline->name);
        row = x->row;
        fputs("  ", f);
        left(f, g->column[x->column].title, title);
        fputs("   ", f);
        right(f, x->mean, mean);
        fputs("   ", f);
        right(f, x->interval, interval);
        fprintf(f, "   %d seed%s  %s\n", x->difference.n, foci_plural(x->difference.n, "s"), x->verdict);
    }
}

static void print_findings(const foci_findings *all, FILE *f) {
    if (all->count) fputc('\n', f);
    for (const foci_finding *c = all->finding; c < all->finding + all->count; c++)
        fprintf(f, "%s: %s\n", c->text, c->sum);
}

static void print_foot(const foci_grid *g, FILE *f, bool colour) {
    const foci_table *t = g->table;
    bool marked = false;
    for (int i = 0; i < t->rows * g->columns; i++) marked |= !colour && g->cell[i].best;
    if (t->seeds > 1 || marked) fputc('\n', f);
    if (t->seeds > 1) fprintf(f, "mean ± standard deviation over %d seeds, or (n)%s", t->seeds, marked ? "; " : "");
    if (marked) fputs("* best, ' second", f);
    if (t->seeds > 1 || marked) fputc('\n', f);
    print_differences(g, f);
    print_findings(&g->findings, f);
    if (*t->note) fprintf(f, "\n%s\n", t->note);
}

void foci_grid_text(const foci_grid *g, FILE *f, bool colour) {
    layout l[FOCI_TABLE_MEASURES * FOCI_TABLE_FIELDS];
    int first = 0;
    for (int row = 0; row < g->table->rows; row++) first = widest(first, g->table->row[row].name);
    for (int c = 0; c < g->columns; c++) l[c] = measure(g, c, colour);
    if (*g->table->title) fprintf(f, "%s\n\n", g->table->title);
    print_titles(g, f, first, l);
    for (int row = 0; row < g->table->rows; row++) print_row(g, f, row, first, l, colour);
    print_foot(g, f, colour);
}
