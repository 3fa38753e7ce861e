#include "plot/curve_picture.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "plot/gnuplot.h"

/* In pixels: a panel; what is below it and above; a line of the legend, its letters and the sample of a curve. */
enum {
    PANEL = 410,
    HEIGHT = 270,
    BELOW = 56,
    ABOVE = 34,
    LEFT = 56,
    RIGHT = 16,
    GAP = 62,
    LINE = 20,
    LETTER = 8,
    SAMPLE = 36,
    NAME = 80
};

/* Each further round of runs through the colours has other dots. */
static const int dots[] = {7, 5, 9, 13};
enum { DOTS = sizeof dots / sizeof *dots };
static int dot_of(int run) { return dots[run / FOCI_GNUPLOT_COLOURS % DOTS]; }

typedef enum panel { LOSSES, SCORES, RATES, PANELS } panel;
typedef enum look { TRAINING, VALIDATION, AVERAGED, LOOKS } look;

/* Where each curve goes and how it looks; later ones lie over earlier ones. */
static const struct {
    panel panel;
    look look;
} place[FOCI_CURVE_KINDS] = {[FOCI_CURVE_LOSS] = {LOSSES, TRAINING},       [FOCI_CURVE_EMA_LOSS] = {LOSSES, AVERAGED},
                             [FOCI_CURVE_VAL_LOSS] = {LOSSES, VALIDATION}, [FOCI_CURVE_EMA_SCORE] = {SCORES, AVERAGED},
                             [FOCI_CURVE_SCORE] = {SCORES, VALIDATION},    [FOCI_CURVE_LR] = {RATES, TRAINING}};
static const struct {
    const char *name, *dash, *veil; /* veil: how much shines through, in front of a colour */
    double width;
    bool dotted;
} looks[LOOKS] = {[TRAINING] = {"training loss, smoothed", "solid", "70", 1.6, false},
                  [VALIDATION] = {"validation", "solid", "00", 1.8, true},
                  [AVERAGED] = {"validation with averaged weights", "(5,4)", "00", 1.8, true}};

typedef struct picture {
    const foci_curves *run;
    int runs;
    const foci_metric *metric, *other; /* of the scores; one that some runs have in its place, or NULL */
    bool by_epoch;
    double last, unit; /* end of the axis of epochs or steps; steps in one of it */
    int decade;        /* rates are in 10 to this power */
    bool has[PANELS], shows[LOOKS];
    double low[PANELS], high[PANELS];
    int panels, width, height;
    int columns, lines; /* of names in the legend */
} picture;

/* ------------------------------------------------------------------------------------------------- measures */

static void take_metric(picture *p, const foci_metric *m) {
    if (p->metric && p->metric != m) p->other = m;
    else p->metric = m;
}

static void measure_curves(picture *p) {
    double last_step = 0, last_epoch = 0;
    for (int k = 0; k < PANELS; k++) p->low[k] = INFINITY, p->high[k] = -INFINITY;
    for (int i = 0; i < p->runs; i++)
        for (int k = 0; k < FOCI_CURVE_KINDS; k++) {
            const foci_curve *c = &p->run[i].curve[k];
            const panel at = place[k].panel;
            if (!c->count) continue;
            p->has[at] = true;
            if (at == SCORES) take_metric(p, p->run[i].metric);
            if (at != RATES) p->shows[place[k].look] = true;
            for (size_t j = 0; j < c->count; j++) {
                last_step = fmax(last_step, c->point[j].step);
                last_epoch = fmax(last_epoch, c->point[j].epoch);
                p->low[at] = fmin(p->low[at], c->point[j].value);
                p->high[at] = fmax(p->high[at], c->point[j].value);
            }
        }
    p->by_epoch = last_epoch >= 2;
    p->unit = last_step >= 20000 ? 1000 : 1;
    p->last = p->by_epoch ? last_epoch : last_step / p->unit;
    p->decade = p->high[RATES] > 0 ? (int)floor(log10(2 * p->high[RATES])) : 0;
}

/* A name that is too long ends in dots, between two characters of UTF-8. */
static void shorten(char text[NAME + 4], const char *name) {
    size_t n = strlen(name);
    if (n > NAME)
        for (n = NAME - 3; n && ((unsigned char)name[n] & 0xc0) == 0x80;) n--;
    snprintf(text, NAME + 4, "%.*s%s", (int)n, name, name[n] ? "..." : "");
}

