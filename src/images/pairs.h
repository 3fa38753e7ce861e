/* Images and a map of labels for each, in the layout of ADE20K: ROOT/images/PART/NAME.jpg and
 * ROOT/annotations/PART/NAME.png, in a folder or an uncompressed .tar. */
#ifndef FOCI_IMAGES_PAIRS_H
#define FOCI_IMAGES_PAIRS_H

#include "images/label_map.h"

/* What labels in files mean: value - first is the class, the values of `ignored` are none. */
typedef struct foci_label_meaning {
    int64_t first, classes;
    const int64_t *ignored;
    int ignored_count;
} foci_label_meaning;
enum { FOCI_NO_CLASS = 255 }; /* what such a pixel has in place of a class, so that there are at most 255 */

typedef struct foci_pair_set foci_pair_set;
/* FOCI_ERR_DATA names an image without labels, or labels without an image. */
foci_status foci_pair_set_open(foci_pair_set **set, const char *root, const char *part);
void foci_pair_set_close(foci_pair_set *set);
int64_t foci_pair_set_count(const foci_pair_set *set);
const char *foci_pair_set_name(const foci_pair_set *set, int64_t i); /* "training/0001.jpg" */
/* An image and its classes (height, width), from malloc. FOCI_ERR_DATA names the file: one that cannot be read, labels
 * of another size, a label that is no class. */
foci_status foci_pair_set_read(const foci_pair_set *set, int64_t i, const foci_label_meaning *meaning,
                               foci_image *image, unsigned char **classes);
/* Reads all where they are few (foci_manifest_is_small), else looks whether each file is there and begins as an image.
 * FOCI_ERR_DATA names one that is bad, or says that no pixel has a class. */
foci_status foci_pair_set_check(const foci_pair_set *set, const foci_label_meaning *meaning);
foci_status foci_pair_set_no_class(const foci_pair_set *set); /* says that no pixel has one */
/* Adds its files; the set must live as long as the manifest. */
foci_status foci_pair_set_list(const foci_pair_set *set, const char *part, foci_manifest *m);

#endif
