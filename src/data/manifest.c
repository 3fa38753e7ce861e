#include "data/manifest.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xxhash.h>

#include "base/parallel.h"

void foci_manifest_free(foci_manifest *m) {
    free(m->file);
    foci_arena_free(&m->arena);
    *m = (foci_manifest){NULL};
}

static foci_status out_of_memory(void) { return foci_fail(FOCI_ERR_RUNTIME, "out of memory for names of files"); }

foci_status foci_manifest_add(foci_manifest *m, const foci_manifest_file *file) {
    if (m->count == m->room) {
        const int64_t room = m->room ? 2 * m->room : 1024;
        foci_manifest_file *grown = realloc(m->file, (size_t)room * sizeof *grown);
        if (!grown) return out_of_memory();
        m->file = grown;
        m->room = room;
    }
    m->file[m->count++] = *file;
    return FOCI_OK;
}

static bool same_part(const foci_manifest_file *a, const foci_manifest_file *b) {
    return strcmp(a->part, b->part) == 0;
}

/* Where the part of file `first` ends. */
static int64_t part_end(const foci_manifest *m, int64_t first) {
    int64_t i = first;
    while (i < m->count && same_part(&m->file[i], &m->file[first])) i++;
    return i;
}

/* ------------------------------------------------------------------------------------------------- looking */

typedef struct looking {
    foci_manifest_file *file;
    int64_t ends; /* so much of both ends is read; 0: all */
} looking;

static foci_status cannot_read(const foci_manifest_file *f) {
    return foci_fail(FOCI_ERR_DATA, "%s: %s", f->path, strerror(errno));
}

static foci_status take_size(void *context, int64_t i) {
    foci_manifest_file *f = &((looking *)context)->file[i];
    struct stat s;
    if (!f->path) return FOCI_OK;
    if (stat(f->path, &s) < 0) return cannot_read(f);
    f->size = (int64_t)s.st_size;
    return FOCI_OK;
}

static uint64_t hash_memory(const unsigned char *data, int64_t size, int64_t ends) {
    if (!ends || size <= 2 * ends) return XXH3_64bits(data, (size_t)size);
    const uint64_t last = XXH3_64bits(data + size - ends, (size_t)ends);
    return XXH3_64bits_withSeed(data, (size_t)ends, last);
}

