/* The pictures of a page: curves where a measurement was made at several values of one option, a plot of every column
 * with all seeds, and attention over photographs. They are drawn in the page's own colours, so that they follow light
 * and dark; each is small, and as many stand side by side as the screen is wide. */
#include <math.h>
#include <string.h>

#include "table/page.h"

enum { COLOURS = 8, WIDTH = 320 };

typedef struct span {
    double low, high;
} span;

static void widen(span *s, double x) {
    if (!isfinite(x)) return;
    s->low = fmin(s->low, x);
    s->high = fmax(s->high, x);
}
static span margin(span s) {
    double more = s.high > s.low ? 0.06 * (s.high - s.low) : fmax(fabs(s.high) * 0.05, 1e-9);
    return (span){s.low - more, s.high + more};
}
static double place(span s, double x, double from, double to) {
    return from + (x - s.low) / (s.high - s.low) * (to - from);
}

static span span_of(const foci_grid *g, int column) {
    span s = {INFINITY, -INFINITY};
    for (int row = 0; row < g->table->rows; row++) {
        const foci_cell *cell = foci_grid_cell(g, row, column);
        const foci_table_paper *p = foci_grid_paper(g, row, column);
        if (p) widen(&s, p->value);
        widen(&s, cell->mean - (isfinite(cell->sd) ? cell->sd : 0));
        widen(&s, cell->mean + (isfinite(cell->sd) ? cell->sd : 0));
        for (int i = 0; i < foci_table_samples(g->table); i++) widen(&s, foci_grid_value(g, row, column, i));
    }
    return s;
}

/* A row of a column: the seeds, mean and deviation on a line, its name above; a published figure is a diamond. */
static void dots_of_row(const foci_grid *g, FILE *f, int row, int column, span s, double y) {
    const foci_cell *cell = foci_grid_cell(g, row, column);
    const foci_table_paper *p = foci_grid_paper(g, row, column);
    const double from = 4, to = WIDTH - 4;
    fprintf(f, "<text x=\"0\" y=\"%.0f\">", y - 9);
    foci_page_text(f, g->table->row[row].name);
    fprintf(f, "</text><text class=\"soft\" x=\"%d\" y=\"%.0f\" text-anchor=\"end\">%s</text>", WIDTH, y - 9,
            *cell->text ? cell->text : "–");
    fprintf(f, "<line class=\"rule\" x1=\"0\" x2=\"%d\" y1=\"%.1f\" y2=\"%.1f\"/>", WIDTH, y, y);
    for (int i = 0; i < foci_table_samples(g->table) && cell->n > 1; i++) {
        const double x = foci_grid_value(g, row, column, i);
        if (isfinite(x))
            fprintf(f, "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"3\" fill=\"var(--c%d)\" opacity=\".45\"/>",
                    place(s, x, from, to), y, row % COLOURS);
    }
    if (isfinite(cell->sd))
        fprintf(f, "<line x1=\"%.1f\" x2=\"%.1f\" y1=\"%.1f\" y2=\"%.1f\" stroke=\"var(--c%d)\" stroke-width=\"2.5\"/>",
                place(s, cell->mean - cell->sd, from, to), place(s, cell->mean + cell->sd, from, to), y, y,
                row % COLOURS);
    if (cell->n)
        fprintf(f, "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"5\" fill=\"var(--c%d)\"/>", place(s, cell->mean, from, to), y,
                row % COLOURS);
    if (!p) return;
    const double x = place(s, p->value, from, to);
    fprintf(
        f,
        "<path d=\"M%.1f %.1fl5.5 5.5l-5.5 5.5l-5.5 -5.5z\" fill=\"none\" stroke=\"var(--ink)\" stroke-width=\"1.4\"/>",
        x, y - 5.5);
}

static void dots(const foci_grid *g, FILE *f, int column) {
    const span s = margin(span_of(g, column));
    const int height = 34 * g->table->rows + 16;
    fputs("<figure><figcaption>", f);
    foci_page_text(f, g->column[column].title);
    fprintf(f, "</figcaption><svg viewBox=\"0 0 %d %d\" role=\"img\">", WIDTH, height);
    for (int row = 0; row < g->table->rows; row++) dots_of_row(g, f, row, column, s, 26 + 34 * row);
    fprintf(f,
            "<text class=\"soft\" x=\"0\" y=\"%d\">%.4g</text><text class=\"soft\" x=\"%d\" y=\"%d\" "
            "text-anchor=\"end\">%.4g</text></svg></figure>\n",
            height - 2, s.low, WIDTH, height - 2, s.high);
}

/* ---------------------------------------------------------------------------------------------------- curves */

/* An option's name is its key's, "eps"; or a key of the config, of "model.img_size=64" what stands before the sign. */
static size_t key_length(const struct foci_asked_option *o) { return o->key ? 0 : strcspn(o->value, "="); }
static bool same_option(const struct foci_asked_option *o, const struct foci_asked_option *p) {
    return o->key == p->key && strcmp(o->name, p->name) == 0 && key_length(o) == key_length(p) &&
           strncmp(o->value, p->value, key_length(o)) == 0;
}

