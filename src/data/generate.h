/* A built-in data set is made beside its folder and renamed: the folder is whole or is not there. */
#ifndef FOCI_DATA_GENERATE_H
#define FOCI_DATA_GENERATE_H

#include "base/error.h"

/* Makes `dir` by fill(folder, options). `marker` says in one line of JSON which options were used; it is kept as
 * dir/marker_name, and where the same marker is found nothing is done. Any other folder that is not empty is refused.
 */
foci_status foci_generate(const char *dir, const char *marker_name, const char *marker,
                          foci_status (*fill)(const char *folder, const void *options), const void *options);

#endif
