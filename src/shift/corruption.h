/* Images made worse: the corruptions of ImageNet-C (Hendrycks and Dietterich, "Benchmarking neural network robustness
 * to common corruptions and perturbations", 2019), at severities 1..5. One object and one line in corruptions.h each.
 *
 * Parameters are those of the published code: of ImageNet-C (`large`), or of CIFAR-10-C (`small`) where the shorter
 * side is below 64 pixels. They are in pixels of 224 x 224 and 32 x 32 images and are not scaled to others. Frost is
 * generated, since the photographs that the published code mixes in cannot be shipped; the noise, drawn from other
 * random numbers, differs too. */
#ifndef FOCI_SHIFT_CORRUPTION_H
#define FOCI_SHIFT_CORRUPTION_H

#include "base/philox.h"
#include "images/images.h"

enum { FOCI_SEVERITIES = 5, FOCI_CORRUPTION_PARAMETERS = 7, FOCI_SMALL_IMAGE = 64 };

/* Colours 0..1, (height, width, channels). A layer is a picture of one channel. */
typedef struct foci_picture {
    int width, height, channels;
    float *v;
} foci_picture;

typedef struct foci_corruption {
    const char *name, *summary;
    double alexnet; /* AlexNet's top-1 error on ImageNet-C, mean over severities; 0 for the 4 extras */
    /* In place; values may leave 0..1. `c`: a row of the tables below. */
    foci_status (*apply)(foci_picture *p, const double *c, foci_rng *r);
    double large[FOCI_SEVERITIES][FOCI_CORRUPTION_PARAMETERS], small[FOCI_SEVERITIES][FOCI_CORRUPTION_PARAMETERS];
} foci_corruption;

extern const foci_corruption *const foci_corruptions[]; /* ended by NULL */
enum {
#define FOCI_CORRUPTION(name) FOCI_CORRUPTION_##name,
#include "shift/corruptions.h"
#undef FOCI_CORRUPTION
    FOCI_CORRUPTIONS
};

/* A new image of the same size. Random numbers are keyed by (seed, corruption, severity, image). */
foci_status foci_corrupt(const foci_corruption *c, int severity, uint64_t seed, int64_t image, const foci_image *in,
                         foci_image *out);

/* Names, "fog,snow"; "imagenet-c" stands for the 15, "all" for all. Severities "3" or "1-3", NULL for all;
 * "fog:severity=3" has them in one. What is chosen becomes true, the rest false. */
typedef bool foci_corruption_choice[FOCI_CORRUPTIONS][FOCI_SEVERITIES];
foci_status foci_corruption_choose(const char *names, const char *severities, foci_corruption_choice chosen);

#endif
