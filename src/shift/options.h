/* What is asked about shifted images, as rows of keys that commands read. */
#ifndef FOCI_SHIFT_OPTIONS_H
#define FOCI_SHIFT_OPTIONS_H

#include "foci/plugin.h"

typedef struct foci_shift_options { /* NULL, 0: not asked */
    const char *corrupt, *severity, *corrupt_dir, *relative_to, *val_dir, *ood_dir, *classes;
    int64_t limit, seed;
} foci_shift_options;
extern const foci_key foci_shift_keys[]; /* bound to it */

#endif
