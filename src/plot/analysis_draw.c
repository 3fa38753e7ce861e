/* Curves by gnuplot, attention over images by hand. */
#include "plot/analysis_draw.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "plot/gnuplot.h"
#include "images/sheet.h"

/* ------------------------------------------------------------------------------------------------- curves */

enum { PANEL = 310, HEIGHT = 300 };

typedef struct drawing {
    const foci_stage *stage;
    int stages;
} drawing;

static const foci_analysis *last(const drawing *d) { return &d->stage[d->stages - 1].analysis; }

static void panel(FILE *f, const char *title, const char *x) {
    fprintf(f, "set title '%s' textcolor rgb '#333333'\nset xlabel '%s' textcolor rgb '#333333'\n", title, x);
}

/* A line of a panel: points follow as data inline. */
static void line(FILE *f, bool first, const char *title, int colour) {
    fprintf(f, "%s'-' using 1:2 with linespoints lw 1.8 pt 7 ps 0.4 lc rgb '#%s' title ", first ? "plot " : ", ",
            foci_gnuplot_colour(colour));
    foci_gnuplot_text(f, title);
}

static void point(FILE *f, double x, double y) {
    if (isfinite(y)) fprintf(f, "%.9g %.9g\n", x, y);
}

typedef double (*of_layer)(const foci_layer_analysis *l);
static double attention_of(const foci_layer_analysis *l) { return l->cosine_attention; }
static double heads_of(const foci_layer_analysis *l) { return l->cosine_heads; }
static double block_of(const foci_layer_analysis *l) { return l->cosine_block; }
static double rank_of(const foci_layer_analysis *l) { return l->effective_rank; }
static double distance_of(const foci_layer_analysis *l) { return l->head_distance; }

static bool has(const foci_analysis *a, of_layer of) {
    for (int i = 0; i < a->layers; i++)
        if (isfinite(of(&a->of[i]))) return true;
    return false;
}

static void by_layer(FILE *f, const foci_analysis *a, of_layer of) {
    for (int i = 0; i < a->layers; i++) point(f, i, of(&a->of[i]));
    fputs("e\n", f);
}

static void layers_script(FILE *f, const drawing *d) {
    static const struct {
        const char *title;
        of_layer of;
    } cosines[] = {{"attention output", attention_of}, {"joined heads", heads_of}, {"residual stream", block_of}};
    const foci_analysis *a = last(d);
    fprintf(f, "set xrange [-0.3:%g]\nset xtics 0,%d\n", a->layers - 0.7, (a->layers + 11) / 12);
    panel(f, "token cosine similarity", "layer");
    fputs("set yrange [*:1]\nset key below\n", f); /* a cosine ends at 1, so there is no room for the key above it */
    bool first = true;
    for (int k = 0; k < 3; k++)
        if (has(a, cosines[k].of)) line(f, first, cosines[k].title, k), first = false;
    fputs("\n", f);
    for (int k = 0; k < 3; k++)
        if (has(a, cosines[k].of)) by_layer(f, a, cosines[k].of);
    fputs("unset key\nset yrange [*:*]\n", f);
    panel(f, "effective rank of the residual stream", "layer");
    line(f, true, "", 2);
    fputs("\n", f);
    by_layer(f, a, rank_of);
    if (!has(a, distance_of)) return;
    panel(f, "distance between heads", "layer");
    line(f, true, "", 1);
    fputs("\n", f);
    by_layer(f, a, distance_of);
}

