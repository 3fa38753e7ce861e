/* corrupt-pixels: how well the pixels of corrupted images are classified; the labels are those of the images as they
 * were. */
#include <math.h>

#include "measure/shifted.h"
#include "shift/corruption.h"
#include "train/trainer.h"

/* What is averaged over all that is asked for. */
static const struct {
    const char *of, *mean;
} figures[] = {{"miou", "corrupted_miou"},
               {"class_accuracy", "corrupted_class_accuracy"},
               {"pixel_accuracy", "corrupted_pixel_accuracy"}};
enum { FIGURES = sizeof figures / sizeof *figures };

typedef struct corrupting {
    const foci_corruption *corruption;
    int severity;
    foci_corrupt_how how;
} corrupting;

static foci_status shift(void *context, int64_t number, const foci_image *image, foci_image *out) {
    const corrupting *k = context;
    return foci_corrupt(k->corruption, k->severity, k->how, number, image, out);
}

typedef struct means {
    double sum[FIGURES];
    int count;
} means;

static foci_status measure_one(const foci_subject *subject, corrupting *k, const foci_watch *watch, means *m,
                               foci_report *lists[FIGURES]) {
    const foci_shifting shifting = {shift, k};
    const foci_evaluation how = {.split = "val", .shifting = &shifting};
    foci_score score;
    FOCI_TRY(foci_evaluate(subject->config, subject->weights, &how, watch, &score));
    for (int i = 0; i < FIGURES; i++) {
        const double x = foci_score_value(&score, figures[i].of);
        foci_report_number(lists[i], NULL, x);
        m->sum[i] += x;
    }
    m->count++;
    return FOCI_OK;
}

/* A list of every figure, a place for every severity. */
static foci_status measure_corruption(const foci_subject *subject, int corruption, const bool *severities,
                                      foci_corrupt_how how, const foci_watch *watch, means *m, foci_report *all) {
    foci_report *one = foci_report_part(all, foci_corruptions[corruption]->name), *lists[FIGURES];
    for (int i = 0; i < FIGURES; i++) lists[i] = foci_report_list(one, figures[i].of);
    for (int s = 0; s < FOCI_SEVERITIES; s++) {
        corrupting k = {foci_corruptions[corruption], s + 1, how};
        if (severities[s]) FOCI_TRY(measure_one(subject, &k, watch, m, lists));
        else
            for (int i = 0; i < FIGURES; i++) foci_report_number(lists[i], NULL, (double)NAN);
    }
    return FOCI_OK;
}

static foci_status measure(const foci_subject *subject, const foci_shift_options *o,
                           const foci_corruption_choice chosen, foci_corrupt_how how, const foci_watch *watch,
                           foci_report *report) {
    means m = {.count = 0};
    foci_report *all = foci_report_part(report, "corruptions");
    for (int k = 0; k < FOCI_CORRUPTIONS; k++) {
        bool any = false;
        for (int s = 0; s < FOCI_SEVERITIES; s++) any |= chosen[k][s];
        if (any) FOCI_TRY(measure_corruption(subject, k, chosen[k], how, watch, &m, all));
    }
    for (int i = 0; i < FIGURES; i++) foci_report_number(report, figures[i].mean, m.sum[i] / m.count);
    foci_report_text(report, "frost", o->frost ? o->frost : "generated");
    foci_report_whole(report, "seed", o->seed);
    foci_subject_tell(subject, report);
    return FOCI_OK;
}

static foci_status run(const foci_subject *subject, const void *options, const foci_watch *watch, foci_report *report) {
    const foci_shift_options *o = options;
    foci_corruption_choice chosen;
    foci_frost frost = {NULL};
    if (o->corrupt_dir || o->relative_to)
        return foci_fail(FOCI_ERR_CONFIG, "--corrupt-dir and --relative-to are for classifiers of images");
    FOCI_TRY(foci_corruption_choose(o->corrupt ? o->corrupt : "all", o->severity, chosen));
    if (o->frost) FOCI_TRY(foci_frost_read(&frost, o->frost));
    const foci_corrupt_how how = {(uint64_t)o->seed, o->frost ? &frost : NULL};
    const foci_status s = measure(subject, o, chosen, how, watch, report);
    foci_frost_free(&frost);
    return s;
}

static void print(const foci_report *r, FILE *f) {
    fprintf(f, "%-18s mean IoU in %% at severities 1 to 5\n", "corruption");
    for (const foci_report_entry *e = foci_report_part_of(r, "corruptions")->first; e; e = e->next) {
        fprintf(f, "%-18s", e->name);
        for (const foci_report_entry *x = foci_report_part_of(e->part, "miou")->first; x; x = x->next)
            if (isnan(foci_report_value(x))) fprintf(f, " %7s", "");
            else fprintf(f, " %7.2f", foci_report_value(x));
        fputc('\n', f);
    }
    fprintf(f, "means: IoU %.2f %%, class accuracy %.2f %%, pixel accuracy %.2f %%\n",
            foci_report_number_of(r, "corrupted_miou"), foci_report_number_of(r, "corrupted_class_accuracy"),
            foci_report_number_of(r, "corrupted_pixel_accuracy"));
}

const foci_measure foci_measure_corrupt_pixels = {
    .name = "corrupt-pixels",
    .summary = "mean IoU and accuracies on corrupted images, of a segmenter",
    .size = sizeof(foci_shift_options),
    .options = {{foci_corrupt_keys}},
    .task = "segmentation",
    .metrics = {"corrupted_miou", "corrupted_class_accuracy", "corrupted_pixel_accuracy"},
    .run = run,
    .form = &foci_json_compact,
    .print = print,
};
