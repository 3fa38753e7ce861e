#include "images/sheet.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "images/label_map.h"

#pragma GCC diagnostic ignored "-Wunused-function"
#include <stb/stb_easy_font.h>

enum { MARGIN = 8, LINES = 2, LINE = 12, LEAST_SIDE = 112, LETTERS = 64 };

foci_status foci_sheet_make(foci_sheet *s, const foci_transform *t, int count, int columns) {
    *s = (foci_sheet){.count = count, .columns = columns ? columns : (int)ceil(sqrt(count)), .step = LINE};
    int longer = t->width > t->height ? t->width : t->height;
    s->enlarged = longer < LEAST_SIDE ? (LEAST_SIDE + longer - 1) / longer : 1;
    s->tile_width = t->width * s->enlarged + MARGIN;
    s->tile_height = t->height * s->enlarged + LINES * LINE + MARGIN;
    int64_t width = MARGIN + (int64_t)s->columns * s->tile_width, rows = (count + s->columns - 1) / s->columns;
    int64_t height = MARGIN + rows * s->tile_height;
    if (width * height > 1 << 28)
        return foci_fail(FOCI_ERR_CONFIG, "a sheet of %d images is more than foci draws (2^28 pixels)", count);
    size_t bytes = (size_t)(3 * width * height);
    s->image = (foci_image){(int)width, (int)height, malloc(bytes)};
    if (!s->image.pixels) return foci_fail(FOCI_ERR_RUNTIME, "out of memory for a sheet of %d images", count);
    memset(s->image.pixels, 255, bytes);
    return FOCI_OK;
}

static unsigned char *pixel(const foci_sheet *s, int x, int y) {
    return s->image.pixels + 3 * ((int64_t)y * s->image.width + x);
}
static int left_of(const foci_sheet *s, int i) { return MARGIN + i % s->columns * s->tile_width; }
static int top_of(const foci_sheet *s, int i) { return MARGIN + i / s->columns * s->tile_height; }

void foci_sheet_put(foci_sheet *s, const foci_transform *t, int i, const foci_real *sample) {
    for (int y = 0; y < t->height * s->enlarged; y++)
        for (int x = 0; x < t->width * s->enlarged; x++)
            for (int c = 0; c < 3; c++) {
                int64_t at = ((int64_t)c * t->height + y / s->enlarged) * t->width + x / s->enlarged;
                double v = 255 * ((double)sample[at] * t->std[c] + t->mean[c]);
                pixel(s, left_of(s, i) + x, top_of(s, i) + y)[c] = (unsigned char)nearbyint(fmin(255, fmax(0, v)));
            }
}

void foci_sheet_cover(foci_sheet *s, int i, const int32_t *labels, int width, int height) {
    for (int y = 0; y < height * s->enlarged; y++)
        for (int x = 0; x < width * s->enlarged; x++) {
            const int32_t label = labels[(int64_t)(y / s->enlarged) * width + x / s->enlarged];
            if (label >= 0 && label < 255) foci_label_blend(label, pixel(s, left_of(s, i) + x, top_of(s, i) + y));
        }
}

/* stb_easy_font gives letters as black boxes: four corners of x, y, z and colour each. */
void foci_sheet_write(foci_sheet *s, int i, int line, const char *text) {
    struct corner {
        float x, y, z;
        unsigned char colour[4];
    } corners[LETTERS * 64];
    char shown[LETTERS + 1];
    size_t n = 0;
    for (; text[n] && n < LETTERS; n++) shown[n] = text[n];
    shown[n] = 0;
    for (size_t k = 0; k < n; k++)
        if (shown[k] < ' ' || shown[k] > '~') shown[k] = '?'; /* the font is ASCII */
    while (n && stb_easy_font_width(shown) > s->tile_width - MARGIN) shown[--n] = 0;
    int left = left_of(s, i), top = top_of(s, i) + s->tile_height - MARGIN - (LINES - line) * LINE + 2;
    int boxes = stb_easy_font_print((float)left, (float)top, shown, NULL, corners, sizeof corners);
    for (int b = 0; b < boxes; b++) {
        const struct corner *q = corners + 4 * b; /* top left, ..., bottom right, ... */
        for (int y = (int)q[0].y; y < (int)q[2].y; y++)
            for (int x = (int)q[0].x; x < (int)q[2].x; x++)
                if (x < s->image.width && y < s->image.height) memset(pixel(s, x, y), 0, 3);
    }
}
