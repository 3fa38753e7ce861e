#include "images/pairs.h"

#include <stdlib.h>
#include <string.h>

#include "base/parallel.h"

typedef struct pair {
    int64_t image, labels; /* numbers in the two sets */
} pair;

struct foci_pair_set {
    foci_image_set *images, *labels;
    pair *pair;
    int64_t count;
};

/* Length of a name without its ending. */
static size_t stem(const char *name) {
    const char *dot = strrchr(name, '.');
    return dot ? (size_t)(dot - name) : strlen(name);
}

/* By class (the part), then by the rest without its ending. */
static int compare(const char *a, const char *b) {
    const size_t n = stem(a), m = stem(b);
    const int order = memcmp(a, b, n < m ? n : m);
    return order ? order : (n > m) - (n < m);
}

typedef struct named {
    const char *name;
    int64_t number;
} named;
static int by_name(const void *a, const void *b) { return compare(((const named *)a)->name, ((const named *)b)->name); }

static bool is_of(const foci_image_set *set, int64_t i, const char *part) {
    return strcmp(foci_image_set_class_name(set, foci_image_set_label(set, i)), part) == 0;
}

/* The files of a part, sorted by name. */
static foci_status list_part(const foci_image_set *set, const char *part, named **list, int64_t *count) {
    const int64_t all = foci_image_set_count(set);
    *count = 0;
    if (!(*list = malloc(((size_t)all + 1) * sizeof **list)))
        return foci_fail(FOCI_ERR_RUNTIME, "%s: out of memory", foci_image_set_path(set));
    for (int64_t i = 0; i < all; i++)
        if (is_of(set, i, part)) (*list)[(*count)++] = (named){foci_image_set_name(set, i), i};
    qsort(*list, (size_t)*count, sizeof **list, by_name);
    if (*count) return FOCI_OK;
    return foci_fail(FOCI_ERR_DATA, "%s/%s: no such folder, or no image in it", foci_image_set_path(set), part);
}

static foci_status alone(const foci_image_set *set, const named *one, const foci_image_set *other, const char *what) {
    return foci_fail(FOCI_ERR_DATA, "%s/%s: %s of that name in %s", foci_image_set_path(set), one->name, what,
                     foci_image_set_path(other));
}

static foci_status join(foci_pair_set *s, const named *image, int64_t images, const named *labels, int64_t maps) {
    for (int64_t i = 0; i < images || i < maps; i++) {
        const int order = i >= images ? 1 : i >= maps ? -1 : compare(image[i].name, labels[i].name);
        if (order < 0) return alone(s->images, &image[i], s->labels, "no labels");
        if (order > 0) return alone(s->labels, &labels[i], s->images, "no image");
        if (i && compare(image[i - 1].name, image[i].name) == 0)
            return foci_fail(FOCI_ERR_DATA, "%s/%s: there are two images of that name", foci_image_set_path(s->images),
                             image[i].name);
        s->pair[s->count++] = (pair){image[i].number, labels[i].number};
    }
    return FOCI_OK;
}

static foci_status match(foci_pair_set *s, const char *part) {
    named *image = NULL, *labels = NULL;
    int64_t images = 0, maps = 0;
    foci_status status = list_part(s->images, part, &image, &images);
    if (!status) status = list_part(s->labels, part, &labels, &maps);
    if (!status && !(s->pair = malloc((size_t)images * sizeof *s->pair)))
        status = foci_fail(FOCI_ERR_RUNTIME, "out of memory for pairs of images and labels");
    if (!status) status = join(s, image, images, labels, maps);
    free(image);
    free(labels);
    return status;
}

static foci_status open_folder(foci_image_set **set, const char *root, const char *name) {
    char path[4096];
    FOCI_TRY(foci_image_root_find(root, name, path));
    if (!*path) return foci_fail(FOCI_ERR_DATA, "%s: no folder %s in it", root, name);
    return foci_image_set_open(set, path);
}

foci_status foci_pair_set_open(foci_pair_set **set, const char *root, const char *part) {
    foci_pair_set *s = calloc(1, sizeof *s);
    *set = NULL;
    if (!s) return foci_fail(FOCI_ERR_RUNTIME, "%s: out of memory", root);
    foci_status status = open_folder(&s->images, root, "images");
    if (!status) status = open_folder(&s->labels, root, "annotations");
    if (!status) status = match(s, part);
    if (status) foci_pair_set_close(s);
    else *set = s;
    return status;
}

void foci_pair_set_close(foci_pair_set *s) {
    if (!s) return;
    foci_image_set_close(s->images);
    foci_image_set_close(s->labels);
    free(s->pair);
    free(s);
}

int64_t foci_pair_set_count(const foci_pair_set *s) { return s->count; }
const char *foci_pair_set_name(const foci_pair_set *s, int64_t i) {
    return foci_image_set_name(s->images, s->pair[i].image);
}

/* ------------------------------------------------------------------------------------------------ reading */

static bool is_ignored(const foci_label_meaning *m, int64_t value) {
    for (int i = 0; i < m->ignored_count; i++)
        if (m->ignored[i] == value) return true;
    return false;
}

/* -1: the value means nothing. */
static int class_of(const foci_label_meaning *m, int64_t value) {
    if (is_ignored(m, value)) return FOCI_NO_CLASS;
    return value >= m->first && value - m->first < m->classes ? (int)(value - m->first) : -1;
}

