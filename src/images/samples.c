#include "images/samples.h"

#include "base/parallel.h"

foci_image_samples foci_image_samples_of(const foci_image_set *set, int64_t limit) {
    const int64_t all = foci_image_set_count(set);
    return (foci_image_samples){.set = set, .of = all, .count = limit && limit < all ? limit : all};
}

typedef struct batch {
    const foci_image_samples *samples;
    const foci_transform *transform;
    int64_t first;
    foci_image *image; /* (n), or NULL */
    foci_real *number; /* (n, 3, height, width), or NULL */
} batch;

static foci_status cut(const batch *b, int64_t i, foci_image *out) {
    const int64_t at = foci_image_samples_at(b->samples, b->first + i);
    foci_image image;
    FOCI_TRY(foci_image_set_read(b->samples->set, at, &image, 0));
    foci_status s = foci_transform_cut(b->transform, &image, out);
    foci_image_free(&image);
    return s ? foci_context(s, "%s", foci_image_set_name(b->samples->set, at)) : FOCI_OK;
}

static foci_status cut_one(void *context, int64_t i) {
    const batch *b = context;
    foci_status s = cut(b, i, &b->image[i]);
    if (s) b->image[i] = (foci_image){0};
    return s;
}

static foci_status read_one(void *context, int64_t i) {
    const batch *b = context;
    foci_image image;
    FOCI_TRY(cut(b, i, &image));
    foci_transform_normalise(b->transform, &image, b->number + i * 3 * b->transform->height * b->transform->width);
    foci_image_free(&image);
    return FOCI_OK;
}

foci_status foci_image_samples_read(const foci_image_samples *s, const foci_transform *t, int64_t first, int64_t n,
                                    foci_real *out) {
    return foci_each(n, read_one, &(batch){.samples = s, .transform = t, .first = first, .number = out});
}

foci_status foci_image_samples_cut(const foci_image_samples *s, const foci_transform *t, int64_t first, int64_t n,
                                   foci_image *out) {
    for (int64_t i = 0; i < n; i++) out[i] = (foci_image){0};
    foci_status status = foci_each(n, cut_one, &(batch){.samples = s, .transform = t, .first = first, .image = out});
    for (int64_t i = 0; i < n && status; i++) {
        foci_image_free(&out[i]);
        out[i] = (foci_image){0};
    }
    return status;
}
