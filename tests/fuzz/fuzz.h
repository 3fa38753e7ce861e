/* What the fuzz targets share. A target gives the bytes to one reader; a wrong file must be refused, and nothing else
 * may happen: no crash, no leak, no more than 512 MB, no more than 10 seconds. */
#ifndef FOCI_TESTS_FUZZ_H
#define FOCI_TESTS_FUZZ_H

#define _GNU_SOURCE
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <xxhash.h>

#include "base/error.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char fuzz_folder[200];

static void fuzz_remove_folder(void) {
    char command[256];
    snprintf(command, sizeof command, "rm -rf '%s'", fuzz_folder);
    if (system(command)) perror(command);
}

/* A folder of this process's own, in memory where there is some. */
static inline const char *fuzz_make_folder(void) {
    const char *tmp = getenv("TMPDIR");
    if (fuzz_folder[0]) return fuzz_folder;
    foci_set_threads(1);
    snprintf(fuzz_folder, sizeof fuzz_folder, "%s/foci-fuzz-XXXXXX",
             tmp                        ? tmp
             : access("/dev/shm", W_OK) ? "/tmp"
                                        : "/dev/shm");
    if (!mkdtemp(fuzz_folder)) abort();
    atexit(fuzz_remove_folder);
    return fuzz_folder;
}

/* A file of that folder with these bytes; the path lasts until the next call but three. */
static inline const char *fuzz_file(const char *name, const void *data, size_t size) {
    static char path[4][256];
    static int next;
    char *p = path[next++ % 4];
    snprintf(p, sizeof path[0], "%s/%s", fuzz_make_folder(), name);
    int fd = open(p, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    if (fd < 0 || write(fd, data, size) != (ssize_t)size) abort();
    close(fd);
    return p;
}

/* The bytes as a string of their own: a read beyond its end is one beyond the memory's. */
static inline char *fuzz_text(const uint8_t *data, size_t size) {
    char *text = malloc(size + 1);
    if (!text) abort();
    if (size) memcpy(text, data, size);
    text[size] = 0;
    return text;
}

static inline uint8_t *fuzz_copy(const uint8_t *data, size_t size) { return (uint8_t *)fuzz_text(data, size); }

/* Makes the checksum of a safetensors file right, where it has one, so that what lies under it is judged by itself. */
static inline void fuzz_seal_safetensors(uint8_t *data, size_t size) {
    static const char prefix[] = "{\"__metadata__\":{\"xxh3\":\"";
    enum { AT = 8 + sizeof prefix - 1, DIGITS = 16 };
    char digits[DIGITS + 1];
    if (size < AT + DIGITS || memcmp(data + 8, prefix, sizeof prefix - 1) != 0) return;
    memset(data + AT, '0', DIGITS);
    snprintf(digits, sizeof digits, "%016llx", (unsigned long long)XXH3_64bits(data + 8, size - 8));
    memcpy(data + AT, digits, DIGITS);
}

/* Likewise for a pack: its size and the checksums of table and header. */
static inline void fuzz_seal_pack(uint8_t *data, size_t size) {
    if (size < 64) return;
    uint64_t table, whole = size;
    memcpy(&table, data + 24, 8);
    memcpy(data + 32, &whole, 8);
    uint64_t hash = table <= size ? XXH3_64bits(data + table, size - table) : 0;
    memcpy(data + 48, &hash, 8);
    hash = XXH3_64bits(data, 56);
    memcpy(data + 56, &hash, 8);
}

/* Likewise for an archive: the sums of all headers. Data that looks like a header changes too, which does no harm. */
static inline void fuzz_seal_tar(uint8_t *data, size_t size) {
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

#endif
