/* Golden cases of attacks: the gradient of the loss by the images, FGSM and PGD from a given start, and the logits and
 * loss of the expected adversarial images (not of foci's own, which may differ where a gradient is nearly zero). */
#include <math.h>
#include <string.h>

#include "models/models.h"
#include "attack/engine.h"
#include "verify/case.h"

static const char *const differing = "differing_values"; /* this check's own group */
static const double most_differing = 1e-3;

typedef struct attack_case {
    foci_case *c;
    foci_config *config;
    foci_case_run run; /* its parameters; the victim's graphs use them */
    foci_victim victim;
    int64_t batch;
    const int64_t *shape;                          /* of the images */
    foci_real *images, *clean, *logits, *dx, *adv; /* (B, pixels), (B, classes) */
    double *loss;
    int32_t *given, *predicted;
    int64_t *which;
} attack_case;

static foci_status open_case(attack_case *a) {
    foci_case *c = a->c;
    json_t *sizes;
    const json_t *elliptical = json_object_get(c->root, "elliptical");
    const foci_model *model = foci_model_find("vit");
    const foci_safetensor *t;
    FOCI_TRY(foci_case_member(c, c->root, "case", "model", JSON_OBJECT, &sizes));
    if (!elliptical) return foci_case_fail(c, "case.elliptical is missing");
    FOCI_TRY(foci_case_config(c, &(foci_case_settings){model, .sizes = sizes, .elliptical = elliptical}, &a->config));
    FOCI_TRY(foci_case_tensor(c, "input.images", -1, NULL, &t));
    if (t->ndim != 4) return foci_case_fail(c, "tensor input.images has %d dimensions", t->ndim);
    a->batch = t->shape[0];
    FOCI_TRY(foci_case_run_open_model(
        c, &a->run, model, &(foci_request){.config = a->config, .batch = a->batch, .feeds = "images labels"}, false));
    a->shape = foci_program_find(a->run.program, "images")->shape;
    FOCI_TRY(foci_case_tensor(c, "input.images", 4, a->shape, &t));
    FOCI_TRY(foci_case_run_ready(c, &a->run, "param.", "constant."));
    const foci_units units = foci_units_plain(-(double)INFINITY, (double)INFINITY);
    return foci_victim_open(&a->victim, model, a->config, &a->run.parameters, &units, 0, a->batch, c->bf16);
}

static foci_status allocate(attack_case *a) {
    foci_arena *memory = &a->c->arena;
    const size_t images = (size_t)(a->batch * a->victim.pixels), classes = (size_t)(a->batch * a->victim.classes);
    a->dx = foci_arena_alloc(memory, images * sizeof *a->dx);
    a->adv = foci_arena_alloc(memory, images * sizeof *a->adv);
    a->clean = foci_arena_alloc(memory, classes * sizeof *a->clean);
    a->logits = foci_arena_alloc(memory, classes * sizeof *a->logits);
    a->loss = foci_arena_alloc(memory, (size_t)a->batch * sizeof *a->loss);
    a->which = foci_arena_alloc(memory, (size_t)a->batch * sizeof *a->which);
    a->predicted = foci_arena_alloc(memory, (size_t)a->batch * sizeof *a->predicted);
    if (!a->dx || !a->adv || !a->clean || !a->logits || !a->loss || !a->which || !a->predicted)
        return foci_fail(FOCI_ERR_RUNTIME, "%s: out of memory", a->c->path);
    for (int64_t i = 0; i < a->batch; i++) a->which[i] = i;
    return FOCI_OK;
}

static double mean_loss(const attack_case *a) {
    double sum = 0;
    for (int64_t i = 0; i < a->batch; i++) sum += a->loss[i] / (double)a->batch;
    return sum;
}

/* Logits and losses by these labels, and the gradient of the mean loss, of x. */
static void look(attack_case *a, const foci_real *x, const int32_t *label, foci_real *logits) {
    foci_victim_gradient(&a->victim, a->batch, NULL, x, foci_head_cross_entropy, label, NULL, logits, a->loss, a->dx);
    for (int64_t i = 0; i < a->batch * a->victim.pixels; i++) a->dx[i] /= (foci_real)a->batch;
}

/* ---------------------------------------------------------------------------------------------- one attack */

typedef struct attack_options {
    bool pgd, predicted;
    double eps, step;
    int64_t iterations;
    foci_real *start; /* PGD: NULL where there is none */
    const char *output;
    double loss_before, loss_after;
} attack_options;

