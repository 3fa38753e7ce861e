/* A PNG image, as a file of a data set. */
#include "fuzz.h"

#include "images/images.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    foci_image image;
    fuzz_make_folder();
    /* The signature always fits: half of the mutations would fail there. */
    static const uint8_t signature[8] = {0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n'};
    uint8_t *copy = fuzz_copy(data, size);
    if (size >= sizeof signature) memcpy(copy, signature, sizeof signature);
    if (!foci_image_decode(&image, copy, size, "fuzzed.png", 0)) foci_image_free(&image);
    free(copy);
    return 0;
}
