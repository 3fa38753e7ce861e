/* What `table` and `sweep` share: a table is run, written and printed. */
#ifndef FOCI_CLI_TABLE_SHOW_H
#define FOCI_CLI_TABLE_SHOW_H

#include "config/config.h"
#include "table/table.h"

/* Options: how its commands are run. */
typedef struct foci_table_steps {
    int64_t jobs;
    const char *launch;
} foci_table_steps;
extern const foci_key foci_table_steps_keys[];

/* Runs it, writes the files to options->out and prints the table, of what is there even after a failure. `threads`: 0,
 * or what --threads says. */
foci_status foci_table_show(foci_table *t, const foci_table_options *options, const foci_table_steps *steps,
                            int64_t threads);

void foci_table_plan_print(const foci_table *t, const foci_report *plan,
                           const foci_table_state *state); /* of foci_table_plan */

#endif
