/* Curves: where a measurement was made at several values of one option, its results over that. */
#include <math.h>
#include <string.h>

#include "table/page.h"

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

enum { CURVE_HEIGHT = 208, CURVE_LEFT = 50, CURVE_RIGHT = FOCI_PLOT_WIDTH - 22, CURVE_TOP = 8, CURVE_BOTTOM = 165 };

static void axes(const foci_grid *g, FILE *f, const curve *k, foci_span sx, foci_span sy) {
    const struct foci_asked_option *o = option_of(g, k, 0);
    int decimals = 0;
    for (double step = (sy.high - sy.low) / 4; step < 2 && decimals < 6; step *= 10) decimals++;
    for (int tick = 0; tick <= 4; tick++) {
        const double value = sy.low + (sy.high - sy.low) * tick / 4,
                     y = foci_span_place(sy, value, CURVE_BOTTOM, CURVE_TOP);
        fprintf(f,
                "<line class=\"rule\" x1=\"%d\" x2=\"%d\" y1=\"%.1f\" y2=\"%.1f\"/><text class=\"soft\" x=\"%d\" "
                "y=\"%.1f\" text-anchor=\"end\">%.*f</text>",
                CURVE_LEFT, FOCI_PLOT_WIDTH - 4, y, y, CURVE_LEFT - 5, y + 4, decimals,
                fabs(value) * pow(10, decimals) < 0.5 ? 0 : value);
    }
    for (int i = 0; i < k->count; i++) {
        const struct foci_asked_option *at = option_of(g, k, i);
        fprintf(f, "<text class=\"soft\" x=\"%.1f\" y=\"%d\" text-anchor=\"middle\">",
                foci_span_place(sx, k->x[i], CURVE_LEFT + 12, CURVE_RIGHT), CURVE_BOTTOM + 16);
        foci_page_text(f, at->value + (at->key ? 0 : key_length(at) + 1));
        fputs("</text>", f);
    }
    fprintf(f, "<text class=\"soft\" x=\"%d\" y=\"%d\" text-anchor=\"middle\">%.*s</text>",
            (CURVE_LEFT + FOCI_PLOT_WIDTH) / 2, CURVE_BOTTOM + 33, o->key ? (int)strlen(o->name) : (int)key_length(o),
            o->key ? o->name : o->value);
}

/* Has the row any point of the curve? */
static bool is_on(const foci_grid *g, const curve *k, int row) {
    bool any = false;
    for (int i = 0; i < k->count; i++) any |= foci_grid_cell(g, row, k->column[i])->n > 0;
    return any;
}

/* A row's means, with a bar of one deviation at each. */
static void line_of_row(const foci_grid *g, FILE *f, const curve *k, int row, foci_span sx, foci_span sy) {
    fprintf(f, "<g stroke=\"var(--c%d)\" fill=\"var(--c%d)\"><polyline fill=\"none\" stroke-width=\"2\"%s points=\"",
            row % FOCI_PLOT_COLOURS, row % FOCI_PLOT_COLOURS,
            row >= FOCI_PLOT_COLOURS ? " stroke-dasharray=\"5 3\"" : "");
    for (int pass = 0; pass < 2; pass++) {
        for (int i = 0; i < k->count; i++) {
            const foci_cell *cell = foci_grid_cell(g, row, k->column[i]);
            const double x = foci_span_place(sx, k->x[i], CURVE_LEFT + 12, CURVE_RIGHT),
                         y = foci_span_place(sy, cell->mean, CURVE_BOTTOM, CURVE_TOP);
            if (!cell->n) continue;
            if (!pass) fprintf(f, "%.1f,%.1f ", x, y);
            else fprintf(f, "<circle stroke=\"none\" cx=\"%.1f\" cy=\"%.1f\" r=\"3\"/>", x, y);
            if (pass && isfinite(cell->sd))
                fprintf(f, "<path opacity=\".6\" d=\"M%.1f %.1fV%.1f\"/>", x,
                        foci_span_place(sy, cell->mean - cell->sd, CURVE_BOTTOM, CURVE_TOP),
                        foci_span_place(sy, cell->mean + cell->sd, CURVE_BOTTOM, CURVE_TOP));
        }
        if (!pass) fputs("\"/>", f);
    }
    fputs("</g>", f);
}

static void draw_curve(const foci_grid *g, FILE *f, const curve *k) {
    const foci_span sx = {k->x[0], k->x[k->count - 1]};
    foci_span sy = {INFINITY, -INFINITY};
    int lines = 0;
    for (int i = 0; i < k->count; i++) {
        const foci_span s = foci_column_span(g, k->column[i]);
        foci_span_widen(&sy, s.low);
        foci_span_widen(&sy, s.high);
    }
    sy = foci_span_margin(sy);
    for (int row = 0; row < g->table->rows; row++) lines += is_on(g, k, row);
    fputs("<figure><figcaption>", f);
    print_name(g, f, k);
    fprintf(f, "</figcaption><svg viewBox=\"0 0 %d %d\" role=\"img\">", FOCI_PLOT_WIDTH, CURVE_HEIGHT + 18 * lines);
    axes(g, f, k, sx, sy);
    lines = 0;
    for (int row = 0; row < g->table->rows; row++) {
        if (!is_on(g, k, row)) continue;
        line_of_row(g, f, k, row, sx, sy);
        const int y = CURVE_HEIGHT + 18 * lines++ + 8;
        fprintf(f, "<circle cx=\"6\" cy=\"%d\" r=\"4.5\" fill=\"var(--c%d)\"/><text x=\"16\" y=\"%d\">", y - 4,
                row % FOCI_PLOT_COLOURS, y);
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
