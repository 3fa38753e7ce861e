/* The training images of a config, as its model gets them. */
#ifndef FOCI_TASK_TRAINING_IMAGES_H
#define FOCI_TASK_TRAINING_IMAGES_H

#include "task/data_sets.h"
#include "images/sheet.h"

/* model.img_size as height and width. */
foci_status foci_image_size(const foci_config *c, int *height, int *width);
/* Set and loader of data.train; close both, the loader first (either may be NULL, after a failure too). */
foci_status foci_training_images_open(const foci_config *c, foci_image_set **set, foci_image_loader **loader);

/* Sample `at` of a batch as tile i of a sheet, with its label: "cat", or "0.62 cat" over "0.38 dog" where two were mixed. */
void foci_training_images_show(foci_sheet *sheet, int i, const foci_transform *t, const foci_image_set *set, const foci_image_batch *b,
                               int64_t at);

#endif
