/* Images made worse: the corruptions of ImageNet-C (Hendrycks and Dietterich, "Benchmarking neural network robustness
 * to common corruptions and perturbations", 2019), at severities 1..5. One object and one line in corruptions.h each.
 *
 * Parameters are those of the published code: of ImageNet-C (`large`), or of CIFAR-10-C (`small`) where the shorter
 * side is below 64 pixels. They are in pixels of 224 x 224 and 32 x 32 images and are not scaled to others. Frost is
 * generated unless its photographs are at hand, which cannot be shipped; the noise, drawn from other random numbers,
 * differs too. */
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

/* The photographs of frozen windows that the published code mixes in: DIR/frost1.png to frost3.png, frost4.jpg to
 * frost6.jpg (frost.c). One that is not there or broken is FOCI_ERR_DATA. */
enum { FOCI_PHOTOGRAPHS = 6 };
typedef struct foci_frost {
    const char *folder;
    foci_image photograph[FOCI_PHOTOGRAPHS];
} foci_frost;
foci_status foci_frost_read(foci_frost *frost, const char *dir);
void foci_frost_free(foci_frost *frost);

typedef struct foci_corruption {
    const char *name, *summary;
    double alexnet; /* AlexNet's top-1 error on ImageNet-C, mean over severities; 0 for the 4 extras */
    /* In place; values may leave 0..1. `c`: a row of the tables below. */
    foci_status (*apply)(foci_picture *p, const double *c, foci_rng *r);
    /* the same where photographs are at hand; NULL: it needs none */
    foci_status (*apply_photographs)(foci_picture *p, const double *c, foci_rng *r, const foci_frost *frost);
    double large[FOCI_SEVERITIES][FOCI_CORRUPTION_PARAMETERS], small[FOCI_SEVERITIES][FOCI_CORRUPTION_PARAMETERS];
} foci_corruption;

extern const foci_corruption *const foci_corruptions[]; /* ended by NULL */
enum {
#define FOCI_CORRUPTION(name) FOCI_CORRUPTION_##name,
#include "shift/corruptions.h"
#undef FOCI_CORRUPTION
    FOCI_CORRUPTIONS
};

/* How all images of a set are corrupted. */
typedef struct foci_corrupt_how {
    uint64_t seed;
    const foci_frost *frost; /* NULL: generated */
} foci_corrupt_how;
/* A new image of the same size. Random numbers are keyed by (seed, corruption, severity, image). */
foci_status foci_corrupt(const foci_corruption *c, int severity, foci_corrupt_how how, int64_t image,
                         const foci_image *in, foci_image *out);
/* "generated", or the folder of its photographs. */
static inline const char *foci_frost_name(const foci_frost *frost) { return frost ? frost->folder : "generated"; }

/* Names, "fog,snow"; "imagenet-c" stands for the 15, "all" for all. Severities "3" or "1-3", NULL for all;
 * "fog:severity=3" has them in one. What is chosen becomes true, the rest false. */
typedef bool foci_corruption_choice[FOCI_CORRUPTIONS][FOCI_SEVERITIES];
foci_status foci_corruption_choose(const char *names, const char *severities, foci_corruption_choice chosen);

#endif
