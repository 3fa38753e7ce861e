#include "task/scene_score.h"

#include <stdlib.h>

void foci_scene_tally_add(foci_scene_tally *t, const foci_segmented *one) {
    const foci_image *image = &one->scene->image;
    for (int64_t i = 0; i < (int64_t)image->width * image->height; i++) {
        const unsigned char label = one->scene->classes[i], predicted = one->predicted[i];
        if (label == FOCI_NO_CLASS) continue;
        t->labelled[label]++;
        t->predicted[predicted]++;
        t->both[label] += label == predicted;
    }
    t->images++;
}

static void add(foci_scene_tally *t, const foci_scene_tally *part) {
    for (int k = 0; k < FOCI_NO_CLASS; k++) {
        t->labelled[k] += part->labelled[k];
        t->predicted[k] += part->predicted[k];
        t->both[k] += part->both[k];
    }
    t->images += part->images;
}

foci_status foci_scene_tally_gather(foci_scene_tally *t, foci_group *group) {
    if (!group) return FOCI_OK;
    foci_scene_tally *all = malloc((size_t)group->size * sizeof *all);
    const foci_status s = foci_group_agree(group, all ? FOCI_OK : foci_out_of_memory());
    if (!s) {
        foci_group_share(group, t, sizeof *t, all);
        *t = (foci_scene_tally){.images = 0};
        for (int r = 0; r < group->size; r++) add(t, &all[r]);
    }
    free(all);
    return s;
}

static foci_class_score score_class(const foci_scene_tally *t, const char *name, int64_t k) {
    const double both = (double)t->both[k], labelled = (double)t->labelled[k],
                 either = labelled + (double)t->predicted[k] - both;
    return (foci_class_score){name, t->labelled[k], 100 * both / either, 100 * both / labelled};
}

foci_status foci_scene_tally_score(const foci_scene_tally *t, const foci_labels *classes, const foci_evaluation *e,
                                   foci_score *score) {
    double pixels = 0, right = 0, iou = 0, accuracy = 0, present = 0;
    for (int64_t k = 0; k < classes->count; k++) {
        const foci_class_score c = score_class(t, classes->name[k], k);
        if (e->class_scored) e->class_scored(e->context, &c);
        pixels += (double)t->labelled[k];
        right += (double)t->both[k];
        if (!c.pixels) continue;
        present++;
        iou += c.iou / 100;
        accuracy += c.accuracy / 100;
    }
    if (!present) return foci_fail(FOCI_ERR_DATA, "no pixel of the %lld images has a class", (long long)t->images);
    FOCI_TRY(foci_score_put(score, "loss", t->loss, pixels));
    FOCI_TRY(foci_score_put(score, "miou", iou, present));
    FOCI_TRY(foci_score_put(score, "class_accuracy", accuracy, present));
    FOCI_TRY(foci_score_put(score, "pixel_accuracy", right, pixels));
    return foci_score_put(score, "images", (double)t->images, (double)t->images);
}
