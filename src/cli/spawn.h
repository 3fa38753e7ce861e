/* Commands of a table as processes: this program, once more for each, by itself or as steps of a launcher. */
#ifndef FOCI_CLI_SPAWN_H
#define FOCI_CLI_SPAWN_H

#include <wordexp.h>

#include "table/table.h"

typedef struct foci_launcher {
    wordexp_t words; /* before the program's path: "srun", "-n4"; none: it is started by itself */
    int64_t threads; /* of each process of a step; 0: it sees for itself what the launcher gives it */
} foci_launcher;

/* Words as a shell reads them, "mpirun -np 2"; NULL: none. */
foci_status foci_launcher_read(foci_launcher *l, const char *text);
void foci_launcher_free(foci_launcher *l);

foci_table_runner foci_processes(foci_launcher *l);

#endif
