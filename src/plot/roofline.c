#include "plot/roofline.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/parallel.h"
#include "plot/gnuplot.h"
#include "kernels/bf16.h"

/* Pixels: of the picture, and of the box between the axes with its margins. */
enum {
    WIDTH = 920,
    HEIGHT = 560,
    LEFT = 70,
    RIGHT = 20,
    TOP = 70,
    BOTTOM = 60,
    BOX_WIDTH = WIDTH - LEFT - RIGHT,
    BOX_HEIGHT = HEIGHT - TOP - BOTTOM
};
enum { TEXT_WIDTH = 7, TEXT_HEIGHT = 16 }; /* of a letter, about */

/* What takes less of the time than this is not drawn. An operation that counts no FLOPs, since it has no products, is
 * given one for every number that it moves: so memory alone is its roof, and its height tells its GB/s. */
#define LEAST_SHARE 0.002
#define WITHOUT_PRODUCTS (1 / 4.0) /* FLOP per byte */

/* Pixels in the box, from its lower left corner. */
typedef struct rectangle {
    double left, bottom, right, top;
} rectangle;

typedef struct dot {
    const foci_profile_row *row;
    double intensity, gflops, share;
    double x, y, radius; /* pixels */
    char text[64];
    rectangle label;
    int side;    /* 0 right, 1 left, 2 above, 3 below */
    bool leader; /* a line leads from the label, which found room only far away */
} dot;

typedef struct picture {
    const foci_bench_result *result;
    double x_low, x_high, y_low, y_high; /* of the axes */
    dot *dot;
    int dots;
} picture;

static double x_pixel(const picture *p, double intensity) {
    return BOX_WIDTH * log(intensity / p->x_low) / log(p->x_high / p->x_low);
}
static double y_pixel(const picture *p, double gflops) {
    return BOX_HEIGHT * log(gflops / p->y_low) / log(p->y_high / p->y_low);
}

static double roof(const picture *p, double intensity) {
    return fmin(p->result->peak_gflops, p->result->bandwidth_gbs * intensity);
}

/* ------------------------------------------------------------------------------------------------- dots */

static void collect(picture *p) {
    const foci_profile *all = &p->result->profile;
    for (int i = 0; i < all->rows; i++) {
        const foci_profile_row *r = &all->row[i];
        dot d = {.row = r, .share = r->ms / all->ms};
        if (d.share < LEAST_SHARE || r->bytes <= 0) continue;
        double flop = r->flop > 0 ? r->flop : r->bytes * WITHOUT_PRODUCTS;
        d.intensity = flop / r->bytes;
        d.gflops = flop / r->ms / 1e6;
        d.radius = fmax(3, 45 * sqrt(d.share));
        snprintf(d.text, sizeof d.text, d.share < 0.01 ? "%s" : "%s %.0f %%", r->op, 100 * d.share);
        p->dot[p->dots++] = d;
    }
}

/* Whole decades on x; on y what is needed. */
static void choose_axes(picture *p) {
    const foci_bench_result *r = p->result;
    double x_low = WITHOUT_PRODUCTS, x_high = 4 * r->peak_gflops / r->bandwidth_gbs, y_low = r->peak_gflops / 100;
    for (int i = 0; i < p->dots; i++) {
        x_low = fmin(x_low, p->dot[i].intensity);
        x_high = fmax(x_high, p->dot[i].intensity);
        y_low = fmin(y_low, p->dot[i].gflops);
    }
    p->x_low = pow(10, floor(log10(x_low)));
    p->x_high = pow(10, ceil(log10(1.5 * x_high)));
    p->y_low = y_low / 2;
    p->y_high = r->peak_gflops * 2;
    for (int i = 0; i < p->dots; i++) {
        p->dot[i].x = x_pixel(p, p->dot[i].intensity);
        p->dot[i].y = y_pixel(p, p->dot[i].gflops);
    }
}

/* ------------------------------------------------------------------------------- labels that stay apart */

static double overlap(const rectangle *a, const rectangle *b) {
    double width = fmin(a->right, b->right) - fmax(a->left, b->left),
           height = fmin(a->top, b->top) - fmax(a->bottom, b->bottom);
    return width > 0 && height > 0 ? width * height : 0;
}

/* How badly a label sits there: what it hides of the dots and of the first `placed` labels, and how far it is out of
 * the room beneath the roof. */
static double badness(const picture *p, const rectangle *l, int placed) {
    double bad = 0;
    for (int i = 0; i < p->dots; i++) {
        const dot *d = &p->dot[i];
        bad += overlap(l, &(rectangle){d->x - d->radius, d->y - d->radius, d->x + d->radius, d->y + d->radius});
        if (i < placed) bad += 3 * overlap(l, &d->label);
    }
    double eaves = y_pixel(p, roof(p, p->x_low * pow(p->x_high / p->x_low, fmax(l->left, 0) / BOX_WIDTH)));
    bool outside = l->left < 2 || l->right > BOX_WIDTH - 2 || l->bottom < 2 || l->top > eaves - 2;
    return bad + (outside ? 1e4 : 0);
}

