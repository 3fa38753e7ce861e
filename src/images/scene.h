/* Images with a class for every pixel, as a segmenter takes them: for training augmented as MMSegmentation's pipeline
 * for ADE20K does it, for evaluation resized alone. */
#ifndef FOCI_IMAGES_SCENE_H
#define FOCI_IMAGES_SCENE_H

#include "images/pairs.h"

typedef struct foci_scene_transform {
    int height, width;           /* of what the model takes */
    int64_t shorter, longer;     /* the sides that an image is resized to, at most, its aspect kept; 0: as it is */
    double ratio_min, ratio_max; /* training: both times a ratio from here */
    double most;                 /* share that one class may have of a random crop, if ten tries find such a one */
    double flip;                 /* probability */
    bool distort;                /* brightness, contrast, saturation and hue, each by even chance */
    double mean[3], std[3];      /* (x / 255 - mean) / std */
} foci_scene_transform;

/* For training: (3, height, width) numbers and (height, width) classes; what lies outside of the image is 0, and of no
 * class. Random choices are keyed by (seed, epoch, sample). */
foci_status foci_scene_augment(const foci_scene_transform *t, const foci_image *image, const unsigned char *classes,
                               uint64_t seed, int64_t epoch, int64_t sample, foci_real *pixels, int32_t *labels);

/* For evaluation: the size of an image of width x height, and its numbers, (3, H, W) from malloc. */
void foci_scene_size(const foci_scene_transform *t, int width, int height, int *fitted_width, int *fitted_height);
foci_status foci_scene_fit(const foci_scene_transform *t, const foci_image *image, foci_real **pixels, int *width,
                           int *height);

/* Batches for training, prepared by threads ahead of use; order and contents depend only on (seed, epoch). */
typedef struct foci_scene_batch {
    int64_t count;
    foci_real *images;    /* (count, 3, height, width); valid until the next call */
    int32_t *labels;      /* (count, height, width) */
    const int64_t *index; /* which pairs of the set */
} foci_scene_batch;
typedef struct foci_scene_loader foci_scene_loader;
foci_status foci_scene_loader_open(foci_scene_loader **loader, const foci_pair_set *set,
                                   const foci_label_meaning *meaning, const foci_scene_transform *t, int64_t batch,
                                   uint64_t seed, int workers);
void foci_scene_loader_close(foci_scene_loader *loader);
int64_t foci_scene_loader_batches(const foci_scene_loader *loader); /* in an epoch */
/* Before the first batch: only places first .. end - 1 of each will be looked at, and no others are read. */
void foci_scene_loader_share(foci_scene_loader *loader, int64_t first, int64_t end);
foci_status foci_scene_loader_seek(foci_scene_loader *loader, int64_t epoch, int64_t batch);
foci_status foci_scene_loader_next(foci_scene_loader *loader, foci_scene_batch *batch);

/* Whole images for evaluation, one after another, read ahead by threads. */
typedef struct foci_scene {
    int64_t number;
    foci_image image;       /* as it was read; its size, where nobody keeps more */
    unsigned char *classes; /* of its pixels; NULL: nobody knows */
    foci_real *pixels;      /* (3, height, width), as foci_scene_fit made them */
    int width, height;
} foci_scene;
void foci_scene_free(foci_scene *scene);
/* Image i of `count`, and how it becomes numbers; what both give is from malloc. */
typedef struct foci_scene_source {
    foci_status (*read)(void *context, int64_t i, foci_image *image, unsigned char **classes); /* NULL: no classes */
    foci_status (*fit)(void *context, const foci_image *image, foci_real **pixels, int *width, int *height);
    void *context;
    int64_t count;
    bool keeps_image; /* else its pixels are let go once it has become numbers */
} foci_scene_source;
typedef struct foci_scene_reader foci_scene_reader;
/* `ahead`: about so many are read before they are wanted. */
foci_status foci_scene_reader_open(foci_scene_reader **reader, const foci_scene_source *source, int64_t ahead,
                                   int workers);
void foci_scene_reader_close(foci_scene_reader *reader);
/* The next one, the caller's to free; `pixels` NULL behind the last. */
foci_status foci_scene_reader_next(foci_scene_reader *reader, foci_scene *scene);

#endif
