#include "shift/corruption.h"

#include <stdlib.h>
#include <string.h>

#define FOCI_CORRUPTION(name) extern const foci_corruption foci_corruption_##name;
#include "shift/corruptions.h"
#undef FOCI_CORRUPTION

const foci_corruption *const foci_corruptions[] = {
#define FOCI_CORRUPTION(name) &foci_corruption_##name,
#include "shift/corruptions.h"
#undef FOCI_CORRUPTION
    NULL};

/* Cut off, not rounded, as the published code does; the little more undoes the rounding of v / 255 * 255. */
static unsigned char byte(float v) {
    float x = v * 255 + 1e-3f;
    return (unsigned char)(!(x > 0) ? 0 : x >= 255 ? 255 : x);
}

static foci_status apply(const foci_corruption *c, foci_picture *p, const double *row, foci_rng *r,
                         const foci_frost *frost) {
    return frost && c->apply_photographs ? c->apply_photographs(p, row, r, frost) : c->apply(p, row, r);
}

foci_status foci_corrupt(const foci_corruption *c, int severity, foci_corrupt_how how, int64_t image,
                         const foci_image *in, foci_image *out) {
    const size_t count = (size_t)3 * (size_t)in->width * (size_t)in->height;
    *out = (foci_image){0};
    if (severity < 1 || severity > FOCI_SEVERITIES)
        return foci_fail(FOCI_ERR_CONFIG, "%s: severity %d; there are 1 to %d", c->name, severity, FOCI_SEVERITIES);
    foci_picture p = {in->width, in->height, 3, malloc(count * sizeof *p.v)};
    unsigned char *bytes = malloc(count);
    foci_status s = p.v && bytes ? FOCI_OK
                                 : foci_fail(FOCI_ERR_RUNTIME, "out of memory for an image of %d x %d pixels",
                                             in->width, in->height);
    if (!s) {
        const bool small = (in->width < in->height ? in->width : in->height) < FOCI_SMALL_IMAGE;
        foci_rng r = foci_rng_make(how.seed, foci_stream(c->name) + (uint64_t)severity, (uint64_t)image);
        for (size_t i = 0; i < count; i++) p.v[i] = (float)in->pixels[i] / 255;
        s = apply(c, &p, (small ? c->small : c->large)[severity - 1], &r, how.frost);
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

/* Which rows of `chosen` the word stands for. */
static bool stands_for(const char *word, size_t length, const foci_corruption *c) {
    if (length == 3 && memcmp(word, "all", 3) == 0) return true;
    if (length == 10 && memcmp(word, "imagenet-c", 10) == 0) return c->alexnet > 0;
    return strlen(c->name) == length && memcmp(c->name, word, length) == 0;
}

static foci_status choose_severities(const char *text, int *first, int *last) {
    *first = text[0] - '0';
    *last = text[0] && text[1] == '-' ? text[2] - '0' : *first;
    const size_t length = text[0] && text[1] == '-' ? 3 : 1;
    if (strlen(text) == length && *first >= 1 && *first <= *last && *last <= FOCI_SEVERITIES) return FOCI_OK;
    return foci_fail(FOCI_ERR_CONFIG, "severity `%s` is neither one of 1 to %d nor a range such as 1-3", text,
                     FOCI_SEVERITIES);
}

foci_status foci_corruption_choose(const char *names, const char *severities, foci_corruption_choice chosen) {
    static const char key[] = ":severity=";
    const size_t end = strcspn(names, ":");
    int first, last;
    if (names[end]) {
        if (strncmp(names + end, key, sizeof key - 1) != 0)
            return foci_fail(FOCI_ERR_CONFIG, "`%s`: only :severity=... may follow the names", names);
        severities = names + end + sizeof key - 1;
    }
    FOCI_TRY(choose_severities(severities ? severities : "1-5", &first, &last));
    memset(chosen, 0, sizeof(foci_corruption_choice));
    for (size_t at = 0; at <= end;) {
        const size_t length = strcspn(names + at, ",:");
        bool any = false;
        for (int c = 0; c < FOCI_CORRUPTIONS; c++) {
            if (!stands_for(names + at, length, foci_corruptions[c])) continue;
            for (int s = first; s <= last; s++) chosen[c][s - 1] = true;
            any = true;
        }
        if (!any)
            return foci_fail(FOCI_ERR_CONFIG, "there is no corruption `%.*s`; foci list corruptions names them",
                             (int)length, names + at);
        at += length + 1;
    }
    return FOCI_OK;
}
