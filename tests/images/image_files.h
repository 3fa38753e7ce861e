/* Image files made by the tests: PNG by hand, JPEG by turbojpeg, and folders to put them in. */
#ifndef FOCI_TESTS_IMAGE_FILES_H
#define FOCI_TESTS_IMAGE_FILES_H

#include <sys/stat.h>
#include <turbojpeg.h>
#include <zlib.h>

#include "check.h"
#include "images/images.h"

typedef struct blob {
    unsigned char *data;
    size_t size;
} blob;

static inline void put32(unsigned char *p, uint32_t v) {
    for (int i = 0; i < 4; i++) p[i] = (unsigned char)(v >> (24 - 8 * i));
}

static inline void append(blob *b, const void *data, size_t size) {
    b->data = realloc(b->data, b->size + size + 1);
    if (size) memcpy(b->data + b->size, data, size);
    b->size += size;
}

static inline void append_chunk(blob *png, const char *type, const void *data, size_t size) {
    unsigned char word[4];
    put32(word, (uint32_t)size);
    append(png, word, 4);
    size_t at = png->size;
    append(png, type, 4);
    append(png, data, size);
    put32(word, (uint32_t)crc32(0, png->data + at, (uInt)(4 + size)));
    append(png, word, 4);
}

typedef struct png_kind {
    int depth, colour; /* PNG's numbers: 0 grey, 2 RGB, 3 palette, 4 grey and alpha, 6 RGBA */
    bool interlaced;
    const unsigned char *palette, *alpha; /* 3 bytes and 1 byte an entry */
    size_t entries;
} png_kind;

/* `lines` are the scan lines as the file has them, each with its filter byte in front. */
static inline blob make_png(uint32_t width, uint32_t height, png_kind kind, const void *lines, size_t size) {
    blob png = {0};
    unsigned char header[13] = {0};
    put32(header, width);
    put32(header + 4, height);
    header[8] = (unsigned char)kind.depth;
    header[9] = (unsigned char)kind.colour;
    header[12] = kind.interlaced;
    append(&png, "\x89PNG\r\n\x1a\n", 8);
    append_chunk(&png, "IHDR", header, sizeof header);
    if (kind.palette) append_chunk(&png, "PLTE", kind.palette, 3 * kind.entries);
    if (kind.alpha) append_chunk(&png, "tRNS", kind.alpha, kind.entries);
    uLongf room = compressBound(size);
    unsigned char *packed = malloc(room);
    assert_int_equal(compress(packed, &room, lines, size), Z_OK);
    append_chunk(&png, "IDAT", packed, room);
    free(packed);
    append_chunk(&png, "IEND", NULL, 0);
    return png;
}

/* `format` is a TJPF_, `sampling` a TJSAMP_. */
static inline blob make_jpeg(const unsigned char *pixels, int width, int height, int format, int sampling, int quality,
                             int flags) {
    tjhandle jpeg = tjInitCompress();
    unsigned char *bytes = NULL;
    unsigned long size = 0;
    if (tjCompress2(jpeg, pixels, width, 0, height, format, &bytes, &size, sampling, quality, flags))
        fail_msg("%s", tjGetErrorStr2(jpeg));
    blob b = {0};
    append(&b, bytes, size);
    tjFree(bytes);
    tjDestroy(jpeg);
    return b;
}

/* Slow gradients, which JPEG keeps well; `tint` makes images differ. */
static inline foci_image smooth_image(int width, int height, int tint) {
    foci_image image = {width, height, malloc((size_t)3 * (size_t)width * (size_t)height)};
    for (int y = 0; y < height; y++)
        for (int x = 0; x < width; x++) {
            unsigned char *p = image.pixels + 3 * (y * width + x);
            p[0] = (unsigned char)(255 * x / width);
            p[1] = (unsigned char)(255 * y / height);
            p[2] = (unsigned char)(37 * tint);
        }
    return image;
}

/* Red is x, green is y, blue is 255: where a pixel comes from can be read off. */
static inline foci_image coordinate_image(int width, int height) {
    foci_image image = {width, height, malloc((size_t)3 * (size_t)width * (size_t)height)};
    for (int y = 0; y < height; y++)
        for (int x = 0; x < width; x++) {
            unsigned char *p = image.pixels + 3 * (y * width + x);
            p[0] = (unsigned char)x;
            p[1] = (unsigned char)y;
            p[2] = 255;
        }
    return image;
}

static inline int largest_difference(const foci_image *a, const foci_image *b) {
    int most = 0;
    assert_int_equal(a->width, b->width);
    assert_int_equal(a->height, b->height);
    for (int i = 0; i < 3 * a->width * a->height; i++) {
        int d = abs(a->pixels[i] - b->pixels[i]);
        if (d > most) most = d;
    }
    return most;
}

static inline void save(const char *path, const void *data, size_t size) {
    FILE *f = fopen(path, "wb");
    if (!f) fail_msg("cannot write %s", path);
    assert_int_equal(fwrite(data, 1, size, f), size);
    assert_int_equal(fclose(f), 0);
}

/* A path of printf's making; 64 are kept at a time. */
static inline const char *path_of(const char *format, ...) __attribute__((format(printf, 1, 2)));
static inline const char *path_of(const char *format, ...) {
    static char paths[64][1024];
    static int next;
    char *path = paths[next++ % 64];
    va_list args;
    va_start(args, format);
    vsnprintf(path, sizeof paths[0], format, args);
    va_end(args);
    return path;
}

static inline void run(const char *command) {
    if (system(command) != 0) fail_msg("failed: %s", command);
}

/* DIR/CLASS/FILE, a smooth image; PNG or JPEG by the name. */
static inline void save_image(const char *dir, const char *class, const char *file, int tint) {
    char path[1024];
    snprintf(path, sizeof path, "%s/%s", dir, class);
    mkdir(path, 0755);
    snprintf(path, sizeof path, "%s/%s/%s", dir, class, file);
    foci_image image = smooth_image(24, 20, tint);
    assert_ok(foci_image_write(path, &image, strstr(file, ".png") ? 0 : 90));
    foci_image_free(&image);
}

/* A folder for the group of tests that asks for it. */
static inline int make_folder(void **state) {
    *state = strdup(temporary_folder());
    return 0;
}
static inline int remove_folder(void **state) {
    run(path_of("rm -rf '%s'", (char *)*state));
    free(*state);
    return 0;
}

#endif
