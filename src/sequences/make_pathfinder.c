/* The built-in Pathfinder. A contour is a chain of dashes of 2 pixels with gaps of 2 between; from dash to dash it
 * turns by an angle of density cos^2, at most a right angle. No dash comes nearer than CLEAR to one of another contour,
 * or of its own but the one before. The second contour begins 7 pixels from where the first does, so that how far the
 * discs are from each other says nothing: of label 1 they stand at both ends of the first contour, of label 0 at its
 * beginning and at the second's end.
 *
 * Lengths, distances and numbers are those of the Long Range Arena's settings of the published generator
 * (drewlinsley/pathfinder). Another are the drawing itself (dashes 1 pixel wide, covered by 4 x 4 samples; there half
 * as wide, enlarged and reduced again), that positions are real numbers and not pixels, that a contour which finds no
 * way begins anew by itself, and that labels take turns in place of being drawn. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/parallel.h"
#include "base/philox.h"
#include "data/generate.h"
#include "data/maker.h"
#include "images/sheet.h"
#include "sequences/pathfinder.h"

enum { MOST_DASHES = 1024, TURNS = 20, STARTS = 60, FOLDER = 1000, FINE = 4, ON_SHEET = 64 };
static const double DASH = 2, GAP = 2, CLEAR = 2, BORDER = 1.5, BETWEEN_SEEDS = 7, WIDTH = 1, DISC = 1.5;
static const double PI = 3.14159265358979323846;

typedef struct point {
    double x, y;
} point;
typedef struct dash {
    point a, b;
} dash;

typedef struct scene {
    foci_rng random;
    double size;
    dash dash[MOST_DASHES];
    int dashes;
    point disc[2];
} scene;

/* ------------------------------------------------------------------------------------------------- contours */

static double to_dash(point p, const dash *d) {
    const double dx = d->b.x - d->a.x, dy = d->b.y - d->a.y;
    double t = ((p.x - d->a.x) * dx + (p.y - d->a.y) * dy) / (dx * dx + dy * dy);
    t = fmin(fmax(t, 0), 1);
    return hypot(p.x - d->a.x - t * dx, p.y - d->a.y - t * dy);
}

/* Of dashes that are no longer than CLEAR: where they cross, an end of one is near the other. */
static double apart(const dash *d, const dash *e) {
    return fmin(fmin(to_dash(d->a, e), to_dash(d->b, e)), fmin(to_dash(e->a, d), to_dash(e->b, d)));
}

static bool inside(const scene *s, point p) {
    return p.x >= BORDER && p.y >= BORDER && p.x <= s->size - BORDER && p.y <= s->size - BORDER;
}

/* May the dash stand behind the others? It touches none but, of its own contour, the one before. */
static bool fits(const scene *s, const dash *d, int others) {
    if (!inside(s, d->a) || !inside(s, d->b)) return false;
    for (int i = 0; i < others; i++)
        if (apart(d, &s->dash[i]) < CLEAR) return false;
    return true;
}

static point ahead(point p, double angle, double length) {
    return (point){p.x + length * cos(angle), p.y + length * sin(angle)};
}

/* Density cos^2 between the right angles. */
static double draw_turn(foci_rng *r) {
    for (;;) {
        const double turn = PI * (foci_rng_uniform(r) - 0.5), c = cos(turn);
        if (foci_rng_uniform(r) < c * c) return turn;
    }
}

/* Adds `length` dashes from `start` on; false, and nothing is added, where there is no way. */
static bool add_contour(scene *s, point start, int length) {
    const int before = s->dashes;
    double angle = 2 * PI * foci_rng_uniform(&s->random);
    for (int i = 0; i < length; i++) {
        bool found = false;
        for (int turns = 0; turns < TURNS && !found; turns++) {
            const double next = i ? angle + draw_turn(&s->random) : 2 * PI * foci_rng_uniform(&s->random);
            const point a = i ? ahead(s->dash[s->dashes - 1].b, next, GAP) : start;
            const dash d = {a, ahead(a, next, DASH)};
            found = fits(s, &d, s->dashes - (i > 0));
            if (found) s->dash[s->dashes] = d, angle = next;
        }
        if (!found) {
            s->dashes = before;
            return false;
        }
        s->dashes++;
    }
    return true;
}

static point anywhere(scene *s) {
    const double room = s->size - 2 * BORDER;
    const double x = BORDER + room * foci_rng_uniform(&s->random);
    return (point){x, BORDER + room * foci_rng_uniform(&s->random)};
}

