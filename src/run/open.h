/* What a path names: a config, or a run with its config and its weights. (foci_config_open: foci/foci.h.) */
#ifndef FOCI_RUN_OPEN_H
#define FOCI_RUN_OPEN_H

#include "config/config.h"

/* foci_config_open for whoever uses these trained weights. */
foci_status foci_config_open_trained(foci_config **config, const char *file_or_run, const char *weights,
                                     const char *const *set, int sets);
/* From here on the names of outputs are those that the weights carry, or those beside them, whatever a file said (not
 * what --set said). Weights of an older foci carry none: that is said. */
foci_status foci_config_label(foci_config *config, const char *weights);

/* The weights of a run: `checkpoint`, or where that is NULL best.safetensors or last.safetensors in the folder. */
foci_status foci_find_weights(const char *run, const char *checkpoint, char *path, size_t size);
/* The same where one argument may be a file or a run. */
foci_status foci_weights_of(const char *file_or_run, char *path, size_t size);

#endif
