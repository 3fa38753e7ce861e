/* corrupt: top-1 error on corrupted images, and by how much more a model errs than another (ImageNet-C). */
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "measure/shifted.h"
#include "run/open.h"
#include "shift/shifted.h"

const foci_key foci_corrupt_keys[] = {
    FOCI_KEY(foci_shift_options, corrupt, NULL, 0, 0, NULL,
             "images: top-1 error on corrupted copies (foci list corruptions; imagenet-c: the 15; all); "
             "fog:severity=3 has "
             "the severity in one word",
             .placeholder = "A[,B...]"),
    FOCI_KEY(foci_shift_options, severity, NULL, 0, 0, NULL,
             "of corruptions: 1 to 5, or a range such as 1-3 (default: 1-5)", .placeholder = "S"),
    FOCI_KEY(foci_shift_options, corrupt_dir, NULL, 0, 0, NULL,
             "the same of images corrupted by others: DIR/CORRUPTION/SEVERITY/CLASS/IMAGE, as ImageNet-C is "
             "published",
             .placeholder = "DIR"),
    FOCI_KEY(foci_shift_options, relative_to, NULL, 0, 0, NULL,
             "corruption errors relative to this run, measured the same way, or to what --corrupt --json "
             "said of one "
             "(default, with 1000 classes: AlexNet)",
             .placeholder = "RUN|FILE"),
    FOCI_KEY(foci_shift_options, seed, "0", 0, 9e15, NULL, "of the corruptions' random numbers"),
    FOCI_KEY(foci_shift_options, frost, NULL, 0, 0, NULL,
             "frost1.png to frost6.jpg of ImageNet-C's code, to mix in as it does (default: frost is generated)",
             .placeholder = "DIR"),
    {0}};

/* ------------------------------------------------------------------------------------------- the reference
 */

enum { ALEXNET_CLASSES = 1000 };

/* "corruptions": {"fog": {"errors": [...]}, ...}, at the top or, in a table's file, inside of "result". */
static foci_status take_errors(const json_t *object, const char *path, foci_corrupted *r) {
    const json_t *all = json_object_get(object, "corruptions");
    if (!all) all = json_object_get(json_object_get(object, "result"), "corruptions");
    for (int k = 0; k < FOCI_CORRUPTIONS; k++) {
        const json_t *errors = json_object_get(json_object_get(all, foci_corruptions[k]->name), "errors");
        for (int s = 0; s < FOCI_SEVERITIES; s++) {
            const json_t *x = json_array_get(errors, (size_t)s);
            const double error = json_is_number(x) ? json_number_value(x) : (double)NAN;
            if (error < 0 || error > 100)
                return foci_fail(FOCI_ERR_DATA, "%s: %s: an error of %g %%", path, foci_corruptions[k]->name, error);
            r->error[k][s] = error;
        }
    }
    return json_is_object(all)
               ? FOCI_OK
               : foci_fail(FOCI_ERR_DATA, "%s: no corruptions in it; foci eval --corrupt --json writes such a file",
                           path);
}

static foci_status read_errors(const char *path, foci_corrupted *r) {
    char *text;
    size_t size;
    json_error_t e;
    FOCI_TRY(foci_read_file(path, 1 << 22, &text, &size, FOCI_ERR_DATA));
    json_t *object = json_loadb(text, size, JSON_REJECT_DUPLICATES, &e);
    free(text);
    if (!object) return foci_fail(FOCI_ERR_DATA, "%s:%d: %s", path, e.line, e.text);
    foci_status s = take_errors(object, path, r);
    json_decref(object);
    return s;
}

/* -------------------------------------------------------------------------------------------- corruptions */

