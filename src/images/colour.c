/* Operations that leave every pixel where it is: tables of values, and blends with a lesser image. */
#include <stdlib.h>
#include <string.h>

#include "images/operations.h"

static int64_t size_of(const foci_image *image) { return (int64_t)image->width * image->height; }

/* ------------------------------------------------------------------------------------------------- tables */

static void look_up(foci_image *image, unsigned char table[3][256]) {
    unsigned char *p = image->pixels;
    for (int64_t i = 0; i < size_of(image); i++, p += 3)
        for (int c = 0; c < 3; c++) p[c] = table[c][p[c]];
}

/* The same table for all channels. */
static void look_up_one(foci_image *image, const unsigned char table[256]) {
    for (int64_t i = 0; i < 3 * size_of(image); i++) image->pixels[i] = table[image->pixels[i]];
}

static void count(const foci_image *image, int64_t histogram[3][256]) {
    const unsigned char *p = image->pixels;
    memset(histogram, 0, 3 * sizeof *histogram);
    for (int64_t i = 0; i < size_of(image); i++, p += 3)
        for (int c = 0; c < 3; c++) histogram[c][p[c]]++;
}

/* cut off, not rounded */
static unsigned char byte(double v) { return (unsigned char)(v < 0 ? 0 : v > 255 ? 255 : v); }

static void stretch(const int64_t histogram[256], unsigned char table[256]) {
    int low = 0, high = 255;
    while (low < 255 && !histogram[low]) low++;
    while (high > 0 && !histogram[high]) high--;
    double scale = high > low ? 255.0 / (high - low) : 1, offset = high > low ? -low * scale : 0;
    for (int v = 0; v < 256; v++) table[v] = byte(v * scale + offset);
}

void foci_image_auto_contrast(foci_image *image) {
    int64_t histogram[3][256];
    unsigned char table[3][256];
    count(image, histogram);
    for (int c = 0; c < 3; c++) stretch(histogram[c], table[c]);
    look_up(image, table);
}

/* A value's rank among the pixels in steps of a 255th; all but the brightest value count for the step. */
static void flatten(const int64_t histogram[256], int64_t pixels, unsigned char table[256]) {
    int high = 255;
    while (high > 0 && !histogram[high]) high--;
    int64_t step = (pixels - histogram[high]) / 255, below = step / 2;
    for (int v = 0; v < 256; v++) {
        table[v] = step ? byte((double)(below / step)) : (unsigned char)v;
        below += histogram[v];
    }
}

void foci_image_equalize(foci_image *image) {
    int64_t histogram[3][256];
    unsigned char table[3][256];
    count(image, histogram);
    for (int c = 0; c < 3; c++) flatten(histogram[c], size_of(image), table[c]);
    look_up(image, table);
}

void foci_image_invert(foci_image *image) { foci_image_solarize(image, 0); }

void foci_image_posterize(foci_image *image, int bits) {
    unsigned char table[256];
    for (int v = 0; v < 256; v++) table[v] = (unsigned char)(v & ~(255 >> bits));
    look_up_one(image, table);
}

void foci_image_solarize(foci_image *image, int threshold) {
    unsigned char table[256];
    for (int v = 0; v < 256; v++) table[v] = (unsigned char)(v < threshold ? v : 255 - v);
    look_up_one(image, table);
}

void foci_image_solarize_add(foci_image *image, int add) {
    unsigned char table[256];
    for (int v = 0; v < 256; v++) table[v] = (unsigned char)(v >= 128 ? v : v + add > 255 ? 255 : v + add);
    look_up_one(image, table);
}

/* ------------------------------------------------------------------------------------------------- blends */

/* In float, as PIL computes it. */
static unsigned char blend(int lesser, int value, float factor) {
    float v = (float)lesser + factor * (float)(value - lesser);
    return (unsigned char)(v <= 0 ? 0 : v >= 255 ? 255 : v);
}

static void blend_with_one(foci_image *image, int lesser, float factor) {
    unsigned char table[256];
    for (int v = 0; v < 256; v++) table[v] = blend(lesser, v, factor);
    look_up_one(image, table);
}

/* ITU-R 601 in 16 bits of fraction. */
static int luma(const unsigned char *p) { return (p[0] * 19595 + p[1] * 38470 + p[2] * 7471 + 0x8000) >> 16; }

void foci_image_color(foci_image *image, double factor) {
    unsigned char *p = image->pixels;
    for (int64_t i = 0; i < size_of(image); i++, p += 3) {
        int grey = luma(p);
        for (int c = 0; c < 3; c++) p[c] = blend(grey, p[c], (float)factor);
    }
}

void foci_image_contrast(foci_image *image, double factor) {
    int64_t sum = 0;
    for (int64_t i = 0; i < size_of(image); i++) sum += luma(image->pixels + 3 * i);
    blend_with_one(image, (int)((double)sum / (double)size_of(image) + 0.5), (float)factor);
}

void foci_image_brightness(foci_image *image, double factor) { blend_with_one(image, 0, (float)factor); }

/* The mean of the 3 x 3 around, the middle counted five times. */
static int smooth(const unsigned char *p, int64_t row) {
    int sum = p[-row - 3] + p[-row] + p[-row + 3] + p[-3] + 5 * p[0] + p[3] + p[row - 3] + p[row] + p[row + 3];
    return (2 * sum + 13) / 26; /* sum / 13, rounded */
}

/* The outermost pixels have no smooth neighbours and stay. */
foci_status foci_image_sharpness(foci_image *image, double factor) {
    int64_t row = (int64_t)3 * image->width;
    size_t bytes = (size_t)(row * image->height);
    unsigned char *before = malloc(bytes);
    if (!before)
        return foci_fail(FOCI_ERR_RUNTIME, "out of memory for an image of %d x %d pixels", image->width, image->height);
    memcpy(before, image->pixels, bytes);
    for (int64_t y = 1; y < image->height - 1; y++)
        for (int64_t i = y * row + 3; i < (y + 1) * row - 3; i++)
            image->pixels[i] = blend(smooth(before + i, row), before[i], (float)factor);
    free(before);
    return FOCI_OK;
}
