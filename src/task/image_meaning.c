/* What the weights of a classifier mean: the names of its classes, and how its images are prepared. */
#include <stdio.h>
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

static foci_status mean_classes(const foci_image_set *set, foci_meaning *m) {
    char *text = NULL;
    size_t size;
    FILE *f = open_memstream(&text, &size);
    for (int k = 0; f && k < foci_image_set_classes(set); k++) fprintf(f, "%s\n", foci_image_set_class_name(set, k));
    foci_status s = f && fclose(f) == 0 ? FOCI_OK : foci_fail(FOCI_ERR_RUNTIME, "out of memory for names of classes");
    if (!s) s = foci_meaning_add(m, foci_task_images.labels, text);
    free(text);
    return s;
}

/* ----------------------------------------------------------------------------------------------- transform */

static void report_list(foci_report *r, const char *name, const double x[3]) {
    foci_report *list = foci_report_list(r, name);
    for (int c = 0; c < 3; c++) foci_report_number(list, NULL, x[c]);
}

/* {"height": 224, "width": 224, "crop_pct": 0.875, "interpolation": "bicubic", "mean": [...], "std": [...]} */
static foci_status print_transform(const foci_transform *t, char **text) {
    foci_report r = {NULL};
    foci_report_whole(&r, "height", t->height);
    foci_report_whole(&r, "width", t->width);
    foci_report_number(&r, "crop_pct", t->crop_pct);
    foci_report_text(&r, "interpolation", t->interpolation == FOCI_BICUBIC ? "bicubic" : "bilinear");
    report_list(&r, "mean", t->mean);
    report_list(&r, "std", t->std);
    const foci_status s = foci_report_string(&r, &foci_json_line, text);
    foci_report_free(&r);
    return s;
}

foci_status foci_images_mean(const foci_image_set *set, const foci_transform *t, foci_meaning *m) {
    char *text;
    FOCI_TRY(mean_classes(set, m));
    FOCI_TRY(print_transform(t, &text));
    const foci_status s = foci_meaning_add(m, "transform", text);
    free(text);
    return s;
}

void foci_images_compare(const foci_transform *t, const foci_config *c) {
    const char *weights = foci_config_string(c, "data.labels");
    char *there, *here = NULL;
    if (foci_meaning_of_weights(weights, "transform", &there)) return;
    if (!print_transform(t, &here) && strcmp(there, here) != 0)
        foci_log(FOCI_LOG_INFO, "%s learnt from images prepared otherwise: %s; here %s", weights, there, here);
    free(there);
    free(here);
}