static bool add_both(scene *s, int length, int label) {
    s->dashes = 0;
    if (!add_contour(s, anywhere(s), length)) return false;
    const point first = s->dash[0].a, first_end = s->dash[length - 1].b;
    for (int starts = 0; starts < STARTS; starts++) {
        const point second = ahead(first, 2 * PI * foci_rng_uniform(&s->random), BETWEEN_SEEDS);
        if (!add_contour(s, second, length)) continue;
        const point begin[] = {first, s->dash[length].a}, end[] = {first_end, s->dash[2 * length - 1].b};
        const int one = (int)foci_rng_below(&s->random, 2);
        s->disc[0] = begin[one];
        s->disc[1] = end[label ? one : 1 - one];
        return true;
    }
    return false;
}

/* false: there was no room for the two contours. Distractors that find none are left out. */
static bool draw_scene(scene *s, const foci_pathfinder_options *o, int64_t i) {
    enum { MOST_SCENES = 2000 };
    const int length = (int)o->contour, label = (int)(i % 2);
    bool found = false;
    s->random = foci_rng_make((uint64_t)o->seed, foci_stream("pathfinder"), (uint64_t)i);
    s->size = (double)o->size;
    for (int scenes = 0; scenes < MOST_SCENES && !found; scenes++) found = add_both(s, length, label);
    for (int64_t k = 0; k < o->distractors && found; k++)
        for (int starts = 0; starts < STARTS; starts++)
            if (add_contour(s, anywhere(s), length / 3)) break;
    return found;
}

/* -------------------------------------------------------------------------------------------------- pixels */

/* Which of the FINE x FINE samples of every pixel lie within `reach` of a dash, a bit each; pixels that are farther
 * than that from its box have none. */
static void cover(const dash *d, double reach, int size, uint16_t *bits) {
    const double left = fmin(d->a.x, d->b.x) - reach, right = fmax(d->a.x, d->b.x) + reach;
    const double top = fmin(d->a.y, d->b.y) - reach, bottom = fmax(d->a.y, d->b.y) + reach;
    for (int y = (int)fmax(top, 0); y < size && y <= bottom; y++)
        for (int x = (int)fmax(left, 0); x < size && x <= right; x++)
            for (int k = 0; k < FINE * FINE; k++) {
                const point p = {x + (k % FINE + 0.5) / FINE, y + (k / FINE + 0.5) / FINE};
                bits[y * size + x] |= (uint16_t)((to_dash(p, d) <= reach) << k);
            }
}

/* Discs are white, dashes three quarters of it. bits: (2, size, size) zeros */
static void render(const scene *s, const foci_image *image, uint16_t *bits) {
    const int size = image->width, pixels = size * size;
    uint16_t *disc = bits + pixels;
    for (int i = 0; i < s->dashes; i++) cover(&s->dash[i], WIDTH / 2, size, bits);
    for (int k = 0; k < 2; k++) /* a dash of next to no length */
        cover(&(dash){s->disc[k], {s->disc[k].x + 1e-9, s->disc[k].y}}, DISC, size, disc);
    for (int i = 0; i < pixels; i++) {
        const int white = __builtin_popcount(disc[i]), grey = __builtin_popcount(bits[i] & ~disc[i] & 0xffff);
        memset(image->pixels + 3 * i, (int)(255 * (white + 0.75 * grey) / (FINE * FINE) + 0.5), 3);
    }
}

/* --------------------------------------------------------------------------------------------------- files */

typedef struct job {
    const char *dir;
    const foci_pathfinder_options *options;
} job;

static foci_status make_image(const foci_pathfinder_options *o, int64_t i, foci_image *image) {
    scene s;
    if (!draw_scene(&s, o, i))
        return foci_fail(FOCI_ERR_CONFIG,
                         "Pathfinder: %" PRId64 " pixels have no room for two contours of %" PRId64 " dashes", o->size,
                         o->contour);
    const size_t pixels = (size_t)(o->size * o->size);
    uint16_t *bits = calloc(2 * pixels, sizeof *bits);
    *image = (foci_image){(int)o->size, (int)o->size, malloc(3 * pixels)};
    const bool ok = bits && image->pixels;
    if (ok) render(&s, image, bits);
    else foci_image_free(image);
    free(bits);
    return ok ? FOCI_OK : foci_fail(FOCI_ERR_RUNTIME, "out of memory for an image");
}

static foci_status make_one(void *context, int64_t i) {
    const job *j = context;
    foci_image image;
    char path[4352];
    FOCI_TRY(make_image(j->options, i, &image));
    snprintf(path, sizeof path, "%s/imgs/%lld/sample_%lld.png", j->dir, (long long)(i / FOLDER),
             (long long)(i % FOLDER));
    const foci_status s = foci_image_write(path, &image, 0);
    foci_image_free(&image);
    return s;
}

/* Subpath, file, number, label, continuity, dashes, of distractors, their length, width, gap, contrasts: the columns of
 * the published generator. */
