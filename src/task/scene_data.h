/* Images with a class for every pixel that a config names, as its model gets them. */
#ifndef FOCI_TASK_SCENE_DATA_H
#define FOCI_TASK_SCENE_DATA_H

#include "images/scene.h"
#include "images/sheet.h"
#include "task/data_sets.h"
#include "task/meaning.h"

/* "data.KEY": how images are prepared, for training and for evaluation. */
typedef struct foci_scene_options {
    foci_int_list sides;
    foci_real_list ratio, mean, std;
    double crop_most, flip;
    bool distort;
    int64_t classes, stride, workers;
} foci_scene_options;
extern const foci_key foci_scene_keys[];

/* What data sets of the task `segmentation` open; NULL: not opened. */
typedef struct foci_scene_sets {
    union {
        foci_pair_set *of[FOCI_SPLITS];
        struct {
            foci_pair_set *train, *val, *test;
        };
    };
    foci_label_meaning meaning; /* its list of ignored values is the config's */
} foci_scene_sets;
void foci_scene_sets_close(foci_scene_sets *sets);

/* Opens the splits of the config, which has to name them. */
foci_status foci_scene_sets_open(foci_scene_sets *sets, const foci_config *c, unsigned splits);
foci_status foci_scene_transform_from_config(foci_scene_transform *t, const foci_config *c);
/* The classes: those of data.labels, of data.classes, or of the model. */
foci_status foci_scene_classes(const foci_config *c, int64_t *classes);
/* Names of classes: those of data.labels, or "class 1" and so on; closed by foci_labels_close. */
foci_status foci_scene_labels(foci_labels *l, const foci_config *c, int64_t classes);
/* What weights trained on them mean: {"classes", ...}, {"transform", ...}. */
foci_status foci_scenes_mean(const foci_labels *l, const foci_scene_transform *t, foci_meaning *m);
foci_status foci_scene_loader_from_config(foci_scene_loader **loader, const foci_scene_sets *sets,
                                          const foci_config *c);
/* Sample `at` of a batch as tile i of a sheet: the image, half covered with the colours of its classes. */
void foci_scene_show(foci_sheet *sheet, int i, const foci_scene_transform *t, const foci_scene_batch *b, int64_t at,
                     const char *name);

#endif
