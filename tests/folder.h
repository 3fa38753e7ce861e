/* A folder for the files of a test program: make_folder and remove_folder are its group's setup and teardown. */
#ifndef FOCI_TESTS_FOLDER_H
#define FOCI_TESTS_FOLDER_H

#include "check.h"

static char *folder;

static int make_folder(void **state) {
    (void)state;
    folder = temporary_folder();
    return 0;
}
static int remove_folder(void **state) {
    (void)state;
    char command[512];
    snprintf(command, sizeof command, "rm -rf '%s'", folder);
    return system(command);
}

/* Below the folder; good until the eighth call from now. */
static const char *at(const char *name) {
    static char path[8][512];
    static int next;
    next = (next + 1) % 8;
    snprintf(path[next], sizeof path[next], "%s/%s", folder, name);
    return path[next];
}

#endif
