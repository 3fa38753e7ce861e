/* What the pages of one table and of several share, for this room alone. */
#ifndef FOCI_TABLE_PAGE_H
#define FOCI_TABLE_PAGE_H

#include <string.h>

#include "table/table.h"

static inline const char *foci_table_file(const foci_table *t) { /* without its folder */
    const char *slash = strrchr(t->path, '/');
    return slash ? slash + 1 : t->path;
}

void foci_page_text(FILE *f, const char *s);
void foci_page_begin(FILE *f, const char *title);
void foci_page_end(FILE *f);
void foci_page_link(FILE *f, const foci_table *t);                       /* its title, which leads to its section */
void foci_page_section(FILE *f, const foci_table *t);                    /* that section's heading */
void foci_page_table(const foci_grid *g, FILE *f);                       /* all about it, but for title and claims */
void foci_page_findings(FILE *f, const foci_findings *all, bool tables); /* of one table or of several */

/* text.c */
void foci_markdown_text(FILE *f, const char *text);
void foci_markdown_figures(const foci_grid *g, FILE *f); /* and the note */

/* html_plots.c */
void foci_page_curves(const foci_grid *g, FILE *f);
void foci_page_attention(const foci_grid *g, FILE *f);
void foci_page_dots(const foci_grid *g, FILE *f);

#endif