static foci_status bad_label(const foci_pair_set *s, int64_t i, const foci_label_meaning *m, const foci_label_map *map,
                             int64_t at) {
    return foci_fail(
        FOCI_ERR_DATA,
        "%s/%s: the label %u at (%lld, %lld) is neither one of the %lld classes, %lld to %lld, nor ignored",
        foci_image_set_path(s->labels), foci_image_set_name(s->labels, s->pair[i].labels), map->value[at],
        (long long)(at % map->width), (long long)(at / map->width), (long long)m->classes, (long long)m->first,
        (long long)(m->first + m->classes - 1));
}

static foci_status translate(const foci_pair_set *s, int64_t i, const foci_label_meaning *m, const foci_label_map *map,
                             unsigned char **classes) {
    const int64_t pixels = (int64_t)map->width * map->height;
    if (!(*classes = malloc((size_t)pixels))) return foci_fail(FOCI_ERR_RUNTIME, "out of memory for labels");
    for (int64_t at = 0, last = -1; at < pixels; at++) {
        if (at && map->value[at] == map->value[at - 1]) {
            (*classes)[at] = (unsigned char)last;
            continue;
        }
        if ((last = class_of(m, map->value[at])) < 0) return bad_label(s, i, m, map, at);
        (*classes)[at] = (unsigned char)last;
    }
    return FOCI_OK;
}

static foci_status check_size(const foci_pair_set *s, int64_t i, const foci_image *image, const foci_label_map *map) {
    if (map->width == image->width && map->height == image->height) return FOCI_OK;
    return foci_fail(FOCI_ERR_DATA, "%s/%s: %d x %d labels for an image of %d x %d pixels",
                     foci_image_set_path(s->labels), foci_image_set_name(s->labels, s->pair[i].labels), map->width,
                     map->height, image->width, image->height);
}

foci_status foci_pair_set_read(const foci_pair_set *s, int64_t i, const foci_label_meaning *m, foci_image *image,
                               unsigned char **classes) {
    foci_label_map map;
    *classes = NULL;
    FOCI_TRY(foci_image_set_read(s->images, s->pair[i].image, image, 0));
    foci_status status = foci_image_set_read_labels(s->labels, s->pair[i].labels, &map);
    if (!status) status = check_size(s, i, image, &map);
    if (!status) status = translate(s, i, m, &map, classes);
    foci_label_map_free(&map);
    if (!status) return FOCI_OK;
    foci_image_free(image);
    free(*classes);
    *classes = NULL;
    return status;
}

/* ----------------------------------------------------------------------------------------- what it is made of */

/* The files of a set that pairs name, by the set's own list. */
static foci_status list_files(const foci_pair_set *s, const foci_image_set *set, bool labels, const char *part,
                              foci_manifest *m) {
    foci_manifest all = {NULL};
    foci_status status = foci_image_set_list(set, part, &all);
    for (int64_t i = 0; i < s->count && !status; i++) {
        foci_manifest_file f = all.file[labels ? s->pair[i].labels : s->pair[i].image];
        if (f.path) f.path = foci_arena_strdup(&m->arena, f.path);
        f.name = foci_arena_printf(&m->arena, "%s/%s", labels ? "annotations" : "images", f.name);
        status = f.name && (f.data || f.path) ? foci_manifest_add(m, &f)
                                              : foci_fail(FOCI_ERR_RUNTIME, "out of memory for a list of files");
    }
    foci_manifest_free(&all);
    return status;
}

foci_status foci_pair_set_list(const foci_pair_set *s, const char *part, foci_manifest *m) {
    FOCI_TRY(list_files(s, s->images, false, part, m));
    return list_files(s, s->labels, true, part, m);
}

/* ----------------------------------------------------------------------------------------------- checking */

typedef struct checking {
    const foci_pair_set *set;
    const foci_label_meaning *meaning;
    bool *classed; /* (count): some pixel has a class */
} checking;

static foci_status read_one(void *context, int64_t i) {
    const checking *c = context;
    foci_image image;
    unsigned char *classes;
    FOCI_TRY(foci_pair_set_read(c->set, i, c->meaning, &image, &classes));
    for (int64_t at = 0; at < (int64_t)image.width * image.height && !c->classed[i]; at++)
        c->classed[i] = classes[at] != FOCI_NO_CLASS;
    foci_image_free(&image);
    free(classes);
    return FOCI_OK;
}

foci_status foci_pair_set_no_class(const foci_pair_set *s) {
    const char *name = foci_pair_set_name(s, 0);
    return foci_fail(FOCI_ERR_DATA, "%s/%.*s: no pixel has a class", foci_image_set_path(s->labels),
                     (int)strcspn(name, "/"), name);
}

static foci_status read_all(const foci_pair_set *s, const foci_label_meaning *m) {
    checking c = {s, m, calloc((size_t)s->count, sizeof *c.classed)};
    if (!c.classed) return foci_fail(FOCI_ERR_RUNTIME, "%s: out of memory", foci_image_set_path(s->labels));
    foci_status status = foci_each(s->count, read_one, &c);
    const bool some = memchr(c.classed, true, (size_t)s->count);
    free(c.classed);
    return status || some ? status : foci_pair_set_no_class(s);
}

static foci_status look_at_one(void *context, int64_t i) {
    const foci_pair_set *s = context;
    FOCI_TRY(foci_image_set_look(s->images, s->pair[i].image));
    return foci_image_set_look(s->labels, s->pair[i].labels);
}

foci_status foci_pair_set_check(const foci_pair_set *s, const foci_label_meaning *m) {
    foci_manifest files = {NULL};
    const bool few = !foci_pair_set_list(s, "", &files) && foci_manifest_is_small(&files);
    foci_manifest_free(&files);
    return few ? read_all(s, m) : foci_each(s->count, look_at_one, (void *)(uintptr_t)s);
}
