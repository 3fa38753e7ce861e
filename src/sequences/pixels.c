/* Images as sequences of grey pixels: those of a labelled set, and Pathfinder's. */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "sequences/set.h"

static const size_t LARGEST_FILE = (size_t)1 << 30;

/* -------------------------------------------------------------------------------------------------- grey */

/* (19595 R + 38470 G + 7471 B + 2^15) / 2^16: 0.299, 0.587, 0.114, as PIL rounds. */
static int32_t grey(const unsigned char *p) { return (19595 * p[0] + 38470 * p[1] + 7471 * p[2] + 0x8000) >> 16; }

static foci_transform cut_to(const foci_sequences *s) {
    return (foci_transform){.height = s->height, .width = s->width, .crop_pct = 1, .interpolation = FOCI_BILINEAR};
}

static foci_status take_grey(const foci_image *image, int64_t most, int32_t *ids) {
    for (int64_t t = 0; t < most; t++) ids[t] = grey(image->pixels + 3 * t);
    return FOCI_OK;
}

foci_status foci_grey_pixels(const foci_sequences *s, const foci_image *image, const char *name, int64_t most,
                             int32_t *ids) {
    if (!s->pixels.size) {
        if (image->width != s->width || image->height != s->height)
            return foci_fail(FOCI_ERR_DATA,
                             "%s: %d x %d pixels, the first image has %d x %d; data.size makes them alike", name,
                             image->width, image->height, s->width, s->height);
        return take_grey(image, most, ids);
    }
    const foci_transform t = cut_to(s);
    foci_image made;
    FOCI_TRY(foci_transform_cut(&t, image, &made));
    take_grey(&made, most, ids);
    foci_image_free(&made);
    return FOCI_OK;
}

foci_status foci_grey_shape(foci_sequences *s, const foci_image *first) {
    s->height = s->pixels.size ? (int)s->pixels.size : first->height;
    s->width = s->pixels.size ? (int)s->pixels.size : first->width;
    const int64_t pixels = (int64_t)s->height * s->width;
    for (int64_t i = 0; i < s->count; i++) s->item[i].length[0] = pixels;
    return FOCI_OK;
}

static void token(const foci_sequences *s, int32_t id, char text[FOCI_TOKEN_TEXT]) {
    (void)s;
    snprintf(text, FOCI_TOKEN_TEXT, "%d", (int)id);
}

/* ------------------------------------------------------------------------------------------ labelled images */

static foci_status read_image(const foci_sequences *s, const foci_sequence *x, foci_image *image) {
    char path[8192], *bytes;
    size_t size;
    if (s->images) return foci_image_set_read(s->images, x - s->item, image, 0);
    snprintf(path, sizeof path, "%s/%s", s->path, x->at[0]);
    FOCI_TRY(foci_read_file(path, LARGEST_FILE, &bytes, &size, FOCI_ERR_DATA));
    const foci_status status = foci_image_decode(image, (unsigned char *)bytes, size, path, 0);
    free(bytes);
    return status;
}

static foci_status read(const foci_sequences *s, const foci_sequence *x, int side, int64_t most, int32_t *ids) {
    (void)side;
    foci_image image;
    char name[8192];
    FOCI_TRY(read_image(s, x, &image));
    snprintf(name, sizeof name, "%s/%s", s->path, x->at[0]);
    const foci_status status = foci_grey_pixels(s, &image, name, most, ids);
    foci_image_free(&image);
    return status;
}

const foci_sequence_kind foci_pixel_kind = {.vocabulary = 256, .full = true, .read = read, .token = token};

/* When all are in. */
static foci_status measure(foci_sequences *s) {
    foci_image first;
    if (!s->count) return FOCI_OK;
    FOCI_TRY(read_image(s, &s->item[0], &first));
    const foci_status status = foci_grey_shape(s, &first);
    foci_image_free(&first);
    return status;
}

static foci_status fill(foci_sequences *s) {
    for (int k = 0; k < foci_image_set_classes(s->images); k++) {
        int32_t label;
        const char *name = foci_image_set_class_name(s->images, k);
        FOCI_TRY(foci_sequences_class(s, name, strlen(name), &label));
    }
    for (int64_t i = 0; i < foci_image_set_count(s->images); i++)
        FOCI_TRY(foci_sequences_add(s, &(foci_sequence){.at = {foci_image_set_name(s->images, i)},
                                                        .label = foci_image_set_label(s->images, i)}));
    return measure(s);
}

foci_status foci_pixels_open(foci_sequences **s, foci_image_set *images, const foci_pixel_options *options) {
    const foci_status status = foci_sequences_new(s, &foci_pixel_kind, foci_image_set_path(images), 1);
    if (status) {
        foci_image_set_close(images);
        return status;
    }
    (*s)->images = images;
    (*s)->pixels = *options;
    return foci_sequences_filled(s, fill(*s));
}

/* -------------------------------------------------------------------------------------------- Pathfinder */

/* "imgs/0", "sample_12.png", ... of a line; false: fewer words. */
static bool word(const char **at, const char *end, const char **text, size_t *length) {
    while (*at < end && **at == ' ') ++*at;
    *text = *at;
    while (*at < end && **at != ' ') ++*at;
    *length = (size_t)(*at - *text);
    return *length > 0;
}

static bool leads_out(const char *name) {
    for (const char *p = name; (p = strstr(p, "..")); p += 2)
        if ((p == name || p[-1] == '/') && (p[2] == '/' || !p[2])) return true;
    return name[0] == '/';
}

