#include "task/scene_data.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/config.h"
#include "task/image_data.h"
#include "task/task.h"
#include "task/training.h"

#define ROW(name, ...) FOCI_KEY(foci_scene_options, name, __VA_ARGS__)
const foci_key foci_scene_keys[] = {
    ROW(classes, "0", 0, 255, NULL, "classes of a pixel; 0: those that data.labels names, or the model's"),
    ROW(sides, "[512, 2048]", 0, 65536, NULL,
        "an image is resized to the largest size whose shorter and longer side are at most these; 0: as it is"),
    ROW(ratio, "[0.5, 2]", 0.01, 100, NULL, "training: both sides times a random ratio from here"),
    ROW(crop_most, "0.75", 0, 1, NULL,
        "training: share that one class may have of a random crop, if one of ten tries has less; 1: any"),
    ROW(flip, "0.5", 0, 1, NULL, "training: probability of a horizontal flip"),
    ROW(distort, "true", 0, 0, NULL,
        "training: brightness by up to 32 of 255, contrast and saturation by half, hue by a tenth, each by even "
        "chance"),
    ROW(stride, "0", 0, 65536, NULL,
        "evaluation: pixels from one window of the model's size to the next, whose logits are averaged where they "
        "overlap; 0: the window, no overlap but at the border"),
    ROW(mean, "[0.485, 0.456, 0.406]", 0, 1, NULL, "of the channels in [0, 1], subtracted"),
    ROW(std, "[0.229, 0.224, 0.225]", 0.001, 10, NULL, "of the channels in [0, 1], divided by"),
    ROW(workers, "2", 1, 64, NULL, "threads that decode and transform ahead of training", .may_change = true),
    {0}};
#undef ROW

/* -------------------------------------------------------------------------------------------- preparation */

static foci_status channels(const foci_config *c, const char *key, foci_real_list v, double out[3]) {
    if (v.count != 1 && v.count != 3) return foci_config_fail(c, key, "needs one number, or one per channel");
    for (int i = 0; i < 3; i++) out[i] = v.value[i < v.count ? i : v.count - 1];
    return FOCI_OK;
}

static foci_status check_ranges(const foci_config *c, const foci_scene_options *o) {
    const foci_int_list sides = o->sides;
    const foci_real_list ratio = o->ratio;
    if (sides.count < 1 || sides.count > 2 || sides.value[0] > sides.value[sides.count - 1])
        return foci_config_fail(c, "data.sides", "needs one number, or the shorter and the longer side");
    if (ratio.count < 1 || ratio.count > 2 || ratio.value[0] > ratio.value[ratio.count - 1])
        return foci_config_fail(c, "data.ratio", "needs one number, or the least and the largest");
    return FOCI_OK;
}

foci_status foci_scene_transform_from_config(foci_scene_transform *t, const foci_config *c) {
    foci_scene_options o;
    int height, width;
    foci_config_read(c, "data", foci_scene_keys, &o);
    FOCI_TRY(foci_image_size(c, &height, &width));
    FOCI_TRY(check_ranges(c, &o));
    *t = (foci_scene_transform){.height = height,
                                .width = width,
                                .shorter = o.sides.value[0],
                                .longer = o.sides.value[o.sides.count - 1],
                                .ratio_min = o.ratio.value[0],
                                .ratio_max = o.ratio.value[o.ratio.count - 1],
                                .most = o.crop_most,
                                .flip = o.flip,
                                .distort = o.distort};
    FOCI_TRY(channels(c, "data.mean", o.mean, t->mean));
    return channels(c, "data.std", o.std, t->std);
}

/* ------------------------------------------------------------------------------------------------- classes */

foci_status foci_scene_classes(const foci_config *c, int64_t *classes) {
    foci_labels l;
    const int64_t wanted = foci_config_int(c, "model.num_classes");
    FOCI_TRY(foci_labels_open(&l, c, foci_task_segmentation.labels));
    *classes = l.count ? l.count : foci_config_int(c, "data.classes");
    foci_labels_close(&l);
    if (!*classes) *classes = wanted;
    if (!*classes)
        return foci_config_fail(c, "data.classes", "how many classes are there? data.labels may also name a list");
    if (*classes < 2 || *classes > FOCI_NO_CLASS)
        return foci_config_fail(c, "data.classes", "%lld classes; there may be 2 to %d", (long long)*classes,
                                FOCI_NO_CLASS);
    if (!wanted || wanted == *classes) return FOCI_OK;
    return foci_config_fail(c, "model.num_classes", "%lld, but the data has %lld classes", (long long)wanted,
                            (long long)*classes);
}

