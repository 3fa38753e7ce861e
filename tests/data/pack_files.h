/* Packs spoilt by hand: their bytes, their numbers, their checksums. */
#ifndef FOCI_TESTS_PACK_FILES_H
#define FOCI_TESTS_PACK_FILES_H

#include <xxhash.h>

#include "data/pack.h"
#include "images/image_files.h"

enum { HEADER = 64 };

static inline blob load(const char *path) {
    blob b = {0};
    unsigned char part[4096];
    FILE *f = fopen(path, "rb");
    assert_non_null(f);
    for (size_t n; (n = fread(part, 1, sizeof part, f)) > 0;) append(&b, part, n);
    fclose(f);
    return b;
}

static inline blob copy_of(const blob *whole) {
    blob b = {0};
    append(&b, whole->data, whole->size);
    return b;
}

/* Saved under a name that messages are looked for with; freed. */
static inline const char *save_pack(blob *b, const char *folder) {
    const char *path = path_of("%s/damaged.pack", folder);
    save(path, b->data, b->size);
    free(b->data);
    *b = (blob){0};
    return path;
}

static inline uint64_t get(const blob *b, size_t at, int bytes) { return foci_number(b->data + at, bytes); }
static inline void set_number(blob *b, size_t at, uint64_t value, int bytes) {
    for (int i = 0; i < bytes; i++) b->data[at + (size_t)i] = (unsigned char)(value >> 8 * i);
}

/* Makes the checksums of header and table right again, so that what lies under them is judged by itself. */
static inline void seal(blob *b) {
    uint64_t table = get(b, 24, 8);
    if (table <= b->size) set_number(b, 48, XXH3_64bits(b->data + table, b->size - table), 8);
    set_number(b, 56, XXH3_64bits(b->data, 56), 8);
}

static inline uint32_t next_random(uint32_t *r) { return (*r = *r * 1664525u + 1013904223u) >> 8; }

#endif
