/* What the pages of one table and of several share, for this room alone. */
#ifndef FOCI_TABLE_PAGE_H
#define FOCI_TABLE_PAGE_H

#include <string.h>

#include "table/table.h"

static inline const char *foci_table_file(const foci_table *t) { /* without its folder */
    const char *slash = strrchr(t->path, '/');
    return slash ? slash + 1 : t->path;
}

void foci_paper_text(const foci_grid *g, int row, int column, char text[48]); /* "71.23 log", or "" */
extern const char foci_claim_note[];                                          /* what a claim is, and when it holds */

/* html.c */
extern const char foci_page_colours[]; /* a style: var(--ink) and others, by light and dark */
void foci_page_text(FILE *f, const char *s);
void foci_page_begin(FILE *f, const char *title);
void foci_page_end(FILE *f);
void foci_page_link(FILE *f, const foci_table *t, const char *words); /* words NULL: its title; to its section */
void foci_page_section(FILE *f, const foci_table *t);                 /* that section's heading */
void foci_page_table(const foci_grid *g, FILE *f);                    /* all about it, but for title, claims, facts */

/* html_findings.c: what is found of claims, and facts; of one table, or of several, which are named then. */
void foci_page_findings(FILE *f, const foci_findings *all, bool tables);
void foci_page_facts(FILE *f, const foci_grid *const *grid, int grids);

/* html_curves.c, html_maps.c, html_dots.c: pictures */
void foci_page_curves(const foci_grid *g, FILE *f);
void foci_page_maps(const foci_grid *g, FILE *f);
void foci_page_dots(const foci_grid *g, FILE *f);

/* intervals.c: the interval of a finding as a bar in a box, its middle as a dot, beside no difference and, dashed, what
 * the claim allows; reach: how far those of a claim reach, in percent of what they are compared with, 0 without any. */
double foci_interval_reach(const foci_evidence *e, int count);
void foci_interval_draw(FILE *f, const foci_evidence *e, double reach, double x, double y, double width, double height);

/* html_plot.c: where in a picture a value lies. */
enum { FOCI_PLOT_COLOURS = 8, FOCI_PLOT_WIDTH = 320 };
typedef struct foci_span {
    double low, high;
} foci_span;
void foci_span_widen(foci_span *s, double x); /* as far as x, where that is a number */
foci_span foci_span_margin(foci_span s);      /* with some room on both sides */
double foci_span_place(foci_span s, double x, double from, double to);
foci_span foci_column_span(const foci_grid *g, int column); /* of all that is known of it */

#endif
