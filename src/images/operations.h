/* What RandAugment and colour jitter do to an image: in place, to the very pixels of PIL (ImageOps, ImageEnhance,
 * Image.transform). */
#ifndef FOCI_IMAGES_OPERATIONS_H
#define FOCI_IMAGES_OPERATIONS_H

#include "images/images.h"

/* Each channel by itself. */
void foci_image_auto_contrast(foci_image *image); /* the darkest value becomes 0, the brightest 255 */
void foci_image_equalize(foci_image *image);      /* all values about equally often */
void foci_image_invert(foci_image *image);
void foci_image_posterize(foci_image *image, int bits);     /* keeps so many high bits, 0..8 */
void foci_image_solarize(foci_image *image, int threshold); /* inverts values from the threshold on */
void foci_image_solarize_add(foci_image *image, int add);   /* adds to values below 128 */

/* Away from the image without any (factor 0: grey, uniform, black, smooth) through the image (1) to beyond (> 1). */
void foci_image_color(foci_image *image, double factor);
void foci_image_contrast(foci_image *image, double factor);
void foci_image_brightness(foci_image *image, double factor);
foci_status foci_image_sharpness(foci_image *image, double factor);

/* The pixel at (x, y), centres at halves, becomes what lies at (m0 x + m1 y + m2, m3 x + m4 y + m5); `fill` where that
 * is outside. Bicubic here is PIL's for transforms: Keys' cubic with a = -1, cut off in place of rounded. */
foci_status foci_image_affine(foci_image *image, const double m[6], foci_interpolation how,
                              const unsigned char fill[3]);
/* counter-clockwise */
foci_status foci_image_rotate(foci_image *image, double degrees, foci_interpolation how, const unsigned char fill[3]);

#endif
