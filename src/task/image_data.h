/* Labelled images that a config names, as its model gets them: what all kinds of image data set share. */
#ifndef FOCI_TASK_IMAGE_DATA_H
#define FOCI_TASK_IMAGE_DATA_H

#include "images/sheet.h"
#include "task/data_sets.h"
#include "task/meaning.h"

/* "data.KEY": how images are prepared, for training and for evaluation. */
typedef struct foci_image_options {
    foci_real_list scale, ratio, mean, std;
    double flip, color_jitter, random_erasing, mixup, cutmix, mix_prob, mix_switch, crop_pct;
    int64_t padding, mix_groups, repeats, workers;
    const char *rand_augment;
    foci_interpolation interpolation;
    enum { FOCI_BAD_FAILS, FOCI_BAD_IS_SKIPPED } on_bad_sample;
} foci_image_options;
extern const foci_key foci_image_keys[];

/* model.img_size as height and width. */
foci_status foci_image_size(const foci_config *c, int *height, int *width);
/* To that size. */
foci_status foci_transform_from_config(foci_transform *t, const foci_config *c, bool train);

/* Images of a pass of an evaluation, where the config does not say. */
enum { FOCI_IMAGES_AT_ONCE = 256 };

typedef struct foci_image_sets {
    foci_image_set *train, *val; /* NULL: not opened */
} foci_image_sets;
/* Adds data.train or data.val. FOCI_ERR_CONFIG where the config names none, or no images at all; close them after a
 * failure too. Labels are those of data.labels, where it names some. */
foci_status foci_image_sets_open(foci_image_sets *sets, const foci_config *c, unsigned split);
void foci_image_sets_close(foci_image_sets *sets);

/* A word about files that look like images and are none for foci; false: there are none. */
bool foci_images_left_out(const foci_image_set *set, char text[512]);

/* Adds data.train and opens its loader. Close both after a failure too, the loader (then NULL) first. */
foci_status foci_training_images_open(foci_image_sets *sets, foci_image_loader **loader, const foci_config *c);
/* Sample `at` of a batch as tile i of a sheet, with its label: "cat", or "0.62 cat" over "0.38 dog" where two were
 * mixed. */
void foci_training_images_show(foci_sheet *sheet, int i, const foci_transform *t, const foci_image_set *set,
                               const foci_image_batch *b, int64_t at);

/* Adds data.val, and says how its images are prepared. FOCI_ERR_CONFIG where the model has not its classes. */
foci_status foci_validation_images_open(foci_image_sets *sets, foci_transform *t, const foci_config *c);

/* ---- image_meaning.c */

/* Labels as data.labels has them, where it names some. */
foci_status foci_images_label(foci_image_set *set, const foci_config *c);
/* A word where the weights that data.labels names learnt from images prepared in another way. */
void foci_images_compare(const foci_transform *t, const foci_config *c);
/* What weights trained on the set mean: {"classes", ...}, {"transform", ...}. */
foci_status foci_images_mean(const foci_image_set *set, const foci_transform *t, foci_meaning *m);

/* ---- image_report.c */

/* For descriptors: what `foci data check`, `stats` and `show` do with any labelled images. */
foci_status foci_images_check(const foci_config *c, const foci_lines *lines);
foci_status foci_images_count(const foci_config *c, const foci_lines *lines);
foci_status foci_images_draw(const foci_config *c, int count, int64_t epoch, foci_image *sheet);

#endif
