/* Labelled images, as rows of grey pixels. */
#include "config/config.h"
#include "task/sequence_data.h"

typedef struct options {
    const char *train, *val, *test;
    double val_split;
    int64_t size;
    bool black_is_padding;
} options;

static const foci_key keys[] = {
    FOCI_KEY(options, train, "", 0, 0, NULL,
             "training images: a folder CLASS/FILE, one inside a .tar (images.tar/train), or a pack",
             .may_change = true, .path = true),
    FOCI_KEY(options, val, "", 0, 0, NULL, "validation images, likewise", .may_change = true, .path = true),
    FOCI_KEY(options, test, "", 0, 0, NULL, "test images, likewise", .may_change = true, .path = true),
    FOCI_KEY(options, val_split, "0", 0, 0.9, NULL,
             "where there are no validation images: about this share of the training images, chosen by a hash of "
             "CLASS/FILE"),
    FOCI_KEY(options, size, "0", 0, 1024, NULL,
             "the shorter side is resized to so many pixels, and the middle kept; 0: images stay as they are"),
    FOCI_KEY(options, black_is_padding, "false", 0, 0, NULL,
             "pixels of 0 are masked out, as in the code that the Long Range Arena's figures are compared by"),
    {0}};

/* The part of a split, of all images where `share` is 0. */
static foci_status open_split(foci_sequences **s, const foci_config *c, const char *key, const options *o, double share,
                              bool split_off) {
    const char *path = foci_config_string(c, key);
    foci_image_set *images;
    FOCI_TRY(foci_config_path(c, key));
    if (!*path) return FOCI_OK;
    FOCI_TRY(foci_image_set_open(&images, path));
    if (share) foci_image_set_split(images, share, split_off);
    return foci_pixels_open(s, images, &(foci_pixel_options){o->size, o->black_is_padding});
}

static foci_status open(const foci_config *config, unsigned splits, void *data) {
    foci_sequence_splits *s = data;
    options o;
    foci_config_read(config, "data", keys, &o);
    const double share = *o.val ? 0 : o.val_split;
    const char *val = share ? "data.train" : "data.val";
    if (splits & FOCI_TRAIN) FOCI_TRY(open_split(&s->train, config, "data.train", &o, share, false));
    if (splits & FOCI_VALID) FOCI_TRY(open_split(&s->val, config, val, &o, share, true));
    return splits & FOCI_TEST ? open_split(&s->test, config, "data.test", &o, 0, false) : FOCI_OK;
}

const foci_data_set foci_data_set_pixels = {
    .name = "pixels",
    .summary = "labelled images as sequences of grey pixels, row by row (CIFAR-10 of the Long Range Arena)",
    .task = "sequences",
    .keys = keys,
    .shared = foci_sequence_keys,
    .open = open,
    .check = foci_sequences_check,
    .count = foci_sequences_count_all,
    .show = foci_sequences_draw,
};
