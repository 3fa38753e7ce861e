/* Corruption by frost. The published one mixes in six photographs of frozen windows, which are not foci's to give away.
 * Who has them names their folder; for all others it is grown: feathers of ice, each a bent stem with barbs to both
 * sides at 60 degrees, which have barbs in turn, over a cloudy film. The mixing is the published one. */
#include <stdlib.h>

#include "base/file.h"
#include "shift/picture.h"

/* --------------------------------------------------------------------------------------------------- grown */

/* Lengths are shares of the shorter side. */
typedef struct frozen {
    foci_picture *ice;
    foci_rng *r;
    double side; /* pixels */
} frozen;

static void crystal(const frozen *f, double x, double y, float light) {
    const int column = (int)floor(x), row = (int)floor(y);
    for (int i = 0; i < 4; i++) { /* shared out among the four pixels around the point */
        const int at_x = column + i % 2, at_y = row + i / 2;
        if (at_x < 0 || at_y < 0 || at_x >= f->ice->width || at_y >= f->ice->height) continue;
        float *v = foci_picture_pixel(f->ice, at_x, at_y);
        *v = fmaxf(*v, light * (float)((1 - fabs(x - at_x)) * (1 - fabs(y - at_y))));
    }
}

enum { FEATHERS = 22, BARBS = 14, LEVELS = 3 };

static void grow(const frozen *f, double x, double y, double angle, double length, float light, int level) {
    const double bend = (foci_rng_uniform(f->r) - 0.5) * 0.8 / (length + 1), gap = fmax(length / BARBS, 3);
    double next = gap;
    for (double s = 0; s < length; s += 0.5) {
        x += 0.5 * cos(angle);
        y += 0.5 * sin(angle);
        angle += bend;
        crystal(f, x, y, light * (float)(1 - 0.5 * s / length));
        if (s < next || level + 1 == LEVELS) continue;
        next += gap * (0.7 + 0.6 * foci_rng_uniform(f->r));
        const double barb = (length - s) * (0.3 + 0.3 * foci_rng_uniform(f->r));
        for (int side = -1; side <= 1; side += 2)
            grow(f, x, y, angle + side * 1.0471975511965976, barb, 0.85f * light, level + 1);
    }
}

static foci_status grow_frost(foci_picture *ice, foci_picture *film, int width, int height, foci_rng *r) {
    FOCI_TRY(foci_picture_plasma(film, width, height, 1.8, r));
    FOCI_TRY(foci_picture_make(ice, width, height, 1));
    const frozen f = {ice, r, width < height ? width : height};
    for (int i = 0; i < FEATHERS; i++) {
        const double x = foci_rng_uniform(r) * width, y = foci_rng_uniform(r) * height,
                     angle = 6.283185307179586 * foci_rng_uniform(r);
        grow(&f, x, y, angle, f.side * (0.25 + 0.45 * foci_rng_uniform(r)), (float)(0.6 + 0.4 * foci_rng_uniform(r)),
             0);
    }
    return foci_picture_gaussian(ice, f.side / 280, FOCI_TRUNCATE, FOCI_NEAREST);
}

/* Scaled to that mean and standard deviation. */
static void standardise(foci_picture *p, double mean, double spread) {
    const int64_t n = foci_picture_count(p);
    double sum = 0, square = 0;
    for (int64_t i = 0; i < n; i++) sum += (double)p->v[i] / (double)n;
    for (int64_t i = 0; i < n; i++) square += ((double)p->v[i] - sum) * ((double)p->v[i] - sum) / (double)n;
    for (int64_t i = 0; i < n; i++) p->v[i] = (float)(mean + spread * ((double)p->v[i] - sum) / (sqrt(square) + 1e-6));
}

static void mix(foci_picture *p, const double *c, int64_t i, float frosted) {
    p->v[i] = (float)c[0] * p->v[i] + (float)c[1] * frosted;
}

/* Brightness and contrast of the photographs, as the change that they make to images tells them: at 32 and at 224
 * pixels the mean square of the change is the published one. */
static const double MEAN = 0.645, SPREAD = 0.19;

