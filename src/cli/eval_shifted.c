#include "cli/eval_shifted.h"

#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "shift/shifted.h"

bool foci_shift_asked(const foci_shift_options *o) {
    return o->corrupt || o->severity || o->corrupt_dir || o->relative_to || o->val_dir || o->ood_dir || o->classes ||
           o->limit || o->seed;
}

/* ------------------------------------------------------------------------------------------- the reference */

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

static foci_status measure(const foci_config *config, const char *weights, const foci_shift_options *o,
                           const foci_corruption_choice chosen, foci_corrupted *r, int64_t *classes) {
    foci_classifier c;
    FOCI_TRY(foci_classifier_open(&c, config, weights, o->classes));
    *classes = c.classes;
    foci_status s =
        o->corrupt_dir
            ? foci_measure_corrupted_folders(&c, o->corrupt_dir, chosen, o->limit, &foci_on_terminal, r)
            : foci_measure_corrupted(&c, o->val_dir, chosen, (uint64_t)o->seed, o->limit, &foci_on_terminal, r);
    foci_classifier_close(&c);
    return s;
}

static foci_status measure_reference(const foci_shift_options *o, const foci_corruption_choice chosen,
                                     foci_corrupted *r) {
    if (foci_path_kind(o->relative_to) == 'f') return read_errors(o->relative_to, r);
    char weights[4200];
    foci_config *config;
    int64_t classes;
    FOCI_TRY(foci_find_weights(o->relative_to, NULL, weights, sizeof weights));
    FOCI_TRY(foci_config_open(&config, o->relative_to, NULL, 0));
    foci_status s = measure(config, weights, o, chosen, r, &classes);
    foci_config_free(config);
    return s;
}

typedef struct comparison {
    const foci_corrupted *r, *reference; /* reference NULL: AlexNet */
    bool any;                            /* there is something to compare with */
    const char *to;
} comparison;

static double ce(const comparison *x, int corruption) {
    return x->any ? foci_corruption_error(x->r, x->reference, corruption) : (double)NAN;
}

static void report_corruption(foci_report *r, const comparison *x, int corruption) {
    foci_report *errors = foci_report_list(r, "errors");
    for (int s = 0; s < FOCI_SEVERITIES; s++) foci_report_number(errors, NULL, x->r->error[corruption][s]);
    foci_report_number(r, "error", foci_corrupted_error(x->r, corruption));
    foci_report_number(r, "ce", ce(x, corruption));
}

static foci_status print_json(const comparison *x, const foci_shift_options *o, const foci_parsed *parsed) {
    const foci_corrupted *r = x->r;
    foci_report to = {NULL};
    foci_report_whole(&to, "images", r->images);
    foci_report_number(&to, "clean_error", r->clean);
    foci_report_number(&to, "mean_error", foci_corrupted_mean(r));
    foci_report_number(&to, "mce", x->any ? foci_mean_corruption_error(r, x->reference) : (double)NAN);
    foci_report_text(&to, "relative_to", x->any ? x->to : NULL);
    foci_report *all = foci_report_part(&to, "corruptions");
    for (int k = 0; k < FOCI_CORRUPTIONS; k++)
        if (!isnan(foci_corrupted_error(r, k)))
            report_corruption(foci_report_part(all, foci_corruptions[k]->name), x, k);
    if (o->corrupt_dir) foci_report_text(&to, "seed", NULL);
    else foci_report_whole(&to, "seed", o->seed);
    foci_report_number(&to, "seconds", r->seconds);
    foci_report_number(&to, "images_per_s", (double)r->seen / r->seconds);
    foci_report_text(&to, "checkpoint", parsed->weights);
    foci_report_sets(&to, parsed);
    return foci_print_report(&to, &foci_json_compact);
}

static void print_cell(double x) {
    if (isnan(x)) printf(" %7s", "");
    else printf(" %7.2f", x);
}

static void print_table(const comparison *x) {
    const foci_corrupted *r = x->r;
    printf("top-1 error in %% of %lld images", (long long)r->images);
    if (!isnan(r->clean)) printf(", clean %.2f", r->clean);
    printf("; %.0f images/s\n%-18s", (double)r->seen / r->seconds, "severity");
    for (int s = 1; s <= FOCI_SEVERITIES; s++) printf(" %7d", s);
    printf(" %7s%s\n", "mean", x->any ? "      CE" : "");
    for (int k = 0; k < FOCI_CORRUPTIONS; k++) {
        if (isnan(foci_corrupted_error(r, k))) continue;
        printf("%-18s", foci_corruptions[k]->name);
        for (int s = 0; s < FOCI_SEVERITIES; s++) print_cell(r->error[k][s]);
        print_cell(foci_corrupted_error(r, k));
        if (x->any) print_cell(ce(x, k));
        putchar('\n');
    }
    if (!isnan(foci_corrupted_mean(r))) printf("mean over the 15 of ImageNet-C: %.2f\n", foci_corrupted_mean(r));
    if (x->any && !isnan(foci_mean_corruption_error(r, x->reference)))
        printf("mCE relative to %s: %.2f\n", x->to, foci_mean_corruption_error(r, x->reference));
}

