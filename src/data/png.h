/* PNG in memory. foci_image_decode and foci_image_write are the way in. */
#ifndef FOCI_DATA_PNG_H
#define FOCI_DATA_PNG_H

#include "data/images.h"

static const int64_t FOCI_MOST_PIXELS = (int64_t)1 << 28;

foci_status foci_png_decode(foci_image *image, const unsigned char *bytes, size_t size, const char *name);
/* From malloc; NULL when memory is out. */
unsigned char *foci_png_encode(const foci_image *image, int *size);

#endif
