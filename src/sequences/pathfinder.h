/* Pathfinder (Linsley et al. 2018) as the Long Range Arena has it: two long dashed contours among short ones; two discs
 * mark either the ends of one contour (label 1) or an end of each (label 0). */
#ifndef FOCI_SEQUENCES_PATHFINDER_H
#define FOCI_SEQUENCES_PATHFINDER_H

#include "base/error.h"

typedef struct foci_pathfinder_options {
    int64_t images;      /* half of them of either label */
    int64_t size;        /* side in pixels */
    int64_t contour;     /* dashes of a long contour */
    int64_t distractors; /* short contours, of a third of the dashes */
    int64_t seed;
} foci_pathfinder_options;

/* DIR/imgs/N/sample_I.png, 1,000 a folder, DIR/metadata/N.npy, and DIR/sheet.png, the first of them. */
foci_status foci_make_pathfinder(const char *dir, const foci_pathfinder_options *options);

#endif
