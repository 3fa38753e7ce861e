#include "shift/folder.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/file.h"
#include "base/parallel.h"
#include "images/samples.h"
#include "images/sheet.h"

/* The image as it will be corrupted. */
static foci_status read_cut(const foci_image_set *set, int64_t i, int size, foci_image *out) {
    foci_image image;
    FOCI_TRY(foci_image_set_read(set, i, &image, 0));
    if (size == 0 || (image.width == size && image.height == size)) {
        *out = image;
        return FOCI_OK;
    }
    const foci_transform t = {.width = size, .height = size, .crop_pct = 224.0 / 256, .interpolation = FOCI_BILINEAR};
    foci_status s = foci_transform_cut(&t, &image, out);
    foci_image_free(&image);
    return s;
}

/* -------------------------------------------------------------------------------------------------- writing */

typedef struct writing {
    foci_image_samples samples;
    const foci_corrupt_options *o;
    const char *dir;
    foci_arena names;
    const char **name; /* (samples.count) CLASS/STEM.png */
    int64_t first;     /* of the round at hand */
} writing;

static int by_text(const void *a, const void *b) { return strcmp(*(const char *const *)a, *(const char *const *)b); }

static bool climbs(const char *name) {
    for (const char *at = name; at; at = strchr(at, '/') ? strchr(at, '/') + 1 : NULL)
        if (strncmp(at, "../", 3) == 0 || strcmp(at, "..") == 0) return true;
    return *name == '/';
}

static foci_status make_names(writing *w) {
    const int64_t count = w->samples.count;
    w->name = foci_arena_alloc(&w->names, (size_t)count * sizeof *w->name);
    const char **sorted = foci_arena_alloc(&w->names, (size_t)count * sizeof *sorted);
    if (!w->name || !sorted) return foci_fail(FOCI_ERR_RUNTIME, "out of memory for %lld names", (long long)count);
    for (int64_t i = 0; i < count; i++) {
        const char *from = foci_image_set_name(w->samples.set, foci_image_samples_at(&w->samples, i));
        if (climbs(from)) return foci_fail(FOCI_ERR_DATA, "%s: such a name is not written", from);
        w->name[i] = foci_arena_printf(&w->names, "%.*s%s", (int)(strrchr(from, '.') - from), from,
                                       w->o->quality ? ".JPEG" : ".png");
        if (!w->name[i]) return foci_fail(FOCI_ERR_RUNTIME, "out of memory for %lld names", (long long)count);
        sorted[i] = w->name[i];
    }
    qsort(sorted, (size_t)count, sizeof *sorted, by_text);
    for (int64_t i = 1; i < count; i++)
        if (strcmp(sorted[i], sorted[i - 1]) == 0)
            return foci_fail(FOCI_ERR_DATA, "%s: two images would get this name", sorted[i]);
    return FOCI_OK;
}

static foci_status place(const writing *w, int corruption, int severity, const char *name, size_t length,
                         char path[4096]) {
    if (snprintf(path, 4096, "%s/%s/%d/%.*s", w->dir, foci_corruptions[corruption]->name, severity, (int)length, name) <
        4096)
        return FOCI_OK;
    return foci_fail(FOCI_ERR_DATA, "%.64s...: path too long", w->dir);
}

/* Every folder that will be written to. */
static foci_status make_folders(const writing *w) {
    char path[4096];
    size_t before = 0;
    for (int64_t i = 0; i < w->samples.count; i++) {
        const size_t length = (size_t)(strrchr(w->name[i], '/') - w->name[i]);
        if (i && length == before && memcmp(w->name[i], w->name[i - 1], length) == 0) continue;
        before = length;
        for (int c = 0; c < FOCI_CORRUPTIONS; c++)
            for (int s = 1; s <= FOCI_SEVERITIES; s++) {
                if (!w->o->chosen[c][s - 1]) continue;
                FOCI_TRY(place(w, c, s, w->name[i], length, path));
                FOCI_TRY(foci_make_dirs(path));
            }
    }
    return FOCI_OK;
}

static foci_status write_one(const writing *w, int64_t i, int corruption, int severity, const foci_image *image) {
    char path[4096];
    foci_image made;
    FOCI_TRY(place(w, corruption, severity, w->name[i], strlen(w->name[i]), path));
    FOCI_TRY(foci_corrupt(foci_corruptions[corruption], severity, w->o->how, foci_image_samples_at(&w->samples, i),
                          image, &made));
    foci_status s = foci_image_write(path, &made, w->o->quality);
    foci_image_free(&made);
    return s;
}

