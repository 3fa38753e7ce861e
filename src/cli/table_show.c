#include "cli/table_show.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/cli.h"

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

foci_status foci_table_show(foci_table *t, const foci_table_options *options) {
    foci_table_options all = *options;
    all.threads = foci_threads();
    all.stop = &foci_stop;
    foci_status s = foci_table_run(t, &all);
    if (s == FOCI_INTERRUPTED || !t->looked) return s;
    foci_error first;
    foci_error_take(&first, s);
    FOCI_TRY(write_and_print(t, options->out));
    return s ? foci_error_raise(&first) : FOCI_OK;
}