/* The one option, a number, in which two measurements of the same thing differ; -1: they are no such two. */
static int differ_in(const foci_column *a, const foci_column *b) {
    const foci_asked *x = &a->measure->asked, *y = &b->measure->asked;
    int at = -1;
    if (a->measure->means || b->measure->means || x->measure != y->measure || x->count != y->count ||
        a->field != b->field)
        return -1;
    for (int i = 0; i < x->count; i++) {
        const struct foci_asked_option *o = &x->option[i], *p = &y->option[i];
        if (!same_option(o, p)) return -1;
        if (strcmp(o->value, p->value) == 0) continue;
        if (at >= 0 || isnan(o->number) || isnan(p->number)) return -1;
        at = i;
    }
    return at;
}

typedef struct curve {
    int column[FOCI_TABLE_MEASURES];
    double x[FOCI_TABLE_MEASURES];
    int option, count, known; /* the index of what the measurements differ in; points; cells that have a value */
} curve;

static const struct foci_asked_option *option_of(const foci_grid *g, const curve *k, int point) {
    return &g->column[k->column[point]].measure->asked.option[k->option];
}

/* Into its place by x. */
static void add_point(const foci_grid *g, curve *k, int column) {
    const double x = g->column[column].measure->asked.option[k->option].number;
    int at = k->count++;
    for (int row = 0; row < g->table->rows; row++) k->known += foci_grid_cell(g, row, column)->n > 0;
    for (; at > 0 && k->x[at - 1] > x; at--) k->x[at] = k->x[at - 1], k->column[at] = k->column[at - 1];
    k->x[at] = x, k->column[at] = column;
}

/* The curve that the column begins; count 0: it begins none. */
static curve curve_from(const foci_grid *g, int first) {
    curve k = {.option = -1};
    for (int c = 0; c < g->columns; c++) {
        const int option = differ_in(&g->column[first], &g->column[c]);
        if (option < 0 || (k.option >= 0 && option != k.option)) continue;
        if (c < first) return (curve){.count = 0};
        k.option = option;
        if (!k.count) add_point(g, &k, first);
        if (k.count < FOCI_TABLE_MEASURES) add_point(g, &k, c);
    }
    return k;
}

/* What the labels of its columns begin with alike: "PGD" of "PGD 1/255" and "PGD 2/255". */
static void print_name(const foci_grid *g, FILE *f, const curve *k) {
    const char *first = g->column[k->column[0]].measure->label;
    size_t n = strlen(first);
    for (int i = 1; i < k->count; i++) {
        const char *other = g->column[k->column[i]].measure->label;
        size_t same = 0;
        while (same < n && first[same] == other[same]) same++;
        n = same;
    }
    while (n && first[n - 1] == ' ') n--;
    const foci_column *c = &g->column[k->column[0]];
    char name[256];
    snprintf(name, sizeof name, "%.*s", (int)n, first);
    foci_page_text(f, n ? name : c->measure->asked.measure->name);
    fprintf(f, ": %s%s%s", c->field->title, *c->field->unit ? ", " : "", c->field->unit);
}

enum { CURVE_HEIGHT = 208, CURVE_LEFT = 50, CURVE_RIGHT = WIDTH - 22, CURVE_TOP = 8, CURVE_BOTTOM = 165 };

static void axes(const foci_grid *g, FILE *f, const curve *k, span sx, span sy) {
    const struct foci_asked_option *o = option_of(g, k, 0);
    int decimals = 0;
    for (double step = (sy.high - sy.low) / 4; step < 2 && decimals < 6; step *= 10) decimals++;
    for (int tick = 0; tick <= 4; tick++) {
        const double value = sy.low + (sy.high - sy.low) * tick / 4, y = place(sy, value, CURVE_BOTTOM, CURVE_TOP);
        fprintf(f,
                "<line class=\"rule\" x1=\"%d\" x2=\"%d\" y1=\"%.1f\" y2=\"%.1f\"/><text class=\"soft\" x=\"%d\" "
                "y=\"%.1f\" text-anchor=\"end\">%.*f</text>",
                CURVE_LEFT, WIDTH - 4, y, y, CURVE_LEFT - 5, y + 4, decimals,
                fabs(value) * pow(10, decimals) < 0.5 ? 0 : value);
    }
    for (int i = 0; i < k->count; i++) {
        const struct foci_asked_option *at = option_of(g, k, i);
        fprintf(f, "<text class=\"soft\" x=\"%.1f\" y=\"%d\" text-anchor=\"middle\">",
                place(sx, k->x[i], CURVE_LEFT + 12, CURVE_RIGHT), CURVE_BOTTOM + 16);
        foci_page_text(f, at->value + (at->key ? 0 : key_length(at) + 1));
        fputs("</text>", f);
    }
    fprintf(f, "<text class=\"soft\" x=\"%d\" y=\"%d\" text-anchor=\"middle\">%.*s</text>", (CURVE_LEFT + WIDTH) / 2,
            CURVE_BOTTOM + 33, o->key ? (int)strlen(o->name) : (int)key_length(o), o->key ? o->name : o->value);
}

