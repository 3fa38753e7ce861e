/* A labelled set of images: CLASS/FILE in a folder, in a folder inside an uncompressed .tar, or in a pack. */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <xxhash.h>

#include "base/parallel.h"
#include "images/label_map.h"
#include "images/pack.h"
#include "data/tar.h"

enum {
    DEEPEST = 16, /* folders within folders; ends a loop of links */
    NAMED = 3     /* of the images that are left out */
};
static const size_t LARGEST_FILE = (size_t)1 << 30;

typedef struct member {
    const char *name;          /* CLASS/FILE */
    const unsigned char *data; /* in the archive; NULL: a file in the folder */
    size_t size;
    int64_t packed; /* number in the pack */
    int label;
} member;

struct foci_image_set {
    char *path;
    foci_arena names;
    foci_tar tar;
    foci_pack pack;
    member *member;
    int64_t count, room;
    const char **class_name;
    int classes;
    const char *foreign[NAMED]; /* the first few */
    int64_t foreigns;
    enum { WHOLE, FIRST_PART, SECOND_PART } part; /* of a split by name */
    int found; /* classes that have an image: all, unless it took labels from elsewhere */
};

static bool ends_in(const char *name, const char *const *endings) {
    size_t n = strlen(name);
    for (; *endings; endings++) {
        size_t m = strlen(*endings);
        if (n > m && strcasecmp(name + n - m, *endings) == 0) return true;
    }
    return false;
}

static bool is_image(const char *name) {
    static const char *const endings[] = {".jpg", ".jpeg", ".png", NULL};
    return ends_in(name, endings);
}

/* Images as well, of kinds that decode.c does not know. */
static bool is_foreign(const char *name) {
    static const char *const endings[] = {".webp", ".bmp",  ".gif", ".tif", ".tiff", ".avif", ".heic", ".heif",
                                          ".jp2",  ".jfif", ".ppm", ".pgm", ".pnm",  ".tga",  ".jxl",  NULL};
    return ends_in(name, endings);
}

static foci_status no_memory(const foci_image_set *s) {
    return foci_fail(FOCI_ERR_RUNTIME, "%s: out of memory", s->path);
}

static bool climbs(const char *name) {
    for (const char *p = name; (p = strstr(p, "..")); p += 2)
        if ((p == name || p[-1] == '/') && (p[2] == '/' || !p[2])) return true;
    return false;
}

/* Names reach terminals, file names and tables. */
static foci_status check_letters(const foci_image_set *s, const char *name) {
    for (const char *c = name; *c; c++)
        if ((unsigned char)*c < ' ' || *c == 127)
            return foci_fail(FOCI_ERR_DATA, "%s: the name %.*s... holds a control character", s->path, (int)(c - name),
                             name);
    return FOCI_OK;
}

static foci_status check_name(const foci_image_set *s, const char *name) {
    FOCI_TRY(check_letters(s, name));
    return climbs(name) ? foci_fail(FOCI_ERR_DATA, "%s: the name %s leads out of it", s->path, name) : FOCI_OK;
}

static foci_status add(foci_image_set *s, const char *name, const unsigned char *data, size_t size) {
    if (s->count == s->room) {
        s->room = s->room ? 2 * s->room : 1024;
        member *grown = realloc(s->member, (size_t)s->room * sizeof *grown);
        if (!grown) return no_memory(s);
        s->member = grown;
    }
    if (!name) return no_memory(s);
    FOCI_TRY(check_name(s, name));
    s->member[s->count] = (member){name, data, size, s->count, 0};
    s->count++;
    return FOCI_OK;
}

/* An image of a class, or one that looks so. */
static foci_status add_file(foci_image_set *s, const char *name, const unsigned char *data, size_t size) {
    if (is_image(name)) return add(s, name, data, size);
    if (!is_foreign(name)) return FOCI_OK;
    FOCI_TRY(check_name(s, name));
    if (s->foreigns < NAMED) s->foreign[s->foreigns] = name;
    s->foreigns++;
    return FOCI_OK;
}

/* ------------------------------------------------------------------------------------------------ folder */

/* Of a link, or on a file system that does not tell. */
static int kind_of(const foci_image_set *s, const char *name) {
    char target[8192];
    snprintf(target, sizeof target, "%s/%s", s->path, name);
    return foci_path_kind(target);
}