/* Right or left of the dot, above or below it; else to its right or left, ever farther up and down. The longest
 * operations choose first. */
static void place_label(picture *p, int index) {
    dot *d = &p->dot[index];
    double width = TEXT_WIDTH * (double)strlen(d->text), least = INFINITY;
    for (int distance = 0; distance < 20 && least > 0; distance++) {
        double up = (distance % 2 ? 1 : -1) * TEXT_HEIGHT * ((distance + 1) / 2),
               away = d->radius + (distance ? 12 : 4);
        const double over = d->radius + TEXT_HEIGHT / 2.0 + 1;
        const double center[][2] = {{d->x + away + width / 2, d->y + up},
                                    {d->x - away - width / 2, d->y + up},
                                    {d->x, d->y + over},
                                    {d->x, d->y - over}};
        for (int side = 0; side < (distance ? 2 : 4); side++) {
            const double *c = center[side];
            rectangle l = {c[0] - width / 2, c[1] - TEXT_HEIGHT / 2.0, c[0] + width / 2, c[1] + TEXT_HEIGHT / 2.0};
            double bad = badness(p, &l, index);
            if (bad >= least) continue;
            least = bad;
            d->label = l;
            d->side = side;
            d->leader = distance > 0;
        }
    }
}

/* ---------------------------------------------------------------------------------------------- gnuplot */

typedef struct pass {
    const char *name, *title, *colour; /* Okabe and Ito, 2008 */
} pass;
static const pass passes[] = {{"forward", "forward", "#0072b2"},
                              {"backward", "backward", "#d55e00"},
                              {"again", "forward, again in backward", "#cc79a7"},
                              {"update", "update", "#009e73"},
                              {0}};

static const pass *pass_of(const dot *d) {
    const pass *p = passes;
    while (p[1].name && strcmp(p->name, d->row->pass) != 0) p++;
    return p;
}

static void write_frame(FILE *f, const picture *p, const char *name) {
    const foci_bench_result *r = p->result;
    char line[512];
    snprintf(line, sizeof line, "%s: %s, %d thread%s, %s. A step: %.1f ms, %.1f of %.1f GFLOP/s (%.0f %%)", name,
             r->bf16 ? "bf16" : "fp32", foci_threads(), foci_plural(foci_threads(), "s"), foci_bf16_isa(),
             r->step.median, r->gflops, r->peak_gflops, 100 * r->mfu);
    fputs("set encoding utf8\nset label ", f);
    foci_gnuplot_text(f, line);
    fprintf(f, " at screen %g,%g noenhanced textcolor rgb '#222222'\n", (double)LEFT / WIDTH, 1 - 24.0 / HEIGHT);
    fprintf(f,
            "set label 'Area: share of the time. Operations without products: one FLOP for each number moved, %g "
            "FLOP/byte.' "
            "at screen %g,%g textcolor rgb '#666666'\n",
            WITHOUT_PRODUCTS, (double)LEFT / WIDTH, 1 - 46.0 / HEIGHT);
    fprintf(f,
            "set lmargin at screen %g\nset rmargin at screen %g\nset tmargin at screen %g\nset bmargin at screen %g\n",
            (double)LEFT / WIDTH, 1 - (double)RIGHT / WIDTH, 1 - (double)TOP / HEIGHT, (double)BOTTOM / HEIGHT);
    fprintf(f, "set logscale xy\nset format '%%g'\nset xrange [%g:%g]\nset yrange [%g:%g]\n", p->x_low, p->x_high,
            p->y_low, p->y_high);
    fputs("set ytics (", f);
    for (double decade = 0.001; decade <= p->y_high; decade *= 10)
        fprintf(f, "'%g' %g, '%g' %g, '%g' %g, ", decade, decade, 2 * decade, 2 * decade, 5 * decade, 5 * decade);
    fprintf(f, "'' %g)\n", 2 * p->y_high); /* out of sight: ends the list */
    fputs("set border 3 lc rgb '#888888'\nset tics nomirror scale 0.5 textcolor rgb '#333333'\nset grid lc rgb "
          "'#ececec' lt 1 lw 0.7\n"
          "set xlabel 'arithmetic intensity, FLOP per byte of least traffic' textcolor rgb '#333333'\nset ylabel "
          "'GFLOP/s' textcolor rgb '#333333'\n"
          "set key bottom right samplen 1 spacing 1.2 textcolor rgb '#333333'\n",
          f);
}

