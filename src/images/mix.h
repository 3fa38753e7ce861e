/* Mixup (Zhang et al. 2017) and CutMix (Yun et al. 2019) as timm has them, one decision for a group of samples. */
#ifndef FOCI_IMAGES_MIX_H
#define FOCI_IMAGES_MIX_H

#include "images/images.h"

/* What becomes of two samples. */
typedef struct foci_mixture {
    double share; /* lambda: of the sample itself; the partner has the rest. 1: nothing is mixed */
    bool cut;     /* a box is exchanged, else all numbers are averaged */
    int top, bottom, left, right;
} foci_mixture;

/* That of group `group`, numbered through the epoch, of samples of height x width. */
foci_mixture foci_mix_draw(const foci_mix *mix, int height, int width, uint64_t seed, int64_t epoch, int64_t group);
/* Mixes two samples (3, height, width), each the partner of the other. */
void foci_mix_pair(const foci_mixture *m, int height, int width, foci_real *a, foci_real *b);

#endif
