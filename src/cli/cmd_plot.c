#include <stdio.h>
#include <string.h>

#include "cli/cli.h"
#include "plot/curve_picture.h"
#include "plot/gnuplot.h"

enum { OUT = 1, MOST = 32, POINTS = 250, REACH = 40 }; /* smoothed over a fortieth of the curve to either side */
static const struct argp_option table[] = {
    {"out", OUT, "FILE", 0, "the picture, .svg or .png (default: plot.svg in the current folder)", 0}, {0}};

static foci_status set_option(void *state, int key, char *arg) {
    (void)key;
    *(const char **)state = arg;
    return FOCI_OK;
}

static foci_status read_run(foci_curves *run, const char *path) {
    FOCI_TRY(foci_curves_read(run, path));
    for (int k = 0; k < FOCI_CURVE_KINDS; k++) foci_curve_thin(&run->curve[k], POINTS);
    foci_curve *loss = &run->curve[FOCI_CURVE_LOSS];
    return foci_curve_smooth(loss, loss->count / REACH);
}

/* Folders of the same name, in other folders, go by their paths. */
static void tell_apart(foci_curves *run, const char *const *path, int runs) {
    bool same[MOST] = {false};
    for (int i = 0; i < runs; i++)
        for (int j = 0; j < runs; j++) same[i] |= i != j && strcmp(run[i].name, run[j].name) == 0;
    for (int i = 0; i < runs; i++)
        if (same[i]) snprintf(run[i].name, sizeof run[i].name, "%s", path[i]);
}

foci_status foci_cmd_plot(int argc, char **argv) {
    static foci_curves run[MOST];
    const char *path[MOST], *out = "plot.svg";
    char terminal[256];
    int count, read = 0;
    bool done;
    const foci_arguments a = {table, set_option, &out, "RUN...",
                              "Draws the curves of runs, from their metrics.jsonl: training and validation loss, accuracy or perplexity on the "
                              "validation data, and the learning rate. The legend names the run folders. Needs gnuplot.",
                              false, 1, MOST};
    FOCI_TRY(foci_parse_arguments(&a, argc, argv, NULL, path, &count, &done));
    if (done) return FOCI_OK;
    FOCI_TRY(foci_gnuplot_terminal("--out", out, 1, 1, terminal, sizeof terminal)); /* before anything is read */
    foci_status s = FOCI_OK;
    for (; read < count && !s; read++) s = read_run(&run[read], path[read]);
    if (!s) tell_apart(run, path, count);
    if (!s) s = foci_curve_picture(run, count, out);
    if (!s) printf("%s\n", out);
    for (int i = 0; i < read; i++) foci_curves_free(&run[i]);
    return s;
}
