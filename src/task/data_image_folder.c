/* Labelled images, a folder a class. */
#include "config/config.h"
#include "task/image_data.h"

typedef struct options {
    const char *train, *val;
} options;

static const foci_key keys[] = {
    FOCI_KEY(options, train, "", 0, 0, NULL,
             "training images: a folder CLASS/FILE, one inside a .tar (images.tar/train), or a pack (foci data pack)",
             .may_change = true),
    FOCI_KEY(options, val, "", 0, 0, NULL, "validation images, likewise", .may_change = true),
    {0}};

static foci_status open(const foci_config *config, unsigned splits, void *data) {
    foci_image_sets *sets = data;
    options o;
    foci_config_read(config, "data", keys, &o);
    if (splits & FOCI_TRAIN && *o.train) FOCI_TRY(foci_image_set_open(&sets->train, o.train));
    return splits & FOCI_VALID && *o.val ? foci_image_set_open(&sets->val, o.val) : FOCI_OK;
}

const foci_data_set foci_data_set_image_folder = {
    .name = "image_folder",
    .summary = "labelled images, one folder a class (ImageFolder), an uncompressed .tar or a pack of that",
    .task = "images",
    .keys = keys,
    .shared = foci_image_keys,
    .open = open,
    .check = foci_images_check,
    .count = foci_images_count,
    .show = foci_images_draw,
};