static foci_status read_clip(attack_case *a, const json_t *attack, const char *place) {
    const json_t *clip = json_object_get(attack, "clip"), *low = json_array_get(clip, 0),
                 *high = json_array_get(clip, 1);
    const bool pair = json_array_size(clip) == 2 && json_is_number(low) && json_is_number(high);
    if (!clip || (!json_is_null(clip) && !pair))
        return foci_case_fail(a->c, "%s.clip is neither null nor two numbers", place);
    a->victim.units = pair ? foci_units_plain(json_number_value(low), json_number_value(high))
                           : foci_units_plain(-(double)INFINITY, (double)INFINITY);
    if (pair && !(json_number_value(low) <= json_number_value(high)))
        return foci_case_fail(a->c, "%s.clip is no range", place);
    return FOCI_OK;
}

static foci_status read_word(const foci_case *c, const json_t *attack, const char *place, const char *key,
                             const char *no, const char *yes, bool *is_yes) {
    json_t *word;
    FOCI_TRY(foci_case_member(c, attack, place, key, JSON_STRING, &word));
    *is_yes = strcmp(json_string_value(word), yes) == 0;
    return *is_yes || strcmp(json_string_value(word), no) == 0
               ? FOCI_OK
               : foci_case_fail(c, "%s.%s is `%.60s`, neither %s nor %s", place, key, json_string_value(word), no, yes);
}

static foci_status read_attack(attack_case *a, const json_t *attack, const char *place, attack_options *o) {
    static const char *const known =
        " attack eps labels clip output loss_before loss_after float32_share_of_differing_values "
        "float32_loss_after step iterations start ";
    foci_case *c = a->c;
    json_t *name;
    *o = (attack_options){.pgd = false};
    FOCI_TRY(foci_case_known_keys(c, attack, place, known));
    FOCI_TRY(read_word(c, attack, place, "attack", "fgsm", "pgd", &o->pgd));
    FOCI_TRY(read_word(c, attack, place, "labels", "given", "predicted", &o->predicted));
    FOCI_TRY(read_clip(a, attack, place));
    FOCI_TRY(foci_case_number(c, attack, place, "eps", &o->eps));
    if (!(o->eps >= 0)) return foci_case_fail(c, "%s.eps is %g", place, o->eps);
    FOCI_TRY(foci_case_number(c, attack, place, "loss_before", &o->loss_before));
    FOCI_TRY(foci_case_number(c, attack, place, "loss_after", &o->loss_after));
    FOCI_TRY(foci_case_member(c, attack, place, "output", JSON_STRING, &name));
    o->output = json_string_value(name);
    if (!o->pgd) return FOCI_OK;
    FOCI_TRY(foci_case_number(c, attack, place, "step", &o->step));
    FOCI_TRY(foci_case_int(c, attack, place, "iterations", 0, 10000, &o->iterations));
    const json_t *start = json_object_get(attack, "start");
    if (!start || json_is_null(start)) return FOCI_OK;
    if (!json_is_string(start)) return foci_case_fail(c, "%s.start is not a string", place);
    return foci_case_reals(c, json_string_value(start), 4, a->shape, &o->start);
}

static void run_attack(attack_case *a, const attack_options *o, const int32_t *label) {
    const foci_attack_options options = {.eps = o->eps};
    foci_attack_job job = {.victim = &a->victim,
                           .options = &options,
                           .head = foci_head_cross_entropy,
                           .slots = a->batch,
                           .x = a->images,
                           .label = label,
                           .which = a->which,
                           .n = a->batch,
                           .adv = a->adv,
                           .dx = a->dx,
                           .logits = a->logits,
                           .loss = a->loss};
    if (!o->pgd) {
        foci_attack_find("fgsm")->run(&job);
        return;
    }
    for (int64_t i = 0; i < a->batch * a->victim.pixels; i++) {
        const double d = o->start ? (double)o->start[i] : 0;
        a->adv[i] = (foci_real)((double)a->images[i] + fmin(fmax(d, -o->eps), o->eps));
    }
    for (int64_t i = 0; i < a->batch; i++) foci_clip_to_valid(&a->victim, a->adv + i * a->victim.pixels);
    foci_pgd(&job, o->iterations, o->step);
}

/* All within eps of the image; few may differ from what is expected, since the sign of a gradient near zero is chance.
 */
