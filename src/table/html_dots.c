/* A plot of every column with all its seeds. */
#include <math.h>

#include "table/page.h"

/* A row of a column: the seeds, mean and deviation on a line, its name above; a published figure is a diamond. */
static void dots_of_row(const foci_grid *g, FILE *f, int row, int column, foci_span s, double y) {
    const foci_cell *cell = foci_grid_cell(g, row, column);
    const foci_table_paper *p = foci_grid_paper(g, row, column);
    const double from = 4, to = FOCI_PLOT_WIDTH - 4;
    fprintf(f, "<text x=\"0\" y=\"%.0f\">", y - 9);
    foci_page_text(f, g->table->row[row].name);
    fprintf(f, "</text><text class=\"soft\" x=\"%d\" y=\"%.0f\" text-anchor=\"end\">%s</text>", FOCI_PLOT_WIDTH, y - 9,
            *cell->text ? cell->text : "–");
    fprintf(f, "<line class=\"rule\" x1=\"0\" x2=\"%d\" y1=\"%.1f\" y2=\"%.1f\"/>", FOCI_PLOT_WIDTH, y, y);
    for (int i = 0; i < foci_table_samples(g->table) && cell->n > 1; i++) {
        const double x = foci_grid_value(g, row, column, i);
        if (isfinite(x))
            fprintf(f, "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"3\" fill=\"var(--c%d)\" opacity=\".45\"/>",
                    foci_span_place(s, x, from, to), y, row % FOCI_PLOT_COLOURS);
    }
    if (isfinite(cell->sd))
        fprintf(f, "<line x1=\"%.1f\" x2=\"%.1f\" y1=\"%.1f\" y2=\"%.1f\" stroke=\"var(--c%d)\" stroke-width=\"2.5\"/>",
                foci_span_place(s, cell->mean - cell->sd, from, to),
                foci_span_place(s, cell->mean + cell->sd, from, to), y, y, row % FOCI_PLOT_COLOURS);
    if (cell->n)
        fprintf(f, "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"5\" fill=\"var(--c%d)\"/>",
                foci_span_place(s, cell->mean, from, to), y, row % FOCI_PLOT_COLOURS);
    if (!p) return;
    const double x = foci_span_place(s, p->value, from, to);
    fprintf(
        f,
        "<path d=\"M%.1f %.1fl5.5 5.5l-5.5 5.5l-5.5 -5.5z\" fill=\"none\" stroke=\"var(--ink)\" stroke-width=\"1.4\"/>",
        x, y - 5.5);
}

static void dots(const foci_grid *g, FILE *f, int column) {
    const foci_span s = foci_span_margin(foci_column_span(g, column));
    const int height = 34 * g->table->rows + 16;
    fputs("<figure><figcaption>", f);
    foci_page_text(f, g->column[column].title);
    fprintf(f, "</figcaption><svg viewBox=\"0 0 %d %d\" role=\"img\">", FOCI_PLOT_WIDTH, height);
    for (int row = 0; row < g->table->rows; row++) dots_of_row(g, f, row, column, s, 26 + 34 * row);
    fprintf(f,
            "<text class=\"soft\" x=\"0\" y=\"%d\">%.4g</text><text class=\"soft\" x=\"%d\" y=\"%d\" "
            "text-anchor=\"end\">%.4g</text></svg></figure>\n",
            height - 2, s.low, FOCI_PLOT_WIDTH, height - 2, s.high);
}

void foci_page_dots(const foci_grid *g, FILE *f) {
    bool any = false, paper = false;
    for (int c = 0; c < g->columns; c++) any |= isfinite(foci_column_span(g, c).low), paper |= g->column[c].paper;
    if (!any) return;
    fprintf(f,
            "<details><summary>Every column</summary>\n<p class=\"soft\">Large dots are means%s%s.</p>\n"
            "<div class=\"plots\">\n",
            g->table->seeds > 1 ? ", bars one standard deviation, small dots single seeds" : "",
            paper ? "; diamonds are the paper's figures" : "");
    for (int c = 0; c < g->columns; c++)
        if (isfinite(foci_column_span(g, c).low)) dots(g, f, c);
    fputs("</div></details>\n", f);
}