/* One line of metadata: subpath, file, number, label, and how it was drawn, which nobody needs. */
static foci_status add_line(foci_sequences *s, const foci_rows *r, const char *at, const char *end) {
    enum { FOLDER, FILE_NAME, NUMBER, LABEL, WORDS };
    const char *text[WORDS];
    size_t length[WORDS];
    foci_sequence x = {.line = 0};
    for (int k = 0; k < WORDS; k++)
        if (!word(&at, end, &text[k], &length[k]))
            return foci_rows_fail(r, "%d word%s, not FOLDER FILE NUMBER LABEL ...", k, foci_plural(k, "s"));
    if (length[LABEL] != 1 || *text[LABEL] < '0' || *text[LABEL] > '1')
        return foci_rows_fail(r, "the label is neither 0 nor 1: `%.*s`", (int)(length[LABEL] < 20 ? length[LABEL] : 20),
                              text[LABEL]);
    x.at[0] = foci_arena_printf(&s->names, "%.*s/%.*s", (int)length[FOLDER], text[FOLDER], (int)length[FILE_NAME],
                                text[FILE_NAME]);
    if (!x.at[0]) return foci_sequences_no_memory(s);
    if (leads_out(x.at[0])) return foci_rows_fail(r, "%s leads out of the set", x.at[0]);
    x.label = *text[LABEL] - '0';
    return foci_sequences_add(s, &x);
}

static foci_status read_metadata(foci_sequences *s, const char *path) {
    foci_rows r;
    foci_row row;
    foci_status status = foci_rows_open(&r, path);
    if (!status && r.end - r.at > 6 && memcmp(r.at, "\x93NUMPY", 6) == 0)
        status = foci_fail(FOCI_ERR_DATA, "%s: an array of NumPy; the Long Range Arena's are lines of text", path);
    while (!status && foci_rows_next(&r, &row)) {
        const int last = row.columns < FOCI_MOST_COLUMNS ? row.columns - 1 : FOCI_MOST_COLUMNS - 1;
        status = add_line(s, &r, row.column[0].text, row.column[last].text + row.column[last].length);
    }
    foci_rows_close(&r);
    return status;
}

static int by_batch(const void *a, const void *b) {
    const long x = *(const long *)a, y = *(const long *)b;
    return (x > y) - (x < y);
}

/* The numbers N of the files metadata/N.npy, sorted, from malloc. */
static foci_status find_metadata(const char *folder, long **number, int *count) {
    DIR *d = opendir(folder);
    *number = NULL;
    *count = 0;
    if (!d)
        return foci_fail(FOCI_ERR_DATA, "%s: %s; expected ROOT/metadata/N.npy and ROOT/imgs", folder, strerror(errno));
    foci_status status = FOCI_OK;
    for (struct dirent *e; !status && (e = readdir(d));) {
        char *end;
        const long n = strtol(e->d_name, &end, 10);
        if (end == e->d_name || strcmp(end, ".npy") != 0) continue;
        long *grown = realloc(*number, (size_t)(*count + 1) * sizeof *grown);
        if (!grown) status = foci_fail(FOCI_ERR_RUNTIME, "%s: out of memory", folder);
        else (*number = grown)[(*count)++] = n;
    }
    closedir(d);
    if (!status && !*count) status = foci_fail(FOCI_ERR_DATA, "%s: no N.npy there", folder);
    if (!status) qsort(*number, (size_t)*count, sizeof **number, by_batch);
    return status;
}

static foci_status read_all_metadata(foci_sequences *s) {
    char folder[4200], path[4300];
    long *number;
    int count;
    snprintf(folder, sizeof folder, "%s/metadata", s->path);
    foci_status status = find_metadata(folder, &number, &count);
    for (int i = 0; i < count && !status; i++) {
        snprintf(path, sizeof path, "%s/%ld.npy", folder, number[i]);
        status = read_metadata(s, path);
    }
    free(number);
    return status;
}

/* Leaves the part, without files of 0 bytes. */
static foci_status keep_part(foci_sequences *s, double first, double end) {
    const int64_t from = (int64_t)(first * (double)s->count + 0.5), to = (int64_t)(end * (double)s->count + 0.5);
    int64_t kept = 0;
    for (int64_t i = from; i < to; i++) {
        char path[8192];
        struct stat st;
        snprintf(path, sizeof path, "%s/%s", s->path, s->item[i].at[0]);
        if (stat(path, &st)) return foci_fail(FOCI_ERR_DATA, "%s: %s", path, strerror(errno));
        if (st.st_size) s->item[kept++] = s->item[i];
        else s->passed_over++;
    }
    s->count = kept;
    return FOCI_OK;
}

static foci_status fill_pathfinder(foci_sequences *s, double first, double end) {
    int32_t label;
    FOCI_TRY(foci_sequences_class(s, "0", 1, &label));
    FOCI_TRY(foci_sequences_class(s, "1", 1, &label));
    FOCI_TRY(read_all_metadata(s));
    FOCI_TRY(keep_part(s, first, end));
    return measure(s);
}

foci_status foci_pathfinder_open(foci_sequences **s, const char *root, double first, double end,
                                 const foci_pixel_options *options) {
    FOCI_TRY(foci_sequences_new(s, &foci_pixel_kind, root, 1));
    (*s)->pixels = *options;
    return foci_sequences_filled(s, fill_pathfinder(*s, first, end));
}
