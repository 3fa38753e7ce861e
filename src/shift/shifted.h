/* What a trained model makes of shifted images: corrupted ones (ImageNet-C), those of some of its classes (ImageNet-A,
 * -R), and those of no class of its own (ImageNet-O). */
#ifndef FOCI_SHIFT_SHIFTED_H
#define FOCI_SHIFT_SHIFTED_H

#include "shift/classifier.h"
#include "shift/corruption.h"

/* ------- corrupted */

typedef struct foci_corrupted {
    int64_t images;
    double clean; /* top-1 error of the images as they are, percent; NAN: not measured */
    double error[FOCI_CORRUPTIONS][FOCI_SEVERITIES]; /* top-1 error, percent; NAN: not measured */
    double seconds;
    int64_t seen; /* images classified, over all corruptions */
} foci_corrupted;

/* data.val, or the folder `dir` in its place, corrupted as it goes: each image is cut to what the model sees, then
 * corrupted. */
foci_status foci_measure_corrupted(foci_classifier *c, const char *dir, const foci_corruption_choice chosen,
                                   foci_corrupt_how how, int64_t limit, const foci_watch *watch,
                                   foci_corrupted *result);

/* The folders DIR/CORRUPTION/SEVERITY/CLASS/IMAGE of a published set. Images have the model's size already: no margin
 * is cut off. */
foci_status foci_measure_corrupted_folders(foci_classifier *c, const char *dir, const foci_corruption_choice chosen,
                                           int64_t limit, const foci_watch *watch, foci_corrupted *result);

/* Mean error over the severities measured. */
double foci_corrupted_error(const foci_corrupted *r, int corruption);
/* Over the 15 of ImageNet-C; NAN where one is not measured. */
double foci_corrupted_mean(const foci_corrupted *r);
double foci_corrupted_mean_of_all(const foci_corrupted *r); /* over those that are measured */
/* Corruption error, percent: the errors' sum over that of the reference at the same severities; NULL is AlexNet, whose
 * published errors are means over all five. NAN where either lacks one. */
double foci_corruption_error(const foci_corrupted *r, const foci_corrupted *reference, int corruption);
double foci_mean_corruption_error(const foci_corrupted *r, const foci_corrupted *reference); /* mCE: over the 15 */

/* ------- some of the classes */

typedef struct foci_masked_score {
    int64_t images;
    int classes;       /* folders: other logits are not looked at */
    double top1, top5; /* percent */
} foci_masked_score;
foci_status foci_score_classes(foci_classifier *c, const char *dir, int64_t limit, const foci_watch *watch,
                               foci_masked_score *score);

/* ------- none of the classes */

/* Images of foreign things in `dir`, whose folders say with which classes they are confused, against the images of
 * these classes in `in_dir` (NULL: data.val). An image's anomaly score is minus its largest softmax probability over
 * these classes; foreign images are the positive ones (ImageNet-O: Hendrycks et al., "Natural adversarial examples",
 * 2021). */
typedef struct foci_outlier_score {
    int64_t images, in_images;
    int classes;
    double aupr, auroc; /* percent */
} foci_outlier_score;
foci_status foci_score_outliers(foci_classifier *c, const char *dir, const char *in_dir, int64_t limit,
                                const foci_watch *watch, foci_outlier_score *score);

/* n scores and whether each is positive, reordered: average precision (sum of precision times the step of recall, ties
 * as one step) and area under the ROC curve, percent. */
typedef struct foci_scored {
    double score;
    bool positive;
} foci_scored;
void foci_precision_recall(foci_scored *scored, int64_t n, double *aupr, double *auroc);

#endif