/* Those that the options name; of a folder without names, those that it has. */
static foci_status choose(const foci_shift_options *o, foci_corruption_choice chosen) {
    FOCI_TRY(foci_corruption_choose(o->corrupt ? o->corrupt : "all", o->severity, chosen));
    if (o->corrupt) return FOCI_OK;
    bool any = false;
    for (int k = 0; k < FOCI_CORRUPTIONS; k++) {
        char path[4096];
        FOCI_TRY(foci_path_join(path, sizeof path, o->corrupt_dir, foci_corruptions[k]->name));
        const bool there = foci_path_kind(path) == 'd';
        if (!there) memset(chosen[k], 0, sizeof chosen[k]);
        any |= there;
    }
    return any ? FOCI_OK
               : foci_fail(FOCI_ERR_DATA, "%s: no corruption there (gaussian_noise/1/CLASS/IMAGE, ...)",
                           o->corrupt_dir);
}

static foci_status measure_with(foci_classifier *c, const foci_shift_options *o, const foci_frost *frost,
                                const foci_corruption_choice chosen, const foci_watch *watch, foci_corrupted *r) {
    const foci_corrupt_how how = {(uint64_t)o->seed, frost};
    return o->corrupt_dir ? foci_measure_corrupted_folders(c, o->corrupt_dir, chosen, o->limit, watch, r)
                          : foci_measure_corrupted(c, o->val_dir, chosen, how, o->limit, watch, r);
}

static foci_status measure(const foci_config *config, const char *weights, const foci_shift_options *o,
                           const foci_corruption_choice chosen, const foci_watch *watch, foci_corrupted *r,
                           int64_t *classes) {
    foci_classifier c;
    foci_frost frost = {NULL};
    if (o->frost) FOCI_TRY(foci_frost_read(&frost, o->frost));
    foci_status s = foci_classifier_open(&c, config, weights, o->classes);
    if (!s) {
        *classes = c.classes;
        s = measure_with(&c, o, o->frost ? &frost : NULL, chosen, watch, r);
        foci_classifier_close(&c);
    }
    foci_frost_free(&frost);
    return s;
}

static foci_status measure_reference(const foci_shift_options *o, const foci_corruption_choice chosen,
                                     const foci_watch *watch, foci_corrupted *r) {
    if (foci_path_kind(o->relative_to) == 'f') return read_errors(o->relative_to, r);
    char weights[4200];
    foci_config *config;
    int64_t classes;
    FOCI_TRY(foci_find_weights(o->relative_to, NULL, weights, sizeof weights));
    FOCI_TRY(foci_config_open_trained(&config, o->relative_to, weights, NULL, 0));
    foci_status s = measure(config, weights, o, chosen, watch, r, &classes);
    foci_config_free(config);
    return s;
}

/* ------------------------------------------------------------------------------------------------ the report
 */

typedef struct comparison {
    const foci_corrupted *r, *reference; /* reference NULL: AlexNet */
    bool any;                            /* there is something to compare with */
    const char *to;
} comparison;

static void tell_corruption(const comparison *x, int corruption, foci_report *all) {
    foci_report *one = foci_report_part(all, foci_corruptions[corruption]->name);
    foci_report_numbers(one, "errors", FOCI_SEVERITIES, x->r->error[corruption]);
    foci_report_number(one, "error", foci_corrupted_error(x->r, corruption));
    foci_report_number(one, "ce", x->any ? foci_corruption_error(x->r, x->reference, corruption) : (double)NAN);
}

static void tell(const comparison *x, const foci_shift_options *o, const foci_subject *subject, foci_report *report) {
    const foci_corrupted *r = x->r;
    foci_report_whole(report, "images", r->images);
    foci_report_number(report, "clean_error", r->clean);
    foci_report_number(report, "error", foci_corrupted_mean_of_all(r));
    foci_report_number(report, "mean_error", foci_corrupted_mean(r));
    foci_report_number(report, "mce", x->any ? foci_mean_corruption_error(r, x->reference) : (double)NAN);
    foci_report_text(report, "relative_to", x->any ? x->to : NULL);
    foci_report *all = foci_report_part(report, "corruptions");
    for (int k = 0; k < FOCI_CORRUPTIONS; k++)
        if (!isnan(foci_corrupted_error(r, k))) tell_corruption(x, k, all);
    foci_report_text(report, "frost", o->corrupt_dir ? NULL : o->frost ? o->frost : "generated");
    if (o->corrupt_dir) foci_report_text(report, "seed", NULL);
    else foci_report_whole(report, "seed", o->seed);
    foci_report_number(report, "seconds", r->seconds);
    foci_report_number(report, "images_per_s", (double)r->seen / r->seconds);
    foci_subject_tell(subject, report);
}