static foci_status compare_images(attack_case *a, const attack_options *o, const foci_real *expected) {
    const int64_t n = a->batch * a->victim.pixels;
    int64_t differ = 0, outside = 0;
    for (int64_t i = 0; i < n; i++) {
        differ += !(fabs((double)a->adv[i] - (double)expected[i]) <= 1e-6 + o->eps / 1000);
        outside += !(fabs((double)a->adv[i] - (double)a->images[i]) <= o->eps + 1e-6);
    }
    if (outside) return foci_case_difference(a->c, differing, (double)INFINITY, 1);
    return foci_case_difference(a->c, differing, (double)differ / (double)n, 0);
}

static foci_status check_attack(attack_case *a, const json_t *attack, int number) {
    foci_case *c = a->c;
    char place[32], name[256];
    attack_options o;
    foci_real *expected;
    snprintf(place, sizeof place, "attacks[%d]", number);
    FOCI_TRY(read_attack(a, attack, place, &o));
    FOCI_TRY(foci_case_reals(c, o.output, 4, a->shape, &expected));
    const int32_t *label = o.predicted ? a->predicted : a->given;
    look(a, a->images, label, a->logits);
    FOCI_TRY(foci_case_difference(c, "logits", fabs(mean_loss(a) - o.loss_before), fabs(o.loss_before)));
    run_attack(a, &o, label);
    if (!c->bf16) FOCI_TRY(compare_images(a, &o, expected)); /* rounded so, other gradients change their signs */
    look(a, expected, label, a->logits);
    FOCI_TRY(foci_case_difference(c, "logits", fabs(mean_loss(a) - o.loss_after), fabs(o.loss_after)));
    snprintf(name, sizeof name, "%.200s.logits", o.output);
    return foci_case_compare(c, "logits", a->logits, name, FOCI_SHAPE(a->batch, a->victim.classes));
}

/* ------------------------------------------------------------------------------------------------- a case */

/* The gradient is that by the labels that the attacks use. */
static foci_status check_clean(attack_case *a, const json_t *attacks) {
    foci_case *c = a->c;
    int32_t *predicted;
    bool by_predicted = false;
    for (size_t i = 0; i < json_array_size(attacks); i++) {
        const char *labels = json_string_value(json_object_get(json_array_get(attacks, i), "labels"));
        by_predicted |= labels && strcmp(labels, "predicted") == 0;
    }
    FOCI_TRY(foci_case_ints(c, "expected.predicted", FOCI_SHAPE(a->batch), a->victim.classes, 0, &predicted));
    foci_victim_logits(&a->victim, a->batch, NULL, a->images, a->clean);
    FOCI_TRY(foci_case_compare(c, "logits", a->clean, "expected.logits", FOCI_SHAPE(a->batch, a->victim.classes)));
    for (int64_t i = 0; i < a->batch; i++) {
        a->predicted[i] = (int32_t)foci_argmax(a->clean + i * a->victim.classes, a->victim.classes);
        if (!c->bf16) FOCI_TRY(foci_case_difference(c, differing, a->predicted[i] == predicted[i] ? 0 : 1, 0));
    }
    look(a, a->images, by_predicted ? a->predicted : a->given, a->clean);
    return foci_case_compare(c, "input_grad", a->dx, "expected.input_grad", 4, a->shape);
}

static foci_status check_case(attack_case *a) {
    foci_case *c = a->c;
    json_t *attacks;
    FOCI_TRY(open_case(a));
    FOCI_TRY(allocate(a));
    FOCI_TRY(foci_case_reals(c, "input.images", 4, a->shape, &a->images));
    FOCI_TRY(foci_case_ints(c, "input.labels", FOCI_SHAPE(a->batch), a->victim.classes, 0, &a->given));
    FOCI_TRY(foci_case_member(c, c->root, "case", "attacks", JSON_ARRAY, &attacks));
    if (!c->bf16) FOCI_TRY(foci_case_add_group(c, differing, most_differing));
    FOCI_TRY(check_clean(a, attacks));
    for (size_t i = 0; i < json_array_size(attacks); i++) FOCI_TRY(check_attack(a, json_array_get(attacks, i), (int)i));
    return FOCI_OK;
}

foci_status foci_verify_attack(foci_case *c) {
    attack_case a = {.c = c};
    foci_status status = check_case(&a);
    foci_victim_close(&a.victim);
    foci_case_run_close(&a.run);
    foci_config_free(a.config);
    return status;
}
