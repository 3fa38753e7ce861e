/* Files: read whole, mapped, or written so that a reader sees the old file or the new one and nothing between. */
#ifndef FOCI_BASE_FILE_H
#define FOCI_BASE_FILE_H

#include "base/error.h"

/* A read-only map of a whole regular file. An empty file has data NULL and size 0. */
typedef struct foci_map {
    const unsigned char *data;
    size_t size;
} foci_map;
foci_status foci_map_open(foci_map *map, const char *path, foci_status code); /* `code`: what a failure is */
void foci_map_close(foci_map *map);

/* The whole file with a 0 byte after it, from malloc; refuses more than `limit` bytes. */
foci_status foci_read_file(const char *path, size_t limit, char **text, size_t *size, foci_status code);

/* Atomic write: everything goes to PATH.tmp; commit flushes, syncs, renames and syncs the directory; abort (or a
 * failure) removes it. A PATH that is there and no regular file (/dev/null, a pipe) is refused: the rename would
 * replace it. Errors are FOCI_ERR_IO and stick: a failed write makes commit fail. */
typedef struct foci_writer {
    int fd;
    foci_status status;
    char path[4096], temporary[4104];
} foci_writer;
foci_status foci_writer_open(foci_writer *w, const char *path);
foci_status foci_write(foci_writer *w, const void *data, size_t size);
/* over what was written there */
foci_status foci_write_at(foci_writer *w, int64_t offset, const void *data, size_t size);
/* In two halves, so that what was written can be checked at w->temporary before it takes its place. */
foci_status foci_writer_sync(foci_writer *w);    /* flushed to disk and closed */
foci_status foci_writer_publish(foci_writer *w); /* renamed, the directory synced */
foci_status foci_writer_commit(foci_writer *w);  /* both */
void foci_writer_abort(foci_writer *w);

/* One call: the whole file. */
foci_status foci_write_file(const char *path, const void *data, size_t size);

/* A lock of an open file that no other process has, as long as it is open; *taken is false where one has it. Where the
 * file system has no locks, that is a warning, and it counts as taken. */
foci_status foci_lock(int fd, const char *path, bool *taken);

/* The same file on the same disk, by whatever names. */
bool foci_same_file(const char *a, const char *b);

/* Makes the folder and its parents where missing. */
foci_status foci_make_dirs(const char *path);

/* What lies at path: 0 nothing, 'f' a file, 'd' a folder, '?' anything else. */
int foci_path_kind(const char *path);

/* `name` beside the file `beside` unless it is absolute: what a path inside a config means. Truncation fails. */
foci_status foci_path_join(char *out, size_t size, const char *folder, const char *name);

#endif
