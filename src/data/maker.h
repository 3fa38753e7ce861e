/* Built-in data sets: what `foci data make KIND DIR` can make. A kind is a foci_maker in the room of what it makes and
 * a line in task/make_list.h. */
#ifndef FOCI_DATA_MAKER_H
#define FOCI_DATA_MAKER_H

#include "config/config.h"

typedef struct foci_maker {
    const char *name, *summary;
    const foci_key *keys; /* its settings, bound to a struct of `size` bytes, at most FOCI_MAKER_OPTIONS */
    size_t size;
    foci_status (*make)(const char *dir, const void *options);
} foci_maker;
enum { FOCI_MAKER_OPTIONS = 256 };

#endif