/* From the least to the largest coordinate, a dot at the mean; heads beside each other. */
static void metric_script(FILE *f, const drawing *d) {
    const foci_analysis *a = last(d);
    fprintf(f, "set xrange [0.4:%g]\nset xtics 1,%d\nset yrange [0:*]\n", a->layers - 0.4, (a->layers + 11) / 12);
    panel(f, "coordinates of the metric, per head", "layer");
    fputs("unset key\nplot '-' using 1:2:3:4 with yerrorbars pt 7 ps 0.4 lw 1.4 lc rgb '#0072b2'\n", f);
    for (int i = 0; i < a->layers; i++)
        for (int64_t h = 0; a->of[i].metric && h < a->heads; h++) {
            const foci_spread *s = &a->of[i].metric[h];
            fprintf(f, "%g %.9g %.9g %.9g\n", i + 0.6 * ((double)h - (double)(a->heads - 1) / 2) / (double)a->heads,
                    s->mean, s->min, s->max);
        }
    fputs("e\n", f);
    fprintf(f, "set yrange [0:%lld]\n", (long long)a->head_width);
    panel(f, "coordinates that count (exp of entropy)", "layer");
    fputs("plot '-' using 1:2 with points pt 7 ps 0.6 lc rgb '#d55e00'\n", f);
    for (int i = 0; i < a->layers; i++)
        for (int64_t h = 0; a->of[i].metric && h < a->heads; h++) point(f, i, a->of[i].metric[h].coordinates);
    fputs("e\n", f);
}

/* A curve per layer over the steps of training. */
static void history_panel(FILE *f, const drawing *d, const char *title, bool metric) {
    const foci_analysis *a = last(d);
    bool first = true;
    char name[32];
    panel(f, title, "step");
    for (int i = 0; i < a->layers; i++) {
        if (metric && !a->of[i].metric) continue;
        snprintf(name, sizeof name, "layer %d", i);
        line(f, first, name, i);
        first = false;
    }
    fputs("\n", f);
    for (int i = 0; i < a->layers; i++) {
        if (metric && !a->of[i].metric) continue;
        for (int k = 0; k < d->stages; k++)
            if (d->stage[k].step >= 0)
                point(f, (double)d->stage[k].step,
                      metric ? foci_metric_coordinates(&d->stage[k].analysis, i)
                             : d->stage[k].analysis.of[i].cosine_block);
        fputs("e\n", f);
    }
}

static bool has_metric(const foci_analysis *a) {
    for (int i = 0; i < a->layers; i++)
        if (a->of[i].metric) return true;
    return false;
}

static void history_script(FILE *f, const drawing *d) {
    fputs("set key outside\nset yrange [*:1]\n", f);
    history_panel(f, d, "token cosine of the residual stream", false);
    fputs("set yrange [*:*]\n", f);
    if (has_metric(last(d))) history_panel(f, d, "coordinates of the metric that count", true);
}

static foci_status draw(const char *folder, const char *name, int panels, void (*script)(FILE *, const drawing *),
                        const drawing *d) {
    char path[4200], terminal[256];
    FOCI_TRY(foci_path_join(path, sizeof path, folder, name));
    FOCI_TRY(foci_gnuplot_terminal("--out", path, panels * PANEL, HEIGHT, terminal, sizeof terminal));
    FILE *f = foci_gnuplot_script();
    if (!f) return FOCI_ERR_RUNTIME;
    fprintf(f, "%s\nset encoding utf8\nset multiplot layout 1,%d\n", terminal, panels);
    fputs("set border 3 lc rgb '#888888'\nset tics nomirror scale 0.5 textcolor rgb '#333333'\nset grid lc rgb "
          "'#e4e4e4' lt 1 lw 0.7\n"
          "set key noenhanced samplen 1.5 spacing 1.1 textcolor rgb '#333333' top right\n",
          f);
    script(f, d);
    fputs("unset multiplot\n", f);
    foci_status s = foci_gnuplot_run(f, path);
    fclose(f);
    return s;
}

/* --------------------------------------------------------------------------------------- attention over images */

/* Black over red and yellow to white. */
static double hot(double v, int channel) { return fmin(1, fmax(0, 3 * v - channel)); }

/* The grey image in the light of what the class token takes from each patch, (rows, columns), from the least to the
 * most; between patches bilinear. */
