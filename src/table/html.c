/* A table as one page that needs nothing else: the figures, what follows for its claims, pictures, every seed, and
 * what was run. */
#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "table/page.h"

const char foci_page_colours[] =
    ":root{color-scheme:light dark;--paper:#fff;--ink:#1c1e21;--soft:#5d646d;--line:#d9dde2;--tint:#f3f5f7;"
    "--c0:#0072b2;--c1:#d55e00;--c2:#00805d;--c3:#b5568c;--c4:#b07d00;--c5:#3a93c9;--c6:#555;--c7:#857600}\n"
    "@media(prefers-color-scheme:dark){:root{--paper:#15181c;--ink:#e8eaed;--soft:#a0a8b2;--line:#363c44;--tint:#"
    "1e2329;"
    "--c0:#5ab4f0;--c1:#ff8f4a;--c2:#3ccb9f;--c3:#ec9ac6;--c4:#f0b840;--c5:#8fd0ff;--c6:#bbb;--c7:#d8cb3d}}\n";

static const char style[] =
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
    "pre{overflow-x:auto}\n"
    "h3{font-size:1rem;margin:1.5rem 0 .5rem}summary{font-weight:600}.scroll{overflow-x:auto}section{margin-top:3rem}"
    ".plots+figure,.plots+.plots{margin-top:1rem}li{max-width:44rem}.where{overflow-wrap:anywhere}"
    ".words{text-align:left;white-space:normal;min-width:9rem}.claims svg{width:11rem}.claims thead "
    "th{text-align:center}"
    ".claims tbody th{max-width:min(24rem,45vw)}.claims tbody small{display:block}"
    "image{image-rendering:pixelated}.grey{filter:grayscale(1) brightness(.7)}.lit{fill:#ffab00}\n";

void foci_page_text(FILE *f, const char *s) {
    for (; *s; s++) {
        if (*s == '&') fputs("&amp;", f);
        else if (*s == '<') fputs("&lt;", f);
        else if (*s == '>') fputs("&gt;", f);
        else if (*s == '"') fputs("&quot;", f);
        else fputc(*s, f);
    }
}

static void number(FILE *f, const foci_column *c, double x) { fprintf(f, "%.*f", c->field->decimals, x); }

void foci_page_begin(FILE *f, const char *title) {
    fputs("<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
          "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>",
          f);
    foci_page_text(f, title);
    fprintf(f, "</title>\n<style>\n%s%s</style></head><body>\n<h1>", foci_page_colours, style);
    foci_page_text(f, title);
    fputs("</h1>\n", f);
}

/* Its path without the ending, letters and digits alone: no two tables have the same. */
static void print_anchor(FILE *f, const foci_table *t) {
    const char *dot = strrchr(t->path, '.');
    for (const char *c = t->path; *c && c != dot; c++) fputc(isalnum((unsigned char)*c) ? *c : '-', f);
}

static const char *title_of(const foci_table *t) { return *t->title ? t->title : t->path; }

void foci_page_link(FILE *f, const foci_table *t, const char *words) {
    fputs("<a href=\"#", f);
    print_anchor(f, t);
    fputs("\">", f);
    foci_page_text(f, words ? words : title_of(t));
    fputs("</a>", f);
}

void foci_page_section(FILE *f, const foci_table *t) {
    fputs("<section id=\"", f);
    print_anchor(f, t);
    fputs("\"><h2>", f);
    foci_page_text(f, title_of(t));
    fputs("</h2>\n", f);
}

void foci_page_end(FILE *f) { fputs("</body></html>\n", f); }

/* --------------------------------------------------------------------------------------------------- figures */

