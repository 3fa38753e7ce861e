/* The table as text: for a terminal, Markdown, CSV and LaTeX. */
#define _GNU_SOURCE
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "table/table.h"

/* Columns of a UTF-8 text on a terminal, as far as tables need it. */
static int width_of(const char *text) {
    int n = 0;
    for (; *text; text++) n += (*text & 0xc0) != 0x80;
    return n;
}

static void padded(FILE *f, const char *text, int width, bool right) {
    const int space = width - width_of(text);
    if (right) fprintf(f, "%*s", space > 0 ? space : 0, "");
    fputs(text, f);
    if (!right) fprintf(f, "%*s", space > 0 ? space : 0, "");
}

static void paper_text(const foci_grid *g, int row, int column, char text[48]) {
    const foci_table_paper *p = foci_grid_paper(g, row, column);
    text[0] = 0;
    if (p) snprintf(text, 48, "%.*f", g->column[column].field->decimals, p->value);
}

/* Where there is no bold and no underline, a star and a prime behind the figure say it. */
static void plain_text(const foci_cell *c, bool colour, char text[64]) {
    snprintf(text, 64, "%s%s", c->n || c->failed ? c->text : "-", colour ? "" : c->best ? "*" : c->second ? "'" : " ");
}

void foci_grid_text(const foci_grid *g, FILE *f, bool colour) {
    const foci_table *t = g->table;
    int first = 0;
    bool marked = false;
    for (int row = 0; row < t->rows; row++) first = width_of(t->row[row].name) > first ? width_of(t->row[row].name) : first;
    if (*t->title) fprintf(f, "%s\n\n", t->title);
    /* The titles stand in two lines: measurement, result. */
    for (int line = -2; line < t->rows; line++) {
        padded(f, line < 0 ? "" : t->row[line].name, first, false);
        for (int c = 0; c < g->columns; c++) {
            const foci_column *column = &g->column[c];
            char text[64], paper[48], unit[96];
            snprintf(unit, sizeof unit, "%s%s%s ", column->field->title, *column->field->unit ? ", " : "", column->field->unit);
            int width = width_of(column->measure->label) + 1, wide = 5;
            if (width_of(unit) > width) width = width_of(unit);
            for (int row = 0; row < t->rows; row++) {
                plain_text(foci_grid_cell(g, row, c), colour, text);
                if (width_of(text) > width) width = width_of(text);
                paper_text(g, row, c, paper);
                if (width_of(paper) > wide) wide = width_of(paper);
            }
            fputs("   ", f);
            if (line < 0) {
                snprintf(text, sizeof text, "%s ", column->measure->label);
                padded(f, line == -2 ? text : unit, width, true);
            } else {
                const foci_cell *cell = foci_grid_cell(g, line, c);
                plain_text(cell, colour, text);
                marked |= cell->best;
                const bool ink = colour && (cell->best || cell->second);
                fprintf(f, "%*s", width - width_of(text), "");
                fprintf(f, "%s%s%s", ink ? cell->best ? "\033[1m" : "\033[4m" : "", text, ink ? "\033[0m" : "");
            }
            if (!column->paper) continue;
            if (line >= 0) paper_text(g, line, c, paper);
            fputc(' ', f);
            padded(f, line == -2 ? "" : line == -1 ? "paper" : paper, wide, true);
        }
        fputc('\n', f);
    }
    if (t->seeds > 1) fprintf(f, "\nmean ± standard deviation over %d seeds%s", t->seeds, marked && !colour ? "; " : "");
    else if (marked && !colour) fputc('\n', f);
    if (marked && !colour) fputs("* best, ' second", f);
    if (t->seeds > 1 || (marked && !colour)) fputc('\n', f);
    if (*t->note) fprintf(f, "\n%s\n", t->note);
}

/* -------------------------------------------------------------------------------------------------- Markdown */

static void markdown_text(FILE *f, const char *text) {
    for (; *text; text++) {
        if (strchr("|*_`<>[]\\", *text)) fputc('\\', f);
        fputc(*text, f);
    }
}

