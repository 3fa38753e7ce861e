/* The table as one page that needs nothing else: the figures, a plot of every column with all seeds, curves where a
 * measurement was made at several strengths, and what was run. Plots are drawn in the page's own colours, so that they
 * follow light and dark; each is small, and as many stand side by side as the screen is wide. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "table/table.h"

static const char style[] =
    ":root{color-scheme:light dark;--paper:#fff;--ink:#1c1e21;--soft:#5d646d;--line:#d9dde2;--tint:#f3f5f7;"
    "--c0:#0072b2;--c1:#d55e00;--c2:#00805d;--c3:#b5568c;--c4:#b07d00;--c5:#3a93c9;--c6:#555;--c7:#857600}\n"
    "@media(prefers-color-scheme:dark){:root{--paper:#15181c;--ink:#e8eaed;--soft:#a0a8b2;--line:#363c44;--tint:#"
    "1e2329;"
    "--c0:#5ab4f0;--c1:#ff8f4a;--c2:#3ccb9f;--c3:#ec9ac6;--c4:#f0b840;--c5:#8fd0ff;--c6:#bbb;--c7:#d8cb3d}}\n"
    "*{box-sizing:border-box}body{margin:0;padding:1.5rem 1rem 3rem;background:var(--paper);color:var(--ink);"
    "font:16px/1.5 system-ui,sans-serif;max-width:72rem;margin-inline:auto}\n"
    "h1{font-size:1.4rem;line-height:1.25;margin:0 0 1rem}h2{font-size:1.05rem;margin:2rem 0 "
    ".75rem}p{max-width:44rem}.soft{color:var(--soft)}\n"
    ".wide{overflow-x:auto;border:1px solid var(--line);border-radius:6px}table{border-collapse:collapse;width:100%;"
    "font-variant-numeric:tabular-nums}th,td{padding:.45rem .8rem;text-align:right;white-space:nowrap}\n"
    "thead th{font-weight:600;vertical-align:bottom;border-bottom:1px solid var(--line)}thead "
    "small{display:block;font-weight:400;"
    "color:var(--soft)}tbody tr+tr>*{border-top:1px solid var(--line)}\n"
    "th:first-child,.wide tbody "
    "th{text-align:left;position:sticky;left:0;background:var(--paper);font-weight:500;white-space:normal;"
    "min-width:6.5rem;max-width:14rem}\n"
    "td.paper,thead "
    "th.paper{color:var(--soft);font-style:italic;font-weight:400}b{font-weight:700}u{text-underline-offset:.18em}\n"
    ".plots{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(19rem,100%),1fr));gap:1rem;align-items:"
    "start}figure{margin:0;padding:.6rem .7rem;"
    "background:var(--tint);border-radius:6px}figcaption{font-size:.9rem;font-weight:600;margin-bottom:.2rem}\n"
    "svg{display:block;width:100%;height:auto}svg text{font:12px system-ui,sans-serif;fill:var(--ink)}svg "
    ".soft{fill:var(--soft)}"
    "svg "
    ".rule{stroke:var(--line);stroke-width:1}details{margin-top:1rem}summary{cursor:pointer}code,pre{font-size:.85rem}"
    "pre{overflow-x:auto}\n";

enum { COLOURS = 8, WIDTH = 320 };

static void text(FILE *f, const char *s) {
    for (; *s; s++) {
        if (*s == '&') fputs("&amp;", f);
        else if (*s == '<') fputs("&lt;", f);
        else if (*s == '>') fputs("&gt;", f);
        else if (*s == '"') fputs("&quot;", f);
        else fputc(*s, f);
    }
}

static void number(FILE *f, const foci_column *c, double x) { fprintf(f, "%.*f", c->field->decimals, x); }

/* --------------------------------------------------------------------------------------------------- figures */

static void head(const foci_grid *g, FILE *f) {
    fputs("<thead><tr><th></th>", f);
    for (int c = 0; c < g->columns; c++) {
        const foci_metric *field = g->column[c].field;
        fputs("<th>", f);
        text(f, g->column[c].measure->label);
        fprintf(f, "<small>%s%s%s%s</small></th>%s", field->title, *field->unit ? ", " : "", field->unit,
                field->better > 0   ? " ↑"
                : field->better < 0 ? " ↓"
                                    : "",
                g->column[c].paper ? "<th class=\"paper\">paper</th>" : "");
    }
    fputs("</tr></thead>\n", f);
}