/* Has the row any point of the curve? */
static bool is_on(const foci_grid *g, const curve *k, int row) {
    bool any = false;
    for (int i = 0; i < k->count; i++) any |= foci_grid_cell(g, row, k->column[i])->n > 0;
    return any;
}

/* A row's means, with a bar of one deviation at each. */
static void line_of_row(const foci_grid *g, FILE *f, const curve *k, int row, span sx, span sy) {
    fprintf(f, "<g stroke=\"var(--c%d)\" fill=\"var(--c%d)\"><polyline fill=\"none\" stroke-width=\"2\"%s points=\"",
            row % COLOURS, row % COLOURS, row >= COLOURS ? " stroke-dasharray=\"5 3\"" : "");
    for (int pass = 0; pass < 2; pass++) {
        for (int i = 0; i < k->count; i++) {
            const foci_cell *cell = foci_grid_cell(g, row, k->column[i]);
            const double x = place(sx, k->x[i], CURVE_LEFT + 12, CURVE_RIGHT),
                         y = place(sy, cell->mean, CURVE_BOTTOM, CURVE_TOP);
            if (!cell->n) continue;
            if (!pass) fprintf(f, "%.1f,%.1f ", x, y);
            else fprintf(f, "<circle stroke=\"none\" cx=\"%.1f\" cy=\"%.1f\" r=\"3\"/>", x, y);
            if (pass && isfinite(cell->sd))
                fprintf(f, "<path opacity=\".6\" d=\"M%.1f %.1fV%.1f\"/>", x,
                        place(sy, cell->mean - cell->sd, CURVE_BOTTOM, CURVE_TOP),
                        place(sy, cell->mean + cell->sd, CURVE_BOTTOM, CURVE_TOP));
        }
        if (!pass) fputs("\"/>", f);
    }
    fputs("</g>", f);
}

static void draw_curve(const foci_grid *g, FILE *f, const curve *k) {
    const span sx = {k->x[0], k->x[k->count - 1]};
    span sy = {INFINITY, -INFINITY};
    int lines = 0;
    for (int i = 0; i < k->count; i++) {
        const span s = span_of(g, k->column[i]);
        widen(&sy, s.low);
        widen(&sy, s.high);
    }
    sy = margin(sy);
    for (int row = 0; row < g->table->rows; row++) lines += is_on(g, k, row);
    fputs("<figure><figcaption>", f);
    print_name(g, f, k);
    fprintf(f, "</figcaption><svg viewBox=\"0 0 %d %d\" role=\"img\">", WIDTH, CURVE_HEIGHT + 18 * lines);
    axes(g, f, k, sx, sy);
    lines = 0;
    for (int row = 0; row < g->table->rows; row++) {
        if (!is_on(g, k, row)) continue;
        line_of_row(g, f, k, row, sx, sy);
        const int y = CURVE_HEIGHT + 18 * lines++ + 8;
        fprintf(f, "<circle cx=\"6\" cy=\"%d\" r=\"4.5\" fill=\"var(--c%d)\"/><text x=\"16\" y=\"%d\">", y - 4,
                row % COLOURS, y);
        foci_page_text(f, g->table->row[row].name);
        fputs("</text>", f);
    }
    fputs("</svg></figure>\n", f);
}

void foci_page_curves(const foci_grid *g, FILE *f) {
    bool any = false;
    for (int c = 0; c < g->columns; c++) {
        const curve k = curve_from(g, c);
        if (k.count < 3 || !k.known) continue;
        if (!any) fputs("<div class=\"plots\">\n", f);
        any = true;
        draw_curve(g, f, &k);
    }
    if (any) fputs("</div>\n", f);
}

void foci_page_dots(const foci_grid *g, FILE *f) {
    bool any = false, paper = false;
    for (int c = 0; c < g->columns; c++) any |= isfinite(span_of(g, c).low), paper |= g->column[c].paper;
    if (!any) return;
    fprintf(f,
            "<details><summary>Every column</summary>\n<p class=\"soft\">Large dots are means%s%s.</p>\n"
            "<div class=\"plots\">\n",
            g->table->seeds > 1 ? ", bars one standard deviation, small dots single seeds" : "",
            paper ? "; diamonds are the paper's figures" : "");
    for (int c = 0; c < g->columns; c++)
        if (isfinite(span_of(g, c).low)) dots(g, f, c);
    fputs("</div></details>\n", f);
}

/* ------------------------------------------------------------------------------------------- attention on images */

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

void foci_page_attention(const foci_grid *g, FILE *f) {
    for (int m = 0; m < g->table->measures; m++)
        for (int row = 0; row < g->table->rows; row++) {
            const foci_table_result *first = pictured(g, row, m);
            if (!first) continue;
            attention_of(g, f, m, first);
            break;
        }
}
