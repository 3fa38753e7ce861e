/* Images for training: a set of labelled files, and a loader that turns them into batches in the background. */
#ifndef FOCI_IMAGES_IMAGES_H
#define FOCI_IMAGES_IMAGES_H

#include "base/watch.h"
#include "data/manifest.h"

/* 8-bit RGB, rows from the top, 3 * width * height bytes from malloc. */
typedef struct foci_image {
    int width, height;
    unsigned char *pixels;
} foci_image;
void foci_image_free(foci_image *image);

/* Decodes a JPEG or PNG held in memory, told apart by its first bytes; grey, CMYK, palette, 16-bit and alpha images
 * give RGB. `name` is for messages. More than 2^28 pixels, or far more than so many bytes can hold: refused.
 * FOCI_ERR_DATA. least_short_side > 0 lets the JPEG decoder scale down by 1/2, 1/4, 1/8 as long as the shorter side
 * stays at least that. */
foci_status foci_image_decode(foci_image *image, const unsigned char *bytes, size_t size, const char *name,
                              int least_short_side);

/* A labelled set in ImageFolder layout, CLASS/FILE, from a folder, an uncompressed .tar of one, or a pack of one.
 * Classes are sorted by name (strcmp), files within them too; label = index of the class. */
typedef struct foci_image_set foci_image_set;
foci_status foci_image_set_open(foci_image_set **set, const char *path);
void foci_image_set_close(foci_image_set *set);
/* Leaves the images whose name, "class/file.jpg", falls into the share that is split off, or those that remain. It is
 * the hash of the name that decides: neither order nor other files matter. Classes stay as they are, with images or
 * without.
 */
void foci_image_set_split(foci_image_set *set, double share, bool split_off);
/* Are they the same files, by whatever names? Two parts of a split are not. */
bool foci_image_set_same(const foci_image_set *a, const foci_image_set *b);
const char *foci_image_set_path(const foci_image_set *set);
/* How many files look like images and are of kinds that foci does not read (.webp, .gif, ...); the first few by name.
 */
int64_t foci_image_set_left_out(const foci_image_set *set, char names[256]);
/* The parts of an ImageFolder root, which is a folder or an uncompressed .tar (where all of it lies in one folder, that
 * folder): the first of `names`, words with blanks between, that is a folder there, for foci_image_set_open; "" where
 * none is. No names: the root itself. */
foci_status foci_image_root_find(const char *root, const char *names, char path[4096]);
int64_t foci_image_set_count(const foci_image_set *set);
int foci_image_set_classes(const foci_image_set *set);
const char *foci_image_set_class_name(const foci_image_set *set, int label);
int foci_image_set_label(const foci_image_set *set, int64_t i);
const char *foci_image_set_name(const foci_image_set *set, int64_t i); /* "class/file.jpg" */
foci_status foci_image_set_read(const foci_image_set *set, int64_t i, foci_image *image, int least_short_side);
/* Labels become the places of the classes among these names, which are those of a model and may be more than the set
 * has folders for. FOCI_ERR_DATA names a folder that is none of them. */
foci_status foci_image_set_take_labels(foci_image_set *set, const char *const *names, int count);
/* Reads every image where they are few (64 MB of files), else looks whether each is there and begins as a JPEG or PNG.
 * FOCI_ERR_DATA names the first that is bad. */
foci_status foci_image_set_check(const foci_image_set *set);
/* Is image i there, and does it begin as a JPEG or PNG? */
foci_status foci_image_set_look(const foci_image_set *set, int64_t i);
int foci_image_set_found(const foci_image_set *set); /* classes that have an image */
/* Adds its files; the set must live as long as the manifest. */
foci_status foci_image_set_list(const foci_image_set *set, const char *part, foci_manifest *m);

/* Writes the set to a pack, which foci_image_set_open reads: every image decoded, and resized so that its shorter side
 * is `size` pixels (bicubic, antialiased; smaller images and size 0: as it is). Nothing is left behind by a failure. */
foci_status foci_pack_images(const char *path, const foci_image_set *set, int size, const foci_watch *watch);

