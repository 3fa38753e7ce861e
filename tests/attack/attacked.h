/* A model under attack in a test: recorded for some images, which the test fills, and a job for them. */
#ifndef FOCI_TESTS_ATTACKED_H
#define FOCI_TESTS_ATTACKED_H

#include "check.h"

#include <math.h>

#include "attack/engine.h"

enum { SLOTS = 12, SIDE = 6, PIXELS = 3 * SIDE * SIDE, MOST_CLASSES = 12 };

/* logits = W x + b over all pixels; `linear_classes` of them. */
static int64_t linear_classes = 5;
static inline void record_linear(foci_request *r) {
    foci_graph *g = r->graph;
    foci_tensor *images = foci_input(g, "images", FOCI_REAL, FOCI_SHAPE(r->batch, 3, SIDE, SIDE));
    foci_tensor *x = foci_view(images, 0, 2, (int64_t[]){r->batch, PIXELS}, (int64_t[]){PIXELS, 1});
    foci_tensor *weight = foci_parameter(g, "weight", FOCI_NORMAL(0, 1), FOCI_SHAPE(linear_classes, PIXELS));
    foci_output(g, "logits",
                foci_linear(g, x, weight, foci_parameter(g, "bias", FOCI_NORMAL(0, 1), FOCI_SHAPE(linear_classes))));
}
static const foci_model linear_model = {
    .name = "linear", .summary = "logits linear in the pixels", .record = record_linear};

typedef struct attacked {
    foci_parameters parameters;
    foci_victim victim;
    foci_attack_options options;
    foci_attack_job job;
    foci_arena memory;
    foci_real x[SLOTS * PIXELS], adv[SLOTS * PIXELS], dx[SLOTS * PIXELS], clean[SLOTS * MOST_CLASSES],
        logits[SLOTS * MOST_CLASSES];
    double loss[SLOTS];
    int32_t label[SLOTS], target[SLOTS];
    int64_t image[SLOTS], which[SLOTS];
} attacked;

/* Images uniform in [0.2, 0.8]; labels are what the model says, targets the next class. */
static inline void open_attacked(attacked *a, const foci_model *model, const foci_config *config,
                                 const foci_units *units, int64_t capacity) {
    memset(a, 0, sizeof *a);
    foci_parameters_init(&a->parameters);
    assert_ok(foci_victim_open(&a->victim, model, config, &a->parameters, units, 0, capacity, false));
    assert_int_equal(a->victim.pixels, PIXELS);
    assert_true(a->victim.classes <= MOST_CLASSES);
    foci_parameters_initialise(&a->parameters, 3);
    const int64_t classes = a->victim.classes;
    for (int64_t i = 0; i < SLOTS * PIXELS; i++)
        a->x[i] = (foci_real)(0.2 + 0.6 * foci_uniform(foci_philox(1, 2, 3, (uint64_t)i).v[0]));
    foci_victim_logits(&a->victim, SLOTS, NULL, a->x, a->clean);
    for (int64_t i = 0; i < SLOTS; i++) {
        a->image[i] = 100 + 7 * i;
        a->which[i] = i;
        a->label[i] = (int32_t)foci_argmax(a->clean + i * classes, classes);
        a->target[i] = (int32_t)((a->label[i] + 1) % classes);
    }
    a->job = (foci_attack_job){.victim = &a->victim,
                               .options = &a->options,
                               .head = foci_head_cross_entropy,
                               .slots = SLOTS,
                               .image = a->image,
                               .x = a->x,
                               .clean = a->clean,
                               .label = a->label,
                               .target = a->target,
                               .which = a->which,
                               .n = SLOTS,
                               .adv = a->adv,
                               .dx = a->dx,
                               .logits = a->logits,
                               .loss = a->loss,
                               .memory = &a->memory};
}

static inline void close_attacked(attacked *a) {
    foci_arena_free(&a->memory);
    foci_victim_close(&a->victim);
    foci_parameters_free(&a->parameters);
}

/* Runs an attack on all images, with its defaults for what is 0, and leaves the logits of its answers in a->logits. */
static inline void run_attack(attacked *a, const char *name, foci_attack_options options) {
    const foci_attack *attack = foci_attack_find(name);
    assert_non_null(attack);
    a->options = options;
    foci_attack_defaults(attack, &a->options);
    assert_ok(attack->run(&a->job));
    foci_victim_logits(&a->victim, SLOTS, NULL, a->adv, a->logits);
}

static inline bool is_fooled(const attacked *a, int64_t slot) {
    return foci_attack_won(&a->job, slot, a->logits + slot * a->victim.classes);
}

#endif
