/* PNG by zlib alone: stb's decoder turns indices into colours and stretches few bits to eight. */
#include "images/label_map.h"

#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "base/file.h"
#include "images/png.h"

void foci_label_map_free(foci_label_map *map) {
    free(map->value);
    *map = (foci_label_map){0};
}

/* ------------------------------------------------------------------------------------------------ reading */

enum { GREY = 0, PALETTE = 3 };

static foci_status check_kind(const unsigned char *bytes, const char *name) {
    const int depth = bytes[24], colour = bytes[25], interlaced = bytes[28];
    if (colour != GREY && colour != PALETTE)
        return foci_fail(FOCI_ERR_DATA, "%s: a PNG image of colours; labels are grey or have a palette", name);
    if (interlaced)
        return foci_fail(FOCI_ERR_DATA, "%s: an interlaced PNG image, which foci does not read labels from", name);
    if (depth == 1 || depth == 2 || depth == 4 || depth == 8 || (depth == 16 && colour == GREY)) return FOCI_OK;
    return foci_fail(FOCI_ERR_DATA, "%s: not a whole PNG image", name);
}

/* All IDAT chunks, whose checksums are right, as one stream: exactly `expected` bytes. */
static bool inflate_chunks(const unsigned char *bytes, size_t size, unsigned char *out, size_t expected) {
    z_stream z = {.next_out = out, .avail_out = (uInt)expected};
    int state = inflateInit(&z);
    for (size_t at = 8; at + 12 <= size && state == Z_OK; at += 12 + (size_t)foci_png_number(bytes + at)) {
        if (memcmp(bytes + at + 4, "IEND", 4) == 0) break;
        if (memcmp(bytes + at + 4, "IDAT", 4) != 0) continue;
        z.next_in = (unsigned char *)(uintptr_t)(bytes + at + 8);
        z.avail_in = foci_png_number(bytes + at);
        if (z.avail_in) state = inflate(&z, Z_NO_FLUSH);
        if (state == Z_BUF_ERROR && z.avail_out == 0) state = Z_OK; /* more than there are pixels: passed over */
    }
    const bool all = (state == Z_STREAM_END || state == Z_OK) && z.avail_out == 0;
    inflateEnd(&z);
    return all;
}

static int paeth(int left, int up, int corner) {
    const int p = left + up - corner, a = abs(p - left), b = abs(p - up), c = abs(p - corner);
    return a <= b && a <= c ? left : b <= c ? up : corner;
}

/* Undoes the filter of a row; `before` is the row above, zeros above the first. step: bytes of a pixel, at least 1. */
static bool unfilter(int filter, unsigned char *row, const unsigned char *before, int64_t bytes, int64_t step) {
    for (int64_t i = 0; i < bytes; i++) {
        const int left = i < step ? 0 : row[i - step], up = before[i], corner = i < step ? 0 : before[i - step];
        const int add[] = {0, left, up, (left + up) / 2, paeth(left, up, corner)};
        if (filter > 4) return false;
        row[i] = (unsigned char)(row[i] + add[filter]);
    }
    return true;
}

static void unpack(const unsigned char *row, int depth, int64_t width, uint16_t *out) {
    for (int64_t i = 0; i < width; i++) {
        const int64_t bit = i * depth;
        if (depth == 16) out[i] = (uint16_t)(row[2 * i] << 8 | row[2 * i + 1]);
        else out[i] = (uint16_t)(row[bit / 8] >> (8 - depth - bit % 8) & ((1 << depth) - 1));
    }
}

/* rows: for each the number of its filter and its bytes, behind a row of zeros. */
static bool read_rows(foci_label_map *map, unsigned char *rows, int depth) {
    const int64_t bytes = ((int64_t)map->width * depth + 7) / 8, stride = 1 + bytes;
    for (int64_t y = 0; y < map->height; y++) {
        unsigned char *row = rows + (y + 1) * stride;
        if (!unfilter(row[0], row + 1, row + 1 - stride, bytes, depth == 16 ? 2 : 1)) return false;
        unpack(row + 1, depth, map->width, map->value + y * map->width);
    }
    return true;
}