static foci_status write_metadata(const job *j, int64_t folder) {
    const foci_pathfinder_options *o = j->options;
    char path[4352], *text = NULL;
    size_t size;
    FILE *f = open_memstream(&text, &size);
    for (int64_t i = folder * FOLDER; f && i < (folder + 1) * FOLDER && i < o->images; i++)
        fprintf(f, "imgs/%lld sample_%lld.png %lld %d 1.0 %lld %lld %g %g %g 1\n", (long long)folder,
                (long long)(i % FOLDER), (long long)(i % FOLDER), (int)(i % 2), (long long)o->contour,
                (long long)o->contour / 3, DASH, WIDTH, GAP);
    if (!f || fclose(f)) return foci_fail(FOCI_ERR_RUNTIME, "out of memory for metadata");
    snprintf(path, sizeof path, "%s/metadata/%lld.npy", j->dir, (long long)folder);
    const foci_status s = foci_write_file(path, text, size);
    free(text);
    return s;
}

static foci_status make_folder(const job *j, int64_t folder) {
    char path[4352];
    snprintf(path, sizeof path, "%s/imgs/%lld", j->dir, (long long)folder);
    FOCI_TRY(foci_make_dirs(path));
    return write_metadata(j, folder);
}

static foci_status write_sheet(const job *j) {
    const foci_pathfinder_options *o = j->options;
    const foci_transform t = {.height = (int)o->size, .width = (int)o->size, .crop_pct = 1, .std = {1, 1, 1}};
    const int count = o->images < ON_SHEET ? (int)o->images : ON_SHEET;
    char path[4352];
    foci_sheet sheet;
    foci_real *pixels = malloc((size_t)(3 * o->size * o->size) * sizeof *pixels);
    if (!pixels) return foci_fail(FOCI_ERR_RUNTIME, "out of memory for a sheet");
    foci_status status = foci_sheet_make(&sheet, &t, count, 8);
    for (int i = 0; i < count && !status; i++) {
        foci_image image;
        status = make_image(o, i, &image);
        if (status) break;
        foci_transform_normalise(&t, &image, pixels);
        foci_image_free(&image);
        foci_sheet_put(&sheet, &t, i, pixels);
        foci_sheet_write(&sheet, i, 0, i % 2 ? "1: joined" : "0: not");
    }
    snprintf(path, sizeof path, "%s/sheet.png", j->dir);
    if (!status) status = foci_image_write(path, &sheet.image, 0);
    foci_image_free(&sheet.image);
    free(pixels);
    return status;
}

static foci_status fill(const char *dir, const void *options) {
    const foci_pathfinder_options *o = options;
    job j = {dir, o};
    char path[4352];
    snprintf(path, sizeof path, "%s/metadata", dir);
    FOCI_TRY(foci_make_dirs(path));
    for (int64_t k = 0; k < (o->images + FOLDER - 1) / FOLDER; k++) FOCI_TRY(make_folder(&j, k));
    FOCI_TRY(foci_each(o->images, make_one, &j));
    return write_sheet(&j);
}

foci_status foci_make_pathfinder(const char *dir, const foci_pathfinder_options *o) {
    char marker[256];
    if (2 * o->contour + o->distractors * (o->contour / 3) > MOST_DASHES)
        return foci_fail(FOCI_ERR_CONFIG, "Pathfinder: more than %d dashes", MOST_DASHES);
    snprintf(marker, sizeof marker,
             "{\"foci_pathfinder\": 1, \"images\": %" PRId64 ", \"size\": %" PRId64 ", \"contour\": %" PRId64
             ", \"distractors\": %" PRId64 ", \"seed\": %" PRId64 "}\n",
             o->images, o->size, o->contour, o->distractors, o->seed);
    return foci_generate(dir, "foci-pathfinder.json", marker, fill, o);
}

static const foci_key keys[] = {
    FOCI_KEY(foci_pathfinder_options, images, "200000", 2, 1e7, NULL, "half of either label"),
    FOCI_KEY(foci_pathfinder_options, size, "32", 16, 512, NULL, "side in pixels"),
    FOCI_KEY(foci_pathfinder_options, contour, "14", 3, 300, NULL, "dashes of a long contour"),
    FOCI_KEY(foci_pathfinder_options, distractors, "5", 0, 300, NULL, "short contours, of a third of the dashes"),
    FOCI_KEY(foci_pathfinder_options, seed, "0", 0, 9e15, NULL, "of what is drawn"),
    {0}};

static foci_status make(const char *dir, const void *options) { return foci_make_pathfinder(dir, options); }

const foci_maker foci_maker_pathfinder = {
    .name = "pathfinder",
    .summary = "images of dashed contours that join two discs or do not, as the Long Range Arena's",
    .keys = keys,
    .size = sizeof(foci_pathfinder_options),
    .make = make,
};
