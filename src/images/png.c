/* The one file that sees stb's image code: it is compiled here, private, with the warnings it does not care about
 * turned off. */
#include <stdlib.h>
#include <string.h>

#include <zlib.h>

#include "images/png.h"

/* stb copies nothing to nowhere when a chunk is empty, which memcpy does not allow. */
static inline void *copy(void *to, const void *from, size_t size) { return size ? memcpy(to, from, size) : to; }
#define memcpy copy

/* What the image at hand may take at once: a stream that expands beyond its pixels gets no more. */
static _Thread_local size_t most;
static void *allocate(size_t size) { return size > most ? NULL : malloc(size); }
static void *grow(void *p, size_t size) { return size > most ? NULL : realloc(p, size); }
#define STBI_MALLOC(size) allocate(size)
#define STBI_REALLOC(p, size) grow(p, size)
#define STBI_FREE(p) free(p)

#pragma GCC diagnostic ignored "-Wshadow"
#pragma GCC diagnostic ignored "-Wunused-function"
#pragma GCC diagnostic ignored "-Wsign-compare"
#define STB_IMAGE_IMPLEMENTATION
#define STB_IMAGE_STATIC
#define STBI_ONLY_PNG
#define STBI_NO_STDIO
#define STBI_MAX_DIMENSIONS (1 << 24)
#include <stb/stb_image.h>
#define STB_IMAGE_WRITE_IMPLEMENTATION
#define STB_IMAGE_WRITE_STATIC
#define STBI_WRITE_NO_STDIO
#include <stb/stb_image_write.h>

/* A first chunk of pixels without a byte, which nobody writes and stb stumbles over. Chunks: length, type, data,
 * checksum. */
static bool begins_empty(const unsigned char *bytes, size_t size) {
    for (size_t at = 8; size >= 8 && at <= size - 8; at += 12 + (size_t)foci_png_number(bytes + at))
        if (memcmp(bytes + at + 4, "IDAT", 4) == 0) return foci_png_number(bytes + at) == 0;
    return false;
}

/* Every chunk has a checksum, which stb leaves unread: without it a changed byte would be a changed picture. */
static foci_status check_chunks(const unsigned char *bytes, size_t size, const char *name) {
    for (size_t at = 8; size - at >= 12;) {
        const size_t length = foci_png_number(bytes + at);
        if (length > size - at - 12) break;
        if (crc32(0, bytes + at + 4, (uInt)(4 + length)) != foci_png_number(bytes + at + 8 + length))
            return foci_fail(FOCI_ERR_DATA, "%s: byte %zu: a chunk of the PNG image is damaged (wrong checksum)", name,
                             at);
        if (memcmp(bytes + at + 4, "IEND", 4) == 0) return FOCI_OK;
        at += 12 + length;
    }
    return foci_fail(FOCI_ERR_DATA, "%s: not a whole PNG image", name);
}

/* The header is the first chunk: width and height are bytes 16 to 23, depth, colours and interlacing 24 to 28. */
foci_status foci_png_check(const unsigned char *bytes, size_t size, const char *name, uint32_t *width,
                           uint32_t *height) {
    static const unsigned char signature[8] = {0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n'};
    if (size > INT32_MAX) return foci_fail(FOCI_ERR_DATA, "%s: %zu bytes, too many for a PNG image", name, size);
    if (size < 29 || memcmp(bytes, signature, sizeof signature) != 0 || memcmp(bytes + 12, "IHDR", 4) != 0 ||
        begins_empty(bytes, size))
        return foci_fail(FOCI_ERR_DATA, "%s: not a whole PNG image", name);
    *width = foci_png_number(bytes + 16);
    *height = foci_png_number(bytes + 20);
    if (!*width || !*height) return foci_fail(FOCI_ERR_DATA, "%s: not a whole PNG image", name);
    if ((uint64_t)*width * *height > (uint64_t)FOCI_MOST_PIXELS)
        return foci_fail(FOCI_ERR_DATA, "%s: %u x %u pixels, more than foci reads (2^28)", name, *width, *height);
    if (foci_is_bomb((uint64_t)*width * *height, size, 1032))
        return foci_fail(FOCI_ERR_DATA, "%s: %u x %u pixels in %zu bytes: not a whole PNG image", name, *width, *height,
                         size);
    return check_chunks(bytes, size, name);
}

foci_status foci_png_decode(foci_image *image, const unsigned char *bytes, size_t size, const char *name) {
    uint32_t width, height;
    FOCI_TRY(foci_png_check(bytes, size, name, &width, &height));
    /* Up to 8 bytes a pixel, one before each row (of seven passes), doubled as it grows; or all of the file. */
    most = 2 * ((size_t)8 * width * height + (size_t)14 * height + size) + 65536;
    int channels;
    image->pixels = stbi_load_from_memory(bytes, (int)size, &image->width, &image->height, &channels, STBI_rgb);
    const char *why = stbi_failure_reason();
    return image->pixels ? FOCI_OK
                         : foci_fail(FOCI_ERR_DATA, "%s: not a whole PNG image: %s", name, why ? why : "damaged");
}

unsigned char *foci_png_encode(const foci_image *image, int *size) {
    return stbi_write_png_to_mem(image->pixels, 3 * image->width, image->width, image->height, 3, size);
}

/* RFC 4648 */
static char *base64(const unsigned char *bytes, size_t size) {
    static const char digit[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    char *text = malloc((size + 2) / 3 * 4 + 1), *out = text;
    for (size_t i = 0; text && i < size; i += 3) {
        const unsigned b = i + 1 < size ? bytes[i + 1] : 0, c = i + 2 < size ? bytes[i + 2] : 0;
        const unsigned word = (unsigned)bytes[i] << 16 | b << 8 | c;
        for (int k = 0; k < 4; k++) *out++ = size - i < (size_t)k ? '=' : digit[word >> (18 - 6 * k) & 63];
    }
    if (text) *out = 0;
    return text;
}

char *foci_png_text(const foci_image *image) {
    int size = 0;
    unsigned char *png = foci_png_encode(image, &size);
    char *text = png ? base64(png, (size_t)size) : NULL;
    free(png);
    return text;
}
