/* Images with maps of labels, in an archive in ADE20K's layout. */
#include "fuzz.h"

#include "images/pairs.h"

static void use(const foci_pair_set *set) {
    static const int64_t ignored[] = {0, 255};
    const foci_label_meaning meaning = {.first = 1, .classes = 3, .ignored = ignored, .ignored_count = 2};
    if (foci_pair_set_check(set, &meaning)) return;
    for (int64_t i = 0; i < foci_pair_set_count(set); i++) {
        foci_image image;
        unsigned char *classes;
        if (foci_pair_set_read(set, i, &meaning, &image, &classes)) abort();
        for (int64_t at = 0; at < (int64_t)image.width * image.height; at++)
            if (classes[at] >= 3 && classes[at] != FOCI_NO_CLASS) abort();
        foci_image_free(&image);
        free(classes);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    foci_pair_set *set;
    foci_manifest files = {NULL};
    uint8_t *copy = fuzz_copy(data, size);
    fuzz_seal_tar(copy, size);
    const char *path = fuzz_file("x.tar", copy, size);
    free(copy);
    if (foci_pair_set_open(&set, path, "training")) return 0;
    use(set);
    if (!foci_pair_set_list(set, "train", &files) && files.count != 2 * foci_pair_set_count(set)) abort();
    foci_manifest_free(&files);
    foci_pair_set_close(set);
    return 0;
}
