/* JPEG (libjpeg-turbo) to 8-bit RGB, and the choice between JPEG and PNG. */
#include <stdlib.h>
#include <string.h>
#include <turbojpeg.h>

#include "images/png.h"

void foci_image_free(foci_image *image) {
    free(image->pixels);
    *image = (foci_image){0};
}

static foci_status allocate(foci_image *image, int width, int height, const char *name) {
    *image = (foci_image){width, height, malloc((size_t)3 * (size_t)width * (size_t)height)};
    return image->pixels ? FOCI_OK
                         : foci_fail(FOCI_ERR_RUNTIME, "%s: out of memory for %d x %d pixels", name, width, height);
}

/* The smallest of 1/1, 1/2, 1/4, 1/8 that leaves the shorter side at least `least`. */
static tjscalingfactor reduction(int width, int height, int least) {
    int shorter = width < height ? width : height;
    tjscalingfactor f = {1, 1};
    while (least > 0 && f.denom < 8) {
        tjscalingfactor next = {1, f.denom * 2};
        if (TJSCALED(shorter, next) < least) break;
        f = next;
    }
    return f;
}

/* CMYK in JPEG files is stored inverted (Adobe's habit), so a channel of RGB is the product with black. */
static void cmyk_to_rgb(const unsigned char *cmyk, unsigned char *rgb, int64_t pixels) {
    for (int64_t i = 0; i < pixels; i++)
        for (int c = 0; c < 3; c++) rgb[3 * i + c] = (unsigned char)((cmyk[4 * i + c] * cmyk[4 * i + 3] + 127) / 255);
}

/* libjpeg goes on after damage and warns. Stray bytes between markers are common and harmless; data that ends early is
 * not. */
static foci_status decompressed(tjhandle jpeg, int result, const char *name) {
    if (result == 0) return FOCI_OK;
    const char *what = tjGetErrorStr2(jpeg);
    if (tjGetErrorCode(jpeg) == TJERR_WARNING && !strstr(what, "remature end")) return FOCI_OK;
    return foci_fail(FOCI_ERR_DATA, "%s: not a whole JPEG image: %s", name, what);
}

/* The end mark after the last scan. Looked for here, since only the first warning is kept: after another, that of an
 * early end is lost. */
static bool has_end(const unsigned char *bytes, size_t size) {
    for (size_t i = size - 1; i > 0; i--)
        if (bytes[i - 1] == 0xff && (bytes[i] == 0xd9 || bytes[i] == 0xda)) return bytes[i] == 0xd9;
    return false;
}

/* Every scan visits every pixel, and needs but a few bytes; in no picture are there more than some ten. */
static bool many_scans(const unsigned char *bytes, size_t size) {
    int scans = 0;
    for (size_t i = 0; i + 1 < size; i++) scans += bytes[i] == 0xff && bytes[i + 1] == 0xda;
    return scans > 100;
}

static foci_status decode_cmyk(tjhandle jpeg, foci_image *image, const unsigned char *bytes, size_t size,
                               const char *name) {
    int64_t pixels = (int64_t)image->width * image->height;
    unsigned char *cmyk = malloc((size_t)pixels * 4);
    if (!cmyk) return foci_fail(FOCI_ERR_RUNTIME, "%s: out of memory", name);
    foci_status status =
        decompressed(jpeg, tjDecompress2(jpeg, bytes, size, cmyk, image->width, 0, image->height, TJPF_CMYK, 0), name);
    if (!status) cmyk_to_rgb(cmyk, image->pixels, pixels);
    free(cmyk);
    return status;
}

static foci_status decode_jpeg(tjhandle jpeg, foci_image *image, const unsigned char *bytes, size_t size,
                               const char *name, int least_short_side) {
    int width = 0, height = 0, subsampling, colours; /* 0 they stay where a file is all tables */
    FOCI_TRY(decompressed(jpeg, tjDecompressHeader3(jpeg, bytes, size, &width, &height, &subsampling, &colours), name));
    if (width < 1 || height < 1 || !has_end(bytes, size))
        return foci_fail(FOCI_ERR_DATA, "%s: not a whole JPEG image", name);
    if ((int64_t)width * height > FOCI_MOST_PIXELS)
        return foci_fail(FOCI_ERR_DATA, "%s: %d x %d pixels, more than foci reads (2^28)", name, width, height);
    if (foci_is_bomb((uint64_t)width * (uint64_t)height, size, 512))
        return foci_fail(FOCI_ERR_DATA, "%s: %d x %d pixels in %zu bytes: not a whole JPEG image", name, width, height,
                         size);
    if (many_scans(bytes, size)) return foci_fail(FOCI_ERR_DATA, "%s: more than 100 scans", name);
    tjscalingfactor f = reduction(width, height, least_short_side);
    FOCI_TRY(allocate(image, TJSCALED(width, f), TJSCALED(height, f), name));
    if (colours == TJCS_CMYK || colours == TJCS_YCCK) return decode_cmyk(jpeg, image, bytes, size, name);
    return decompressed(
        jpeg, tjDecompress2(jpeg, bytes, size, image->pixels, image->width, 0, image->height, TJPF_RGB, 0), name);
}

foci_status foci_image_decode(foci_image *image, const unsigned char *bytes, size_t size, const char *name,
                              int least_short_side) {
    static const unsigned char png[8] = {0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n'};
    *image = (foci_image){0};
    foci_status status;
    if (size >= sizeof png && memcmp(bytes, png, sizeof png) == 0) {
        status = foci_png_decode(image, bytes, size, name);
    } else if (size >= 2 && bytes[0] == 0xff && bytes[1] == 0xd8) {
        tjhandle jpeg = tjInitDecompress();
        if (!jpeg) return foci_fail(FOCI_ERR_RUNTIME, "%s: %s", name, tjGetErrorStr2(NULL));
        status = decode_jpeg(jpeg, image, bytes, size, name, least_short_side);
        tjDestroy(jpeg);
    } else {
        return foci_fail(FOCI_ERR_DATA, "%s: %s", name, size ? "neither a JPEG nor a PNG image" : "empty");
    }
    if (status) foci_image_free(image);
    return status;
}
