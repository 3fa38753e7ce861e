/* RandAugment (Cubuk et al. 2019) as timm has it, with the "increasing" set: each operation does more at a higher
 * level. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "images/augment.h"
#include "images/operations.h"

static const double most_level = 10;

/* ------------------------------------------------------------------------------------------- operations */

#define OPERATION(name) static foci_status name(foci_image *image, double level, bool negated, const foci_transform *t)
#define UNUSED (void)level, (void)negated, (void)t

static double share(double level) { return level / most_level; }
static double either(bool negated, double v) { return negated ? -v : v; }

OPERATION(auto_contrast) {
    UNUSED;
    return foci_image_auto_contrast(image), FOCI_OK;
}
OPERATION(equalize) {
    UNUSED;
    return foci_image_equalize(image), FOCI_OK;
}
OPERATION(invert) {
    UNUSED;
    return foci_image_invert(image), FOCI_OK;
}
OPERATION(posterize) {
    UNUSED;
    return foci_image_posterize(image, 4 - (int)(share(level) * 4)), FOCI_OK;
}
OPERATION(solarize) {
    UNUSED;
    return foci_image_solarize(image, 256 - (int)(share(level) * 256)), FOCI_OK;
}
OPERATION(solarize_add) {
    UNUSED;
    return foci_image_solarize_add(image, (int)(share(level) * 110)), FOCI_OK;
}

static double factor(double level, bool negated) { return 1 + either(negated, share(level) * 0.9); }
OPERATION(color) {
    UNUSED;
    return foci_image_color(image, factor(level, negated)), FOCI_OK;
}
OPERATION(contrast) {
    UNUSED;
    return foci_image_contrast(image, factor(level, negated)), FOCI_OK;
}
OPERATION(brightness) {
    UNUSED;
    return foci_image_brightness(image, factor(level, negated)), FOCI_OK;
}
OPERATION(sharpness) {
    UNUSED;
    return foci_image_sharpness(image, factor(level, negated));
}

/* What comes in from outside has the colour of the mean. */
static void fill_of(const foci_transform *t, unsigned char fill[3]) {
    for (int c = 0; c < 3; c++) fill[c] = (unsigned char)fmin(255, nearbyint(255 * t->mean[c]));
}
static foci_status affine(foci_image *image, const foci_transform *t, const double m[6]) {
    unsigned char fill[3];
    fill_of(t, fill);
    return foci_image_affine(image, m, t->interpolation, fill);
}
OPERATION(rotate) {
    unsigned char fill[3];
    fill_of(t, fill);
    return foci_image_rotate(image, either(negated, share(level) * 30), t->interpolation, fill);
}
OPERATION(shear_x) { return affine(image, t, (double[6]){1, either(negated, share(level) * 0.3), 0, 0, 1, 0}); }
OPERATION(shear_y) { return affine(image, t, (double[6]){1, 0, 0, either(negated, share(level) * 0.3), 1, 0}); }
OPERATION(translate_x) {
    return affine(image, t, (double[6]){1, 0, either(negated, share(level) * 0.45) * image->width, 0, 1, 0});
}
OPERATION(translate_y) {
    return affine(image, t, (double[6]){1, 0, 0, 0, 1, either(negated, share(level) * 0.45) * image->height});
}

const foci_augmentation foci_augmentations[FOCI_AUGMENTATIONS] = {
    {"AutoContrast", auto_contrast},
    {"Equalize", equalize},
    {"Invert", invert},
    {"Rotate", rotate},                 /* up to 30 degrees */
    {"PosterizeIncreasing", posterize}, /* keeps 4 to 0 bits */
    {"SolarizeIncreasing", solarize},   /* from 256 down to 0 */
    {"SolarizeAdd", solarize_add},      /* up to 110 */
    {"ColorIncreasing", color},         /* these four: a factor of 0.1 to 1.9 */
    {"ContrastIncreasing", contrast},
    {"BrightnessIncreasing", brightness},
    {"SharpnessIncreasing", sharpness},
    {"ShearX", shear_x}, /* up to 0.3 */
    {"ShearY", shear_y},
    {"TranslateXRel", translate_x}, /* up to 45 % of the width */
    {"TranslateYRel", translate_y},
};

/* --------------------------------------------------------------------------------------------- the policy */

/* Each operation that is drawn is done every other time. */
foci_status foci_rand_augment_apply(const foci_transform *t, foci_image *image, foci_rng *r) {
    for (int i = 0; i < t->rand_augment.operations; i++) {
        const foci_augmentation *a = &foci_augmentations[foci_rng_below(r, FOCI_AUGMENTATIONS)];
        bool skipped = foci_rng_uniform(r) > 0.5;
        double level = t->rand_augment.magnitude + t->rand_augment.noise * foci_rng_normal(r);
        bool negated = foci_rng_uniform(r) > 0.5;
        if (!skipped) FOCI_TRY(a->apply(image, fmin(most_level, fmax(0, level)), negated, t));
    }
    return FOCI_OK;
}

void foci_color_jitter(double strength, foci_image *image, foci_rng *r) {
    void (*change[3])(foci_image *, double) = {foci_image_brightness, foci_image_contrast, foci_image_color};
    for (int left = 3; left; left--) {
        uint32_t i = foci_rng_below(r, (uint32_t)left);
        double least = fmax(0, 1 - strength);
        change[i](image, least + (1 + strength - least) * foci_rng_uniform(r));
        change[i] = change[left - 1];
    }
}

/* ------------------------------------------------------------------------------------------------ its name */

/* "-KEY" and a number in front of the rest, which is what follows. */
static bool take(const char **rest, const char *key, double most, double *value) {
    size_t n = strlen(key);
    if (**rest != '-' || strncmp(*rest + 1, key, n)) return false;
    const char *digits = *rest + 1 + n;
    if (!(*digits >= '0' && *digits <= '9')) return false;
    char *end;
    *value = strtod(digits, &end);
    if (*value > most || (*end && *end != '-')) return false;
    *rest = end;
    return true;
}

foci_status foci_rand_augment_parse(foci_rand_augment *a, const char *text) {
    double n = 2, magnitude = most_level, noise = 0, increasing = 0;
    *a = (foci_rand_augment){0};
    if (!*text) return FOCI_OK;
    const char *rest = strncmp(text, "rand", 4) == 0 ? text + 4 : "?";
    while (*rest && (take(&rest, "m", most_level, &magnitude) || take(&rest, "mstd", 100, &noise) ||
                     take(&rest, "n", 100, &n) || take(&rest, "inc", 1, &increasing))) {}
    if (*rest || increasing != 1 || n != floor(n))
        return foci_fail(FOCI_ERR_CONFIG,
                         "`%.60s` is not of the form rand-m9-mstd0.5-inc1: magnitude 0 to 10, its deviation, the "
                         "increasing set; -n2 operations",
                         text);
    *a = (foci_rand_augment){(int)n, magnitude, noise};
    return FOCI_OK;
}
