#include "task/training_images.h"

#include <stdio.h>
#include <string.h>

#include "config/config.h"

foci_status foci_image_size(const foci_config *c, int *height, int *width) {
    const int64_t *size;
    int n = foci_config_ints(c, "model.img_size", &size);
    if (n < 1 || n > 2) return foci_config_fail(c, "model.img_size", "needs one number, or height and width");
    if (foci_config_int(c, "model.in_chans") != 3) return foci_config_fail(c, "model.in_chans", "images have 3 channels");
    *height = (int)size[0];
    *width = (int)size[n - 1];
    return FOCI_OK;
}

foci_status foci_training_images_open(const foci_config *c, foci_image_set **set, foci_image_loader **loader) {
    foci_transform t;
    foci_mix mix;
    int height = 0, width = 0, repeats = (int)foci_config_int(c, "data.repeats");
    int64_t batch = foci_config_int(c, "train.batch_size");
    const char *path = foci_config_string(c, "data.train");
    FOCI_TRY(foci_image_size(c, &height, &width));
    FOCI_TRY(foci_transform_from_config(&t, c, height, width, true));
    foci_mix_from_config(&mix, c);
    if (batch % mix.groups)
        return foci_config_fail(c, "data.mix_groups", "%d does not divide train.batch_size %lld", mix.groups, (long long)batch);
    if (!*path) return foci_config_fail(c, "data.train", "names no images");
    FOCI_TRY(foci_image_set_open(set, path));
    if (foci_image_set_count(*set) < batch)
        return foci_config_fail(c, "train.batch_size", "%lld is more than the %lld training images", (long long)batch,
                                (long long)foci_image_set_count(*set));
    FOCI_TRY(foci_image_loader_open(loader, *set, &t, batch, true, true, (uint64_t)foci_config_int(c, "train.seed"),
                                    (int)foci_config_int(c, "data.workers")));
    if (strcmp(foci_config_string(c, "data.on_bad_sample"), "skip") == 0) FOCI_TRY(foci_image_loader_replace_bad(*loader));
    return foci_image_loader_augment(*loader, repeats, &mix);
}

void foci_training_images_show(foci_sheet *sheet, int i, const foci_transform *t, const foci_image_set *set, const foci_image_batch *b,
                               int64_t at) {
    foci_sheet_put(sheet, t, i, b->images + at * 3 * t->height * t->width);
    const char *name = foci_image_set_class_name(set, b->labels[at]);
    double share = b->shares ? (double)b->shares[at] : 1;
    if (share == 1) {
        foci_sheet_write(sheet, i, 0, name);
        return;
    }
    char text[128];
    snprintf(text, sizeof text, "%.2f %s", share, name);
    foci_sheet_write(sheet, i, 0, text);
    snprintf(text, sizeof text, "%.2f %s", 1 - share, foci_image_set_class_name(set, b->partners[at]));
    foci_sheet_write(sheet, i, 1, text);
}
