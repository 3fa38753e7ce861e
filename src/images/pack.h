/* A pack of images, decoded and resized once. data/pack.h tells the frame; the table is
 *
 *     for each image   8   offset of its pixels: 8-bit RGB, rows from the top, 3 * width * height bytes, one block
 *                      8   XXH3 of them
 *                      4   width
 *                      4   height
 *                      8   offset of its name among the names
 *     the names            each ended by 0: CLASS/FILE, in the order of foci_image_set; what follows from names in a
 * folder (classes, labels) follows from them here */
#ifndef FOCI_IMAGES_PACK_H
#define FOCI_IMAGES_PACK_H

#include "images/images.h"
#include "data/pack.h"

/* Opened, every entry is known to lie within the file. `path` is for messages. */
foci_status foci_image_pack_open(foci_pack *p, const char *path);
const char *foci_image_pack_name(const foci_pack *p, int64_t i);
/* A copy of image i; FOCI_ERR_DATA, with the message `name`: ..., where its checksum is wrong. */
foci_status foci_image_pack_read(const foci_pack *p, int64_t i, const char *name, foci_image *image);

#endif
