/* A CSV file that grows while long work is done and from which the same work goes on: its first line, a comment, says
 * what the rows belong to, the second names the columns. What was cut off in the midst of a row is done again.
 *
 *     foci_ledger ledger;
 *     FOCI_TRY(foci_ledger_open(&ledger, "pgd.csv", "foci attack {...}", "image,label,loss"));
 *     while (foci_ledger_next(&ledger)) sum += atof(ledger.cell[2]); // those of an earlier sitting
 *     foci_csv_text(ledger.file, "cat/1.png");                       // then new ones
 *     fputs(",3,0.5\n", ledger.file);
 *     FOCI_TRY(foci_ledger_keep(&ledger)); // to the disk, as often as it pays
 *     foci_ledger_close(&ledger); */
#ifndef FOCI_BASE_LEDGER_H
#define FOCI_BASE_LEDGER_H

#include <stdio.h>

#include "base/error.h"

enum { FOCI_LEDGER_CELLS = 16 };
typedef struct foci_ledger {
    FILE *file; /* for new rows, once foci_ledger_next has been false */
    const char *path;
    int columns;
    const char *cell[FOCI_LEDGER_CELLS]; /* of the row at hand, without quotes */
    char *text, *at;                     /* what was there, and where the next row of it begins */
    long kept;                           /* bytes of whole rows */
} foci_ledger;

/* Makes the file, or opens one that has the same first line. FOCI_ERR_CONFIG: it is of something else, and stays as it
 * is; FOCI_ERR_IO. */
foci_status foci_ledger_open(foci_ledger *ledger, const char *path, const char *owner, const char *columns);
/* The next whole row that was there; false: there is none left. */
bool foci_ledger_next(foci_ledger *ledger);
foci_status foci_ledger_keep(foci_ledger *ledger);
void foci_ledger_close(foci_ledger *ledger); /* a zeroed one is fine */

#endif
