#include "cli/table_show.h"

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
    foci_status s = foci_launcher_read(&launcher, steps->launch);
    if (!s) s = run_and_print(t, &all);
    foci_launcher_free(&launcher);
    return s;
}