/* `inside` is the folder relative to the set's path, "" at the top, where files have no class and are passed over. */
static foci_status scan(foci_image_set *s, const char *inside, int depth) {
    char path[4096];
    if (snprintf(path, sizeof path, "%s/%s", s->path, inside) >= (int)sizeof path)
        return foci_fail(FOCI_ERR_DATA, "%.64s...: path too long", s->path);
    if (depth > DEEPEST) return foci_fail(FOCI_ERR_DATA, "%s: more than %d folders deep", path, DEEPEST);
    DIR *folder = opendir(path);
    if (!folder) return foci_fail(FOCI_ERR_DATA, "%s: %s", path, strerror(errno));
    foci_status status = FOCI_OK;
    int64_t before = s->count, foreigns = s->foreigns;
    for (struct dirent *e; !status && (e = readdir(folder));) {
        char *name =
            e->d_name[0] == '.' ? NULL : foci_arena_printf(&s->names, "%s%s%s", inside, *inside ? "/" : "", e->d_name);
        if (!name) continue;
        int kind = e->d_type == DT_DIR ? 'd' : e->d_type == DT_REG ? 'f' : kind_of(s, name);
        if (kind == 'd') status = scan(s, name, depth + 1);
        else if (depth > 0) status = add_file(s, name, NULL, 0);
        else if (!kind) status = foci_fail(FOCI_ERR_DATA, "%s/%s: a link that leads nowhere", s->path, name);
    }
    closedir(folder);
    if (!status && depth == 1 && s->count == before)
        status = foci_fail(FOCI_ERR_DATA, "%s: a class without an image (.jpg, .jpeg, .png)%s%s", path,
                           s->foreigns > foreigns ? ", but with others: convert " : "",
                           s->foreigns > foreigns && foreigns < NAMED ? s->foreign[foreigns] : "");
    return status;
}

/* ----------------------------------------------------------------------------------------------- archive */

/* Hidden files and folders are passed over in an archive as they are in a folder. */
static bool hidden(const char *name) { return name[0] == '.' || strstr(name, "/."); }

static foci_status refuse_link(const foci_image_set *s, const foci_tar_entry *e) {
    FOCI_TRY(check_letters(s, e->name));
    FOCI_TRY(check_letters(s, e->link));
    return foci_fail(
        FOCI_ERR_DATA,
        "%s: %s is a link to %s, which is no file of the archive; tar --dereference stores what links lead "
        "to",
        s->path, e->name, e->link);
}

static foci_status read_archive(foci_image_set *s, size_t length) {
    char archive[4096];
    const char *inside = s->path + length;
    snprintf(archive, sizeof archive, "%.*s", (int)length, s->path);
    while (*inside == '/') inside++;
    size_t prefix = strlen(inside);
    while (prefix && inside[prefix - 1] == '/') prefix--;
    FOCI_TRY(foci_tar_open(&s->tar, archive));
    const char *elsewhere = NULL;
    for (int64_t i = 0; i < s->tar.count; i++) {
        const foci_tar_entry *e = &s->tar.entry[i];
        if (is_image(e->name)) {
            FOCI_TRY(check_name(s, e->name));
            elsewhere = e->name;
        }
        if (prefix && (strncmp(e->name, inside, prefix) != 0 || e->name[prefix] != '/')) continue;
        const char *name = e->name + (prefix ? prefix + 1 : 0);
        if (hidden(name)) continue;
        if (e->link) return refuse_link(s, e);
        if (strchr(name, '/')) FOCI_TRY(add_file(s, name, e->data, e->size));
    }
    if (s->count) return FOCI_OK;
    if (!elsewhere) return foci_fail(FOCI_ERR_DATA, "%s: the archive holds no image (.jpg, .jpeg, .png)", archive);
    return foci_fail(FOCI_ERR_DATA, "%s: no CLASS/FILE there; the archive holds %s", s->path, elsewhere);
}

/* -------------------------------------------------------------------------------------------------- pack */

static foci_status read_pack(foci_image_set *s) {
    FOCI_TRY(foci_image_pack_open(&s->pack, s->path));
    for (int64_t i = 0; i < (int64_t)s->pack.count; i++) FOCI_TRY(add(s, foci_image_pack_name(&s->pack, i), NULL, 0));
    return FOCI_OK;
}

