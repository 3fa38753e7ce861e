/* A contact sheet: samples in a grid, each with lines of text beneath. */
#ifndef FOCI_IMAGES_SHEET_H
#define FOCI_IMAGES_SHEET_H

#include "images/images.h"

typedef struct foci_sheet {
    foci_image image;
    int count, columns, enlarged;      /* tiles; each pixel is shown enlarged x enlarged */
    int tile_width, tile_height, step; /* in pixels of the sheet; step: of one line of text */
} foci_sheet;
/* White, for `count` samples of t's size with two lines of text each, so many in a row (0: as many as there are rows).
 */
foci_status foci_sheet_make(foci_sheet *s, const foci_transform *t, int count, int columns);
/* Sample (3, height, width) number i, as t made it, undone to colours. */
void foci_sheet_put(foci_sheet *s, const foci_transform *t, int i, const foci_real *sample);
/* Covers half of it with the colours of labels (height, width) (label_map.h), where they are below 255. */
void foci_sheet_cover(foci_sheet *s, int i, const int32_t *labels, int width, int height);
/* Beneath it; what does not fit into the width is left out. Line 0 or 1. */
void foci_sheet_write(foci_sheet *s, int i, int line, const char *text);

#endif