/* Resampling and the transforms, as torchvision / PIL define them. */
typedef enum foci_interpolation { FOCI_BICUBIC, FOCI_BILINEAR } foci_interpolation;
typedef struct foci_rand_augment {
    int operations;          /* drawn for every image; 0: none */
    double magnitude, noise; /* level of 10, and its standard deviation */
} foci_rand_augment;
typedef struct foci_transform {
    int height, width;           /* of the result */
    bool train;                  /* random resized crop and flip, or resize and centre crop */
    double scale_min, scale_max; /* area of the random crop, as a share; both 1: a resize of the whole image */
    double ratio_min, ratio_max; /* its aspect */
    /* > 0: pad by this many black pixels and crop at random, instead of the random resized crop */
    int padding;
    double flip;                      /* probability of the horizontal flip */
    double crop_pct;                  /* evaluation: resize the shorter side to size / crop_pct, then centre crop */
    foci_interpolation interpolation; /* antialiased: the filter widens when it shrinks, as PIL does */
    foci_rand_augment rand_augment;   /* training, after crop and flip */
    double color_jitter;              /* strength; in place of rand_augment, not with it */
    double erasing;                   /* probability that a box becomes noise */
    double mean[3], std[3];           /* (x / 255 - mean) / std */
} foci_transform;

/* One sample, (3, height, width); random choices keyed by (seed, epoch, sample). */
foci_status foci_transform_apply(const foci_transform *t, const foci_image *image, uint64_t seed, int64_t epoch,
                                 int64_t sample, foci_real *out);

/* For evaluation, in two halves: what the model sees of the image, width x height in 8 bits, a new image; and its
 * numbers. */
foci_status foci_transform_cut(const foci_transform *t, const foci_image *image, foci_image *out);
void foci_transform_normalise(const foci_transform *t, const foci_image *image, foci_real *out);

/* Batches in order, prepared by `workers` threads (>= 1) ahead of use. Order and contents depend only on (seed, epoch).
 */
typedef struct foci_image_batch {
    int64_t count;        /* images in this batch */
    foci_real *images;    /* (count, 3, height, width); valid until the next call */
    int32_t *labels;      /* (count) */
    int32_t *partners;    /* (count) labels of what was mixed in; NULL: nothing is ever mixed */
    foci_real *shares;    /* (count) of the label, the partner has the rest; NULL likewise */
    const int64_t *index; /* which samples of the set */
} foci_image_batch;
typedef struct foci_image_loader foci_image_loader;
foci_status foci_image_loader_open(foci_image_loader **loader, const foci_image_set *set, const foci_transform *t,
                                   int64_t batch, bool shuffle, bool drop_last, uint64_t seed, int workers);
/* What happens to whole batches, set before the first seek. Samples come `repeats` times in a row, each time augmented
 * anew, and an epoch is as long as before (repeated augmentation; rounded down to a multiple of 256, as DeiT has it). A
 * batch is dealt to `groups` hands in turn, as to DeiT's processes; within a hand all samples are mixed, the first with
 * the last and so on, by one decision. */
typedef struct foci_mix {
    double mixup, cutmix; /* alpha of lambda's beta distribution; 0: off */
    double probability;   /* that a group is mixed */
    double switching;     /* where both are on: that it is by cutmix */
    int groups;           /* divides the batch */
} foci_mix;
foci_status foci_image_loader_augment(foci_image_loader *loader, int repeats, const foci_mix *mix);
/* A file that cannot be read is named once in a warning, and the next of its class takes its place. Before the first
 * batch. */
foci_status foci_image_loader_replace_bad(foci_image_loader *loader);
bool foci_image_loader_mixes(const foci_image_loader *loader);
/* Before the first seek: of every batch only the samples first .. end - 1 are wanted; the pixels of others are not. */
void foci_image_loader_share(foci_image_loader *loader, int64_t first, int64_t end);
int64_t foci_image_loader_batches(const foci_image_loader *loader); /* in an epoch */
/* Starts (or restarts) at a batch of an epoch; without it the first is epoch 0, batch 0. */
foci_status foci_image_loader_seek(foci_image_loader *loader, int64_t epoch, int64_t batch);
/* The next batch; after the last of an epoch count is 0. A corrupt image is FOCI_ERR_DATA naming the file. */
foci_status foci_image_loader_next(foci_image_loader *loader, foci_image_batch *batch);
void foci_image_loader_close(foci_image_loader *loader);

/* Writes an 8-bit RGB image as PNG, or as JPEG of the given quality (1..100; 0: PNG). */
foci_status foci_image_write(const char *path, const foci_image *image, int quality);

/* The built-in image set as an ImageFolder: DIR/{train,val}/CLASS/NNNNN.{png,jpg}. */
typedef struct foci_shapes_options {
    int64_t size;       /* side in pixels */
    int64_t train, val; /* images in each split */
    int64_t seed;
} foci_shapes_options;
foci_status foci_make_images(const char *dir, const foci_shapes_options *options);

#endif