/* ------------------------------------------------------------------------------------------- all of them */

/* By class first: "a-b/x" is before "a/x" as text, yet "a" before "a-b" as a class. */
static int by_class_and_file(const void *x, const void *y) {
    const char *a = ((const member *)x)->name, *b = ((const member *)y)->name;
    const char *a_file = strchr(a, '/'), *b_file = strchr(b, '/');
    size_t na = (size_t)(a_file - a), nb = (size_t)(b_file - b);
    int order = memcmp(a, b, na < nb ? na : nb);
    if (order) return order;
    if (na != nb) return na < nb ? -1 : 1;
    return strcmp(a_file, b_file);
}

static bool same_class(const char *a, const char *b) {
    size_t n = (size_t)(strchr(a, '/') - a);
    return strncmp(a, b, n + 1) == 0;
}

static foci_status label(foci_image_set *s) {
    qsort(s->member, (size_t)s->count, sizeof *s->member, by_class_and_file);
    for (int64_t i = 0; i < s->count; i++) {
        if (i && strcmp(s->member[i].name, s->member[i - 1].name) == 0)
            return foci_fail(FOCI_ERR_DATA, "%s: %s is there twice", s->path, s->member[i].name);
        s->classes += i == 0 || !same_class(s->member[i].name, s->member[i - 1].name);
    }
    s->found = s->classes;
    s->class_name = calloc((size_t)s->classes, sizeof *s->class_name);
    if (!s->class_name) return no_memory(s);
    int k = -1;
    for (int64_t i = 0; i < s->count; i++) {
        const char *name = s->member[i].name;
        if (i == 0 || !same_class(name, s->member[i - 1].name)) {
            s->class_name[++k] = foci_arena_printf(&s->names, "%.*s", (int)(strchr(name, '/') - name), name);
            if (!s->class_name[k]) return no_memory(s);
        }
        s->member[i].label = k;
    }
    return FOCI_OK;
}

static foci_status fill(foci_image_set *s) {
    int kind = foci_path_kind(s->path);
    size_t archive = kind == 'd' ? 0 : foci_tar_part(s->path);
    if (kind == 'd') FOCI_TRY(scan(s, "", 0));
    else if (foci_is_pack(s->path)) FOCI_TRY(read_pack(s));
    else if (archive) FOCI_TRY(read_archive(s, archive));
    else return foci_fail(FOCI_ERR_DATA, "%s: no such folder, .tar or pack of images", s->path);
    if (s->count == 0)
        return foci_fail(FOCI_ERR_DATA, "%s: no images; expected CLASS/FILE with .jpg, .jpeg or .png", s->path);
    return label(s);
}

foci_status foci_image_set_open(foci_image_set **set, const char *path) {
    *set = NULL;
    foci_image_set *s = calloc(1, sizeof *s);
    if (s) s->path = strdup(path);
    if (!s || !s->path) {
        free(s);
        return foci_fail(FOCI_ERR_RUNTIME, "%s: out of memory", path);
    }
    for (size_t n = strlen(path); n > 1 && s->path[n - 1] == '/'; n--) s->path[n - 1] = 0;
    foci_status status = fill(s);
    if (status) foci_image_set_close(s);
    else *set = s;
    return status;
}

void foci_image_set_close(foci_image_set *s) {
    if (!s) return;
    foci_tar_close(&s->tar);
    foci_pack_close(&s->pack);
    foci_arena_free(&s->names);
    free(s->member);
    free(s->class_name);
    free(s->path);
    free(s);
}

/* A function of the name alone, in [0, 1). */
static double place_of(const char *name) { return (double)(XXH3_64bits(name, strlen(name)) >> 11) * 0x1p-53; }

void foci_image_set_split(foci_image_set *s, double share, bool split_off) {
    int64_t kept = 0;
    for (int64_t i = 0; i < s->count; i++)
        if ((place_of(s->member[i].name) < share) == split_off) s->member[kept++] = s->member[i];
    s->count = kept;
    s->part = split_off ? SECOND_PART : FIRST_PART;
}