static foci_status write_all_of(void *context, int64_t at) {
    const writing *w = context;
    const int64_t i = w->first + at;
    foci_image image;
    FOCI_TRY(foci_watch_stopped(w->o->watch));
    FOCI_TRY(read_cut(w->samples.set, foci_image_samples_at(&w->samples, i), w->o->size, &image));
    foci_status status = FOCI_OK;
    for (int c = 0; c < FOCI_CORRUPTIONS && !status; c++)
        for (int s = 1; s <= FOCI_SEVERITIES && !status; s++)
            if (w->o->chosen[c][s - 1]) status = write_one(w, i, c, s, &image);
    foci_image_free(&image);
    return status;
}

/* Some images at a time. */
static foci_status write_images(writing *w) {
    enum { ROUND = 64 };
    const int64_t count = w->samples.count;
    for (w->first = 0; w->first < count; w->first += ROUND) {
        const int64_t n = count - w->first < ROUND ? count - w->first : ROUND;
        FOCI_TRY(foci_each(n, write_all_of, w));
        foci_watch_tell(w->o->watch, w->first + n, count);
    }
    return FOCI_OK;
}

foci_status foci_corrupt_folder(const foci_image_set *set, const char *dir, const foci_corrupt_options *options,
                                int64_t *images) {
    writing w = {.samples = foci_image_samples_of(set, options->limit), .o = options, .dir = dir};
    foci_status s = make_names(&w);
    if (!s) s = make_folders(&w);
    if (!s) s = write_images(&w);
    *images = w.samples.count;
    foci_arena_free(&w.names);
    return s;
}

/* ---------------------------------------------------------------------------------------------------- sheet */

static void put(foci_sheet *sheet, const foci_transform *t, int i, const foci_image *image, foci_real *numbers,
                const char *name, const char *below) {
    foci_transform_normalise(t, image, numbers);
    foci_sheet_put(sheet, t, i, numbers);
    foci_sheet_write(sheet, i, 0, name);
    foci_sheet_write(sheet, i, 1, below);
}

static foci_status fill(foci_sheet *sheet, const foci_transform *t, const foci_image *clean, int64_t image,
                        const foci_corrupt_options *o, foci_real *numbers) {
    int i = 0;
    for (int c = 0; c < FOCI_CORRUPTIONS; c++) {
        bool begun = false;
        for (int s = 1; s <= FOCI_SEVERITIES; s++) {
            char below[32];
            foci_image made;
            if (!o->chosen[c][s - 1]) continue;
            if (!begun) put(sheet, t, i++, clean, numbers, "clean", "");
            begun = true;
            snprintf(below, sizeof below, "severity %d", s);
            FOCI_TRY(foci_corrupt(foci_corruptions[c], s, o->how, image, clean, &made));
            put(sheet, t, i++, &made, numbers, foci_corruptions[c]->name, below);
            foci_image_free(&made);
        }
    }
    return FOCI_OK;
}

static foci_status draw(foci_sheet *sheet, const foci_image *clean, int64_t image, const foci_corrupt_options *o,
                        foci_real *numbers) {
    const foci_transform t = {.width = clean->width, .height = clean->height, .std = {1, 1, 1}};
    int rows = 0, columns = 0;
    for (int c = 0; c < FOCI_CORRUPTIONS; c++) {
        int n = 0;
        for (int s = 0; s < FOCI_SEVERITIES; s++) n += o->chosen[c][s];
        rows += n > 0;
        columns = n > columns ? n : columns;
    }
    FOCI_TRY(foci_sheet_make(sheet, &t, rows * (columns + 1), columns + 1));
    return fill(sheet, &t, clean, image, o, numbers);
}

foci_status foci_corrupt_sheet(const foci_image_set *set, int64_t image, const foci_corrupt_options *options,
                               const char *path) {
    foci_image clean;
    foci_sheet sheet = {0};
    if (image < 0 || image >= foci_image_set_count(set))
        return foci_fail(FOCI_ERR_CONFIG, "image %lld: there are %lld", (long long)image,
                         (long long)foci_image_set_count(set));
    FOCI_TRY(read_cut(set, image, options->size, &clean));
    foci_real *numbers = malloc((size_t)3 * (size_t)clean.width * (size_t)clean.height * sizeof *numbers);
    foci_status s = numbers ? draw(&sheet, &clean, image, options, numbers)
                            : foci_fail(FOCI_ERR_RUNTIME, "out of memory for a sheet");
    if (!s) s = foci_image_write(path, &sheet.image, 0);
    foci_image_free(&sheet.image);
    foci_image_free(&clean);
    free(numbers);
    return s;
}
