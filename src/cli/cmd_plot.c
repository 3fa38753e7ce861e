#include <stdio.h>
#include <string.h>

#include "cli/cli.h"
#include "plot/curve_picture.h"
#include "plot/gnuplot.h"

/* Smoothed over a twentieth of the curve to either side, and over some points of a short one. */
enum { MOST = 32, POINTS = 250, SHARE = 20, LEAST_REACH = 4 };

typedef struct settings {
    const char *out;
} settings;

static const foci_key rows[] = {
    FOCI_KEY(settings, out, "plot.svg", 0, 0, NULL, "the picture, .svg or .png", .placeholder = "FILE"), {0}};

static foci_status read_run(foci_curves *run, const char *path) {
    FOCI_TRY(foci_curves_read(run, path));
    for (int k = 0; k < FOCI_CURVE_KINDS; k++) foci_curve_thin(&run->curve[k], POINTS);
    foci_curve *loss = &run->curve[FOCI_CURVE_LOSS];
    const size_t reach = loss->count / SHARE;
    return foci_curve_smooth(loss, reach > LEAST_REACH ? reach : LEAST_REACH);
}

/* Folders of the same name, in other folders, go by their paths. */
static void tell_apart(foci_curves *run, const char *const *path, int runs) {
    bool same[MOST] = {false};
    for (int i = 0; i < runs; i++)
        for (int j = 0; j < runs; j++) same[i] |= i != j && strcmp(run[i].name, run[j].name) == 0;
    for (int i = 0; i < runs; i++)
        if (same[i]) snprintf(run[i].name, sizeof run[i].name, "%s", path[i]);
}

static foci_status plot(const foci_parsed *parsed) {
    const settings *o = parsed->options;
    static foci_curves run[MOST];
    char terminal[256];
    int read = 0;
    FOCI_TRY(foci_gnuplot_terminal("--out", o->out, 1, 1, terminal, sizeof terminal)); /* before anything is read */
    foci_status s = FOCI_OK;
    for (; read < parsed->arguments && !s; read++) s = read_run(&run[read], parsed->argument[read]);
    if (!s) tell_apart(run, parsed->argument, parsed->arguments);
    if (!s) s = foci_curve_picture(run, parsed->arguments, o->out);
    if (!s) printf("%s\n", o->out);
    for (int i = 0; i < read; i++) foci_curves_free(&run[i]);
    return s;
}

const foci_command foci_command_plot = {
    .name = "plot",
    .summary = "draw the curves of runs",
    .synopsis = "RUN...",
    .doc = "Draws the curves of runs, from their metrics.jsonl: training and validation loss, accuracy or "
           "perplexity on the validation data, and the learning rate. The legend names the run folders. Needs "
           "gnuplot.",
    .least = 1,
    .most = MOST,
    .size = sizeof(settings),
    .options = {{rows}},
    .run = plot,
};
