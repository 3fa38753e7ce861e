#include "task/image_data.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/config.h"
#include "images/augment.h"
#include "task/task.h"
#include "task/training.h"

#define ROW(name, ...) FOCI_KEY(foci_image_options, name, __VA_ARGS__)
const foci_key foci_image_keys[] = {
    ROW(scale, "[0.08, 1]", 0.0001, 1, NULL, "random resized crop: least and largest share of the area"),
    ROW(ratio, "[0.75, 1.3333333]", 0.01, 100, NULL, "random resized crop: least and largest aspect"),
    ROW(padding, "0", 0, 4096, NULL, "pixels to pad before a random crop, instead of the random resized crop; 0: off"),
    ROW(flip, "0.5", 0, 1, NULL, "probability of a horizontal flip"),
    ROW(rand_augment, "", 0, 0, NULL,
        "RandAugment by timm's name, rand-m9-mstd0.5-inc1: magnitude of 10, its deviation, increasing set; none if "
        "empty"),
    ROW(color_jitter, "0", 0, 1, NULL,
        "brightness, contrast and saturation by factors of 1 - this to 1 + this; without effect beside rand_augment"),
    ROW(random_erasing, "0", 0, 1, NULL, "probability that a box of 2 to 33 % of the area becomes noise"),
    ROW(mixup, "0", 0, 100, NULL,
        "alpha of the beta distribution of lambda, by which images and labels are averaged in pairs; 0: off"),
    ROW(cutmix, "0", 0, 100, NULL, "likewise, by exchanging a box; 0: off"),
    ROW(mix_prob, "1", 0, 1, NULL, "probability that mixup or cutmix happens to a group"),
    ROW(mix_switch, "0.5", 0, 1, NULL, "where both are on: probability of cutmix"),
    ROW(mix_groups, "1", 1, 1e6, NULL,
        "groups that a batch is dealt to in turn, each with one lambda and one partner order (DeiT: its 4 processes)"),
    ROW(repeats, "1", 1, 100, NULL,
        "repeated augmentation: an image comes so many times in a row, an epoch has as many samples as before"),
    ROW(crop_pct, "0.875", 0.01, 1, NULL,
        "evaluation: resize the shorter side to size / crop_pct, then crop the centre"),
    ROW(interpolation, "bicubic", 0, 0, "bicubic bilinear", "resampling, antialiased"),
    ROW(mean, "[0.485, 0.456, 0.406]", 0, 1, NULL, "of the channels in [0, 1], subtracted"),
    ROW(std, "[0.229, 0.224, 0.225]", 0.001, 10, NULL, "of the channels in [0, 1], divided by"),
    ROW(on_bad_sample, "fail", 0, 0, "fail skip",
        "a training image that cannot be read: ends the run; skip: is named, and the next of its class takes its "
        "place"),
    ROW(workers, "2", 1, 64, NULL, "threads that decode and transform ahead of training", .may_change = true),
    {0}};
#undef ROW

/* -------------------------------------------------------------------------------------------- preparation */

foci_status foci_image_size(const foci_config *c, int *height, int *width) {
    const int64_t *size;
    int n = foci_config_ints(c, "model.img_size", &size);
    if (n < 1 || n > 2) return foci_config_fail(c, "model.img_size", "needs one number, or height and width");
    if (foci_config_int(c, "model.in_chans") != 3)
        return foci_config_fail(c, "model.in_chans", "images have 3 channels");
    *height = (int)size[0];
    *width = (int)size[n - 1];
    return FOCI_OK;
}

static foci_status check_range(const foci_config *c, const char *key, foci_real_list v) {
    if (v.count < 1 || v.count > 2) return foci_config_fail(c, key, "needs one number, or the least and the largest");
    if (v.value[0] <= v.value[v.count - 1]) return FOCI_OK;
    return foci_config_fail(c, key, "%g is more than %g", v.value[0], v.value[1]);
}

static foci_status check_channels(const foci_config *c, const char *key, foci_real_list v) {
    if (v.count == 1 || v.count == 3) return FOCI_OK;
    return foci_config_fail(c, key, "needs one number, or one per channel");
}

static foci_status check_lists(const foci_config *c, const foci_image_options *o) {
    FOCI_TRY(check_range(c, "data.scale", o->scale));
    FOCI_TRY(check_range(c, "data.ratio", o->ratio));
    FOCI_TRY(check_channels(c, "data.mean", o->mean));
    return check_channels(c, "data.std", o->std);
}

static void channels(foci_real_list v, double out[3]) {
    for (int i = 0; i < 3; i++) out[i] = v.value[i < v.count ? i : v.count - 1];
}

