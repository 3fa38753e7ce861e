/* A segmenter over whole images: windows of its size, whose logits are averaged where they overlap, then resized to the
 * image's own size. Windows of several images share a pass of the program. */
#ifndef FOCI_TASK_SLIDING_H
#define FOCI_TASK_SLIDING_H

#include "core/program.h"
#include "images/scene.h"

/* What is made of one image: a class for every pixel. */
typedef struct foci_segmented {
    const foci_scene *scene; /* its numbers are gone */
    int64_t number;          /* of the image */
    int64_t classes;
    const unsigned char *predicted; /* (height, width) of the image */
    double loss;                    /* cross-entropy, summed over the pixels that have a class */
} foci_segmented;

typedef struct foci_sliding {
    foci_program *program;                /* of `batch` windows: images -> logits */
    int64_t batch, classes, down, across; /* down, across: from one window to the next */
    int height, width;                    /* of a window */
    /* Images first .. end - 1 alone are wanted: passes without a window of theirs are left out. The others are what
     * they are among all. */
    int64_t first, end;
    const foci_watch *watch;                                         /* counts those */
    foci_status (*take)(void *context, const foci_segmented *image); /* told of every one of them, in order */
    void *context;
} foci_sliding;

/* Windows that share a pass, as the config has it. */
int64_t foci_windows_at_once(const foci_config *config);
/* Fills in the program, and what the config says of windows. */
foci_status foci_sliding_open(foci_sliding *s, const foci_config *config, const foci_model *model,
                              foci_program_set *set);
/* The images of the reader. */
foci_status foci_slide(const foci_sliding *s, foci_scene_reader *reader);

#endif
