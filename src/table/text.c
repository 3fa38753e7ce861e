/* The table as text: for a terminal, Markdown, CSV and LaTeX. */
#define _GNU_SOURCE
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/report.h"
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

static void paper_text(const foci_grid *g, int row, int column, char text[48]) {
    const foci_table_paper *p = foci_grid_paper(g, row, column);
    text[0] = 0;
    if (p) snprintf(text, 48, "%.*f %s", g->column[column].field->decimals, p->value, p->mark);
}

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
        paper_text(g, row, column, text);
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
        paper_text(g, row, c, paper);
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

/* -------------------------------------------------------------------------------------------------- Markdown */

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
            paper_text(g, row, c, paper);
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

/* ------------------------------------------------------------------------------------------------------- CSV */

static void csv_number(FILE *f, double x) {
    fputc(',', f);
    foci_csv_number(f, x, 10);
}

/* The next comparison, where it is of this figure; else fields without anything. */
static void csv_difference(const foci_grid *g, FILE *f, int row, int column, int *next) {
    const foci_comparison *x = &g->comparison[*next];
    if (*next == g->comparisons || x->row != row || x->column != column) {
        fputs(",,,,,,", f);
        return;
    }
    fputc(',', f);
    foci_csv_text(f, g->table->row[row].baseline->name);
    fprintf(f, ",%d", x->difference.n);
    csv_number(f, x->difference.mean);
    csv_number(f, x->difference.mean - x->difference.half);
    csv_number(f, x->difference.mean + x->difference.half);
    fprintf(f, ",%s", x->verdict);
    ++*next;
}

/* A line for every figure: all digits, and every seed. */
void foci_grid_csv(const foci_grid *g, FILE *f) {
    const foci_table *t = g->table;
    int next = 0;
    fputs("run,measurement,result,unit,seeds,mean,sd,rank,paper,mark,baseline,pairs,difference,low,high,verdict", f);
    for (int s = 0; s < foci_table_samples(t); s++) {
        if (t->seeds) fprintf(f, ",seed %lld", (long long)t->seed[s]);
        else fputs(",value", f);
    }
    fputc('\n', f);
    for (int row = 0; row < t->rows; row++)
        for (int c = 0; c < g->columns; c++) {
            const foci_cell *cell = foci_grid_cell(g, row, c);
            const foci_table_paper *p = foci_grid_paper(g, row, c);
            foci_csv_text(f, t->row[row].name);
            fputc(',', f);
            foci_csv_text(f, g->column[c].measure->label);
            fprintf(f, ",%s,%s,%d", g->column[c].field->name, g->column[c].field->unit, cell->n);
            csv_number(f, cell->mean);
            csv_number(f, cell->sd);
            fprintf(f, ",%s", cell->best ? "best" : cell->second ? "second" : "");
            csv_number(f, p ? p->value : (double)NAN);
            fprintf(f, ",%s", p ? p->mark : "");
            csv_difference(g, f, row, c, &next);
            for (int s = 0; s < foci_table_samples(t); s++) csv_number(f, foci_grid_value(g, row, c, s));
            fputc('\n', f);
        }
}

/* ----------------------------------------------------------------------------------------------------- LaTeX */

static void latex_text(FILE *f, const char *text) {
    for (; *text; text++) {
        if (*text == '\\') fputs("\\textbackslash{}", f);
        else if (*text == '~' || *text == '^') fprintf(f, "\\%c{}", *text);
        else if (strchr("&%$#_{}", *text)) fprintf(f, "\\%c", *text);
        else fputc(*text, f);
    }
}

/* "71.23 ± 0.12" in mathematics. */
static void latex_cell(FILE *f, const foci_cell *cell) {
    static const char sign[] = "±";
    const char *split = strstr(cell->text, sign);
    fputs(cell->best ? "\\textbf{" : cell->second ? "\\underline{" : "", f);
    if (split) fprintf(f, "%.*s$\\pm$%s", (int)(split - cell->text), cell->text, split + strlen(sign));
    else fputs(cell->text, f);
    fputs(cell->best || cell->second ? "}" : "", f);
}

static void latex_differences(const foci_grid *g, FILE *f) {
    if (!g->comparisons) return;
    fputs("\\par\\medskip\n\\begin{tabular}{lllrrrl}\n\\toprule\n", f);
    fputs(" & less & & difference & 95 \\% interval & seeds & \\\\\n\\midrule\n", f);
    for (const foci_comparison *x = g->comparison; x < g->comparison + g->comparisons; x++) {
        const foci_table_row *r = &g->table->row[x->row];
        const char *const name[] = {r->name, r->baseline->name, g->column[x->column].title, x->mean};
        for (int i = 0; i < 4; i++) {
            latex_text(f, name[i]);
            fputs(" & ", f);
        }
        fprintf(f, "%s & %d & %s \\\\\n", x->interval, x->difference.n, x->verdict);
    }
    fputs("\\bottomrule\n\\end{tabular}\n\\par\\smallskip\\footnotesize ", f);
    latex_text(f, foci_paired_note);
    fputc('\n', f);
}

void foci_grid_latex(const foci_grid *g, FILE *f) {
    const foci_table *t = g->table;
    fputs("% needs \\usepackage{booktabs}\n\\begin{table}\n\\centering\n\\caption{", f);
    latex_text(f, t->title);
    fputs("}\n\\begin{tabular}{l", f);
    for (int c = 0; c < g->columns; c++) fputs(g->column[c].paper ? "rr" : "r", f);
    fputs("}\n\\toprule\n", f);
    for (int c = 0; c < g->columns; c++) {
        fputs(" & ", f);
        latex_text(f, g->column[c].title);
        if (g->column[c].paper) fputs(" & paper", f);
    }
    fputs(" \\\\\n\\midrule\n", f);
    for (int row = 0; row < t->rows; row++) {
        latex_text(f, t->row[row].name);
        for (int c = 0; c < g->columns; c++) {
            char paper[48];
            paper_text(g, row, c, paper);
            fputs(" & ", f);
            latex_cell(f, foci_grid_cell(g, row, c));
            if (g->column[c].paper) fprintf(f, " & %s", paper);
        }
        fputs(" \\\\\n", f);
    }
    fputs("\\bottomrule\n\\end{tabular}\n", f);
    latex_differences(g, f);
    if (*t->note) {
        fputs("\\par\\smallskip\\footnotesize ", f);
        latex_text(f, t->note);
        fputc('\n', f);
    }
    fputs("\\end{table}\n", f);
}

/* ----------------------------------------------------------------------------------------------------- files */

static foci_status write_one(const foci_grid *g, const char *folder, const char *name,
                             void (*write)(const foci_grid *g, FILE *f)) {
    char path[4200], *text = NULL;
    size_t size = 0;
    FOCI_TRY(foci_path_join(path, sizeof path, folder, name));
    FILE *f = open_memstream(&text, &size);
    if (!f) return foci_out_of_memory();
    write(g, f);
    foci_status s = fclose(f) == 0 ? foci_write_file(path, text, size) : foci_out_of_memory();
    free(text);
    return s;
}

foci_status foci_table_write(const foci_grid *g, const char *folder) {
    FOCI_TRY(foci_make_dirs(folder));
    FOCI_TRY(write_one(g, folder, "table.md", foci_grid_markdown));
    FOCI_TRY(write_one(g, folder, "table.csv", foci_grid_csv));
    FOCI_TRY(write_one(g, folder, "table.tex", foci_grid_latex));
    return write_one(g, folder, "table.html", foci_grid_html);
}