static foci_status hash_ends(foci_manifest_file *f, int64_t ends) {
    unsigned char end[2][FOCI_READ_ENDS];
    const int fd = open(f->path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return cannot_read(f);
    const bool read =
        pread(fd, end[0], (size_t)ends, 0) == ends && pread(fd, end[1], (size_t)ends, f->size - ends) == ends;
    const foci_status s = read ? FOCI_OK : cannot_read(f);
    close(fd);
    if (read) f->hash = XXH3_64bits_withSeed(end[0], (size_t)ends, XXH3_64bits(end[1], (size_t)ends));
    return s;
}

static foci_status take_hash(void *context, int64_t i) {
    const looking *l = context;
    foci_manifest_file *f = &l->file[i];
    if (f->data) f->hash = hash_memory(f->data, f->size, l->ends);
    if (f->data || !f->path) return FOCI_OK;
    if (l->ends && f->size > 2 * l->ends) return hash_ends(f, l->ends);
    foci_map map;
    FOCI_TRY(foci_map_open(&map, f->path, FOCI_ERR_DATA));
    f->hash = XXH3_64bits(map.data, map.size);
    foci_map_close(&map);
    return FOCI_OK;
}

foci_status foci_manifest_look(foci_manifest *m) {
    for (int64_t first = 0, end; first < m->count; first = end) {
        end = part_end(m, first);
        looking l = {.file = m->file + first};
        int64_t bytes = 0;
        FOCI_TRY(foci_each(end - first, take_size, &l));
        for (int64_t i = first; i < end; i++) bytes += m->file[i].size;
        if (bytes > FOCI_READ_WHOLE) l.ends = FOCI_READ_ENDS;
        FOCI_TRY(foci_each(end - first, take_hash, &l));
    }
    return FOCI_OK;
}

bool foci_manifest_is_small(const foci_manifest *m) {
    enum { FEW = 64 << 20 };
    int64_t bytes = 0;
    for (int64_t i = 0; i < m->count && bytes < FEW; i++) {
        struct stat file;
        if (m->file[i].path && stat(m->file[i].path, &file) == 0) bytes += (int64_t)file.st_size;
        else bytes += m->file[i].size;
    }
    return bytes < FEW;
}

/* ------------------------------------------------------------------------------------------------- on disk */

foci_status foci_manifest_write(const foci_manifest *m, const char *path) {
    char *text = NULL;
    size_t size;
    FILE *f = open_memstream(&text, &size);
    if (!f) return out_of_memory();
    for (int64_t i = 0; i < m->count; i++) {
        const foci_manifest_file *e = &m->file[i];
        fprintf(f, "%016" PRIx64 " %" PRId64 " %s %s\n", e->hash, e->size, e->part, e->name);
    }
    const bool whole = !ferror(f);
    const foci_status s = fclose(f) == 0 && whole ? foci_write_file(path, text, size) : out_of_memory();
    free(text);
    return s;
}

/* "HASH SIZE PART NAME", ended by 0. */
static foci_status parse_line(foci_manifest *m, char *line) {
    foci_manifest_file f = {.part = NULL};
    char *at = line;
    f.hash = strtoull(at, &at, 16);
    if (at != line + 16 || *at != ' ') return FOCI_ERR_DATA;
    f.size = strtoll(at, &at, 10);
    char *part = at + 1, *name = *at == ' ' ? strchr(part, ' ') : NULL;
    if (!name || name == part || !name[1] || f.size < 0) return FOCI_ERR_DATA;
    *name = 0;
    f.part = part;
    f.name = name + 1;
    return foci_manifest_add(m, &f);
}

foci_status foci_manifest_read(foci_manifest *m, const char *path) {
    enum { MOST = 1 << 30 };
    char *read;
    size_t size;
    *m = (foci_manifest){NULL};
    FOCI_TRY(foci_read_file(path, MOST, &read, &size, FOCI_ERR_DATA));
    char *text = foci_arena_alloc(&m->arena, size + 1);
    if (text) memcpy(text, read, size);
    free(read);
    foci_status s = text ? FOCI_OK : out_of_memory();
    int64_t number = 1;
    for (char *line = text, *end; !s && *line; line = end + 1, number++) {
        end = strchr(line, '\n');
        if (end) *end = 0;
        s = end ? parse_line(m, line) : FOCI_ERR_DATA;
        if (s == FOCI_ERR_DATA) s = foci_fail(s, "%s:%" PRId64 ": no line of a list of files", path, number);
        if (s) break;
    }
    if (s) foci_manifest_free(m);
    return s;
}

/* ----------------------------------------------------------------------------------------------- comparing */

static int by_name(const void *a, const void *b) {
    const foci_manifest_file *x = *(foci_manifest_file *const *)a, *y = *(foci_manifest_file *const *)b;
    const int order = strcmp(x->part, y->part);
    return order ? order : strcmp(x->name, y->name);
}

static const foci_manifest_file **sorted(const foci_manifest *m) {
    const foci_manifest_file **list = malloc(((size_t)m->count + 1) * sizeof *list);
    if (!list) return NULL;
    for (int64_t i = 0; i < m->count; i++) list[i] = &m->file[i];
    qsort(list, (size_t)m->count, sizeof *list, by_name);
    return list;
}

typedef struct differences {
    int64_t count;
    char *text;
    size_t size;
} differences;

static void note(differences *d, const foci_manifest_file *f, const char *what) {
    enum { NAMED = 5 };
    const size_t used = strlen(d->text);
    if (d->count++ < NAMED)
        snprintf(d->text + used, d->size - used, "%s%s: %s %s", used ? ", " : "", f->part, f->name, what);
}

static void compare(differences *d, const foci_manifest_file **a, int64_t n, const foci_manifest_file **b, int64_t m) {
    for (int64_t i = 0, j = 0; i < n || j < m;) {
        const int order = i == n ? 1 : j == m ? -1 : by_name(&a[i], &b[j]);
        if (order < 0) note(d, a[i], "is gone");
        else if (order > 0) note(d, b[j], "is new");
        else if (a[i]->size != b[j]->size || a[i]->hash != b[j]->hash) note(d, b[j], "has changed");
        i += order <= 0;
        j += order >= 0;
    }
}

int64_t foci_manifest_compare(const foci_manifest *before, const foci_manifest *now, char *text, size_t size) {
    differences d = {.text = text, .size = size};
    const foci_manifest_file **a = sorted(before), **b = sorted(now);
    *text = 0;
    if (a && b) compare(&d, a, before->count, b, now->count);
    else snprintf(text, size, "out of memory");
    const int64_t count = a && b ? d.count : 1, used = (int64_t)strlen(text);
    if (count > 5) snprintf(text + used, size - (size_t)used, ", and %" PRId64 " more", count - 5);
    free(a);
    free(b);
    return count;
}

void foci_manifest_digest(const foci_manifest *m, char *text, size_t size) {
    *text = 0;
    for (int64_t first = 0, end; first < m->count; first = end) {
        uint64_t bytes = 0, hash = 0; /* bytes of a list that was read may be any */
        end = part_end(m, first);
        for (int64_t i = first; i < end; i++) {
            const foci_manifest_file *f = &m->file[i];
            bytes += (uint64_t)f->size;
            hash = XXH3_64bits_withSeed(f->name, strlen(f->name), hash ^ f->hash);
        }
        const size_t used = strlen(text);
        snprintf(text + used, size - used, "%s%s %" PRId64 " files, %" PRIu64 " bytes, %016" PRIx64, used ? "; " : "",
                 m->file[first].part, end - first, bytes, hash);
    }
}
