#include "plot/scaling_picture.h"

#include <math.h>

#include "base/parallel.h"
#include "plot/gnuplot.h"

/* Pixels. */
enum { WIDTH = 1240, PANEL = 420, LEFT = 84, GAP = 84, TOP = 56, BOTTOM = 52, LINE = 17, LEAST = 380 };

static int variants_of(const foci_scaling *s) {
    int n = 0;
    for (int i = 0; i < s->rows; i = foci_scaling_next(s, i)) n += !isnan(s->row[i].ms);
    return n;
}

/* Room for the panels, and for a line of the legend to each variant. */
static int height_of(const foci_scaling *s) {
    const int legend = (variants_of(s) + 2) * LINE;
    return TOP + BOTTOM + (legend > LEAST ? legend : LEAST);
}

static foci_status terminal_for(const char *path, int height, char *line, size_t size) {
    return foci_gnuplot_terminal("--out", path, WIDTH, height, line, size);
}

foci_status foci_scaling_picture_check(const char *path) {
    char terminal[256];
    return terminal_for(path, 1, terminal, sizeof terminal);
}

static void write_data(FILE *f, const foci_scaling *s) {
    for (int i = 0; i < s->rows; i = foci_scaling_next(s, i)) {
        fprintf(f, "$variant%d << END\n", i);
        for (int k = i; k < foci_scaling_next(s, i); k++)
            if (!isnan(s->row[k].ms))
                fprintf(f, "%lld %.9g %.9g\n", (long long)s->row[k].tokens, s->row[k].ms, s->row[k].mb);
        fputs("END\n", f);
    }
}

static void write_name(FILE *f, const foci_scaling *s, int i) {
    char text[128];
    const double time = foci_scaling_exponent(s, i, false), memory = foci_scaling_exponent(s, i, true);
    if (isnan(time)) snprintf(text, sizeof text, "%s", s->row[i].kind);
    else snprintf(text, sizeof text, "%s: %.2f, %.2f", s->row[i].kind, time, memory);
    foci_gnuplot_text(f, text);
}

/* Each further round through the colours has other dots. */
static void write_lines(FILE *f, const foci_scaling *s, bool memory) {
    static const int dots[] = {7, 5, 9, 13};
    const char *before = "plot ";
    for (int i = 0, n = 0; i < s->rows; i = foci_scaling_next(s, i)) {
        if (isnan(s->row[i].ms)) continue;
        fprintf(f, "%s$variant%d using 1:%d with linespoints lw 1.6 ps 0.5 pt %d lc rgb '#%s' ", before, i,
                memory ? 3 : 2, dots[n / FOCI_GNUPLOT_COLOURS % 4], foci_gnuplot_colour(n));
        if (memory) fputs("title ", f), write_name(f, s, i);
        else fputs("notitle", f);
        before = ", ";
        n++;
    }
    putc('\n', f);
}

static void write_panel(FILE *f, const foci_scaling *s, bool memory, int height) {
    const int left = memory ? LEFT + PANEL + GAP : LEFT;
    fprintf(f, "set lmargin at screen %.4f\nset rmargin at screen %.4f\n", (double)left / WIDTH,
            (double)(left + PANEL) / WIDTH);
    fprintf(f, "set ylabel '%s' textcolor rgb '#333333'\n", memory ? "planned MB" : "ms, forward and backward");
    if (memory)
        fprintf(f,
                "set key at screen %.4f,%.4f left top Left reverse noenhanced samplen 1.5 spacing 1.05 font ',11' "
                "textcolor rgb '#333333' title 'exponents: time, memory' left\n",
                (double)(left + PANEL + 14) / WIDTH, 1 - (double)TOP / height);
    write_lines(f, s, memory);
    fputs("unset label\n", f);
}

static void write_script(FILE *f, const foci_scaling *s, const char *terminal, int height) {
    const foci_scaling_settings *o = &s->settings;
    write_data(f, s);
    fprintf(f, "%s\nset encoding utf8\nset multiplot\nset tmargin at screen %.4f\nset bmargin at screen %.4f\n",
            terminal, 1 - (double)TOP / height, (double)BOTTOM / height);
    fprintf(
        f,
        "set label 'One layer of %sattention, %lld heads of %lld, one sequence, %d threads' at screen %.4f,%.4f left "
        "noenhanced textcolor rgb '#333333'\n",
        o->causal ? "causal " : "", (long long)o->heads, (long long)o->width, foci_threads(), (double)LEFT / WIDTH,
        1 - 28.0 / height);
    fputs("set border 3 lc rgb '#888888'\nset tics nomirror scale 0.5 textcolor rgb '#333333'\nset grid lc rgb "
          "'#e4e4e4' lt 1 lw 0.7\nunset key\nset logscale xy\nset format y '%g'\nset xlabel 'tokens' textcolor rgb "
          "'#333333'\n",
          f);
    fprintf(f, "set xrange [%g:%g]\nset xtics (", (double)o->from / 1.15, (double)o->to * 1.15);
    for (int64_t n = o->from; n <= o->to; n *= 2)
        fprintf(f, "%s'%lld' %lld", n > o->from ? ", " : "", (long long)n, (long long)n);
    fputs(")\n", f);
    write_panel(f, s, false, height);
    write_panel(f, s, true, height);
    fputs("unset multiplot\n", f);
}

foci_status foci_scaling_picture(const foci_scaling *s, const char *path) {
    char terminal[256];
    const int height = height_of(s);
    FOCI_TRY(terminal_for(path, height, terminal, sizeof terminal));
    if (!variants_of(s)) return foci_fail(FOCI_ERR_CONFIG, "nothing was measured that could be drawn");
    FILE *script = foci_gnuplot_script();
    if (!script) return FOCI_ERR_RUNTIME;
    write_script(script, s, terminal, height);
    const foci_status status = foci_gnuplot_run(script, path);
    fclose(script);
    return status;
}
