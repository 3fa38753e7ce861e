/* Reading an uncompressed tar in place: ustar, GNU long names, pax paths and sizes. */
#ifndef FOCI_DATA_TAR_H
#define FOCI_DATA_TAR_H

#include "base/arena.h"
#include "base/file.h"

typedef struct foci_tar_entry {
    const char *name; /* as stored, without a leading "./" or "/" */
    const unsigned char *data;
    size_t size;
    const char *link; /* of a link that leads to no file of the archive: where it leads; else NULL */
} foci_tar_entry;

/* The regular files of an archive, and its links to them as the files that they lead to, in its order; folders and
 * devices are passed over. */
typedef struct foci_tar {
    foci_map map;
    foci_arena names;
    foci_tar_entry *entry;
    int64_t count;
} foci_tar;

/* Length of the part of a path that is a file, 5 of "x.tar/train" with x.tar a file; 0 where no part is. */
size_t foci_tar_part(const char *path);

/* FOCI_ERR_DATA with file and byte offset: a damaged header, an archive that ends early. */
foci_status foci_tar_open(foci_tar *tar, const char *path);
void foci_tar_close(foci_tar *tar);

#endif
