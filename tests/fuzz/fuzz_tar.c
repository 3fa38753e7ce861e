/* An archive of images. */
#include "fuzz.h"

#include "images/images.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    foci_image_set *set;
    uint8_t *copy = fuzz_copy(data, size);
    fuzz_seal_tar(copy, size);
    const char *path = fuzz_file("x.tar", copy, size);
    free(copy);
    if (foci_image_set_open(&set, path)) return 0;
    for (int64_t i = 0; i < foci_image_set_count(set); i++) {
        foci_image image;
        if (!strchr(foci_image_set_name(set, i), '/') || foci_image_set_label(set, i) >= foci_image_set_classes(set))
            abort();
        if (!foci_image_set_read(set, i, &image, 0)) foci_image_free(&image);
    }
    foci_image_set_close(set);
    return 0;
}
