#include "cli/table_show.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/spawn.h"

const foci_key foci_table_steps_keys[] = {
    FOCI_KEY(foci_table_steps, jobs, "1", 1, 64, NULL, "commands at once; --threads are divided among them"),
    FOCI_KEY(foci_table_steps, launch, NULL, 0, 0, NULL,
             "starts each command by these, as \"mpirun -np 2\" or \"srun -N1 -n4 --exclusive\", by several processes; "
             "--threads are those of one process then (default: what foci finds there)",
             .placeholder = "WORDS"),
    {0}};

static foci_status write_and_print(const foci_table *t, const char *out) {
    foci_grid g;
    const char *term = getenv("TERM"), *no_color = getenv("NO_COLOR");
    const bool colour = isatty(STDOUT_FILENO) && !(no_color && *no_color) && term && strcmp(term, "dumb") != 0;
    FOCI_TRY(foci_grid_make(&g, t));
    foci_status s = foci_table_write(&g, out);
    if (!s) foci_grid_text(&g, stdout, colour);
    foci_grid_free(&g);
    return s;
}

static foci_status run_and_print(foci_table *t, const foci_table_options *options) {
    foci_status s = foci_table_run(t, options);
    if (s == FOCI_INTERRUPTED || !t->looked) return s;
    foci_error first;
    foci_error_take(&first, s);
    FOCI_TRY(write_and_print(t, options->out));
    return s ? foci_error_raise(&first) : FOCI_OK;
}

foci_status foci_table_show(foci_table *t, const foci_table_options *options, const foci_table_steps *steps,
                            int64_t threads) {
    foci_launcher launcher = {.threads = threads};
    const foci_table_runner runner = foci_processes(&launcher);
    foci_table_options all = *options;
    all.jobs = (int)steps->jobs;
    all.threads = foci_threads();
    all.stop = &foci_stop;
    all.runner = &runner;
    all.program = foci_program_version;
    foci_status s = foci_launcher_read(&launcher, steps->launch);
    if (!s) s = run_and_print(t, &all);
    foci_launcher_free(&launcher);
    return s;
}

/* ------------------------------------------------------------------------------------------ what it would take */

static void print_training(const foci_report *r, int width) {
    const double items = foci_report_number_of(r, "items");
    printf("%-*s %5.0f", width, foci_report_text_of(r, "run"), foci_report_number_of(r, "count"));
    if (!foci_report_find(r, "parameters")) printf(" %11s %10s %10s %10s %10s", "?", "?", "?", "?", "?");
    else if (!isfinite(items))
        printf(" %11.0f %10s %10s %10s %10s", foci_report_number_of(r, "parameters"), "?", "?", "?", "?");
    else
        printf(" %11.0f %10.3g %10.3g %10.3g %10.3g (%.0f)", foci_report_number_of(r, "parameters"), items,
               foci_report_number_of(r, "exaflop"), foci_report_number_of(r, "days"), foci_report_number_of(r, "hours"),
               foci_report_number_of(r, "nodes"));
    putchar('\n');
}

void foci_table_plan_print(const foci_table *t, const foci_report *plan, const foci_table_state *state) {
    int width = 8, rows = 0;
    const foci_report *trainings = foci_report_part_of(plan, "trainings");
    for (const foci_report_entry *e = trainings->first; e; e = e->next, rows++) {
        const int length = (int)strlen(foci_report_text_of(e->part, "run"));
        if (length > width) width = length;
    }
    printf("%s\n\n", t->title);
    if (!rows) puts("nothing is trained\n");
    if (rows) {
        printf("%-*s %5s %11s %10s %10s %10s %10s\n", width, "training", "seeds", "parameters", "items", "EFLOP",
               "days", "hours");
        for (const foci_report_entry *e = trainings->first; e; e = e->next) print_training(e->part, width);
        printf("%-*s %5s %11s %10s %10.3g %10.3g %10.3g\n\n", width, "sum", "", "", "",
               foci_report_number_of(plan, "exaflop"), foci_report_number_of(plan, "days"),
               foci_report_number_of(plan, "hours"));
        puts("items: images, sequences or tokens of one training. Evaluations and measurements are not counted.");
        printf("days: here, %.0f threads at %.0f %% of their peak, %.0f GFLOP/s in float32, %.0f in bf16\n",
               foci_report_number_of(plan, "threads"), 100 * foci_report_number_of(plan, "share"),
               foci_report_number_of(plan, "gflops"), foci_report_number_of(plan, "gflops_bf16"));
        printf("hours: on (n) nodes of %.0f such cores, %.0f Gb/s between them, by the formula of `foci plan`\n",
               foci_report_number_of(plan, "cores"), foci_report_number_of(plan, "gbits"));
    }
    for (const foci_report_entry *e = foci_report_part_of(plan, "missing")->first; e; e = e->next)
        printf("missing: %s\n", e->text);
    printf("%d of %d trainings and measurements are there\n", state->done, state->jobs);
}