static void measure_picture(picture *p) {
    size_t longest = 0;
    for (int i = 0; i < p->runs; i++) {
        char name[NAME + 4];
        shorten(name, p->run[i].name);
        longest = strlen(name) > longest ? strlen(name) : longest;
    }
    for (int k = 0; k < PANELS; k++) p->panels += p->has[k];
    p->width = p->panels * PANEL;
    int entry = SAMPLE + 24 + LETTER * (int)longest;
    p->columns = (p->width - LEFT) / entry > 1 ? (p->width - LEFT) / entry : 1;
    p->lines = (p->runs + p->columns - 1) / p->columns;
    p->height = ABOVE + HEIGHT + BELOW + (p->lines + 1) * LINE + 10;
}

/* -------------------------------------------------------------------------------------------------- legend */

/* The sample of a curve with its name to the right; x and y in pixels from the lower left corner. Arrows have no dashes
 * in SVG, so a dashed curve has two of them. */
static void write_sample(FILE *f, const picture *p, int x, int y, look l, const char *colour, int dot,
                         const char *name) {
    const double at = (double)y / p->height, middle = x + SAMPLE / 2.0, gap = l == AVERAGED ? SAMPLE / 6.0 : 0;
    const double from[] = {x, middle + gap}, to[] = {middle - gap, x + SAMPLE};
    for (int i = 0; i < 2; i++)
        fprintf(f, "set arrow from screen %.4f,%.4f to screen %.4f,%.4f nohead lw %g lc rgb '#%s%s'\n",
                from[i] / p->width, at, to[i] / p->width, at, looks[l].width + 0.4, looks[l].veil, colour);
    if (looks[l].dotted)
        fprintf(f, "set label '' at screen %.4f,%.4f point pt %d ps 0.5 lc rgb '#%s'\n", middle / p->width, at, dot,
                colour);
    fputs("set label ", f);
    foci_gnuplot_text(f, name);
    fprintf(f, " at screen %.4f,%.4f left noenhanced textcolor rgb '#333333'\n", (double)(x + SAMPLE + 7) / p->width,
            at);
}

static void write_legend(FILE *f, const picture *p) {
    int x = LEFT, y = (p->lines + 1) * LINE - 2;
    for (int i = 0; i < p->runs; i++) {
        char name[NAME + 4];
        shorten(name, p->run[i].name);
        write_sample(f, p, x + i % p->columns * ((p->width - LEFT) / p->columns), y - i / p->columns * LINE, VALIDATION,
                     foci_gnuplot_colour(i), dot_of(i), name);
    }
    y -= p->lines * LINE;
    for (int l = 0; l < LOOKS; l++) {
        if (!p->shows[l]) continue;
        write_sample(f, p, x, y, (look)l, "888888", dots[0], looks[l].name);
        x += SAMPLE + 30 + LETTER * (int)strlen(looks[l].name);
    }
}

/* -------------------------------------------------------------------------------------------------- panels */

/* A logarithmic axis where the highest value is `least` times the lowest. gnuplot puts tics at whole decades; between
 * few of them there are others. */
static void write_axis(FILE *f, double low, double high, double least) {
    static const double few[] = {1, 2, 5, 0}, more[] = {1, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 0},
                        many[] = {1, 1.2, 1.4, 1.6, 1.8, 2, 2.25, 2.5, 2.75, 3, 3.5, 4, 4.5, 5, 5.5, 6, 7, 8, 9, 0};
    const double *tics = high > 12 * low ? few : high > 4 * low ? more : many;
    fputs("unset logscale y\nset yrange [*:*]\nset ytics autofreq\nset format y '%g'\n", f);
    if (low <= 0 || high < least * low) return;
    fprintf(f, "set logscale y\nset yrange [%g:%g]\n", low / 1.1, high * 1.1);
    if (high > 1000 * low) return;
    fputs("set ytics (", f);
    for (double decade = pow(10, floor(log10(low))); decade <= high; decade *= 10)
        for (const double *t = tics; *t; t++) fprintf(f, "'%g' %g, ", *t * decade, *t * decade);
    fprintf(f, "'' %g)\n", 2 * high); /* out of sight: ends the list */
}

static void write_data(FILE *f, const picture *p) {
    for (int i = 0; i < p->runs; i++)
        for (int k = 0; k < FOCI_CURVE_KINDS; k++) {
            const foci_curve *c = &p->run[i].curve[k];
            const double one = place[k].panel == RATES ? pow(10, p->decade) : 1;
            fprintf(f, "$run%d_%d << END\n", i, k);
            for (size_t j = 0; j < c->count; j++)
                fprintf(f, "%.9g %.9g\n", p->by_epoch ? c->point[j].epoch : c->point[j].step / p->unit,
                        c->point[j].value / one);
            fputs("END\n", f);
        }
}