static void figures(const foci_grid *g, FILE *f) {
    fputs("<div class=\"wide\"><table>\n", f);
    head(g, f);
    fputs("<tbody>\n", f);
    for (int row = 0; row < g->table->rows; row++) {
        fputs("<tr><th>", f);
        text(f, g->table->row[row].name);
        fputs("</th>", f);
        for (int c = 0; c < g->columns; c++) {
            const foci_cell *cell = foci_grid_cell(g, row, c);
            const foci_table_paper *p = foci_grid_paper(g, row, c);
            fprintf(f, "<td>%s%s%s</td>",
                    cell->best     ? "<b>"
                    : cell->second ? "<u>"
                                   : "",
                    *cell->text ? cell->text : "–",
                    cell->best     ? "</b>"
                    : cell->second ? "</u>"
                                   : "");
            if (!g->column[c].paper) continue;
            fputs("<td class=\"paper\">", f);
            if (p) {
                number(f, &g->column[c], p->value);
                fprintf(f, " <small>%s</small>", p->mark);
            }
            fputs("</td>", f);
        }
        fputs("</tr>\n", f);
    }
    fputs("</tbody></table></div>\n", f);
}

static void differences(const foci_grid *g, FILE *f) {
    if (!g->comparisons) return;
    fprintf(f, "<h2>Differences</h2>\n<p class=\"soft\">Differences are %s</p>\n<div class=\"wide\"><table>\n",
            foci_paired_note);
    fputs("<thead><tr><th></th><th></th><th>difference</th><th>95 % interval</th><th>seeds</th><th></th></tr></thead>\n"
          "<tbody>\n",
          f);
    for (const foci_comparison *x = g->comparison; x < g->comparison + g->comparisons; x++) {
        fputs("<tr><th>", f);
        text(f, g->table->row[x->row].name);
        fputs(" less ", f);
        text(f, g->table->row[x->row].baseline->name);
        fputs("</th><td>", f);
        text(f, g->column[x->column].title);
        fprintf(f, "</td><td>%s</td><td>%s</td><td>%d</td><td>%s</td></tr>\n", x->mean, x->interval, x->difference.n,
                x->verdict);
    }
    fputs("</tbody></table></div>\n", f);
}

/* ----------------------------------------------------------------------------------------------------- plots */

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
    text(f, g->table->row[row].name);
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
    text(f, g->column[column].title);
    fprintf(f, "</figcaption><svg viewBox=\"0 0 %d %d\" role=\"img\">", WIDTH, height);
    for (int row = 0; row < g->table->rows; row++) dots_of_row(g, f, row, column, s, 26 + 34 * row);
    fprintf(f,
            "<text class=\"soft\" x=\"0\" y=\"%d\">%.4g</text><text class=\"soft\" x=\"%d\" y=\"%d\" "
            "text-anchor=\"end\">%.4g</text></svg></figure>\n",
            height - 2, s.low, WIDTH, height - 2, s.high);
}

/* ---------------------------------------------------------------------------------------------------- curves */

/* Are the two the same measurement but for its strength, the option that it needs? */
static bool akin(const foci_column *a, const foci_column *b) {
    const foci_asked *x = &a->measure->asked, *y = &b->measure->asked;
    if (!isfinite(x->strength) || a->measure->means || b->measure->means || x->measure != y->measure ||
        x->count != y->count || a->field != b->field)
        return false;
    for (int i = 0; i < x->count; i++) {
        const struct foci_asked_option *o = &x->option[i], *p = &y->option[i];
        const bool strength = o->key && strcmp(o->key->name, x->measure->needs) == 0;
        if (o->key != p->key || (!strength && strcmp(o->value, p->value) != 0)) return false;
    }
    return true;
}

typedef struct curve {
    int column[FOCI_TABLE_MEASURES];
    double x[FOCI_TABLE_MEASURES];
    int count, known; /* points; cells that have a value */
} curve;

