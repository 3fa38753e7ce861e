/* Augmentation of single samples, between the crop and the batch. All draw from the sample's own random numbers. */
#ifndef FOCI_IMAGES_AUGMENT_H
#define FOCI_IMAGES_AUGMENT_H

#include "base/philox.h"
#include "images/images.h"

/* "rand-m9-mstd0.5-inc1" (timm): magnitude, its standard deviation, the increasing set; -nN operations, two if not
 * said. "" is none. FOCI_ERR_CONFIG. */
foci_status foci_rand_augment_parse(foci_rand_augment *a, const char *text);
/* The operations that t->rand_augment asks for, on an image of the final size. */
foci_status foci_rand_augment_apply(const foci_transform *t, foci_image *image, foci_rng *r);

/* One of them. Its argument follows from the level, 0 (as a rule nothing happens) to 10; `negated` turns it round where
 * it has two directions. */
typedef struct foci_augmentation {
    const char *name; /* timm's */
    foci_status (*apply)(foci_image *image, double level, bool negated, const foci_transform *t);
} foci_augmentation;
enum { FOCI_AUGMENTATIONS = 15 };
extern const foci_augmentation foci_augmentations[FOCI_AUGMENTATIONS];

/* torchvision's ColorJitter: brightness, contrast and saturation by factors of 1 - strength to 1 + strength, in any
 * order. */
void foci_color_jitter(double strength, foci_image *image, foci_rng *r);

/* Random erasing in pixel mode (Zhong et al. 2017, as timm has it): with this probability one box of 2 to 33 % of the
 * area becomes standard normal noise, in a sample (3, height, width) that is normalised already. */
void foci_random_erasing(double probability, foci_real *sample, int height, int width, foci_rng *r);

#endif
