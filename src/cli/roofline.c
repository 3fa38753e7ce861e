#include "cli/roofline.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "cli/gnuplot.h"

enum { WIDTH = 900, HEIGHT = 520 };
static const double least_share = 0.004; /* of the step: below it an operation is not drawn */

void foci_profile_label(const foci_profile_row *row, char *label, size_t size) {
    bool first = row->pass == FOCI_FORWARD;
    snprintf(label, size, "%s%s%s", row->op, first ? "" : ", ", first ? "" : foci_pass_name[row->pass]);
}

static double operations(const foci_profile_row *q) { return q->flop > 0 ? q->flop : q->bytes / sizeof(foci_real); }

static bool drawn(const foci_profile *p, int i) { return p->row[i].ms >= least_share * p->ms && p->row[i].bytes > 0; }

/* Intensity (operations per byte), GFLOP/s, size of the circle, number in the list */
static void write_points(FILE *f, const foci_profile *p, const char *name, bool backward) {
    fprintf(f, "$%s << END\n", name);
    for (int i = 0; i < p->rows && drawn(p, i); i++) {
        const foci_profile_row *q = &p->row[i];
        if ((q->pass == FOCI_BACKWARD) == backward)
            fprintf(f, "%g %g %g %d\n", operations(q) / q->bytes, operations(q) / q->ms / 1e6, 1 + 6 * sqrt(q->ms / p->ms), i + 1);
    }
    fputs("END\n", f);
}

/* "1  mlp, backward  35 %, 76 % of its roof", in the empty corner under the roof */
static void write_list(FILE *f, const foci_bench_result *r) {
    const foci_profile *p = &r->profile;
    for (int i = 0; i < p->rows && drawn(p, i); i++) {
        const foci_profile_row *q = &p->row[i];
        char label[64], text[160];
        foci_profile_label(q, label, sizeof label);
        double roof = fmin(r->peak_gflops, operations(q) / q->bytes * r->bandwidth_gbs);
        snprintf(text, sizeof text, "%2d  %s: %.1f %% of the step, at %.0f %% of its roof", i + 1, label, 100 * q->ms / p->ms,
                 100 * operations(q) / q->ms / 1e6 / roof);
        fprintf(f, "set label %d ", i + 1);
        foci_gnuplot_text(f, text);
        fprintf(f, " at graph 0.34, graph %g noenhanced font ',10' textcolor rgb '%s'\n", 0.68 - 0.045 * i, q->pass == FOCI_BACKWARD ? "#a04802" : "#14507a");
    }
}

static void write_script(FILE *f, const foci_bench_result *r, const char *title, const char *terminal) {
    write_points(f, &r->profile, "forward", false);
    write_points(f, &r->profile, "backward", true);
    fprintf(f, "%s\nset title ", terminal);
    foci_gnuplot_text(f, title);
    fprintf(f, " textcolor rgb '#333333'\nset border 3 linecolor rgb '#888888'\nset tics nomirror textcolor rgb '#333333'\n"
               "set grid linecolor rgb '#e5e5e5' linetype 1\nset logscale xy\nset xrange [0.1:3000]\nset yrange [1:%g]\n"
               "set xlabel 'operations per byte that must be moved' textcolor rgb '#333333'\n"
               "set ylabel 'GFLOP/s' textcolor rgb '#333333'\nset key noenhanced top left textcolor rgb '#333333'\n",
            3 * r->peak_gflops);
    write_list(f, r);
    fprintf(f, "peak = %g\nbandwidth = %g\nroof(x) = bandwidth * x < peak ? bandwidth * x : peak\n", r->peak_gflops, r->bandwidth_gbs);
    fprintf(f, "plot roof(x) with lines linewidth 2 linecolor rgb '#555555' title sprintf('roof: %%.0f GFLOP/s, %%.0f GB/s', peak, bandwidth), \\\n"
               "  $forward using 1:2:3 with points pointtype 7 pointsize variable linecolor rgb '#a01f77b4' title 'forward', \\\n"
               "  $backward using 1:2:3 with points pointtype 7 pointsize variable linecolor rgb '#a0d95f02' title 'backward', \\\n"
               "  $forward using 1:2:4 with labels noenhanced font ',9' textcolor rgb '#14507a' notitle, \\\n"
               "  $backward using 1:2:4 with labels noenhanced font ',9' textcolor rgb '#a04802' notitle\n");
}

foci_status foci_roofline_draw(const foci_bench_result *r, const char *title, const char *path) {
    char terminal[256];
    FOCI_TRY(foci_gnuplot_terminal(path, WIDTH, HEIGHT, terminal, sizeof terminal));
    FILE *script = tmpfile();
    if (!script) return foci_fail(FOCI_ERR_IO, "a temporary file: %s", strerror(errno));
    write_script(script, r, title, terminal);
    foci_status s = foci_gnuplot_run(script, path);
    fclose(script);
    return s;
}
