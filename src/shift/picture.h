/* What several corruptions share: blurs, zoom, a fractal. Everything works from 1 x 1 pixels on. */
#ifndef FOCI_SHIFT_PICTURE_H
#define FOCI_SHIFT_PICTURE_H

#include "shift/corruption.h"

/* An index beyond the border of 0 .. n-1. */
typedef enum foci_border {
    FOCI_NEAREST,    /* a a a | a b c d | d d d */
    FOCI_REFLECT,    /* c b a | a b c d | d c b */
    FOCI_REFLECT_101 /* d c b | a b c d | c b a */
} foci_border;
int foci_border_index(int64_t i, int n, foci_border border);

foci_status foci_picture_make(foci_picture *p, int width, int height, int channels); /* zeros; free p->v */
foci_status foci_picture_copy(foci_picture *copy, const foci_picture *p);

/* Gaussian of standard deviation sigma pixels, cut off at `truncate` of them. */
foci_status foci_picture_gaussian(foci_picture *p, double sigma, double truncate, foci_border border);
enum { FOCI_TRUNCATE = 4 };

/* The means of `size` x `size` neighbours (size odd) with these weights; the border by reflection without the edge. */
foci_status foci_picture_filter(foci_picture *p, const float *weights, int size);

/* ImageMagick's motion blur: half a Gaussian of radius + radius + 1 taps, to one side along the angle. */
foci_status foci_picture_motion(foci_picture *p, double radius, double sigma, double degrees);

/* The centre enlarged by factor >= 1 to the size it was cut from, bilinear; *out is made. */
foci_status foci_picture_zoom(foci_picture *out, const foci_picture *p, double factor);

/* Cut off to multiples of 1/255 between 0 and 1, as where the published code goes through 8 bits. */
void foci_picture_to_bytes(foci_picture *p);

/* Between pixel centres, bilinear. */
float foci_picture_at(const foci_picture *p, double x, double y, int channel, foci_border border);

/* A layer of plasma in 0..1 (diamond-square; the amplitude falls by `decay` at each halving), periodic beyond 1024
 * pixels. */
foci_status foci_picture_plasma(foci_picture *layer, int width, int height, double decay, foci_rng *r);

static inline float *foci_picture_pixel(const foci_picture *p, int x, int y) {
    return p->v + ((int64_t)y * p->width + x) * p->channels;
}
static inline int64_t foci_picture_count(const foci_picture *p) { return (int64_t)p->width * p->height * p->channels; }
static inline float foci_clip_to_unit(float v) { return v < 0 ? 0 : v > 1 ? 1 : v; }

#endif