static foci_status run(const foci_subject *subject, const void *options, const foci_watch *watch, foci_report *report) {
    const foci_shift_options *o = options;
    foci_corruption_choice chosen;
    foci_corrupted r, reference;
    int64_t classes;
    FOCI_TRY(choose(o, chosen));
    if (o->relative_to) FOCI_TRY(foci_context(measure_reference(o, chosen, watch, &reference), "--relative-to"));
    FOCI_TRY(measure(subject->config, subject->weights, o, chosen, watch, &r, &classes));
    const comparison x = {&r, o->relative_to ? &reference : NULL, o->relative_to || classes == ALEXNET_CLASSES,
                          o->relative_to ? o->relative_to : "AlexNet"};
    tell(&x, o, subject, report);
    return FOCI_OK;
}

/* ------------------------------------------------------------------------------------------------ for people
 */

static void print_cell(double x, FILE *f) {
    if (isnan(x)) fprintf(f, " %7s", "");
    else fprintf(f, " %7.2f", x);
}

static void print_head(const foci_report *r, FILE *f) {
    const double clean = foci_report_number_of(r, "clean_error");
    fprintf(f, "top-1 error in %% of %.0f images", foci_report_number_of(r, "images"));
    if (!isnan(clean)) fprintf(f, ", clean %.2f", clean);
    fprintf(f, "; %.0f images/s\n%-18s", foci_report_number_of(r, "images_per_s"), "severity");
    for (int s = 1; s <= FOCI_SEVERITIES; s++) fprintf(f, " %7d", s);
    fprintf(f, " %7s%s\n", "mean", foci_report_text_of(r, "relative_to") ? "      CE" : "");
}

static void print(const foci_report *r, FILE *f) {
    const char *to = foci_report_text_of(r, "relative_to"), *frost = foci_report_text_of(r, "frost");
    const double mean = foci_report_number_of(r, "mean_error"), mce = foci_report_number_of(r, "mce");
    print_head(r, f);
    for (const foci_report_entry *e = foci_report_part_of(r, "corruptions")->first; e; e = e->next) {
        fprintf(f, "%-18s", e->name);
        for (const foci_report_entry *x = foci_report_part_of(e->part, "errors")->first; x; x = x->next)
            print_cell(foci_report_value(x), f);
        print_cell(foci_report_number_of(e->part, "error"), f);
        if (to) print_cell(foci_report_number_of(e->part, "ce"), f);
        fputc('\n', f);
    }
    if (frost && foci_report_find(foci_report_part_of(r, "corruptions"), "frost")) fprintf(f, "frost: %s\n", frost);
    if (!isnan(mean)) fprintf(f, "mean over the 15 of ImageNet-C: %.2f\n", mean);
    if (!isnan(mce)) fprintf(f, "mCE relative to %s: %.2f\n", to, mce);
}

const foci_measure foci_measure_corrupt = {.name = "corrupt",
                                           .summary = "top-1 error on corrupted images",
                                           .size = sizeof(foci_shift_options),
                                           .options = {{foci_corrupt_keys}, {foci_folder_keys}},
                                           .reads = "relative_to",
                                           .task = "images",
                                           .metrics = {"mean_error", "error", "mce"},
                                           .run = run,
                                           .form = &foci_json_compact,
                                           .print = print,
                                           .command = "eval",
                                           .preset = {"corrupt=imagenet-c"}};
