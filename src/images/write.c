/* 8-bit RGB to PNG (stb_image_write, in png.c) and JPEG (libjpeg-turbo). */
#include <stdio.h>
#include <stdlib.h>
#include <turbojpeg.h>

#include "base/file.h"
#include "images/png.h"

/* Plain writing, neither synced nor renamed: a picture is made again more cheaply than it is kept safe. */
static foci_status write_bytes(const char *path, const void *bytes, size_t size) {
    FILE *f = fopen(path, "wbe");
    if (!f) return foci_fail(FOCI_ERR_IO, "%s: %m", path);
    bool written = fwrite(bytes, 1, size, f) == size;
    if (fclose(f) == 0 && written) return FOCI_OK;
    return foci_fail(FOCI_ERR_IO, "%s: %m", path);
}

static foci_status write_png(const char *path, const foci_image *image) {
    int size = 0;
    unsigned char *bytes = foci_png_encode(image, &size);
    if (!bytes) return foci_fail(FOCI_ERR_RUNTIME, "%s: out of memory", path);
    foci_status status = write_bytes(path, bytes, (size_t)size);
    free(bytes);
    return status;
}

static foci_status write_jpeg(const char *path, const foci_image *image, int quality) {
    unsigned char *bytes = NULL;
    unsigned long size = 0;
    tjhandle jpeg = tjInitCompress();
    if (!jpeg) return foci_fail(FOCI_ERR_RUNTIME, "%s: %s", path, tjGetErrorStr2(NULL));
    foci_status status = FOCI_OK;
    if (tjCompress2(jpeg, image->pixels, image->width, 0, image->height, TJPF_RGB, &bytes, &size, TJSAMP_444, quality,
                    0))
        status = foci_fail(FOCI_ERR_RUNTIME, "%s: %s", path, tjGetErrorStr2(jpeg));
    if (!status) status = write_bytes(path, bytes, size);
    tjFree(bytes);
    tjDestroy(jpeg);
    return status;
}

foci_status foci_image_write(const char *path, const foci_image *image, int quality) {
    return quality ? write_jpeg(path, image, quality) : write_png(path, image);
}
