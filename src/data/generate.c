#define _GNU_SOURCE
#include "data/generate.h"

#include <errno.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"

static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *where) {
    (void)st, (void)kind, (void)where;
    return remove(path);
}

static bool made_with(const char *path, const char *marker) {
    char *text = NULL;
    bool same =
        foci_path_kind(path) == 'f' && !foci_read_file(path, 4096, &text, NULL, FOCI_ERR_DATA) && !strcmp(text, marker);
    free(text);
    return same;
}

/* A fresh folder "DIR.XXXXXX" beside `dir`. */
static foci_status make_beside(const char *dir, char *partial, size_t size) {
    size_t length = strlen(dir);
    while (length > 1 && dir[length - 1] == '/') length--;
    if (snprintf(partial, size, "%.*s.XXXXXX", (int)length, dir) >= (int)size)
        return foci_fail(FOCI_ERR_IO, "%.64s...: path too long", dir);
    char parent[4096];
    snprintf(parent, sizeof parent, "%.*s", (int)length, dir);
    char *slash = strrchr(parent, '/');
    if (slash && slash != parent) {
        *slash = 0;
        FOCI_TRY(foci_make_dirs(parent));
    }
    if (!mkdtemp(partial)) return foci_fail(FOCI_ERR_IO, "%s: %s", partial, strerror(errno));
    chmod(partial, 0755);
    return FOCI_OK;
}

foci_status foci_generate(const char *dir, const char *marker_name, const char *marker,
                          foci_status (*fill)(const char *folder, const void *options), const void *options) {
    char path[4352], partial[4096];
    if (snprintf(path, sizeof path, "%s/%s", dir, marker_name) >= 4096)
        return foci_fail(FOCI_ERR_IO, "%.64s...: path too long", dir);
    if (foci_path_kind(dir)) {
        if (made_with(path, marker)) return FOCI_OK;
        if (rmdir(dir)) /* all but an empty folder refuse */
            return foci_fail(FOCI_ERR_CONFIG,
                             "%s: exists, and was not made with these options; remove it or choose another", dir);
    }
    FOCI_TRY(make_beside(dir, partial, sizeof partial));
    foci_status status = fill(partial, options);
    if (!status) {
        snprintf(path, sizeof path, "%s/%s", partial, marker_name);
        status = foci_write_file(path, marker, strlen(marker));
    }
    if (!status && rename(partial, dir)) status = foci_fail(FOCI_ERR_IO, "%s: %s", dir, strerror(errno));
    if (status) nftw(partial, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    return status;
}
