#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/curves.h"
#include "cli/gnuplot.h"

enum { OUT = 1, MOST = 32, WIDTH = 900, HEIGHT = 360, POINTS = 250 };
static const struct argp_option table[] = {
    {"out", OUT, "FILE", 0, "the picture, .svg or .png (default: plot.svg in the current folder)", 0}, {0}};

static foci_status set_option(void *state, int key, char *arg) {
    (void)key;
    *(const char **)state = arg;
    return FOCI_OK;
}

/* Colours told apart by everybody (Okabe and Ito, 2008); a second round of runs is dashed. */
static const char *const colours[] = {"#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#555555", "#b8a900"};
enum { COLOURS = sizeof colours / sizeof *colours };

static void write_data(FILE *f, const foci_curve *c, const char *block, int run, bool by_epoch, double unit) {
    fprintf(f, "$%s%d << END\n", block, run);
    for (size_t i = 0; i < c->count; i++)
        fprintf(f, "%.9g %.9g\n", by_epoch ? c->point[i].epoch : c->point[i].step / unit, c->point[i].value);
    fputs("END\n", f);
}

/* A logarithmic axis. gnuplot puts tics at whole decades; between few of them there are others. */
static void write_log_axis(FILE *f, double low, double high) {
    static const double few[] = {1, 2, 5, 0}, many[] = {1, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 0};
    if (low <= 0 || high < 1.5 * low) return; /* a linear axis reads better */
    fprintf(f, "set logscale y\nset format y '%%g'\nset yrange [%g:%g]\n", low / 1.1, high * 1.1);
    if (high > 1000 * low) return;
    fputs("set ytics (", f);
    for (double decade = pow(10, floor(log10(low))); decade <= high; decade *= 10)
        for (const double *t = high > 12 * low ? few : many; *t; t++) fprintf(f, "'%g' %g, ", *t * decade, *t * decade);
    fprintf(f, "'' %g)\n", 2 * high); /* out of sight: ends the list */
}

typedef struct picture {
    const foci_curves *run;
    int runs;
    double last_step, last_epoch, low, high; /* of all runs; low and high of the scores */
    bool losses, images, text;               /* which curves there are: training losses, accuracies, perplexities */
} picture;

static void measure(picture *p) {
    p->low = INFINITY;
    for (int i = 0; i < p->runs; i++) {
        const foci_curve *both[] = {&p->run[i].loss, &p->run[i].score};
        for (int k = 0; k < 2; k++)
            for (size_t j = 0; j < both[k]->count; j++) {
                const foci_point *q = &both[k]->point[j];
                p->last_step = fmax(p->last_step, q->step);
                p->last_epoch = fmax(p->last_epoch, q->epoch);
                if (k == 1) p->low = fmin(p->low, q->value), p->high = fmax(p->high, q->value);
            }
        p->losses |= p->run[i].loss.count > 0;
        if (p->run[i].score.count) *(p->run[i].text ? &p->text : &p->images) = true;
    }
}

/* One line per run. */
static void write_panel(FILE *f, const picture *p, const char *block, bool points) {
    const char *before = "plot ";
    for (int i = 0; i < p->runs; i++) {
        const foci_curve *c = strcmp(block, "loss") == 0 ? &p->run[i].loss : &p->run[i].score;
        if (!c->count) continue;
        fprintf(f, "%s$%s%d using 1:2 with %s lw 1.8 lc rgb '%s' dt %d%s title ", before, block, i,
                points && c->count <= 40 ? "linespoints" : "lines", colours[i % COLOURS], i / COLOURS % 4 + 1,
                points && c->count <= 40 ? " pt 7 ps 0.35" : "");
        foci_gnuplot_text(f, p->run[i].name);
        before = ", ";
    }
    fputs("\n", f);
}

static void write_script(FILE *f, const picture *p, const char *terminal) {
    double unit = p->last_step >= 20000 ? 1000 : 1;
    bool by_epoch = p->last_epoch >= 2, scores = p->images || p->text;
    const char *step = unit > 1 ? "step (thousands)" : "step";
    for (int i = 0; i < p->runs; i++) {
        write_data(f, &p->run[i].loss, "loss", i, false, unit);
        write_data(f, &p->run[i].score, "score", i, by_epoch, unit);
    }
    fprintf(f, "%s\nset encoding utf8\nset multiplot layout 1,%d margins 0.07,0.98,0.15,0.90 spacing 0.08\n", terminal,
            p->losses + scores);
    fputs("set border 3 lc rgb '#888888'\nset tics nomirror scale 0.5 textcolor rgb '#333333'\nset grid lc rgb '#e4e4e4' lt 1 lw 0.7\n"
          "set key noenhanced samplen 1.5 spacing 1.1 textcolor rgb '#333333'\nset xrange [0:*]\n", f);
    if (p->losses) {
        fprintf(f, "set title 'training loss' textcolor rgb '#333333'\nset xlabel '%s' textcolor rgb '#333333'\nset key top right\n", step);
        write_panel(f, p, "loss", false);
    }
    if (scores) {
        fprintf(f, "set title 'validation %s' textcolor rgb '#333333'\nset xlabel '%s' textcolor rgb '#333333'\nset key %s right\n",
                p->text ? "perplexity" : "accuracy, top-1 in %", by_epoch ? "epoch" : step, p->text ? "top" : "bottom");
        if (p->text) write_log_axis(f, p->low, p->high);
        write_panel(f, p, "score", true);
    }
    fputs("unset multiplot\n", f);
}

static foci_status draw(const picture *p, const char *terminal, const char *out) {
    if (p->images && p->text) return foci_fail(FOCI_ERR_CONFIG, "some runs have accuracies, some perplexities: draw them apart");
    FILE *script = tmpfile();
    if (!script) return foci_fail(FOCI_ERR_IO, "a temporary file: %s", strerror(errno));
    write_script(script, p, terminal);
    foci_status s = foci_gnuplot_run(script, out);
    fclose(script);
    if (!s) printf("%s\n", out);
    return s;
}

foci_status foci_cmd_plot(int argc, char **argv) {
    static foci_curves run[MOST];
    const char *path[MOST], *out = "plot.svg";
    int count;
    bool done;
    const foci_arguments a = {table, set_option, &out, "RUN...",
                              "Draws the curves of runs, from their metrics.jsonl: training loss, and accuracy or perplexity on the validation "
                              "data. Each line has the name of its run folder. Needs gnuplot.",
                              false, 1, MOST};
    FOCI_TRY(foci_parse_arguments(&a, argc, argv, NULL, path, &count, &done));
    if (done) return FOCI_OK;
    char terminal[256];
    FOCI_TRY(foci_gnuplot_terminal("--out", out, WIDTH, HEIGHT, terminal, sizeof terminal));
    foci_status s = FOCI_OK;
    int read = 0;
    for (; read < count && !s; read++) {
        s = foci_curves_read(&run[read], path[read]);
        foci_curve_thin(&run[read].loss, POINTS);
    }
    picture p = {.run = run, .runs = count};
    if (!s) measure(&p);
    if (!s) s = draw(&p, terminal, out);
    for (int i = 0; i < read; i++) foci_curves_free(&run[i]);
    return s;
}
