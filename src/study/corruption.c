#include "study/corruption.h"

#include <stdlib.h>
#include <string.h>

#define FOCI_CORRUPTION(name) extern const foci_corruption foci_corruption_##name;
#include "study/corruptions.h"
#undef FOCI_CORRUPTION

const foci_corruption *const foci_corruptions[] = {
#define FOCI_CORRUPTION(name) &foci_corruption_##name,
#include "study/corruptions.h"
#undef FOCI_CORRUPTION
    NULL};

/* Cut off, not rounded, as the published code does; the little more undoes the rounding of v / 255 * 255. */
static unsigned char byte(float v) {
    float x = v * 255 + 1e-3f;
    return (unsigned char)(!(x > 0) ? 0 : x >= 255 ? 255 : x);
}

foci_status foci_corrupt(const foci_corruption *c, int severity, uint64_t seed, int64_t image, const foci_image *in, foci_image *out) {
    const size_t count = (size_t)3 * (size_t)in->width * (size_t)in->height;
    *out = (foci_image){0};
    if (severity < 1 || severity > FOCI_SEVERITIES)
        return foci_fail(FOCI_ERR_CONFIG, "%s: severity %d; there are 1 to %d", c->name, severity, FOCI_SEVERITIES);
    foci_picture p = {in->width, in->height, 3, malloc(count * sizeof *p.v)};
    unsigned char *bytes = malloc(count);
    foci_status s = p.v && bytes ? FOCI_OK : foci_fail(FOCI_ERR_RUNTIME, "out of memory for an image of %d x %d pixels", in->width, in->height);
    if (!s) {
        const bool small = (in->width < in->height ? in->width : in->height) < FOCI_SMALL_IMAGE;
        foci_rng r = foci_rng_make(seed, foci_stream(c->name), (uint64_t)image);
        for (size_t i = 0; i < count; i++) p.v[i] = (float)in->pixels[i] / 255;
        s = c->apply(&p, (small ? c->small : c->large)[severity - 1], &r);
    }
    if (!s) {
        for (size_t i = 0; i < count; i++) bytes[i] = byte(p.v[i]);
        *out = (foci_image){in->width, in->height, bytes};
        bytes = NULL;
    }
    free(bytes);
    free(p.v);
    return s;
}

/* ------------------------------------------------------------------------------------------------ choosing */

static foci_status choose_one(const char *text, size_t length, foci_corruption_choice chosen) {
    const char *colon = memchr(text, ':', length);
    const size_t name = colon ? (size_t)(colon - text) : length;
    int i = 0;
    while (foci_corruptions[i] && !(strlen(foci_corruptions[i]->name) == name && memcmp(foci_corruptions[i]->name, text, name) == 0)) i++;
    if (!foci_corruptions[i])
        return foci_fail(FOCI_ERR_CONFIG, "there is no corruption `%.*s`; foci list corruptions names them", (int)name, text);
    if (!colon) {
        memset(chosen[i], true, sizeof chosen[i]);
        return FOCI_OK;
    }
    if (length != name + 2 || colon[1] < '1' || colon[1] > '0' + FOCI_SEVERITIES)
        return foci_fail(FOCI_ERR_CONFIG, "%.*s: severities are 1 to %d", (int)length, text, FOCI_SEVERITIES);
    chosen[i][colon[1] - '1'] = true;
    return FOCI_OK;
}

foci_status foci_corruption_choose(const char *text, foci_corruption_choice chosen) {
    const bool all = strcmp(text, "all") == 0;
    memset(chosen, all, sizeof(foci_corruption_choice));
    if (all) return FOCI_OK;
    for (;;) {
        size_t length = strcspn(text, ",");
        FOCI_TRY(choose_one(text, length, chosen));
        if (!text[length]) return FOCI_OK;
        text += length + 1;
    }
}
