/* Which files a data set was made of: their names, sizes and content, part by part, so that a run which goes on knows
 * whether they are still the same. A run keeps one as data.txt, a line a file:
 *
 *     XXH3 SIZE PART NAME                16 hexadecimal digits; "train"; "cat/0001.jpg"
 *
 * XXH3 is that of the whole content as long as a part has at most FOCI_READ_WHOLE bytes. Of files in larger parts it is
 * that of the first and the last FOCI_READ_ENDS bytes: data of any size are looked at in seconds. */
#ifndef FOCI_DATA_MANIFEST_H
#define FOCI_DATA_MANIFEST_H

#include "base/arena.h"
#include "base/file.h"

enum { FOCI_READ_WHOLE = 1 << 30, FOCI_READ_ENDS = 4096 };

typedef struct foci_manifest_file {
    const char *part, *name;
    int64_t size;
    uint64_t hash;
    const char *path;          /* of its content, or */
    const unsigned char *data; /* its content in memory; of a manifest that was read, neither */
} foci_manifest_file;

/* A zeroed one is empty. Files of a part stand together, in an order that is a function of their names. */
typedef struct foci_manifest {
    foci_manifest_file *file;
    int64_t count, room;
    foci_arena arena;
} foci_manifest;

void foci_manifest_free(foci_manifest *m);

/* Names, paths and data are not copied: all must live as long as the manifest. */
foci_status foci_manifest_add(foci_manifest *m, const foci_manifest_file *file);
/* Looks at all files, with all threads: sizes (of those with a path) and hashes. FOCI_ERR_DATA names a file that cannot
 * be read. */
foci_status foci_manifest_look(foci_manifest *m);

/* Are they few, less than 64 MB in all? Their sizes are asked for where need be. */
bool foci_manifest_is_small(const foci_manifest *m);

foci_status foci_manifest_write(const foci_manifest *m, const char *path);
foci_status foci_manifest_read(foci_manifest *m, const char *path); /* FOCI_ERR_DATA with the line that is none */

/* How many files of `now` are new, gone or changed since `before`; `text` names the first few: "train: cat/7.jpg has
 * changed, dog/3.jpg is gone". */
int64_t foci_manifest_compare(const foci_manifest *before, const foci_manifest *now, char *text, size_t size);

/* The whole of it in one line: "train 600 files, 1382400 bytes, 6f0c...; val ...". */
void foci_manifest_digest(const foci_manifest *m, char *text, size_t size);

#endif
