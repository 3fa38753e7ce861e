#include <math.h>
#include <stdio.h>

#include "cli/cli.h"
#include "measure/scaling.h"
#include "plot/scaling_picture.h"

enum { MOST = 64 };

typedef struct settings {
    foci_scaling_settings how;
    bool csv;
    const char *out;
} settings;

static const foci_key rows[] = {
    FOCI_KEY(settings, csv, "false", 0, 0, NULL, "print the table as CSV"),
    FOCI_KEY(settings, out, NULL, 0, 0, NULL, "and draw it, .svg or .png; needs gnuplot", .placeholder = "FILE"),
    {0}};

/* As soon as it is known, the first one below a heading. */
static void print_row(const foci_scaling_row *row) {
    static bool begun;
    if (!begun) printf("%-12s %8s %12s %10s %10s\n", "attention", "tokens", "ms", "MB", "GFLOP/s");
    begun = true;
    printf("%-12s %8lld", row->kind, (long long)row->tokens);
    if (isnan(row->ms)) printf("  %s\n", row->why);
    else printf(" %12.3f %10.2f %10.1f\n", row->ms, row->mb, row->gflop / row->ms * 1e3);
    fflush(stdout);
}

static void print_exponents(const foci_scaling *s) {
    printf("\n%-12s %8s %8s   grow with this power of the tokens\n", "attention", "time", "memory");
    for (int i = 0; i < s->rows; i = foci_scaling_next(s, i)) {
        const double time = foci_scaling_exponent(s, i, false);
        if (!isnan(time)) printf("%-12s %8.2f %8.2f\n", s->row[i].kind, time, foci_scaling_exponent(s, i, true));
    }
}

static foci_status show(const foci_parsed *parsed, const foci_scaling *s) {
    const settings *o = parsed->options;
    foci_report r = {NULL};
    if (parsed->json) {
        foci_scaling_tell(s, &r);
        FOCI_TRY(foci_print_report(&r, &foci_json_line));
    } else if (o->csv) {
        foci_scaling_csv(s, stdout);
    } else {
        print_exponents(s);
    }
    return o->out ? foci_scaling_picture(s, o->out) : FOCI_OK;
}

static foci_status scaling(const foci_parsed *parsed) {
    const settings *o = parsed->options;
    foci_scaling s;
    if (o->how.from > o->how.to) return foci_fail(FOCI_ERR_CONFIG, "--from is above --to");
    if (o->out) FOCI_TRY(foci_scaling_picture_check(o->out));
    foci_status status =
        foci_scaling_run(&s, &o->how, parsed->argument, parsed->arguments, parsed->override, parsed->overrides,
                         &foci_on_terminal, parsed->json || o->csv ? NULL : print_row);
    if (!status) status = show(parsed, &s);
    foci_scaling_free(&s);
    return status;
}

const foci_command foci_command_scaling = {
    .name = "scaling",
    .summary = "time and memory of attention as the tokens grow",
    .synopsis = "[ATTENTION...]",
    .doc = "Times forward and backward of one attention layer, of the variants named or of all, for sequences of twice "
           "as many tokens again and again, and fits the power of the tokens with which time and planned memory "
           "(activations, workspaces, parameters and their gradients) grow at the end. Keys of a variant: --set "
           "attention.KEY=VALUE.",
    .most = MOST,
    .takes = FOCI_TAKES_COMMON | FOCI_ENDS_BY_SIGNAL,
    .size = sizeof(settings),
    .options = {{foci_scaling_keys, offsetof(settings, how)}, {rows}},
    .run = scaling};