foci_status foci_label_map_decode(foci_label_map *map, const unsigned char *bytes, size_t size, const char *name) {
    uint32_t width, height;
    *map = (foci_label_map){0};
    FOCI_TRY(foci_png_check(bytes, size, name, &width, &height));
    FOCI_TRY(check_kind(bytes, name));
    const int depth = bytes[24];
    const size_t stride = 1 + ((size_t)width * (size_t)depth + 7) / 8;
    unsigned char *rows = calloc((size_t)height + 1, stride);
    *map = (foci_label_map){(int)width, (int)height, malloc((size_t)width * height * sizeof *map->value)};
    const bool room = rows && map->value, whole = room &&
                                                  inflate_chunks(bytes, size, rows + stride, (size_t)height * stride) &&
                                                  read_rows(map, rows, depth);
    free(rows);
    if (whole) return FOCI_OK;
    foci_label_map_free(map);
    if (!room) return foci_fail(FOCI_ERR_RUNTIME, "%s: out of memory for %u x %u labels", name, width, height);
    return foci_fail(FOCI_ERR_DATA, "%s: not a whole PNG image", name);
}

/* ------------------------------------------------------------------------------------------------ writing */

void foci_label_colour(int label, unsigned char rgb[3]) {
    memset(rgb, 0, 3);
    for (int bit = 7; label; bit--, label >>= 3)
        for (int c = 0; c < 3; c++) rgb[c] |= (unsigned char)((label >> c & 1) << bit);
}

void foci_label_blend(int label, unsigned char rgb[3]) {
    unsigned char colour[3];
    foci_label_colour(label + 1, colour);
    for (int c = 0; c < 3; c++) rgb[c] = (unsigned char)((rgb[c] + colour[c] + 1) / 2);
}

static void put_number(unsigned char *at, uint32_t x) {
    for (int i = 0; i < 4; i++) at[i] = (unsigned char)(x >> (24 - 8 * i));
}

/* Returns what is behind it. */
static unsigned char *put_chunk(unsigned char *at, const char *type, const void *data, uint32_t size) {
    put_number(at, size);
    memcpy(at + 4, type, 4);
    if (size) memcpy(at + 8, data, size);
    put_number(at + 8 + size, (uint32_t)crc32(0, at + 4, 4 + size));
    return at + 12 + size;
}

/* rows: a 0, for no filter, and the labels of each. */
static size_t encode(const foci_label_map *map, const unsigned char *rows, uLong bytes, unsigned char *packed,
                     unsigned char *out) {
    static const unsigned char signature[8] = {0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n'};
    unsigned char header[13] = {[8] = 8, [9] = PALETTE}, palette[256 * 3], *at = out + sizeof signature;
    uLong size = compressBound(bytes);
    put_number(header, (uint32_t)map->width);
    put_number(header + 4, (uint32_t)map->height);
    for (int label = 0; label < 256; label++) foci_label_colour(label, palette + 3 * label);
    if (compress2(packed, &size, rows, bytes, 6) != Z_OK) return 0;
    memcpy(out, signature, sizeof signature);
    at = put_chunk(at, "IHDR", header, sizeof header);
    at = put_chunk(at, "PLTE", palette, sizeof palette);
    at = put_chunk(at, "IDAT", packed, (uint32_t)size);
    return (size_t)(put_chunk(at, "IEND", NULL, 0) - out);
}

static foci_status write_bytes(const char *path, const void *bytes, size_t size) {
    foci_writer file;
    FOCI_TRY(foci_writer_open(&file, path));
    const foci_status s = foci_write(&file, bytes, size);
    if (s) foci_writer_abort(&file);
    return s ? s : foci_writer_commit(&file);
}

foci_status foci_label_map_write(const char *path, const foci_label_map *map) {
    const size_t stride = 1 + (size_t)map->width, bytes = stride * (size_t)map->height, most = compressBound(bytes);
    unsigned char *rows = calloc(bytes, 1), *packed = malloc(most), *out = malloc(most + 1024);
    for (int y = 0; rows && y < map->height; y++)
        for (int x = 0; x < map->width; x++)
            rows[stride * (size_t)y + 1 + (size_t)x] = (unsigned char)map->value[(int64_t)y * map->width + x];
    const size_t size = rows && packed && out ? encode(map, rows, bytes, packed, out) : 0;
    const foci_status s = size ? write_bytes(path, out, size) : foci_fail(FOCI_ERR_RUNTIME, "%s: out of memory", path);
    free(rows);
    free(packed);
    free(out);
    return s;
}
