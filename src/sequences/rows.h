/* The lines of a text with tabs between columns, mapped, or taken from a gzip whole. */
#ifndef FOCI_SEQUENCES_ROWS_H
#define FOCI_SEQUENCES_ROWS_H

#include "base/file.h"

enum { FOCI_MOST_COLUMNS = 8 };

typedef struct foci_rows {
    const char *path;
    foci_map map;
    char *unpacked; /* of a gzip */
    const char *at, *end;
    int64_t line; /* of the row last given, from 1 */
} foci_rows;

typedef struct foci_row {
    int columns; /* that there are; those behind FOCI_MOST_COLUMNS are not given */
    struct {
        const char *text; /* not ended by 0; lives as long as the rows are open */
        size_t length;
    } column[FOCI_MOST_COLUMNS];
} foci_row;

/* FOCI_ERR_DATA where there is no such file, or a gzip is damaged or expands without end. `path` must last. */
foci_status foci_rows_open(foci_rows *r, const char *path);
/* The next line without its end, which may be that of Windows; false behind the last. */
bool foci_rows_next(foci_rows *r, foci_row *row);
/* FOCI_ERR_DATA with file and line. */
foci_status foci_rows_fail(const foci_rows *r, const char *fmt, ...) FOCI_PRINTF(2, 3);
void foci_rows_close(foci_rows *r);

#endif
