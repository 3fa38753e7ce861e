/* What is good of a segmentation: pixel accuracy, and accuracy and intersection over union of the classes, averaged
 * over those that occur. */
#ifndef FOCI_TASK_SCENE_SCORE_H
#define FOCI_TASK_SCENE_SCORE_H

#include "images/pairs.h"
#include "task/sliding.h"
#include "task/task.h"

/* Pixels of every class: labelled so, taken for it, and both. */
typedef struct foci_scene_tally {
    int64_t labelled[FOCI_NO_CLASS], predicted[FOCI_NO_CLASS], both[FOCI_NO_CLASS];
    int64_t images;
    double loss; /* of pixels; the caller's to add up */
} foci_scene_tally;

void foci_scene_tally_add(foci_scene_tally *t, const foci_segmented *one);
/* Of several processes: counts of all. */
foci_status foci_scene_tally_gather(foci_scene_tally *t, foci_group *group);
/* Tells `e` of every class, and puts the scores of all images. */
foci_status foci_scene_tally_score(const foci_scene_tally *t, const foci_labels *classes, const foci_evaluation *e,
                                   foci_score *score);

#endif
