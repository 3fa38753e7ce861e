/* What the weights of a classifier mean: the names of its classes, and how its images are prepared. */
#include <stdlib.h>
#include <string.h>

#include "config/config.h"
#include "task/image_data.h"
#include "task/task.h"

/* ------------------------------------------------------------------------------------------------- classes */

foci_status foci_images_label(foci_image_set *set, const foci_config *c) {
    foci_labels l;
    FOCI_TRY(foci_labels_open(&l, c, foci_task_images.labels));
    const foci_status s = l.count ? foci_image_set_take_labels(set, l.name, (int)l.count) : FOCI_OK;
    foci_labels_close(&l);
    return s;
}

static const char *class_name(const void *set, int64_t k) { return foci_image_set_class_name(set, (int)k); }

/* ----------------------------------------------------------------------------------------------- transform */

/* {"height": 224, "width": 224, "crop_pct": 0.875, "interpolation": "bicubic", "mean": [...], "std": [...]} */
static void report_transform(const foci_transform *t, foci_report *r) {
    foci_report_whole(r, "height", t->height);
    foci_report_whole(r, "width", t->width);
    foci_report_number(r, "crop_pct", t->crop_pct);
    foci_report_text(r, "interpolation", t->interpolation == FOCI_BICUBIC ? "bicubic" : "bilinear");
    foci_report_numbers(r, "mean", 3, t->mean);
    foci_report_numbers(r, "std", 3, t->std);
}

foci_status foci_images_mean(const foci_image_set *set, const foci_transform *t, foci_meaning *m) {
    foci_report r = {NULL};
    FOCI_TRY(foci_meaning_add_names(m, foci_task_images.labels, foci_image_set_classes(set), class_name, set));
    report_transform(t, &r);
    const foci_status s = foci_meaning_add_report(m, "transform", &r);
    foci_report_free(&r);
    return s;
}

void foci_images_compare(const foci_transform *t, const foci_config *c) {
    const char *weights = foci_config_string(c, "data.labels");
    char *there, *here = NULL;
    foci_report r = {NULL};
    if (foci_meaning_of_weights(weights, "transform", &there)) return;
    report_transform(t, &r);
    if (!foci_report_string(&r, &foci_json_line, &here) && strcmp(there, here) != 0)
        foci_log(FOCI_LOG_INFO, "%s learnt from images prepared otherwise: %s; here %s", weights, there, here);
    foci_report_free(&r);
    free(there);
    free(here);
}
