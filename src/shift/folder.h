/* Corrupted copies of a set of images, in the layout of the published ImageNet-C: DIR/CORRUPTION/SEVERITY/CLASS/IMAGE.
 */
#ifndef FOCI_SHIFT_FOLDER_H
#define FOCI_SHIFT_FOLDER_H

#include "base/watch.h"
#include "shift/corruption.h"

typedef struct foci_corrupt_options {
    foci_corruption_choice chosen;
    /* first cut to size x size as the published images were: shorter side to size * 256 / 224, then the centre;
     * images that have the size stay as they are. 0: all do */
    int size;
    int quality; /* of JPEG, 85 in the published set; 0: PNG */
    foci_corrupt_how how;
    int64_t limit;           /* so many images, evenly spread; 0: all */
    const foci_watch *watch; /* counts images */
} foci_corrupt_options;

/* Names keep their stem and get the ending .png or .JPEG; two that would be one are FOCI_ERR_DATA. *images: how many
 * were read. */
foci_status foci_corrupt_folder(const foci_image_set *set, const char *dir, const foci_corrupt_options *options,
                                int64_t *images);

/* One image, clean and corrupted, on a contact sheet: a row for each corruption, a column for each severity. */
foci_status foci_corrupt_sheet(const foci_image_set *set, int64_t image, const foci_corrupt_options *options,
                               const char *path);

#endif