/* By folder, or archive and folder in it. */
bool foci_image_set_same(const foci_image_set *a, const foci_image_set *b) {
    if (a->part != b->part) return false;
    char one[4096], other[4096];
    const size_t n = foci_tar_part(a->path), m = foci_tar_part(b->path);
    snprintf(one, sizeof one, "%.*s", (int)(n ? n : strlen(a->path)), a->path);
    snprintf(other, sizeof other, "%.*s", (int)(m ? m : strlen(b->path)), b->path);
    return foci_same_file(one, other) && strcmp(n ? a->path + n : "", m ? b->path + m : "") == 0;
}

const char *foci_image_set_path(const foci_image_set *s) { return s->path; }

int64_t foci_image_set_left_out(const foci_image_set *s, char names[256]) {
    int n = 0;
    names[0] = 0;
    for (int i = 0; i < NAMED && i < s->foreigns && n < 256; i++)
        n += snprintf(names + n, 256 - (size_t)n, "%s%s", i ? ", " : "", s->foreign[i]);
    if (s->foreigns > NAMED && n < 256) snprintf(names + n, 256 - (size_t)n, ", ...");
    return s->foreigns;
}

int64_t foci_image_set_count(const foci_image_set *s) { return s->count; }
int foci_image_set_classes(const foci_image_set *s) { return s->classes; }
const char *foci_image_set_class_name(const foci_image_set *s, int k) { return s->class_name[k]; }
int foci_image_set_label(const foci_image_set *s, int64_t i) { return s->member[i].label; }
const char *foci_image_set_name(const foci_image_set *s, int64_t i) { return s->member[i].name; }

/* The bytes of a file: in the archive, or read, and then also in *owned, which the caller frees. */
static foci_status bytes_of_file(const foci_image_set *s, int64_t i, const char *path, const unsigned char **bytes,
                                 size_t *size, char **owned) {
    const member *m = &s->member[i];
    *owned = NULL;
    *bytes = m->data;
    *size = m->size;
    if (m->data) return FOCI_OK;
    FOCI_TRY(foci_read_file(path, LARGEST_FILE, owned, size, FOCI_ERR_DATA));
    *bytes = (unsigned char *)*owned;
    return FOCI_OK;
}

static void path_of(const foci_image_set *s, int64_t i, char path[8192]) {
    snprintf(path, 8192, "%s/%s", s->path, s->member[i].name);
}

foci_status foci_image_set_read(const foci_image_set *s, int64_t i, foci_image *image, int least_short_side) {
    char path[8192], *owned;
    const unsigned char *bytes;
    size_t size;
    *image = (foci_image){0};
    path_of(s, i, path);
    if (s->pack.count) return foci_image_pack_read(&s->pack, s->member[i].packed, path, image);
    FOCI_TRY(bytes_of_file(s, i, path, &bytes, &size, &owned));
    const foci_status status = foci_image_decode(image, bytes, size, path, least_short_side);
    free(owned);
    return status;
}

foci_status foci_image_set_read_labels(const foci_image_set *s, int64_t i, foci_label_map *map) {
    char path[8192], *owned;
    const unsigned char *bytes;
    size_t size;
    *map = (foci_label_map){0};
    path_of(s, i, path);
    if (s->pack.count) return foci_fail(FOCI_ERR_DATA, "%s: a pack has no labels of pixels", path);
    FOCI_TRY(bytes_of_file(s, i, path, &bytes, &size, &owned));
    const foci_status status = foci_label_map_decode(map, bytes, size, path);
    free(owned);
    return status;
}

/* ------------------------------------------------------------------------------------ labels from elsewhere */

static int by_text(const void *a, const void *b) { return strcmp(**(const char ***)a, **(const char ***)b); }

/* order: the names' own places, sorted by name. */
static foci_status sort_names(const char **name, const char ***order, int64_t count) {
    for (int64_t i = 0; i < count; i++) order[i] = &name[i];
    qsort(order, (size_t)count, sizeof *order, by_text);
    for (int64_t i = 1; i < count; i++)
        if (strcmp(*order[i], *order[i - 1]) == 0)
            return foci_fail(FOCI_ERR_DATA, "the class %s is there twice", *order[i]);
    return FOCI_OK;
}

