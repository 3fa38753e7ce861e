/* A folder for the files of a test program: make_folder and remove_folder are its group's setup and teardown. */
#ifndef FOCI_TESTS_FOLDER_H
#define FOCI_TESTS_FOLDER_H

#include "check.h"

static char *folder;

static inline int make_folder(void **state) {
    (void)state;
    folder = temporary_folder();
    return 0;
}
static inline int remove_folder(void **state) {
    (void)state;
    char command[512];
    snprintf(command, sizeof command, "rm -rf '%s'", folder);
    return system(command);
}

/* Below the folder; good until the eighth call from now. */
static inline const char *at(const char *name) {
    static char path[8][512];
    static int next;
    next = (next + 1) % 8;
    snprintf(path[next], sizeof path[next], "%s/%s", folder, name);
    return path[next];
}

static inline const char *save_bytes(const char *name, const void *data, size_t size) {
    const char *path = at(name);
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(data, 1, size, f), size);
    fclose(f);
    return path;
}
static inline const char *save(const char *name, const char *text) { return save_bytes(name, text, strlen(text)); }

#endif
