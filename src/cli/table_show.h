/* What `table` and `sweep` share: a table is run, written and printed. */
#ifndef FOCI_CLI_TABLE_SHOW_H
#define FOCI_CLI_TABLE_SHOW_H

#include "table/table.h"

/* Runs it with all threads, writes the files to options->out and prints the table, of what is there even after a
 * failure. */
foci_status foci_table_show(foci_table *t, const foci_table_options *options);

#endif