static curve curve_from(const foci_grid *g, int first) {
    curve k = {.count = 0};
    for (int c = 0; c < g->columns; c++) {
        if (!akin(&g->column[first], &g->column[c]) || k.count == FOCI_TABLE_MEASURES) continue;
        if (c < first) return (curve){.count = 0}; /* drawn already */
        int at = k.count++;
        const double x = g->column[c].measure->asked.strength;
        for (int row = 0; row < g->table->rows; row++) k.known += foci_grid_cell(g, row, c)->n > 0;
        for (; at > 0 && k.x[at - 1] > x; at--) k.x[at] = k.x[at - 1], k.column[at] = k.column[at - 1];
        k.x[at] = x, k.column[at] = c;
    }
    return k;
}

static void curves(const foci_grid *g, FILE *f, const curve *k) {
    enum { HEIGHT = 190, LEFT = 40, BOTTOM = 165 };
    const foci_column *c = &g->column[k->column[0]];
    span sx = {k->x[0], k->x[k->count - 1]}, sy = {INFINITY, -INFINITY};
    for (int i = 0; i < k->count; i++) {
        span s = span_of(g, k->column[i]);
        widen(&sy, s.low);
        widen(&sy, s.high);
    }
    sy = margin(sy);
    if (!(sx.high > sx.low) || !isfinite(sy.low)) return;
    const foci_measure *m = c->measure->asked.measure;
    fputs("<figure><figcaption>", f);
    fprintf(f, "%s, %s by %s</figcaption><svg viewBox=\"0 0 %d %d\" role=\"img\">", m->name, c->field->title, m->needs,
            WIDTH, HEIGHT + 18 * g->table->rows);
    for (int tick = 0; tick <= 4; tick++) {
        const double value = sy.low + (sy.high - sy.low) * tick / 4, y = place(sy, value, BOTTOM, 8);
        const int decimals = sy.high - sy.low > 8 ? 0 : sy.high - sy.low > 0.8 ? 1 : 3;
        fprintf(f,
                "<line class=\"rule\" x1=\"%d\" x2=\"%d\" y1=\"%.1f\" y2=\"%.1f\"/><text class=\"soft\" x=\"%d\" "
                "y=\"%.1f\" text-anchor=\"end\">%.*f</text>",
                LEFT, WIDTH - 4, y, y, LEFT - 5, y + 4, decimals, fabs(value) * pow(10, decimals) < 0.5 ? 0 : value);
    }
    for (int i = 0; i < k->count; i++) {
        fprintf(f, "<text class=\"soft\" x=\"%.1f\" y=\"%d\" text-anchor=\"middle\">",
                place(sx, k->x[i], LEFT + 12, WIDTH - 22), BOTTOM + 16);
        text(f, g->column[k->column[i]].measure->asked.strength_text);
        fputs("</text>", f);
    }
    for (int row = 0; row < g->table->rows; row++) {
        fprintf(f, "<polyline fill=\"none\" stroke=\"var(--c%d)\" stroke-width=\"2\"%s points=\"", row % COLOURS,
                row >= COLOURS ? " stroke-dasharray=\"5 3\"" : "");
        for (int i = 0; i < k->count; i++) {
            const foci_cell *cell = foci_grid_cell(g, row, k->column[i]);
            if (cell->n)
                fprintf(f, "%.1f,%.1f ", place(sx, k->x[i], LEFT + 12, WIDTH - 22), place(sy, cell->mean, BOTTOM, 8));
        }
        fputs("\"/>", f);
        for (int i = 0; i < k->count; i++) {
            const foci_cell *cell = foci_grid_cell(g, row, k->column[i]);
            if (cell->n)
                fprintf(f, "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"3.5\" fill=\"var(--c%d)\"/>",
                        place(sx, k->x[i], LEFT + 12, WIDTH - 22), place(sy, cell->mean, BOTTOM, 8), row % COLOURS);
        }
        const int y = HEIGHT + 18 * row + 8;
        fprintf(f, "<circle cx=\"6\" cy=\"%d\" r=\"4.5\" fill=\"var(--c%d)\"/><text x=\"16\" y=\"%d\">", y - 4,
                row % COLOURS, y);
        text(f, g->table->row[row].name);
        fputs("</text>", f);
    }
    fputs("</svg></figure>\n", f);
}

/* ------------------------------------------------------------------------------------------------------ page */

