/* The table as LaTeX. */
#include <string.h>

#include "table/page.h"

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
            foci_paper_text(g, row, c, paper);
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
