/* Attention over photographs. */
#include <math.h>

#include "table/page.h"

/* The photograph, grey; over it, where it is lit, what the class token takes of each patch, from the least to the most.
 */
static void picture(FILE *f, const foci_table_picture *p, double x, double y, double side, bool lit) {
    double least = INFINITY, most = -INFINITY;
    fprintf(f,
            "<image class=\"%s\" x=\"%.0f\" y=\"%.0f\" width=\"%.0f\" height=\"%.0f\" "
            "href=\"data:image/png;base64,%s\"/>",
            lit ? "grey" : "photo", x, y, side, side, p->photograph);
    for (int i = 0; i < p->rows * p->columns; i++) {
        least = fmin(least, p->attention[i]);
        most = fmax(most, p->attention[i]);
    }
    const double w = side / p->columns, h = side / p->rows;
    for (int i = 0; lit && most > least && i < p->rows * p->columns; i++)
        fprintf(f, "<path class=\"lit\" opacity=\"%.2f\" d=\"M%.1f %.1fh%.1fv%.1fh-%.1fz\"/>",
                0.9 * (p->attention[i] - least) / (most - least), x + i % p->columns * w, y + i / p->columns * h, w, h,
                w);
}

/* The first seed of the row that has pictures of the measurement, or NULL. */
static const foci_table_result *pictured(const foci_grid *g, int row, int measure) {
    for (int s = 0; s < foci_table_samples(g->table); s++) {
        const foci_table_result *r = foci_table_at(g->table, row, s, measure);
        if (r->pictures) return r;
    }
    return NULL;
}

static void attention_of(const foci_grid *g, FILE *f, int measure, const foci_table_result *first) {
    enum { SIDE = 96, GAP = 8, NAME = 22 };
    int rows = 1;
    for (int row = 0; row < g->table->rows; row++) rows += pictured(g, row, measure) != NULL;
    const int width = first->pictures * (SIDE + GAP), height = rows * (SIDE + NAME + GAP);
    fputs("<figure><figcaption>", f);
    foci_page_text(f, g->table->measure[measure].label);
    fprintf(f,
            ": what the class token attends to</figcaption><div class=\"scroll\"><svg style=\"width:%dpx\" "
            "viewBox=\"0 0 %d %d\" role=\"img\"><text x=\"0\" y=\"14\">photographs</text>",
            width, width, height);
    for (int i = 0; i < first->pictures; i++) picture(f, &first->picture[i], i * (SIDE + GAP), NAME, SIDE, false);
    int y = SIDE + NAME + GAP;
    for (int row = 0; row < g->table->rows; row++) {
        const foci_table_result *r = pictured(g, row, measure);
        if (!r) continue;
        fprintf(f, "<text x=\"0\" y=\"%d\">", y + 14);
        foci_page_text(f, g->table->row[row].name);
        fputs("</text>", f);
        for (int i = 0; i < r->pictures; i++) picture(f, &r->picture[i], i * (SIDE + GAP), y + NAME, SIDE, true);
        y += SIDE + NAME + GAP;
    }
    fputs("</svg></div></figure>\n", f);
}

void foci_page_maps(const foci_grid *g, FILE *f) {
    for (int m = 0; m < g->table->measures; m++)
        for (int row = 0; row < g->table->rows; row++) {
            const foci_table_result *first = pictured(g, row, m);
            if (!first) continue;
            attention_of(g, f, m, first);
            break;
        }
}
