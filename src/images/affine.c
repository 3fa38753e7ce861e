/* Rotation, shear and translation: each pixel of the result is looked up at a place between pixels. */
#include <math.h>
#include <stdlib.h>

#include "images/operations.h"

/* The two or four neighbours in each direction, and how far behind the one before it the place lies. */
typedef struct place {
    const unsigned char *row[4];
    int64_t column[4]; /* in bytes */
    double dx, dy;
} place;

static int within(int i, int n) { return i < 0 ? 0 : i < n ? i : n - 1; } /* the border goes on for ever */

static place find(const foci_image *image, double x, double y, int neighbours) {
    place p;
    int left = x < 0 ? -1 : (int)x, top = y < 0 ? -1 : (int)y, before = neighbours / 2 - 1; /* x, y >= -1/2 */
    p.dx = x - left;
    p.dy = y - top;
    for (int i = 0; i < neighbours; i++) {
        p.row[i] = image->pixels + (int64_t)3 * image->width * within(top - before + i, image->height);
        p.column[i] = (int64_t)3 * within(left - before + i, image->width);
    }
    return p;
}

/* Keys' cubic with a = -1 through four values, d behind the second. */
static double cubic(double a, double b, double c, double d, double t) {
    return b + t * ((c - a) + t * ((2 * (a - b) + c - d) + t * (b - a - c + d)));
}

static double cubic_in_row(const place *p, int i, int channel) {
    const unsigned char *v = p->row[i] + channel;
    const int64_t *x = p->column;
    return p->dx == 0 ? v[x[1]] : cubic(v[x[0]], v[x[1]], v[x[2]], v[x[3]], p->dx);
}

/* Shear and translation along one axis stay on the rows or columns: dx or dy is 0, and the others are not needed. */
static double bicubic(const place *p, int channel) {
    if (p->dy == 0) return cubic_in_row(p, 1, channel);
    return cubic(cubic_in_row(p, 0, channel), cubic_in_row(p, 1, channel), cubic_in_row(p, 2, channel),
                 cubic_in_row(p, 3, channel), p->dy);
}

static double bilinear(const place *p, int channel) {
    const unsigned char *upper = p->row[0] + channel, *lower = p->row[1] + channel;
    double above = upper[p->column[0]] + (upper[p->column[1]] - upper[p->column[0]]) * p->dx;
    double below = lower[p->column[0]] + (lower[p->column[1]] - lower[p->column[0]]) * p->dx;
    return above + (below - above) * p->dy;
}

static unsigned char byte(double v) { return (unsigned char)(v <= 0 ? 0 : v >= 255 ? 255 : v); }

foci_status foci_image_affine(foci_image *image, const double m[6], foci_interpolation how,
                              const unsigned char fill[3]) {
    int width = image->width, height = image->height;
    unsigned char *made = malloc((size_t)3 * (size_t)width * (size_t)height), *out = made;
    if (!made) return foci_fail(FOCI_ERR_RUNTIME, "out of memory for an image of %d x %d pixels", width, height);
    for (int row = 0; row < height; row++)
        for (int column = 0; column < width; column++, out += 3) {
            double x = m[0] * (column + 0.5) + m[1] * (row + 0.5) + m[2],
                   y = m[3] * (column + 0.5) + m[4] * (row + 0.5) + m[5];
            bool inside = x >= 0 && x < width && y >= 0 && y < height;
            place p;
            if (inside) p = find(image, x - 0.5, y - 0.5, how == FOCI_BICUBIC ? 4 : 2);
            for (int c = 0; c < 3; c++)
                out[c] = !inside ? fill[c] : how == FOCI_BICUBIC ? byte(bicubic(&p, c)) : byte(bilinear(&p, c));
        }
    free(image->pixels);
    image->pixels = made;
    return FOCI_OK;
}

static double rounded(double v) { return round(v * 1e15) / 1e15; } /* cos 90 degrees is 0 */

/* About the middle. */
foci_status foci_image_rotate(foci_image *image, double degrees, foci_interpolation how, const unsigned char fill[3]) {
    double angle = -degrees * 3.14159265358979323846 / 180, cosine = rounded(cos(angle)), sine = rounded(sin(angle));
    double x = image->width / 2.0, y = image->height / 2.0;
    double m[6] = {cosine, sine, x - cosine * x - sine * y, -sine, cosine, y + sine * x - cosine * y};
    return foci_image_affine(image, m, how, fill);
}
