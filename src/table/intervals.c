/* The interval of a finding as a bar, and those of all claims as one picture. */
#include <math.h>

#include "table/page.h"

/* In percent of what it is compared with, the better to the right. */
static double percent_of(const foci_evidence *e, double difference) {
    return 100 * e->better * difference / fabs(e->seen.difference.base);
}

double foci_interval_reach(const foci_evidence *e, int count) {
    double reach = 0;
    for (; count-- > 0; e++) {
        const foci_paired *d = &e->seen.difference;
        const double most = percent_of(e, fabs(d->mean) + d->half);
        if (!isfinite(most)) continue;
        reach = fmax(reach, fabs(most));
        if (isfinite(e->claim->margin)) reach = fmax(reach, e->claim->margin);
    }
    return reach;
}

void foci_interval_draw(FILE *f, const foci_evidence *e, double reach, double x, double y, double width,
                        double height) {
    static const char *const colour[FOCI_VERDICTS] = {"--soft", "--c2", "--c1", "--soft"};
    const foci_span s = {-reach, reach};
    const foci_paired *d = &e->seen.difference;
    const double left = x + 4, right = x + width - 4, middle = y + height / 2;
    const double zero = foci_span_place(s, 0, left, right),
                 mean = foci_span_place(s, percent_of(e, d->mean), left, right),
                 half = fabs(foci_span_place(s, percent_of(e, d->half), left, right) - zero);
    if (!isfinite(mean) || !isfinite(half)) return;
    fprintf(f, "<path stroke=\"var(--soft)\" d=\"M%.1f %.1fv%.1f\"/>", zero, y, height);
    if (isfinite(e->claim->margin))
        fprintf(f, "<path stroke=\"var(--soft)\" stroke-dasharray=\"2 2\" d=\"M%.1f %.1fv%.1f\"/>",
                foci_span_place(s, -e->claim->margin, left, right), y, height);
    fprintf(f,
            "<g stroke=\"var(%s)\" fill=\"var(%s)\"><path stroke-width=\"2.5\" d=\"M%.1f %.1fh%.1f\"/>"
            "<circle stroke=\"none\" cx=\"%.1f\" cy=\"%.1f\" r=\"4\"/></g>",
            colour[e->verdict], colour[e->verdict], mean - half, middle, 2 * half, mean, middle);
}

/* ------------------------------------------------------------------------------------------- all in a picture */

enum { WIDE = 960, LINE = 20, WORDS = 16, BARS = 460, BARS_WIDE = 240, NUMBERS = 715 };

static void words(FILE *f, double x, double y, const char *class, const char *text) {
    fprintf(f, "<text x=\"%.0f\" y=\"%.0f\" class=\"%s\">", x, y, class);
    foci_page_text(f, text);
    fputs("</text>", f);
}

/* Returns the place of what comes below. */
static int draw_finding(FILE *f, const foci_finding *c, int y) {
    const double reach = foci_interval_reach(c->evidence, c->count);
    char text[128];
    y += LINE + 8;
    words(f, WORDS, y, "claim", c->text);
    words(f, NUMBERS, y, "claim", c->sum);
    if (reach > 0) {
        snprintf(text, sizeof text, "worse | better, to %.*f %%", reach < 10 ? 2 : 0, reach);
        words(f, BARS + BARS_WIDE / 2, y, "soft middle", text);
    }
    for (const foci_evidence *e = c->evidence; e < c->evidence + c->count; e++) {
        if (e->seen.difference.n < 2) continue;
        y += LINE;
        words(f, WORDS, y, "", e->what);
        foci_interval_draw(f, e, reach, BARS, y - 13, BARS_WIDE, LINE - 2);
        snprintf(text, sizeof text, "%s, n = %d", e->seen.interval, e->seen.difference.n);
        words(f, NUMBERS, y, "soft", text);
    }
    return y;
}

foci_status foci_report_svg(const foci_grid *const *grid, int grids, FILE *f) {
    foci_findings all;
    int height = 16, y = 0;
    FOCI_TRY(foci_findings_make(&all, grid, grids));
    for (const foci_finding *c = all.finding; c < all.finding + all.count; c++) {
        height += LINE + 8;
        for (int i = 0; i < c->count; i++) height += c->evidence[i].seen.difference.n < 2 ? 0 : LINE;
    }
    fprintf(f,
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\" width=\"%d\" height=\"%d\">\n<style>%s"
            "text{font:13px system-ui,sans-serif;fill:var(--ink)}.soft{fill:var(--soft)}.claim{font-weight:600}"
            ".middle{text-anchor:middle}</style>\n<rect width=\"100%%\" height=\"100%%\" fill=\"var(--paper)\"/>\n",
            WIDE, height, WIDE, height, foci_page_colours);
    for (const foci_finding *c = all.finding; c < all.finding + all.count; c++)
        y = draw_finding(f, c, y), fputc('\n', f);
    fputs("</svg>\n", f);
    foci_findings_free(&all);
    return FOCI_OK;
}
