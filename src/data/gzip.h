/* A file of text, plain or gzip (told apart by the first bytes), read on piece by piece. */
#ifndef FOCI_DATA_GZIP_H
#define FOCI_DATA_GZIP_H

#include <zlib.h>

#include "base/error.h"

/* FOCI_ERR_DATA where there is no such file. Close it by gzclose_r. */
foci_status foci_gzip_open(gzFile *file, const char *path);
foci_status foci_gzip_open_input(gzFile *file); /* standard input, likewise */
/* The next `room` bytes, fewer only at the end. FOCI_ERR_DATA: a damaged gzip, or one that expands more than 100 times;
 * `place`: how far its reader is, "line 12". FOCI_ERR_IO: the disk refused. */
foci_status foci_gzip_read(gzFile file, const char *path, const char *place, void *buffer, size_t room, size_t *read);

#endif
