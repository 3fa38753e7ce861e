/* classes, outliers: folders of other images, of some of the model's classes (ImageNet-A, -R) and of none of
 * them (ImageNet-O). */
#include "measure/shifted.h"
#include "shift/shifted.h"

const foci_key foci_folder_keys[] = {
    FOCI_KEY(foci_shift_options, val_dir, NULL, 0, 0, NULL,
             "images: a folder CLASS/FILE in place of data.val; where it has some of the model's classes "
             "only, the others' "
             "logits do not count (ImageNet-A, -R)",
             .placeholder = "DIR"),
    FOCI_KEY(foci_shift_options, classes, NULL, 0, 0, NULL,
             "the model's classes, a line each, in the order of its outputs (default: its own)", .placeholder = "FILE"),
    FOCI_KEY(foci_shift_options, limit, "0", 0, 1e12, NULL, "of a folder only so many images, evenly spread; 0: all"),
    {0}};

const foci_key foci_outlier_keys[] = {FOCI_KEY(foci_shift_options, ood_dir, NULL, 0, 0, NULL,
                                               "images of foreign things (ImageNet-O): AUPR of minus the "
                                               "largest softmax probability, against the images of "
                                               "the same classes in data.val or --val-dir",
                                               .placeholder = "DIR"),
                                      {0}};

/* ---------------------------------------------------------------------------------------- some of the
 * classes */

static foci_status run_classes(const foci_subject *subject, const void *options, const foci_watch *watch,
                               foci_report *r) {
    const foci_shift_options *o = options;
    foci_classifier c;
    foci_masked_score score;
    FOCI_TRY(foci_classifier_open(&c, subject->config, subject->weights, o->classes));
    foci_status s = foci_score_classes(&c, o->val_dir, o->limit, watch, &score);
    foci_classifier_close(&c);
    if (s) return s;
    foci_report_text(r, "val_dir", o->val_dir);
    foci_report_number(r, "top1", score.top1);
    foci_report_number(r, "top5", score.top5);
    foci_report_whole(r, "images", score.images);
    foci_report_whole(r, "classes", score.classes);
    return FOCI_OK;
}

static void print_classes(const foci_report *r, FILE *f) {
    fprintf(f, "%s: top-1 %.2f %%, top-5 %.2f %% over %.0f images, among %.0f classes\n",
            foci_report_text_of(r, "val_dir"), foci_report_number_of(r, "top1"), foci_report_number_of(r, "top5"),
            foci_report_number_of(r, "images"), foci_report_number_of(r, "classes"));
}

const foci_measure foci_measure_classes = {.name = "classes",
                                           .summary = "score of a folder with some of the classes",
                                           .size = sizeof(foci_shift_options),
                                           .options = {{foci_folder_keys}},
                                           .needs = "val_dir",
                                           .task = "images",
                                           .metrics = {"top1", "top5"},
                                           .run = run_classes,
                                           .form = &foci_json_compact,
                                           .print = print_classes,
                                           .command = "eval"};

/* ---------------------------------------------------------------------------------------- none of the
 * classes */

static foci_status run_outliers(const foci_subject *subject, const void *options, const foci_watch *watch,
                                foci_report *r) {
    const foci_shift_options *o = options;
    foci_classifier c;
    foci_outlier_score score;
    FOCI_TRY(foci_classifier_open(&c, subject->config, subject->weights, o->classes));
    foci_status s = foci_score_outliers(&c, o->ood_dir, o->val_dir, o->limit, watch, &score);
    foci_classifier_close(&c);
    if (s) return s;
    foci_report_text(r, "ood_dir", o->ood_dir);
    foci_report_number(r, "aupr", score.aupr);
    foci_report_number(r, "auroc", score.auroc);
    foci_report_whole(r, "images", score.images);
    foci_report_whole(r, "in_images", score.in_images);
    foci_report_whole(r, "classes", score.classes);
    return FOCI_OK;
}

static void print_outliers(const foci_report *r, FILE *f) {
    fprintf(f,
            "%s: AUPR %.2f %%, AUROC %.2f %%: %.0f foreign images against %.0f of the same %.0f classes, by "
            "minus the "
            "largest softmax probability\n",
            foci_report_text_of(r, "ood_dir"), foci_report_number_of(r, "aupr"), foci_report_number_of(r, "auroc"),
            foci_report_number_of(r, "images"), foci_report_number_of(r, "in_images"),
            foci_report_number_of(r, "classes"));
}

const foci_measure foci_measure_outliers = {.name = "outliers",
                                            .summary = "how well images of foreign things are told",
                                            .size = sizeof(foci_shift_options),
                                            .options = {{foci_outlier_keys}, {foci_folder_keys}},
                                            .needs = "ood_dir",
                                            .task = "images",
                                            .metrics = {"aupr", "auroc"},
                                            .run = run_outliers,
                                            .form = &foci_json_compact,
                                            .print = print_outliers,
                                            .command = "eval"};
