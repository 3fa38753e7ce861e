/* AutoAttack (Croce and Hein 2020), standard form: four attacks without parameters to tune, each on the images that
 * those before left standing. */
#include "attack/engine.h"

extern const foci_attack foci_attack_apgd_ce, foci_attack_apgd_t, foci_attack_fab_t, foci_attack_square;
static const foci_attack *const members[] = {&foci_attack_apgd_ce, &foci_attack_apgd_t, &foci_attack_fab_t,
                                             &foci_attack_square, NULL};

const foci_attack foci_attack_autoattack = {.name = "autoattack",
                                            .summary =
                                                "the standard ensemble: apgd_ce, apgd_t, fab_t, square on what is left",
                                            .members = members,
                                            .standing = true,
                                            .least_classes = 4};
