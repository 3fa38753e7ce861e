#include "data/gzip.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"

foci_status foci_gzip_open(gzFile *file, const char *path) {
    *file = NULL;
    const int kind = foci_path_kind(path);
    if (kind && kind != 'f') return foci_fail(FOCI_ERR_DATA, "%s: not a regular file", path);
    errno = 0;
    *file = gzopen(path, "rb"); /* reads plain files as they are */
    if (!*file) return foci_fail(FOCI_ERR_DATA, "%s: %s", path, strerror(errno ? errno : ENOMEM));
    gzbuffer(*file, 1 << 17);
    return FOCI_OK;
}

foci_status foci_gzip_open_input(gzFile *file) {
    const int fd = dup(STDIN_FILENO);
    *file = fd < 0 ? NULL : gzdopen(fd, "rb");
    return *file ? FOCI_OK : foci_fail(FOCI_ERR_IO, "standard input: %s", strerror(errno));
}

/* A file that expands without end. Text becomes 3 to 10 times as large; deflate can do 1,032 times. */
enum { FREE_BYTES = 16 << 20, MOST_RATIO = 100 };

static foci_status check(gzFile file, const char *path, const char *place) {
    const int64_t expanded = gztell(file), packed = gzoffset(file); /* -1: of a pipe */
    int code;
    const char *message = gzerror(file, &code); /* of a file cut short zlib returns what it has */
    if (code == Z_ERRNO) return foci_fail(FOCI_ERR_IO, "%s: %s", path, strerror(errno));
    if (code != Z_OK) return foci_fail(FOCI_ERR_DATA, "%s: damaged gzip after %s: %s", path, place, message);
    if (expanded > FREE_BYTES && packed >= 0 && expanded / MOST_RATIO > packed)
        return foci_fail(FOCI_ERR_DATA, "%s: by %s the gzip became more than %d times as large: this is not text", path,
                         place, MOST_RATIO);
    return FOCI_OK;
}

foci_status foci_gzip_read(gzFile file, const char *path, const char *place, void *buffer, size_t room, size_t *read) {
    enum { AT_ONCE = 1 << 20 };
    for (*read = 0; *read < room;) {
        const size_t left = room - *read, wanted = left < AT_ONCE ? left : AT_ONCE;
        const int n = gzread(file, (char *)buffer + *read, (unsigned)wanted);
        if (n < (int)wanted || gztell(file) > FREE_BYTES) FOCI_TRY(check(file, path, place));
        *read += n > 0 ? (size_t)n : 0;
        if (n < (int)wanted) break;
    }
    return FOCI_OK;
}