static void shine(const foci_analysis *a, const foci_real *image, const double *patch, int64_t rows, int64_t columns,
                  foci_real *out) {
    const int64_t plane = (int64_t)a->height * a->columns;
    double most = patch[0], least = patch[0];
    for (int64_t i = 1; i < rows * columns; i++) {
        most = fmax(most, patch[i]);
        least = fmin(least, patch[i]);
    }
    for (int y = 0; y < a->height; y++)
        for (int x = 0; x < a->columns; x++) {
            const double r = fmin((double)(rows - 1), fmax(0, (y + 0.5) * (double)rows / a->height - 0.5));
            const double c = fmin((double)(columns - 1), fmax(0, (x + 0.5) * (double)columns / a->columns - 0.5));
            const int64_t i = (int64_t)r, j = (int64_t)c, below = i + 1 < rows ? columns : 0,
                          right = j + 1 < columns ? 1 : 0;
            const double *p = patch + i * columns + j, dy = r - (double)i, dx = c - (double)j;
            const double between =
                (1 - dy) * ((1 - dx) * p[0] + dx * p[right]) + dy * ((1 - dx) * p[below] + dx * p[below + right]);
            const double v = most > least ? (between - least) / (most - least) : 0;
            const int64_t at = (int64_t)y * a->columns + x;
            const double grey =
                0.299 * (double)image[at] + 0.587 * (double)image[plane + at] + 0.114 * (double)image[2 * plane + at];
            for (int channel = 0; channel < 3; channel++)
                out[channel * plane + at] = (foci_real)(0.45 * grey + 0.55 * hot(v, channel));
        }
}

/* A row of the sheet: the image, what each head of the layer sees, what all layers together have passed on. */
static void put_picture(foci_sheet *sheet, const foci_transform *t, const foci_analysis *a, int number, int64_t rows,
                        int64_t columns, double *patch, foci_real *tile) {
    const foci_attention_picture *p = &a->picture[number];
    const int tiles = (int)a->heads + 2, first = number * tiles;
    char text[96];
    foci_sheet_put(sheet, t, first, p->input);
    snprintf(text, sizeof text, "image %d", number);
    foci_sheet_write(sheet, first, 0, text);
    for (int k = 0; k <= a->heads; k++) {
        for (int64_t i = 0; i < rows * columns; i++)
            patch[i] = k < a->heads ? (double)p->map[k * a->tokens * a->tokens + 1 + i] : p->rollout[1 + i];
        shine(a, p->input, patch, rows, columns, tile);
        foci_sheet_put(sheet, t, first + 1 + k, tile);
        if (k < a->heads) snprintf(text, sizeof text, "%s head %d", a->of[a->layer].name, k);
        foci_sheet_write(sheet, first + 1 + k, 0, k < a->heads ? text : "rollout");
    }
}

static foci_status draw_attention(const char *folder, const foci_analysis *a, int patch_side) {
    const int64_t rows = a->height / patch_side, columns = a->columns / patch_side;
    const foci_transform t = {.height = a->height, .width = a->columns, .std = {1, 1, 1}};
    char path[4200];
    foci_sheet sheet;
    if (a->tokens != rows * columns + 1) return FOCI_OK; /* there is no class token */
    FOCI_TRY(foci_path_join(path, sizeof path, folder, "attention.png"));
    FOCI_TRY(foci_sheet_make(&sheet, &t, a->pictures * ((int)a->heads + 2), (int)a->heads + 2));
    double *patch = malloc((size_t)(rows * columns) * sizeof *patch);
    foci_real *tile = malloc((size_t)3 * (size_t)a->height * (size_t)a->columns * sizeof *tile);
    foci_status s = patch && tile ? FOCI_OK : foci_fail(FOCI_ERR_RUNTIME, "out of memory for %s", path);
    for (int i = 0; !s && i < a->pictures; i++) put_picture(&sheet, &t, a, i, rows, columns, patch, tile);
    if (!s) s = foci_image_write(path, &sheet.image, 0);
    free(patch);
    free(tile);
    foci_image_free(&sheet.image);
    return s;
}

foci_status foci_analysis_draw(const char *folder, const foci_stage *stage, int stages, int patch) {
    const drawing d = {stage, stages};
    const foci_analysis *a = last(&d);
    FOCI_TRY(draw(folder, "layers.svg", has(a, distance_of) ? 3 : 2, layers_script, &d));
    if (has_metric(a)) FOCI_TRY(draw(folder, "metric.svg", 2, metric_script, &d));
    if (stages > 1) FOCI_TRY(draw(folder, "history.svg", has_metric(a) ? 2 : 1, history_script, &d));
    return a->pictures && patch ? draw_attention(folder, a, patch) : FOCI_OK;
}
