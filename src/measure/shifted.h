/* What is asked about shifted images: the rows of the measures corrupt, classes and outliers. */
#ifndef FOCI_MEASURE_SHIFTED_H
#define FOCI_MEASURE_SHIFTED_H

#include "measure/measure.h"

typedef struct foci_shift_options { /* NULL, 0: not asked */
    const char *corrupt, *severity, *corrupt_dir, *relative_to, *frost, *val_dir, *ood_dir, *classes;
    int64_t limit, seed;
} foci_shift_options;
/* Bound to it: of corruptions; of images of foreign things; of both and of other folders. */
extern const foci_key foci_corrupt_keys[], foci_outlier_keys[], foci_folder_keys[];

#endif