static foci_status grown(foci_picture *p, const double *c, foci_rng *r) {
    static const float tint[3] = {.93f, 1.02f, 1.05f}; /* ice is a little blue */
    foci_picture ice = {0}, film = {0};
    foci_status s = grow_frost(&ice, &film, p->width, p->height, r);
    for (int64_t i = 0; i < foci_picture_count(&ice) && !s; i++) ice.v[i] = .45f * film.v[i] + 1.1f * ice.v[i];
    if (!s) standardise(&ice, MEAN, SPREAD);
    for (int64_t i = 0; i < foci_picture_count(p) && !s; i++)
        mix(p, c, i, foci_clip_to_unit(ice.v[i / 3] * tint[i % 3]));
    free(ice.v);
    free(film.v);
    return s;
}

/* ---------------------------------------------------------------------------------------------- photographed */

static const char *const names[FOCI_PHOTOGRAPHS] = {"frost1.png", "frost2.png", "frost3.png",
                                                    "frost4.jpg", "frost5.jpg", "frost6.jpg"};

static foci_status read_one(foci_image *image, const char *dir, const char *name) {
    enum { LIMIT = 1 << 28 };
    char path[4096], *bytes;
    size_t size;
    FOCI_TRY(foci_path_join(path, sizeof path, dir, name));
    FOCI_TRY(foci_read_file(path, LIMIT, &bytes, &size, FOCI_ERR_DATA));
    foci_status s = foci_image_decode(image, (const unsigned char *)bytes, size, path, 0);
    free(bytes);
    return s;
}

foci_status foci_frost_read(foci_frost *frost, const char *dir) {
    *frost = (foci_frost){.folder = dir};
    for (int i = 0; i < FOCI_PHOTOGRAPHS; i++) {
        foci_status s = read_one(&frost->photograph[i], dir, names[i]);
        if (!s) continue;
        foci_frost_free(frost);
        return s;
    }
    return FOCI_OK;
}

void foci_frost_free(foci_frost *frost) {
    for (int i = 0; i < FOCI_PHOTOGRAPHS; i++) foci_image_free(&frost->photograph[i]);
}

/* As the published code draws it: never the last one. */
static int64_t start(foci_rng *r, int length, int cut) {
    return length > cut ? foci_rng_below(r, (uint32_t)(length - cut)) : 0;
}

/* A piece of one of them, drawn as the published code does, which never takes the sixth. For small images they are
 * scaled to a fifth, without smoothing: of five rows and columns the middle one stays. */
static foci_status photographed(foci_picture *p, const double *c, foci_rng *r, const foci_frost *frost) {
    const int step = (p->width < p->height ? p->width : p->height) < FOCI_SMALL_IMAGE ? 5 : 1;
    const int which = (int)foci_rng_below(r, FOCI_PHOTOGRAPHS - 1);
    const foci_image *from = &frost->photograph[which];
    const int width = (int)nearbyint((double)from->width / step), height = (int)nearbyint((double)from->height / step);
    if (width < p->width || height < p->height)
        return foci_fail(FOCI_ERR_DATA, "%s/%s: %d x %d pixels of frost are too few for an image of %d x %d",
                         frost->folder, names[which], width, height, p->width, p->height);
    const int64_t top = start(r, height, p->height), left = start(r, width, p->width);
    for (int64_t y = 0; y < p->height; y++)
        for (int64_t x = 0; x < p->width; x++)
            for (int k = 0; k < 3; k++)
                mix(p, c, 3 * (y * p->width + x) + k,
                    (float)from
                            ->pixels[3 * (((top + y) * step + step / 2) * from->width + (left + x) * step + step / 2) +
                                     k] /
                        255);
    return FOCI_OK;
}

const foci_corruption foci_corruption_frost = {
    .name = "frost",
    .summary = "feathers of ice, generated or (--frost) photographed: share of the image, of the ice",
    .alexnet = 0.826572,
    .apply = grown,
    .apply_photographs = photographed,
    .large = {{1, .4}, {.8, .6}, {.7, .7}, {.65, .7}, {.6, .75}},
    .small = {{1, .2}, {1, .3}, {.9, .4}, {.85, .4}, {.75, .45}},
};