foci_status foci_transform_from_config(foci_transform *t, const foci_config *c, bool train) {
    foci_image_options o;
    foci_config_read(c, "data", foci_image_keys, &o);
    int height = 0, width = 0;
    FOCI_TRY(foci_image_size(c, &height, &width));
    FOCI_TRY(check_lists(c, &o));
    *t = (foci_transform){.height = height,
                          .width = width,
                          .train = train,
                          .scale_min = o.scale.value[0],
                          .scale_max = o.scale.value[o.scale.count - 1],
                          .ratio_min = o.ratio.value[0],
                          .ratio_max = o.ratio.value[o.ratio.count - 1],
                          .padding = (int)o.padding,
                          .flip = o.flip,
                          .crop_pct = o.crop_pct,
                          .interpolation = o.interpolation,
                          .color_jitter = o.color_jitter,
                          .erasing = o.random_erasing};
    channels(o.mean, t->mean);
    channels(o.std, t->std);
    if (foci_rand_augment_parse(&t->rand_augment, o.rand_augment))
        return foci_config_fail(c, "data.rand_augment", "%s", foci_error_message());
    return FOCI_OK;
}

/* --------------------------------------------------------------------------------------------------- sets */

foci_status foci_image_sets_open(foci_image_sets *sets, const foci_config *c, unsigned split) {
    const foci_data_set *kind = foci_data_set_of(c);
    if (strcmp(kind->task, "images") != 0) return foci_config_fail(c, "data.kind", "%s has no images", kind->name);
    FOCI_TRY(kind->open(c, split, sets));
    foci_image_set *set = split == FOCI_TRAIN ? sets->train : sets->val;
    if (set) return foci_images_label(set, c);
    if (split == FOCI_TRAIN) return foci_config_fail(c, "data.train", "names no images");
    return foci_config_fail(c, "data.val", "names no images; data.val_split: 0.1 takes a tenth of the training images");
}

bool foci_images_left_out(const foci_image_set *set, char text[512]) {
    char names[256];
    const int64_t count = foci_image_set_left_out(set, names);
    snprintf(text, 512,
             "%lld file%s left out, of kinds of image that foci does not read (%s); as JPEG or PNG they count",
             (long long)count, count == 1 ? " is" : "s are", names);
    return count > 0;
}

void foci_image_sets_close(foci_image_sets *sets) {
    foci_image_set_close(sets->train);
    foci_image_set_close(sets->val);
    *sets = (foci_image_sets){NULL, NULL};
}

foci_status foci_validation_images_open(foci_image_sets *sets, foci_transform *t, const foci_config *c) {
    FOCI_TRY(foci_transform_from_config(t, c, false));
    FOCI_TRY(foci_image_sets_open(sets, c, FOCI_VALID));
    foci_images_compare(t, c);
    const int classes = foci_image_set_classes(sets->val);
    const int64_t wanted = foci_config_int(c, "model.num_classes");
    if (!wanted || wanted == classes) return FOCI_OK;
    return foci_config_fail(c, "model.num_classes", "%lld, but the data has %d classes", (long long)wanted, classes);
}

/* ----------------------------------------------------------------------------------------------- training */

static foci_status open_loader(foci_image_loader **loader, const foci_image_set *set, const foci_transform *t,
                               const foci_mix *mix, const foci_image_options *o, const foci_config *c) {
    const foci_training train = foci_training_read(c);
    const int64_t batch = train.batch_size, count = foci_image_set_count(set);
    if (count < batch)
        return foci_config_fail(c, "train.batch_size", "%lld is more than the %lld training images", (long long)batch,
                                (long long)count);
    FOCI_TRY(foci_image_loader_open(loader, set, t, batch, true, true, (uint64_t)train.seed, (int)o->workers));
    if (o->on_bad_sample == FOCI_BAD_IS_SKIPPED) FOCI_TRY(foci_image_loader_replace_bad(*loader));
    return foci_image_loader_augment(*loader, (int)o->repeats, mix);
}

foci_status foci_training_images_open(foci_image_sets *sets, foci_image_loader **loader, const foci_config *c) {
    foci_image_options o;
    foci_transform t;
    const int64_t batch = foci_training_read(c).batch_size;
    foci_config_read(c, "data", foci_image_keys, &o);
    FOCI_TRY(foci_transform_from_config(&t, c, true));
    if (batch % o.mix_groups)
        return foci_config_fail(c, "data.mix_groups", "%lld does not divide train.batch_size %lld",
                                (long long)o.mix_groups, (long long)batch);
    const foci_mix mix = {o.mixup, o.cutmix, o.mix_prob, o.mix_switch, (int)o.mix_groups};
    FOCI_TRY(foci_image_sets_open(sets, c, FOCI_TRAIN));
    return open_loader(loader, sets->train, &t, &mix, &o, c);
}

void foci_training_images_show(foci_sheet *sheet, int i, const foci_transform *t, const foci_image_set *set,
                               const foci_image_batch *b, int64_t at) {
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
