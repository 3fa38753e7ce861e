/* PNG in memory. foci_image_decode and foci_image_write are the way in. */
#ifndef FOCI_IMAGES_PNG_H
#define FOCI_IMAGES_PNG_H

#include "images/images.h"

static const int64_t FOCI_MOST_PIXELS = (int64_t)1 << 28;

/* An image so large from a file so small would be a bomb, or cut short: deflate makes at most 1,032 bytes of one, and a
 * JPEG needs a bit for every 8 x 8 pixels. A million pixels are always fine. */
static inline bool foci_is_bomb(uint64_t pixels, size_t bytes, int most_per_byte) {
    return pixels > ((uint64_t)1 << 20) && pixels / (uint64_t)most_per_byte > bytes;
}

/* Whether this is a whole PNG, by its header and the checksums of its chunks, and how large the image is. */
foci_status foci_png_check(const unsigned char *bytes, size_t size, const char *name, uint32_t *width,
                           uint32_t *height);
static inline uint32_t foci_png_number(const unsigned char *p) {
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}
foci_status foci_png_decode(foci_image *image, const unsigned char *bytes, size_t size, const char *name);
/* From malloc; NULL when memory is out. */
unsigned char *foci_png_encode(const foci_image *image, int *size);
char *foci_png_text(const foci_image *image); /* the same in base64, as pages hold it */

#endif