void foci_grid_markdown(const foci_grid *g, FILE *f) {
    const foci_table *t = g->table;
    if (*t->title) {
        fputs("**", f);
        markdown_text(f, t->title);
        fputs("**\n\n", f);
    }
    fputs("| |", f);
    for (int c = 0; c < g->columns; c++) {
        fputc(' ', f);
        markdown_text(f, g->column[c].title);
        fputs(g->column[c].paper ? " | paper |" : " |", f);
    }
    fputs("\n|---|", f);
    for (int c = 0; c < g->columns; c++) fputs(g->column[c].paper ? "---:|---:|" : "---:|", f);
    for (int row = 0; row < t->rows; row++) {
        fputs("\n| ", f);
        markdown_text(f, t->row[row].name);
        fputs(" |", f);
        for (int c = 0; c < g->columns; c++) {
            const foci_cell *cell = foci_grid_cell(g, row, c);
            char paper[48];
            paper_text(g, row, c, paper);
            fprintf(f, " %s%s%s |", cell->best ? "**" : cell->second ? "<u>" : "", cell->text, cell->best ? "**" : cell->second ? "</u>" : "");
            if (g->column[c].paper) fprintf(f, " %s |", paper);
        }
    }
    fputc('\n', f);
    if (t->seeds > 1) fprintf(f, "\nMean ± standard deviation over %d seeds.\n", t->seeds);
    if (*t->note) {
        fputc('\n', f);
        markdown_text(f, t->note);
        fputc('\n', f);
    }
}

/* ------------------------------------------------------------------------------------------------------- CSV */

/* In quotes, a quote doubled. */
static void csv_text(FILE *f, const char *text) {
    fputc('"', f);
    for (; *text; text++) {
        if (*text == '"') fputc('"', f);
        fputc(*text, f);
    }
    fputc('"', f);
}

static void csv_number(FILE *f, double x) {
    if (isfinite(x)) fprintf(f, ",%.10g", x);
    else fputc(',', f);
}

/* A line for every figure: all digits, and every seed. */
void foci_grid_csv(const foci_grid *g, FILE *f) {
    const foci_table *t = g->table;
    fputs("run,measurement,result,unit,seeds,mean,sd,rank,paper", f);
    for (int s = 0; s < foci_table_samples(t); s++) {
        if (t->seeds) fprintf(f, ",seed %lld", (long long)t->seed[s]);
        else fputs(",value", f);
    }
    fputc('\n', f);
    for (int row = 0; row < t->rows; row++)
        for (int c = 0; c < g->columns; c++) {
            const foci_cell *cell = foci_grid_cell(g, row, c);
            const foci_table_paper *p = foci_grid_paper(g, row, c);
            csv_text(f, t->row[row].name);
            fputc(',', f);
            csv_text(f, g->column[c].measure->label);
            fprintf(f, ",%s,%s,%d", g->column[c].field->name, g->column[c].field->unit, cell->n);
            csv_number(f, cell->mean);
            csv_number(f, cell->sd);
            fprintf(f, ",%s", cell->best ? "best" : cell->second ? "second" : "");
            csv_number(f, p ? p->value : (double)NAN);
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
    if (*t->note) {
        fputs("\\par\\smallskip\\footnotesize ", f);
        latex_text(f, t->note);
        fputc('\n', f);
    }
    fputs("\\end{table}\n", f);
}

/* ----------------------------------------------------------------------------------------------------- files */

static foci_status write_one(const foci_grid *g, const char *folder, const char *name, void (*write)(const foci_grid *g, FILE *f)) {
    char path[4200], *text = NULL;
    size_t size = 0;
    FOCI_TRY(foci_path_join(path, sizeof path, folder, name));
    FILE *f = open_memstream(&text, &size);
    if (!f) return foci_fail(FOCI_ERR_RUNTIME, "out of memory");
    write(g, f);
    foci_status s = fclose(f) == 0 ? foci_write_file(path, text, size) : foci_fail(FOCI_ERR_RUNTIME, "out of memory");
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