/* number[k]: where class k of the set stands among the names. */
static foci_status find_classes(const foci_image_set *s, const char **name, int64_t count, int *number,
                                const char ***order) {
    FOCI_TRY(sort_names(name, order, count));
    for (int k = 0; k < s->classes; k++) {
        const char **wanted = &s->class_name[k];
        const char ***at = bsearch(&wanted, order, (size_t)count, sizeof *order, by_text);
        if (!at)
            return foci_fail(FOCI_ERR_DATA, "%s: the class %s is none of the model's %lld (%s, ...)", s->path, *wanted,
                             (long long)count, name[0]);
        number[k] = (int)(*at - name);
    }
    return FOCI_OK;
}

foci_status foci_image_set_take_labels(foci_image_set *s, const char *const *names, int count) {
    const char **name = foci_arena_alloc(&s->names, (size_t)count * sizeof *name);
    const char ***order = malloc((size_t)count * sizeof *order);
    int *number = malloc((size_t)s->classes * sizeof *number);
    foci_status status = name && order && number ? FOCI_OK : no_memory(s);
    for (int k = 0; k < count && !status; k++)
        if (!(name[k] = foci_arena_strdup(&s->names, names[k]))) status = no_memory(s);
    if (!status) status = find_classes(s, name, count, number, order);
    if (!status) {
        for (int64_t i = 0; i < s->count; i++) s->member[i].label = number[s->member[i].label];
        free(s->class_name);
        s->class_name = malloc((size_t)count * sizeof *name);
        if (s->class_name) memcpy(s->class_name, name, (size_t)count * sizeof *name);
        else status = no_memory(s);
        s->found = s->classes;
        s->classes = count;
    }
    free(order);
    free(number);
    return status;
}

int foci_image_set_found(const foci_image_set *s) { return s->found; }

/* ------------------------------------------------------------------------------------------- what it is made of */

foci_status foci_image_set_list(const foci_image_set *s, const char *part, foci_manifest *m) {
    const char *slash = strrchr(s->path, '/');
    if (s->pack.count)
        return foci_manifest_add(
            m, &(foci_manifest_file){.part = part, .name = slash ? slash + 1 : s->path, .path = s->path});
    for (int64_t i = 0; i < s->count; i++) {
        const member *one = &s->member[i];
        foci_manifest_file f = {.part = part, .name = one->name, .data = one->data, .size = (int64_t)one->size};
        if (!f.data) f.path = foci_arena_printf(&m->arena, "%s/%s", s->path, one->name);
        if (!f.data && !f.path) return no_memory(s);
        FOCI_TRY(foci_manifest_add(m, &f));
    }
    return FOCI_OK;
}

/* --------------------------------------------------------------------------------------------------- checking */

static foci_status read_one(void *context, int64_t i) {
    foci_image image;
    FOCI_TRY(foci_image_set_read(context, i, &image, 0));
    foci_image_free(&image);
    return FOCI_OK;
}

foci_status foci_image_set_look(const foci_image_set *s, int64_t i) {
    const member *m = &s->member[i];
    unsigned char read[4] = {0};
    const unsigned char *head = m->data && m->size >= sizeof read ? m->data : read;
    char path[8192];
    if (s->pack.count) return FOCI_OK;
    snprintf(path, sizeof path, "%s/%s", s->path, m->name);
    FILE *f = m->data ? NULL : fopen(path, "rbe");
    if (!m->data && !f) return foci_fail(FOCI_ERR_DATA, "%s: %s", path, strerror(errno));
    if (f) {
        if (fread(read, 1, sizeof read, f) != sizeof read) memset(read, 0, sizeof read);
        fclose(f);
    }
    if (memcmp(head, "\xff\xd8\xff", 3) == 0 || memcmp(head, "\x89PNG", 4) == 0) return FOCI_OK;
    return foci_fail(FOCI_ERR_DATA, "%s: neither JPEG nor PNG", path);
}

static foci_status look_at_one(void *context, int64_t i) { return foci_image_set_look(context, i); }

foci_status foci_image_set_check(const foci_image_set *s) {
    foci_manifest files = {NULL};
    const bool few = !foci_image_set_list(s, "", &files) && foci_manifest_is_small(&files);
    foci_manifest_free(&files);
    return foci_each(s->count, few ? read_one : look_at_one, (void *)(uintptr_t)s);
}
