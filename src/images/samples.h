/* Images of a set, evenly spread over it (sets are sorted by class), as a model takes them. */
#ifndef FOCI_IMAGES_SAMPLES_H
#define FOCI_IMAGES_SAMPLES_H

#include "images/images.h"

typedef struct foci_image_samples {
    const foci_image_set *set;
    const int64_t *index; /* (of) numbers in the set, the images there are to choose from; NULL: all of it */
    int64_t of, count;    /* so many are chosen */
} foci_image_samples;

/* Of the whole set; `limit` 0, or more than there are: all. */
foci_image_samples foci_image_samples_of(const foci_image_set *set, int64_t limit);
/* The number of sample i in the set. */
static inline int64_t foci_image_samples_at(const foci_image_samples *s, int64_t i) {
    const int64_t chosen = i * s->of / s->count;
    return s->index ? s->index[chosen] : chosen;
}

/* Samples first .. first + n - 1, read by all threads: (n, 3, height, width). Of those that cannot be read the first is
 * reported, by its name. */
foci_status foci_image_samples_read(const foci_image_samples *s, const foci_transform *t, int64_t first, int64_t n,
                                    foci_real *out);
/* The same as what the model sees of them in 8 bits, (n) new images; all empty after a failure. */
foci_status foci_image_samples_cut(const foci_image_samples *s, const foci_transform *t, int64_t first, int64_t n,
                                   foci_image *out);

#endif