static void plots(const foci_grid *g, FILE *f) {
    bool any = false, paper = false;
    for (int c = 0; c < g->columns; c++) any |= isfinite(span_of(g, c).low), paper |= g->column[c].paper;
    if (!any) return;
    fprintf(f, "<h2>Plots</h2>\n<p class=\"soft\">Large dots are means%s%s.</p>\n<div class=\"plots\">\n",
            g->table->seeds > 1 ? ", bars one standard deviation, small dots single seeds" : "",
            paper ? "; diamonds are the paper's figures" : "");
    for (int c = 0; c < g->columns; c++) {
        const curve k = curve_from(g, c);
        if (k.count > 2 && k.known) curves(g, f, &k);
    }
    for (int c = 0; c < g->columns; c++)
        if (isfinite(span_of(g, c).low)) dots(g, f, c);
    fputs("</div>\n", f);
}

static void seeds(const foci_grid *g, FILE *f) {
    const foci_table *t = g->table;
    if (t->seeds < 2) return;
    fputs("<details><summary>Every seed</summary><div class=\"wide\"><table>\n", f);
    head(g, f);
    fputs("<tbody>\n", f);
    for (int row = 0; row < t->rows; row++)
        for (int s = 0; s < t->seeds; s++) {
            bool any = false;
            for (int c = 0; c < g->columns; c++) any |= isfinite(foci_grid_value(g, row, c, s));
            if (!any) continue;
            fputs("<tr><th>", f);
            text(f, t->row[row].name);
            fprintf(f, ", seed %lld</th>", (long long)t->seed[s]);
            for (int c = 0; c < g->columns; c++) {
                const double x = foci_grid_value(g, row, c, s);
                fputs("<td>", f);
                if (isfinite(x)) number(f, &g->column[c], x);
                fputs(g->column[c].paper ? "</td><td></td>" : "</td>", f);
            }
            fputs("</tr>\n", f);
        }
    fputs("</tbody></table></div></details>\n", f);
}

static void training(FILE *f, const foci_table_row *row) {
    text(f, row->name);
    fputs(": foci train ", f);
    text(f, row->config);
    for (int i = 0; i < row->sets; i++) {
        fputs(" --set ", f);
        text(f, row->set[i]);
    }
    if (row->init) fprintf(f, " --init "), text(f, row->init->name);
    if (row->teacher) fprintf(f, " --set train.teacher="), text(f, row->teacher->name);
    fputc('\n', f);
}

static void recipe(const foci_grid *g, FILE *f) {
    const foci_table *t = g->table;
    fputs("<details><summary>What was run</summary>\n<pre>", f);
    for (int row = 0; row < t->rows + t->others; row++)
        if (t->row[row].config) training(f, &t->row[row]);
    for (int m = 0; m < t->measures; m++) {
        if (t->measure[m].means) continue;
        text(f, t->measure[m].label);
        fprintf(f, ": foci %s %s", t->measure[m].words[0], t->measure[m].asked.measure->untrained ? "CONFIG" : "RUN");
        for (int i = 1; i < t->measure[m].count; i++) {
            fputc(' ', f);
            text(f, t->measure[m].words[i]);
        }
        fputc('\n', f);
    }
    fprintf(f, "</pre><p class=\"soft\">foci %s; table file ", foci_version());
    text(f, t->path);
    fputs("</p></details>\n", f);
}

void foci_grid_html(const foci_grid *g, FILE *f) {
    const foci_table *t = g->table;
    fputs("<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
          "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>",
          f);
    text(f, *t->title ? t->title : "foci table");
    fprintf(f, "</title>\n<style>\n%s</style></head><body>\n<h1>", style);
    text(f, *t->title ? t->title : "foci table");
    fputs("</h1>\n", f);
    figures(g, f);
    fprintf(f, "<p class=\"soft\">%s<b>Bold</b>: best; <u>underlined</u>: second.",
            t->seeds > 1 ? "Mean ± standard deviation over seeds. " : "");
    if (t->seeds > 1) fprintf(f, " %d seeds, or (n).", t->seeds);
    fputs("</p>\n", f);
    if (*t->note) {
        fputs("<p>", f);
        text(f, t->note);
        fputs("</p>\n", f);
    }
    differences(g, f);
    plots(g, f);
    seeds(g, f);
    recipe(g, f);
    fputs("</body></html>\n", f);
}
