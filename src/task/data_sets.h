/* The kinds of data set a config can name: what they are for and their keys ("data.KEY"). */
#ifndef FOCI_TASK_DATA_SETS_H
#define FOCI_TASK_DATA_SETS_H

#include "images/images.h"
#include "text/text.h"
#include "foci/plugin.h"

typedef struct foci_data_set {
    const char *name, *summary;
    foci_task task;
    const foci_key *keys;
} foci_data_set;

extern const foci_data_set *const foci_data_sets[]; /* ended by NULL */
const foci_data_set *foci_data_set_find(const char *name);

/* What the keys of image_folder ask for; height and width are the model's. */
void foci_mix_from_config(foci_mix *mix, const foci_config *config);
foci_status foci_transform_from_config(foci_transform *t, const foci_config *config, int height, int width, bool train);

#endif