static foci_status eval_corrupted(const foci_parsed *parsed, const foci_shift_options *o) {
    foci_corruption_choice chosen;
    foci_corrupted r, reference;
    int64_t classes;
    FOCI_TRY(choose(o, chosen));
    if (o->relative_to) FOCI_TRY(foci_context(measure_reference(o, chosen, &reference), "--relative-to"));
    FOCI_TRY(measure(parsed->config, parsed->weights, o, chosen, &r, &classes));
    const comparison x = {&r, o->relative_to ? &reference : NULL, o->relative_to || classes == ALEXNET_CLASSES,
                          o->relative_to ? o->relative_to : "AlexNet"};
    if (parsed->json) return print_json(&x, o, parsed);
    print_table(&x);
    return FOCI_OK;
}

/* -------------------------------------------------------------------------- some of the classes, or none */

static foci_status print_classes_json(const foci_masked_score *s, const char *dir) {
    foci_report r = {NULL};
    foci_report_text(&r, "val_dir", dir);
    foci_report_number(&r, "top1", s->top1);
    foci_report_number(&r, "top5", s->top5);
    foci_report_whole(&r, "images", s->images);
    foci_report_whole(&r, "classes", s->classes);
    return foci_print_report(&r, &foci_json_compact);
}

static foci_status eval_classes(foci_classifier *c, const foci_shift_options *o, bool json) {
    foci_masked_score s;
    FOCI_TRY(foci_measure_classes(c, o->val_dir, o->limit, &foci_on_terminal, &s));
    if (json) return print_classes_json(&s, o->val_dir);
    printf("%s: top-1 %.2f %%, top-5 %.2f %% over %lld images, among %d of %lld classes\n", o->val_dir, s.top1, s.top5,
           (long long)s.images, s.classes, (long long)c->classes);
    return FOCI_OK;
}

static foci_status print_outliers_json(const foci_outlier_score *s, const char *dir) {
    foci_report r = {NULL};
    foci_report_text(&r, "ood_dir", dir);
    foci_report_number(&r, "aupr", s->aupr);
    foci_report_number(&r, "auroc", s->auroc);
    foci_report_whole(&r, "images", s->images);
    foci_report_whole(&r, "in_images", s->in_images);
    foci_report_whole(&r, "classes", s->classes);
    return foci_print_report(&r, &foci_json_compact);
}

static foci_status eval_outliers(foci_classifier *c, const foci_shift_options *o, bool json) {
    foci_outlier_score s;
    FOCI_TRY(foci_measure_outliers(c, o->ood_dir, o->val_dir, o->limit, &foci_on_terminal, &s));
    if (json) return print_outliers_json(&s, o->ood_dir);
    printf("%s: AUPR %.2f %%, AUROC %.2f %%: %lld foreign images against %lld of the same %d classes, by minus the "
           "largest softmax probability\n",
           o->ood_dir, s.aupr, s.auroc, (long long)s.images, (long long)s.in_images, s.classes);
    return FOCI_OK;
}

foci_status foci_shift_check(const foci_shift_options *o) {
    if (!foci_shift_asked(o)) return FOCI_OK;
    const bool corrupted = o->corrupt || o->corrupt_dir;
    if (!corrupted && (o->severity || o->relative_to || o->seed))
        return foci_fail(FOCI_ERR_CONFIG, "--severity, --relative-to and --seed go with --corrupt");
    if (!corrupted && !o->val_dir && !o->ood_dir)
        return foci_fail(FOCI_ERR_CONFIG,
                         "--limit and --classes go with --corrupt, --corrupt-dir, --val-dir or --ood-dir");
    if (corrupted && o->ood_dir) return foci_fail(FOCI_ERR_CONFIG, "--ood-dir and corruptions do not go together");
    if (o->corrupt_dir && o->val_dir)
        return foci_fail(FOCI_ERR_CONFIG, "--corrupt-dir and --val-dir do not go together");
    return FOCI_OK;
}

foci_status foci_eval_shifted(const foci_parsed *parsed, const foci_shift_options *o) {
    if (o->corrupt || o->corrupt_dir) return eval_corrupted(parsed, o);
    foci_classifier c;
    FOCI_TRY(foci_classifier_open(&c, parsed->config, parsed->weights, o->classes));
    foci_status s = o->ood_dir ? eval_outliers(&c, o, parsed->json) : eval_classes(&c, o, parsed->json);
    foci_classifier_close(&c);
    return s;
}
