/* Every attack as a measure: what is left of the accuracy of an image model. */
#include "measure/attack.h"

#include <string.h>

#include "measure/owner.h"

typedef struct settings {
    foci_attack_options how;
    foci_attack_images images;
} settings;

const foci_json_form foci_attack_json = {.compact = true, .digits = 17, .point = true};

/* ------------------------------------------------------------------------------------------------ the report
 */

/* One of its options, whose default is filled in. The loss is called objective: `loss` is a result. */
static void tell_option(const foci_attack *attack, const foci_attack_options *o, const foci_key *key, foci_report *r) {
    const char *name = strcmp(key->name, "loss") == 0 ? "objective" : key->name;
    bool has = foci_attack_reads(attack, key->name);
    if (strcmp(key->name, "targeted") == 0) has = o->targeted;
    if (strcmp(key->name, "step_size") == 0 && has && !attack->absolute)
        foci_report_number(r, name, o->step_size * o->eps);
    else if (has) foci_key_report(key, o, name, r);
    else foci_report_text(r, name, NULL);
}

void foci_attack_tell_settings(const foci_attack *attack, const foci_attack_images *images,
                               const foci_attack_options *o, int64_t count, foci_report *r) {
    foci_report_text(r, "method", attack->name);
    foci_report_number(r, "eps", o->eps);
    foci_key_report(&foci_attack_image_keys[0], images, "space", r);
    foci_key_report(&foci_attack_image_keys[1], images, "clip", r);
    for (const foci_key *key = foci_attack_keys; key->name; key++) tell_option(attack, o, key, r);
    foci_report_whole(r, "images", count);
}

void foci_attack_tell(const foci_subject *subject, const foci_attack *attack, const foci_attack_images *images,
                      const foci_attack_report *result, foci_report *r) {
    foci_attack_tell_settings(attack, images, &result->options, result->images, r);
    foci_report_number(r, "top1", result->top1);
    foci_report_number(r, "top5", result->top5);
    foci_report_number(r, "loss", result->loss);
    foci_report_number(r, "clean_top1", result->clean_top1);
    foci_report_number(r, "clean_top5", result->clean_top5);
    foci_report_number(r, "clean_loss", result->clean_loss);
    foci_report_whole(r, "outside", result->outside);
    foci_report_number(r, "largest", result->largest);
    foci_report_number(r, "seconds", result->seconds);
    foci_report_number(r, "images_per_s", (double)result->attacked / result->seconds);
    foci_report_number(r, "reached", result->reached);
    foci_subject_tell(subject, r);
}

/* Whatever can change a row: not how many images there are at once. */
foci_status foci_attack_own(const foci_subject *subject, const foci_attack_images *images, const foci_attack_options *o,
                            foci_report *owner) {
    FOCI_TRY(foci_owner_begin(subject, owner));
    for (const foci_key *key = foci_attack_image_keys; key->name; key++)
        if (strcmp(key->name, "batch") != 0) foci_key_report(key, images, key->name, owner);
    for (const foci_key *key = foci_attack_keys; key->name; key++) foci_key_report(key, o, key->name, owner);
    return FOCI_OK;
}

/* ------------------------------------------------------------------------------------------------ for people
 */

void foci_attack_print_head(const foci_subject *subject, const foci_report *r, FILE *f) {
    fprintf(f, "%.0f images, %s space, clip %s, labels %s, %s, seed %.0f", foci_report_number_of(r, "images"),
            foci_report_text_of(r, "space"), foci_report_text_of(r, "clip"), foci_report_text_of(r, "labels"),
            foci_report_text_of(r, "norm"), foci_report_number_of(r, "seed"));
    for (int i = 0; i < subject->sets; i++) fprintf(f, ", %s", subject->set[i]);
    fprintf(f, "\n%-12s %9s %9s %9s %9s %9s %10s\n", "attack", "eps", "top-1 %", "top-5 %", "clean", "loss",
            "images/s");
}

void foci_attack_print_line(const foci_report *r, FILE *f) {
    const double outside = foci_report_number_of(r, "outside");
    fprintf(f, "%-12s %9.6f %9.2f %9.2f %9.2f %9.4f %10.1f", foci_report_text_of(r, "method"),
            foci_report_number_of(r, "eps"), foci_report_number_of(r, "top1"), foci_report_number_of(r, "top5"),
            foci_report_number_of(r, "clean_top1"), foci_report_number_of(r, "loss"),
            foci_report_number_of(r, "images_per_s"));
    if (foci_report_text_of(r, "targeted")) fprintf(f, "  reached %.2f %%", foci_report_number_of(r, "reached"));
    if (outside > 0) fprintf(f, "  %.0f left the ball and count as not attacked", outside);
    fputc('\n', f);
}

static void print(const foci_report *r, FILE *f) {
    foci_attack_print_head(&(foci_subject){NULL}, r, f);
    foci_attack_print_line(r, f);
}

/* -------------------------------------------------------------------------------------------- the measures
 */

static foci_status run(const foci_attack *attack, const foci_subject *subject, const settings *o,
                       const foci_watch *watch, foci_report *r) {
    foci_attack_session *opened = NULL;
    foci_attack_report result;
    foci_status s = foci_attack_open(&opened, subject->config, subject->weights, &o->images);
    if (!s) s = foci_attack_measure(opened, attack, &o->how, NULL, watch, &result);
    if (!s) foci_attack_tell(subject, attack, &o->images, &result, r);
    foci_attack_close(opened);
    return s;
}

#define FOCI_ATTACK(attack) \
    extern const foci_attack foci_attack_##attack; \
    static foci_status run_##attack(const foci_subject *subject, const void *options, const foci_watch *watch, \
                                    foci_report *r) { \
        return run(&foci_attack_##attack, subject, options, watch, r); \
    } \
    const foci_measure foci_measure_##attack = {.name = #attack, \
                                                .summary = "accuracy left under " #attack, \
                                                .size = sizeof(settings), \
                                                .options = {{foci_attack_eps, offsetof(settings, how)}, \
                                                            {foci_attack_image_keys, offsetof(settings, images)}, \
                                                            {foci_attack_keys, offsetof(settings, how)}}, \
                                                .needs = "eps", \
                                                .task = "images", \
                                                .metrics = {"top1", "top5"}, \
                                                .run = run_##attack, \
                                                .form = &foci_attack_json, \
                                                .print = print, \
                                                .command = "attack", \
                                                .preset = {"method=" #attack}};
#include "attack/list.h"
#undef FOCI_ATTACK
