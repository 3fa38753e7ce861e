/* Resampling as PIL does it (Image.resize with a box): separable, antialiased, 8 bits in between. */
#ifndef FOCI_IMAGES_RESIZE_H
#define FOCI_IMAGES_RESIZE_H

#include "images/images.h"

/* Part of an image, nothing copied; rows are `stride` bytes apart. */
typedef struct foci_image_view {
    const unsigned char *pixels;
    int width, height;
    int64_t stride;
} foci_image_view;

static inline foci_image_view foci_image_crop(const foci_image *image, int x, int y, int width, int height) {
    int64_t stride = (int64_t)3 * image->width;
    return (foci_image_view){image->pixels + y * stride + (int64_t)3 * x, width, height, stride};
}

/* A new image of width x height (>= 1); FOCI_ERR_DATA where more than 2^28 pixels would be made, FOCI_ERR_RUNTIME when
 * memory is out. */
foci_status foci_image_resize(foci_image *out, const foci_image_view *in, int64_t width, int64_t height,
                              foci_interpolation how);

#endif