/* Names where there are none: in the form in which files have them. */
static foci_status number_classes(foci_labels *l, int64_t classes) {
    enum { LONGEST = 16 };
    l->text = malloc((size_t)classes * LONGEST);
    l->name = malloc((size_t)classes * sizeof *l->name);
    if (!l->text || !l->name) {
        foci_labels_close(l);
        return foci_fail(FOCI_ERR_RUNTIME, "out of memory for names of classes");
    }
    for (int64_t k = 0; k < classes; k++) {
        snprintf(l->text + k * LONGEST, LONGEST, "class %d", (int)k + 1);
        l->name[k] = l->text + k * LONGEST;
    }
    l->count = classes;
    return FOCI_OK;
}

foci_status foci_scene_labels(foci_labels *l, const foci_config *c, int64_t classes) {
    FOCI_TRY(foci_labels_open(l, c, foci_task_segmentation.labels));
    return l->count ? FOCI_OK : number_classes(l, classes);
}

static const char *class_name(const void *l, int64_t k) { return ((const foci_labels *)l)->name[k]; }

foci_status foci_scenes_mean(const foci_labels *l, const foci_scene_transform *t, foci_meaning *m) {
    foci_report r = {NULL};
    FOCI_TRY(foci_meaning_add_names(m, foci_task_segmentation.labels, l->count, class_name, l));
    foci_report_whole(&r, "height", t->height);
    foci_report_whole(&r, "width", t->width);
    foci_report_whole(&r, "shorter", t->shorter);
    foci_report_whole(&r, "longer", t->longer);
    foci_report_numbers(&r, "mean", 3, t->mean);
    foci_report_numbers(&r, "std", 3, t->std);
    const foci_status s = foci_meaning_add_report(m, "transform", &r);
    foci_report_free(&r);
    return s;
}

/* --------------------------------------------------------------------------------------------------- sets */

foci_status foci_scene_sets_open(foci_scene_sets *sets, const foci_config *c, unsigned splits) {
    const foci_data_set *kind = foci_data_set_of(c);
    if (strcmp(kind->task, foci_task_segmentation.name) != 0)
        return foci_config_fail(c, "data.kind", "%s has no classes of pixels", kind->name);
    FOCI_TRY(foci_scene_classes(c, &sets->meaning.classes));
    return kind->open(c, splits, sets);
}

void foci_scene_sets_close(foci_scene_sets *sets) {
    for (int i = 0; i < FOCI_SPLITS; i++) foci_pair_set_close(sets->of[i]);
    *sets = (foci_scene_sets){{{NULL}}};
}

foci_status foci_scene_loader_from_config(foci_scene_loader **loader, const foci_scene_sets *sets,
                                          const foci_config *c) {
    const foci_training train = foci_training_read(c);
    const int64_t count = foci_pair_set_count(sets->train);
    foci_scene_transform t;
    FOCI_TRY(foci_scene_transform_from_config(&t, c));
    if (count < train.batch_size)
        return foci_config_fail(c, "train.batch_size", "%lld is more than the %lld training images",
                                (long long)train.batch_size, (long long)count);
    return foci_scene_loader_open(loader, sets->train, &sets->meaning, &t, train.batch_size, (uint64_t)train.seed,
                                  (int)foci_config_int(c, "data.workers"));
}

/* -------------------------------------------------------------------------------------------------- show */

void foci_scene_show(foci_sheet *sheet, int i, const foci_scene_transform *t, const foci_scene_batch *b, int64_t at,
                     const char *name) {
    const int64_t pixels = (int64_t)t->height * t->width;
    foci_transform plain = {.height = t->height, .width = t->width};
    memcpy(plain.mean, t->mean, sizeof plain.mean);
    memcpy(plain.std, t->std, sizeof plain.std);
    foci_sheet_put(sheet, &plain, i, b->images + at * 3 * pixels);
    foci_sheet_cover(sheet, i, b->labels + at * pixels, t->width, t->height);
    foci_sheet_write(sheet, i, 0, name);
}
