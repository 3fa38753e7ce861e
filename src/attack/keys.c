/* The options of attacks as rows of keys: what `foci attack` and tables read them by. */
#include <math.h>

#include "attack/attack.h"

const foci_key foci_attack_eps[] = {
    FOCI_KEY(foci_attack_options, eps, NULL, 0, INFINITY, NULL, "radius of the ball, as 1/255 or 0.03"), {0}};

const foci_key foci_attack_keys[] = {
    FOCI_KEY(foci_attack_options, labels, "true", 0, 0, "true predicted",
             "predicted: the model's own on the clean images; AutoAttack and its parts always use the true ones"),
    FOCI_KEY(foci_attack_options, norm, "linf", 0, 0, "linf l2", "what eps measures"),
    FOCI_KEY(foci_attack_options, seed, "0", 0, 9e15, NULL, "of random starts, targets and searches"),
    FOCI_KEY(foci_attack_options, steps, "0", 0, 1e6, NULL,
             "iterations, or queries; 0: pgd 20, spsa 40, apgd and fab 100, square 5000"),
    FOCI_KEY(foci_attack_options, step_size, "0", 0, INFINITY, NULL,
             "pgd: a step as a share of eps (0: 0.15); spsa: Adam's rate (0: 0.01)"),
    FOCI_KEY(foci_attack_options, restarts, "1", 1, 10000, NULL,
             "from so many random starts, for the images still standing"),
    FOCI_KEY(foci_attack_options, start, "random", 0, 0, "random image", "pgd, spsa: where they begin"),
    FOCI_KEY(foci_attack_options, targeted, "none", 0, 0, "none random least",
             "fgsm, pgd, spsa: towards a class: random, or least (the least likely)"),
    FOCI_KEY(foci_attack_options, loss, "cross_entropy", 0, 0, "cross_entropy margin dlr",
             "fgsm, pgd: what is to grow"),
    FOCI_KEY(foci_attack_options, samples, "0", 0, 1e6, NULL, "spsa: pairs of queries per step; 0: 128"),
    FOCI_KEY(foci_attack_options, delta, "0", 0, INFINITY, NULL,
             "spsa: length of the probes in every coordinate; 0: 0.01"),
    {0}};

const foci_key foci_attack_image_keys[] = {
    FOCI_KEY(foci_attack_images, space, "pixel", 0, 0, "normalised pixel",
             "units of eps: pixel (images are in [0, 1], normalised inside the model) or normalised"),
    FOCI_KEY(foci_attack_images, clip, "valid", 0, 0, "none valid", "valid: only valid images"),
    FOCI_KEY(foci_attack_images, limit, "0", 0, 1e9, NULL,
             "attack so many images, evenly spread over the validation set; 0: all"),
    FOCI_KEY(foci_attack_images, batch, "0", 0, 100000, NULL, "images at once (0: 128); results do not depend on it"),
    {0}};
