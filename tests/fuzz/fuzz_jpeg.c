/* A JPEG image, as a file of a data set. */
#include "fuzz.h"

#include "images/images.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    foci_image image;
    fuzz_make_folder();
    for (int side = 0; side <= 32; side += 32)
        if (!foci_image_decode(&image, data, size, "fuzzed.jpg", side)) foci_image_free(&image);
    return 0;
}
