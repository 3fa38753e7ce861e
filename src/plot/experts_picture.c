#include "plot/experts_picture.h"

#include "plot/gnuplot.h"

/* Pixels. */
enum { WIDTH = 900, TOP = 60, BOTTOM = 50, ROW = 86 };

static int height_of(const foci_expert_load *load) { return TOP + BOTTOM + ROW * load->layers; }

static foci_status terminal_for(const char *path, int height, char *line, size_t size) {
    return foci_gnuplot_terminal("--out", path, WIDTH, height, line, size);
}

foci_status foci_experts_picture_check(const char *path) {
    char terminal[256];
    return terminal_for(path, 1, terminal, sizeof terminal);
}

static double largest_share(const foci_expert_load *load) {
    double largest = 0;
    for (int i = 0; i < load->layers; i++)
        for (int64_t e = 0; e < load->experts; e++)
            if (load->layer[i].share[e] > largest) largest = load->layer[i].share[e];
    return largest;
}

/* A round number, of which one or two fit below. */
static double tick_of(double largest) {
    static const double round[] = {50, 20, 10, 5, 2, 1, 0.5, 0.2, 0.1};
    for (size_t i = 0; i < sizeof round / sizeof *round; i++)
        if (round[i] <= largest) return round[i];
    return 0.05;
}

/* A layer: its experts, dashed the share that each would have were all used alike. */
static void write_layer(FILE *f, const foci_expert_load *load, int i) {
    const foci_expert_layer *l = &load->layer[i];
    const double height = (double)height_of(load), last = i + 1 == load->layers;
    char text[160];
    fprintf(f, "set tmargin at screen %g\nset bmargin at screen %g\n", 1 - (TOP + ROW * i) / height,
            1 - (TOP + ROW * (i + 1) - 12) / height);
    snprintf(text, sizeof text, "%s: %.1f used alike, gate %.2f nats", l->name, l->used, l->gate_entropy);
    fputs("set label 1 ", f);
    foci_gnuplot_text(f, text);
    fputs(" at graph 0.995, graph 0.88 right textcolor rgb '#333333'\n", f);
    fprintf(f, "set format x '%s'\n%s\n", last > 0 ? "%g" : "", last > 0 ? "set xlabel 'expert'" : "unset xlabel");
    fprintf(f,
            "plot '-' using 1:2 with boxes fs solid 0.85 noborder lc rgb '#%s' notitle, %.9g with lines dt 2 lw 1.2 lc "
            "rgb '#d55e00' notitle\n",
            foci_gnuplot_colour(0), 100.0 / (double)load->experts);
    for (int64_t e = 0; e < load->experts; e++) fprintf(f, "%lld %.9g\n", (long long)e, 100 * l->share[e]);
    fputs("e\n", f);
}

static void write_script(FILE *f, const foci_expert_load *load, const char *terminal) {
    char title[160];
    const double largest = largest_share(load);
    fprintf(f, "%s\nset multiplot\n", terminal);
    snprintf(title, sizeof title, "share of the choices that fall on each expert, %% (%lld tokens, %lld of %lld each)",
             (long long)load->tokens, (long long)load->top_k, (long long)load->experts);
    fputs("set label 2 ", f);
    foci_gnuplot_text(f, title);
    fprintf(f, " at screen 0.5, screen %g center textcolor rgb '#333333'\n", 1 - 24 / (double)height_of(load));
    fprintf(f,
            "set lmargin 9\nset rmargin 2\nset boxwidth 0.8\nset border 3 lc rgb '#999999'\nset tics nomirror out\n");
    fprintf(f, "set xrange [-0.7:%g]\nset xtics 0,%lld\nset yrange [0:%.9g]\nset ytics 0,%g\n",
            (double)load->experts - 0.3, (long long)(load->experts + 31) / 32, 140 * largest, tick_of(100 * largest));
    for (int i = 0; i < load->layers; i++) write_layer(f, load, i);
    fputs("unset multiplot\n", f);
}

foci_status foci_experts_picture(const foci_expert_load *load, const char *path) {
    char terminal[256];
    FOCI_TRY(terminal_for(path, height_of(load), terminal, sizeof terminal));
    FILE *script = foci_gnuplot_script();
    if (!script) return FOCI_ERR_RUNTIME;
    write_script(script, load, terminal);
    foci_status s = foci_gnuplot_run(script, path);
    fclose(script);
    return s;
}
