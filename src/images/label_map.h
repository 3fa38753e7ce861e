/* Maps of labels, a number for every pixel: PNG whose numbers are labels, in place of colours. */
#ifndef FOCI_IMAGES_LABEL_MAP_H
#define FOCI_IMAGES_LABEL_MAP_H

#include "images/images.h"

typedef struct foci_label_map {
    int width, height;
    uint16_t *value; /* (height, width) from malloc */
} foci_label_map;
void foci_label_map_free(foci_label_map *map);

/* A PNG in memory, grey of 1 to 16 bits or with a palette, whose indices are what is read. FOCI_ERR_DATA for one of
 * colours, an interlaced or a damaged one; `name` is for messages. */
foci_status foci_label_map_decode(foci_label_map *map, const unsigned char *bytes, size_t size, const char *name);

/* Colours of labels as PASCAL VOC has them: bits of the label dealt to the channels, the lowest first; 0 is black. */
void foci_label_colour(int label, unsigned char rgb[3]);
/* Half of a pixel's colour, half of the label's; that of label 1 on, since 0 is black. */
void foci_label_blend(int label, unsigned char rgb[3]);
/* A PNG with that palette, for labels below 256. */
foci_status foci_label_map_write(const char *path, const foci_label_map *map);

/* File i of a set, as such a map. */
foci_status foci_image_set_read_labels(const foci_image_set *set, int64_t i, foci_label_map *map);

#endif
