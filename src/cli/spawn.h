/* Commands of a table as processes. */
#ifndef FOCI_CLI_SPAWN_H
#define FOCI_CLI_SPAWN_H

#include "table/table.h"

extern const foci_table_runner foci_processes;

#endif
