/* Photographs that somebody points at: files, and those in folders, however deep. */
#ifndef FOCI_IMAGES_FILES_H
#define FOCI_IMAGES_FILES_H

#include "base/arena.h"
#include "images/images.h"

typedef struct foci_image_file {
    const char *path, *beside; /* beside: below the folder it was found in, without its ending; of a file, its name */
} foci_image_file;

/* A zeroed one is empty; everything lies in the arena but the list itself. */
typedef struct foci_image_files {
    foci_image_file *file;
    int64_t count, room;
    foci_arena arena;
} foci_image_files;
void foci_image_files_free(foci_image_files *f);

/* Adds a file, whatever it is called, or all .jpg, .jpeg and .png files of a folder, sorted, hidden ones passed over.
 * FOCI_ERR_DATA where there is neither, or no image in the folder. */
foci_status foci_image_files_add(foci_image_files *f, const char *path);
/* FOCI_ERR_CONFIG where two would go by the same name beside. */
foci_status foci_image_files_check(const foci_image_files *f);

#endif
