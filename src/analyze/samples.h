/* Samples of the validation data as a model takes them, evenly spread over it (image sets are sorted by class): images,
 * or windows of text. */
#ifndef FOCI_ANALYZE_SAMPLES_H
#define FOCI_ANALYZE_SAMPLES_H

#include "images/samples.h"
#include "task/corpus.h"
#include "task/image_data.h"

typedef struct foci_samples {
    const foci_model *model;
    bool text;
    int64_t count;   /* chosen */
    int64_t classes; /* labels or words */
    /* images */
    foci_image_sets sets;
    foci_transform transform;
    foci_image_samples images;
    /* text */
    foci_corpus corpus;
    const foci_tokens *tokens;
    int64_t window, windows; /* tokens of a window; disjoint windows there are */
} foci_samples;

/* `limit` samples, or 256 images, 64 windows where it is 0; all where there are fewer. */
foci_status foci_samples_open(foci_samples *s, const foci_config *config, int64_t limit);
void foci_samples_close(foci_samples *s); /* after a failure too */

/* Samples first .. first + n - 1: images (n, 3, height, width) or ids (n, window). */
foci_status foci_samples_images(const foci_samples *s, int64_t first, int64_t n, foci_real *images);
void foci_samples_ids(const foci_samples *s, int64_t first, int64_t n, int32_t *ids);

#endif
