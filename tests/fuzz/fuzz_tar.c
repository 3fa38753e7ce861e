/* An archive of images. */
#include "fuzz.h"

#include "images/images.h"

/* The sums of all headers are made right. Data that looks like a header changes too, which does no harm. */
static void seal(uint8_t *data, size_t size) {
    for (size_t at = 0; at + 512 <= size; at += 512) {
        unsigned sum = 8 * ' ';
        char digits[16];
        if (memcmp(data + at + 257, "ustar", 5) != 0) continue;
        for (int i = 0; i < 512; i++) sum += i >= 148 && i < 156 ? 0 : data[at + (size_t)i];
        snprintf(digits, sizeof digits, "%06o", sum);
        memcpy(data + at + 148, digits, 7);
        data[at + 155] = ' ';
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    foci_image_set *set;
    uint8_t *copy = fuzz_copy(data, size);
    seal(copy, size);
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