/* Rates of several runs often are the same: earlier ones are broader, and show at the edges of later ones. */
static double width_of(const picture *p, panel at, look l, int run) {
    return at == RATES ? 1.8 + 3.6 * (p->runs - 1 - run) / (p->runs > 2 ? p->runs - 1 : 2) : looks[l].width;
}

static void write_curves(FILE *f, const picture *p, panel at) {
    const char *before = "plot ";
    for (int k = 0; k < FOCI_CURVE_KINDS; k++)
        for (int i = 0; i < p->runs; i++) {
            const size_t points = p->run[i].curve[k].count;
            const look l = place[k].look;
            if (place[k].panel != at || !points) continue;
            const bool dotted = points == 1 || (looks[l].dotted && points <= 40);
            fprintf(f, "%s$run%d_%d using 1:2 with %s lw %.2f lc rgb '#%s%s' dt %s", before, i, k,
                    dotted ? "linespoints" : "lines", width_of(p, at, l, i), at == RATES ? "00" : looks[l].veil,
                    foci_gnuplot_colour(i), looks[l].dash);
            if (dotted) fprintf(f, " pt %d ps 0.4", dot_of(i));
            before = ", ";
        }
    fputs("\n", f);
}

static void write_panel(FILE *f, const picture *p, panel at) {
    char rate[64], score[128] = "";
    const foci_metric *m = p->metric;
    const bool wide = m && !*m->unit; /* its values may be far apart; shares of a hundred are not */
    snprintf(rate, sizeof rate, p->decade ? "learning rate, in 1e%d" : "learning rate", p->decade);
    const char *unit = m && *m->unit ? " in " : "";
    if (m) snprintf(score, sizeof score, "validation %s%s%s", m->about ? m->about : m->title, unit, m->unit);
    const char *const title[PANELS] = {"loss", score, rate};
    const double least[PANELS] = {20, wide ? 1.5 : INFINITY, INFINITY};
    fprintf(f, "set title '%s' offset 0,-0.4 textcolor rgb '#333333'\n", title[at]);
    write_axis(f, p->low[at], p->high[at], least[at]);
    if (at == RATES) fputs("set yrange [0:*]\n", f);
    write_curves(f, p, at);
}

static void write_script(FILE *f, const picture *p, const char *terminal) {
    const double w = p->width, h = p->height;
    write_data(f, p);
    fprintf(f, "%s\nset encoding utf8\nset multiplot layout 1,%d margins %.4f,%.4f,%.4f,%.4f spacing %.4f\n", terminal,
            p->panels, LEFT / w, 1 - RIGHT / w, 1 - (ABOVE + HEIGHT) / h, 1 - ABOVE / h, GAP / w);
    fputs("set border 3 lc rgb '#888888'\nset tics nomirror scale 0.5 textcolor rgb '#333333'\nset grid lc rgb "
          "'#e4e4e4' lt 1 lw 0.7\n"
          "unset key\n",
          f);
    fprintf(f, "set xrange [0:%.9g]\nset xlabel '%s' textcolor rgb '#333333'\n", p->last > 0 ? p->last : 1,
            p->by_epoch   ? "epoch"
            : p->unit > 1 ? "step (thousands)"
                          : "step");
    write_legend(f, p);
    for (int at = 0; at < PANELS; at++) {
        if (!p->has[at]) continue;
        write_panel(f, p, (panel)at);
        fputs("unset label\nunset arrow\n", f); /* the legend is drawn once */
    }
    fputs("unset multiplot\n", f);
}

foci_status foci_curve_picture(const foci_curves *run, int runs, const char *out) {
    picture p = {.run = run, .runs = runs};
    char terminal[256];
    measure_curves(&p);
    if (p.other)
        return foci_fail(FOCI_ERR_CONFIG, "some runs have %s, some %s: draw them apart", p.metric->title,
                         p.other->title);
    measure_picture(&p);
    FOCI_TRY(foci_gnuplot_terminal("--out", out, p.width, p.height, terminal, sizeof terminal));
    FILE *script = foci_gnuplot_script();
    if (!script) return FOCI_ERR_RUNTIME;
    write_script(script, &p, terminal);
    foci_status s = foci_gnuplot_run(script, out);
    fclose(script);
    return s;
}
