/* A trained image model on images that are not its validation set: folders of some of its classes, corrupted images.
 * Images are put into `input`, foci_classifier_run makes `logits`. */
#ifndef FOCI_SHIFT_CLASSIFIER_H
#define FOCI_SHIFT_CLASSIFIER_H

#include "base/watch.h"
#include "core/program.h"
#include "images/samples.h"
#include "task/image_data.h"

typedef struct foci_classifier {
    foci_transform transform; /* of evaluation */
    const foci_config *config;
    bool by_file;                   /* the classes are those of a file that the user named */
    int64_t classes, batch, pixels; /* pixels: numbers of one image */
    const char **class_name;        /* (classes), in the order of the logits */
    foci_real *input;               /* (batch, 3, height, width) */
    const foci_real *logits;        /* (batch, classes), of the last run */

    foci_image_sets sets; /* data.val, where it named the classes */
    char *text;           /* of that file */
    foci_parameters parameters;
    foci_program_set set;
    foci_program *program;
} foci_classifier;

/* `classes`: a file that names the model's classes, a line each, in the order of its outputs; NULL: the names that the
 * weights carry, or the folders of data.val. */
foci_status foci_classifier_open(foci_classifier *c, const foci_config *config, const char *weights,
                                 const char *classes);
void foci_classifier_close(foci_classifier *c);
foci_status foci_classifier_run(foci_classifier *c);

/* Images of a set in order, and which of the model's classes they belong to. */
typedef struct foci_images_of {
    foci_image_samples samples; /* those taken: all, or so many evenly spread */
    foci_image_set *set;
    bool owned;
    int32_t *label; /* (classes of the set): number of that class among the model's */
    bool *present;  /* (classes of the model): there is a folder of it */
    int64_t *index; /* numbers in the set of images that may be taken */
} foci_images_of;

/* A class folder that is none of the model's is FOCI_ERR_DATA. `path` NULL: the classifier's own data.val. `only`
 * (classes of the model): images of other classes are left out; NULL: none. */
foci_status foci_images_of_open(foci_images_of *images, const foci_classifier *c, const char *path, const bool *only,
                                int64_t limit);
void foci_images_of_close(foci_images_of *images);
static inline int32_t foci_images_of_label(const foci_images_of *images, int64_t i) {
    return images->label[foci_image_set_label(images->set, foci_image_samples_at(&images->samples, i))];
}

#endif
