/* What may be asked of an attack: each option is a field and, below, its row, by which command lines, tables
 * and reports read it. An attack that reads one names it (foci_attack.reads). */
#ifndef FOCI_ATTACK_OPTIONS_H
#define FOCI_ATTACK_OPTIONS_H

#include <math.h>

#include "foci/plugin.h"

/* Choices, in the order in which the rows name them. */
typedef enum foci_norm { FOCI_LINF, FOCI_L2 } foci_norm;
typedef enum foci_attack_loss { FOCI_LOSS_CROSS_ENTROPY, FOCI_LOSS_MARGIN, FOCI_LOSS_DLR } foci_attack_loss;
/* Towards which class a targeted attack goes: another one drawn per image, or the one least likely on the
 * clean image. */
typedef enum foci_aim { FOCI_UNTARGETED, FOCI_AIM_RANDOM, FOCI_AIM_LEAST } foci_aim;
/* Labels: the true ones, or the model's own predictions on the clean images. */
typedef enum foci_attack_labels { FOCI_LABELS_TRUE, FOCI_LABELS_PREDICTED } foci_attack_labels;
typedef enum foci_attack_start { FOCI_START_RANDOM, FOCI_START_IMAGE } foci_attack_start;
/* By which number the sizes of square's windows are looked up: the query's own, or its share of all queries. */
typedef enum foci_attack_schedule { FOCI_SCHEDULE_STANDARD, FOCI_SCHEDULE_RESCALED } foci_attack_schedule;
/* Units: the model's input itself, or [0, 1], normalised inside the model. */
typedef enum foci_attack_space { FOCI_SPACE_NORMALISED, FOCI_SPACE_PIXEL } foci_attack_space;
typedef enum foci_attack_clip {
    FOCI_CLIP_NONE,
    FOCI_CLIP_VALID
} foci_attack_clip; /* what [0, 1] becomes in these units */

/* Which images, in which units. */
typedef struct foci_attack_images {
    foci_attack_space space;
    foci_attack_clip clip;
    int64_t limit; /* so many, evenly spread over the validation set; 0: all */
    int64_t batch; /* attacked at once; 0: a default */
} foci_attack_images;

static const foci_key foci_attack_image_keys[] = {
    FOCI_KEY(foci_attack_images, space, "pixel", 0, 0, "normalised pixel",
             "units of eps: pixel (images are in [0, 1], normalised inside the model) or normalised"),
    FOCI_KEY(foci_attack_images, clip, "valid", 0, 0, "none valid", "valid: only valid images"),
    FOCI_KEY(foci_attack_images, limit, "0", 0, 1e9, NULL,
             "attack so many images, evenly spread over the validation set as sorted by class and name: of n images "
             "number 0, n / limit, 2 n / limit, ..., rounded down; 0: all"),
    FOCI_KEY(foci_attack_images, batch, "0", 0, 100000, NULL, "images at once (0: 128); results do not depend on it"),
    {0}};

/* What is 0 has the attack's own default. */
typedef struct foci_attack_options {
    double eps; /* radius, in units of the images: [0, 1], or normalised */
    foci_attack_labels labels;
    foci_norm norm;
    int64_t seed;
    foci_attack_loss loss;
    foci_aim targeted;
    int64_t steps;    /* iterations, or queries */
    double step_size; /* a step as a share of eps; spsa: Adam's rate in units of the images */
    foci_attack_start start;
    int64_t restarts; /* from another random start, for the images still standing */
    int64_t samples;  /* pairs of queries per step */
    double delta;     /* length of the probes in every coordinate */
    foci_attack_schedule schedule;
} foci_attack_options;

static const foci_key foci_attack_eps[] = {
    FOCI_KEY(foci_attack_options, eps, NULL, 0, INFINITY, NULL, "radius of the ball, as 1/255 or 0.03"), {0}};

static const foci_key foci_attack_keys[] = {
    FOCI_KEY(foci_attack_options, labels, "true", 0, 0, "true predicted",
             "predicted: the model's own on the clean images; AutoAttack and its parts always use the true ones"),
    FOCI_KEY(foci_attack_options, norm, "linf", 0, 0, "linf l2", "what eps measures"),
    FOCI_KEY(foci_attack_options, seed, "0", 0, 9e15, NULL, "of random starts, targets and searches"),
    FOCI_KEY(foci_attack_options, loss, "cross_entropy", 0, 0, "cross_entropy margin dlr",
             "fgsm, pgd: what is to grow"),
    FOCI_KEY(foci_attack_options, targeted, "none", 0, 0, "none random least",
             "fgsm, pgd, spsa: towards a class: random, or least (the least likely)"),
    FOCI_KEY(foci_attack_options, steps, "0", 0, 1e6, NULL,
             "iterations, or queries; 0: pgd 20, spsa 40, apgd and fab 100, square 5000"),
    FOCI_KEY(foci_attack_options, step_size, "0", 0, INFINITY, NULL,
             "pgd: a step as a share of eps (0: 0.15); spsa: Adam's rate (0: 0.01)"),
    FOCI_KEY(foci_attack_options, start, "random", 0, 0, "random image", "pgd, spsa: where they begin"),
    FOCI_KEY(foci_attack_options, restarts, "1", 1, 10000, NULL,
             "from so many random starts, for the images still standing"),
    FOCI_KEY(foci_attack_options, samples, "0", 0, 1e6, NULL, "spsa: pairs of queries per step; 0: 128"),
    FOCI_KEY(foci_attack_options, delta, "0", 0, INFINITY, NULL,
             "spsa: length of the probes in every coordinate; 0: 0.01"),
    FOCI_KEY(
        foci_attack_options, schedule, "standard", 0, 0, "standard rescaled",
        "square: windows shrink at set queries out of 10,000 (standard, as in AutoAttack), or rescaled to the steps"),
    {0}};

#endif
