/* The training images of a config, as its model gets them. */
#ifndef FOCI_TRAIN_TRAINING_IMAGES_H
#define FOCI_TRAIN_TRAINING_IMAGES_H

#include "data/data_sets.h"

/* model.img_size as height and width. */
foci_status foci_image_size(const foci_config *c, int *height, int *width);
/* Set and loader of data.train; close both, the loader first (either may be NULL, after a failure too). */
foci_status foci_training_images_open(const foci_config *c, foci_image_set **set, foci_image_loader **loader);

#endif
