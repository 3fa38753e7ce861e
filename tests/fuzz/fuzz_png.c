/* A PNG image, as a file of a data set: a picture, and a map of labels. */
#include "fuzz.h"

#include <zlib.h>

#include "images/label_map.h"

static uint32_t get32(const uint8_t *p) {
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

/* Of every chunk that lies within the bytes. */
static void correct_checksums(uint8_t *bytes, size_t size) {
    for (size_t at = 8; size >= 20 && at <= size - 12;) {
        const size_t length = get32(bytes + at);
        if (length > size - at - 12) return;
        const uint32_t sum = (uint32_t)crc32(0, bytes + at + 4, (uInt)(4 + length));
        for (int i = 0; i < 4; i++) bytes[at + 8 + length + (size_t)i] = (uint8_t)(sum >> (24 - 8 * i));
        at += 12 + length;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    foci_image image;
    foci_label_map map;
    fuzz_make_folder();
    /* The signature always fits: half of the mutations would fail there. */
    static const uint8_t signature[8] = {0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n'};
    uint8_t *copy = fuzz_copy(data, size);
    if (size >= sizeof signature) memcpy(copy, signature, sizeof signature);
    correct_checksums(copy, size);
    if (!foci_image_decode(&image, copy, size, "fuzzed.png", 0)) foci_image_free(&image);
    if (!foci_label_map_decode(&map, copy, size, "fuzzed.png")) foci_label_map_free(&map);
    free(copy);
    return 0;
}