static void write_roof(FILE *f, const picture *p) {
    const foci_bench_result *r = p->result;
    double ridge = r->peak_gflops / r->bandwidth_gbs,
           slope = atan2(y_pixel(p, 10) - y_pixel(p, 1), x_pixel(p, 10) - x_pixel(p, 1));
    fprintf(f, "$roof << END\n%g %g\n%g %g\n%g %g\nEND\n", p->x_low, r->bandwidth_gbs * p->x_low, ridge, r->peak_gflops,
            p->x_high, r->peak_gflops);
    fprintf(
        f, "set label '%.0f GFLOP/s: multiply-adds in registers' at %g,%g right offset 0,0.6 textcolor rgb '#555555'\n",
        r->peak_gflops, p->x_high / 1.1, r->peak_gflops);
    fprintf(f, "set label '%.0f GB/s: memory' at %g,%g center rotate by %.1f offset -0.5,0.6 textcolor rgb '#555555'\n",
            r->bandwidth_gbs, ridge / 2.5, r->peak_gflops / 2.5, slope * 180 / acos(-1));
}

static void write_dot(FILE *f, const dot *d) {
    fprintf(f,
            "set object circle at graph %.5f,%.5f size graph %.5f front fillcolor rgb '%s' fillstyle transparent solid "
            "0.7 border lc rgb '#ffffff'\n",
            d->x / BOX_WIDTH, d->y / BOX_HEIGHT, d->radius / BOX_WIDTH, pass_of(d)->colour);
}

/* From the edge of the dot to the nearest point of the label. */
static void write_leader(FILE *f, const dot *d) {
    const rectangle *l = &d->label;
    double x = fmin(fmax(d->x, l->left), l->right), y = fmin(fmax(d->y, l->bottom + 2), l->top - 2);
    double edge = d->radius / hypot(x - d->x, y - d->y);
    if (edge < 1)
        fprintf(f, "set arrow from graph %.5f,%.5f to graph %.5f,%.5f nohead front lw 0.7 lc rgb '#999999'\n",
                (d->x + edge * (x - d->x)) / BOX_WIDTH, (d->y + edge * (y - d->y)) / BOX_HEIGHT, x / BOX_WIDTH,
                y / BOX_HEIGHT);
}

/* Letters are not all as wide as thought: the side towards the dot is the one that holds. */
static void write_label(FILE *f, const dot *d) {
    static const char *const align[] = {"left", "right", "center", "center"};
    const rectangle *l = &d->label;
    const double x[] = {l->left, l->right, (l->left + l->right) / 2, (l->left + l->right) / 2};
    if (d->leader) write_leader(f, d);
    fputs("set label ", f);
    foci_gnuplot_text(f, d->text);
    fprintf(f, " at graph %.5f,%.5f %s front noenhanced textcolor rgb '%s'\n", x[d->side] / BOX_WIDTH,
            (l->bottom + l->top) / 2 / BOX_HEIGHT, align[d->side], pass_of(d)->colour);
}

static void write_script(FILE *f, const picture *p, const char *name, const char *terminal) {
    fprintf(f, "%s\n", terminal);
    write_frame(f, p, name);
    write_roof(f, p);
    for (int i = 0; i < p->dots; i++) write_dot(f, &p->dot[i]);
    for (int i = 0; i < p->dots; i++) write_label(f, &p->dot[i]);
    fputs("plot $roof using 1:2 with lines lw 2 lc rgb '#444444' notitle", f);
    for (const pass *q = passes; q->name; q++) {
        bool drawn = false;
        for (int i = 0; i < p->dots; i++) drawn |= pass_of(&p->dot[i]) == q;
        if (drawn) fprintf(f, ", NaN with points pt 7 ps 1.2 lc rgb '%s' title '%s'", q->colour, q->title);
    }
    putc('\n', f);
}

static foci_status terminal_for(const char *path, char *line, size_t size) {
    return foci_gnuplot_terminal("--roofline", path, WIDTH, HEIGHT, line, size);
}

foci_status foci_roofline_check(const char *path) {
    char terminal[256];
    return terminal_for(path, terminal, sizeof terminal);
}

foci_status foci_roofline_draw(const foci_bench_result *r, const char *name, const char *path) {
    char terminal[256];
    FOCI_TRY(terminal_for(path, terminal, sizeof terminal));
    picture p = {.result = r, .dot = calloc((size_t)r->profile.rows + 1, sizeof *p.dot)};
    if (!p.dot) return foci_out_of_memory();
    FILE *script = foci_gnuplot_script();
    foci_status s = FOCI_ERR_RUNTIME;
    if (script) {
        collect(&p);
        choose_axes(&p);
        for (int i = 0; i < p.dots; i++) place_label(&p, i);
        write_script(script, &p, name, terminal);
        s = foci_gnuplot_run(script, path);
    }
    if (script) fclose(script);
    free(p.dot);
    return s;
}