static void head(const foci_grid *g, FILE *f) {
    fputs("<thead><tr><th></th>", f);
    for (int c = 0; c < g->columns; c++) {
        const foci_metric *field = g->column[c].field;
        fputs("<th>", f);
        foci_page_text(f, g->column[c].measure->label);
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
        foci_page_text(f, g->table->row[row].name);
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
    fprintf(f,
            "<details><summary>Differences</summary>\n<p class=\"soft\">Differences are %s</p>\n<div "
            "class=\"wide\"><table>\n",
            foci_paired_note);
    fputs("<thead><tr><th></th><th></th><th>difference</th><th>95 % interval</th><th>seeds</th><th></th></tr></thead>\n"
          "<tbody>\n",
          f);
    for (const foci_comparison *x = g->comparison; x < g->comparison + g->comparisons; x++) {
        fputs("<tr><th>", f);
        foci_page_text(f, g->table->row[x->row].name);
        fputs(" less ", f);
        foci_page_text(f, g->table->row[x->row].baseline->name);
        fputs("</th><td>", f);
        foci_page_text(f, g->column[x->column].title);
        fprintf(f, "</td><td>%s</td><td>%s</td><td>%d</td><td>%s</td></tr>\n", x->mean, x->interval, x->difference.n,
                x->verdict);
    }
    fputs("</tbody></table></div></details>\n", f);
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
            foci_page_text(f, t->row[row].name);
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
    foci_page_text(f, row->name);
    fputs(": foci train ", f);
    foci_page_text(f, row->config);
    for (int i = 0; i < row->sets; i++) {
        fputs(" --set ", f);
        foci_page_text(f, row->set[i]);
    }
    if (row->init) fprintf(f, " --init "), foci_page_text(f, row->init->name);
    if (row->teacher) fprintf(f, " --set train.teacher="), foci_page_text(f, row->teacher->name);
    for (int i = 0; i < row->eval_sets; i++) {
        fputs(i ? " --set " : "; measured with --set ", f);
        foci_page_text(f, row->eval_set[i]);
    }
    fputc('\n', f);
}

static void recipe(const foci_grid *g, FILE *f) {
    const foci_table *t = g->table;
    fputs("<details><summary>What was run</summary>\n<pre>", f);
    for (int row = 0; row < t->rows + t->others; row++)
        if (t->row[row].config) training(f, &t->row[row]);
    for (int m = 0; m < t->measures; m++) {
        if (t->measure[m].means) continue;
        foci_page_text(f, t->measure[m].label);
        fprintf(f, ": foci %s %s", t->measure[m].words[0], t->measure[m].asked.measure->untrained ? "CONFIG" : "RUN");
        for (int i = 1; i < t->measure[m].count; i++) {
            fputc(' ', f);
            foci_page_text(f, t->measure[m].words[i]);
        }
        fputc('\n', f);
    }
    fprintf(f, "</pre><p class=\"soft\">foci %s; table file ", foci_version());
    foci_page_text(f, t->path);
    fputs("</p></details>\n", f);
}

/* ------------------------------------------------------------------------------------------------------ page */

void foci_page_table(const foci_grid *g, FILE *f) {
    const foci_table *t = g->table;
    figures(g, f);
    fprintf(f, "<p class=\"soft\">%s<b>Bold</b>: best; <u>underlined</u>: second.",
            t->seeds > 1 ? "Mean ± standard deviation over seeds. " : "");
    if (t->seeds > 1) fprintf(f, " %d seeds, or (n).", t->seeds);
    fputs("</p>\n", f);
    if (*t->note) {
        fputs("<p>", f);
        foci_page_text(f, t->note);
        fputs("</p>\n", f);
    }
    foci_page_curves(g, f);
    foci_page_maps(g, f);
    differences(g, f);
    foci_page_dots(g, f);
    seeds(g, f);
    recipe(g, f);
}

void foci_grid_html(const foci_grid *g, FILE *f) {
    foci_page_begin(f, *g->table->title ? g->table->title : "foci table");
    foci_page_findings(f, &g->findings, false);
    foci_page_facts(f, &g, 1);
    foci_page_table(g, f);
    foci_page_end(f);
}
