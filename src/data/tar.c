#include "data/tar.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BLOCK = 512 };

/* Offsets and lengths of the fields of a header (POSIX ustar). */
enum {
    NAME = 0,
    NAME_SIZE = 100,
    SIZE = 124,
    SIZE_SIZE = 12,
    CHECKSUM = 148,
    CHECKSUM_SIZE = 8,
    TYPE = 156,
    LINK = 157,
    MAGIC = 257,
    PREFIX = 345,
    PREFIX_SIZE = 155
};

typedef struct reader {
    foci_tar *tar;
    const char *path;
    size_t at;
    int64_t room;
    char *long_name, *long_link; /* of the next entry, where an extension gave them */
    int64_t links;
    bool has_size;
    uint64_t size; /* likewise */
} reader;

static foci_status damaged(const reader *r, const char *what) {
    return foci_fail(FOCI_ERR_DATA, "%s: byte %zu: %s", r->path, r->at, what);
}

/* A number in octal digits, or, first bit set, in 256-base (GNU). */
static bool number(const unsigned char *field, int length, uint64_t *value) {
    int i = 0;
    *value = 0;
    if (field[0] & 0x80) {
        *value = field[0] & 0x7f;
        for (i = 1; i < length; i++) {
            if (*value >> 48) return false;
            *value = *value << 8 | field[i];
        }
        return true;
    }
    while (i < length && field[i] == ' ') i++;
    for (; i < length && field[i] >= '0' && field[i] <= '7'; i++) *value = *value << 3 | (uint64_t)(field[i] - '0');
    return i == length || field[i] == ' ' || field[i] == 0;
}

static bool checksum_holds(const unsigned char *header) {
    uint64_t sum = 0, stored;
    for (int i = 0; i < BLOCK; i++) sum += i >= CHECKSUM && i < CHECKSUM + CHECKSUM_SIZE ? ' ' : header[i];
    return number(header + CHECKSUM, CHECKSUM_SIZE, &stored) && stored == sum;
}

static bool all_zero(const unsigned char *block) {
    for (int i = 0; i < BLOCK; i++)
        if (block[i]) return false;
    return true;
}

static char *text_of(reader *r, const void *bytes, size_t size) {
    return foci_arena_printf(&r->tar->names, "%.*s", (int)size, (const char *)bytes);
}

/* Records "LENGTH key=value\n"; of interest are path, linkpath and size. */
static foci_status read_pax(reader *r, const unsigned char *data, size_t size) {
    for (size_t at = 0; at < size;) {
        size_t length = 0, digits = at;
        while (digits < size && data[digits] >= '0' && data[digits] <= '9' && length < size)
            length = 10 * length + (size_t)(data[digits++] - '0');
        if (digits == at || digits >= size || data[digits] != ' ' || length > size - at || at + length <= digits + 1 ||
            data[at + length - 1] != '\n')
            return damaged(r, "a damaged extended header");
        const char *record = (const char *)data + digits + 1;
        size_t n = at + length - digits - 2; /* without the newline */
        if (n > 5 && memcmp(record, "path=", 5) == 0) {
            r->long_name = text_of(r, record + 5, n - 5);
        } else if (n > 9 && memcmp(record, "linkpath=", 9) == 0) {
            r->long_link = text_of(r, record + 9, n - 9);
        } else if (n > 5 && n < 25 && memcmp(record, "size=", 5) == 0) {
            char *text = text_of(r, record + 5, n - 5), *end;
            if (!text) return foci_fail(FOCI_ERR_RUNTIME, "%s: out of memory", r->path);
            r->has_size = true;
            r->size = strtoull(text, &end, 10);
            if (*text < '0' || *text > '9' || *end) return damaged(r, "a size that is no number");
        }
        at += length;
    }
    return FOCI_OK;
}

static char *name_of(reader *r, const unsigned char *header) {
    if (r->long_name) return r->long_name;
    char *name = text_of(r, header + NAME, strnlen((const char *)header + NAME, NAME_SIZE));
    bool posix = memcmp(header + MAGIC, "ustar\0", 6) == 0;
    if (!posix || !header[PREFIX] || !name) return name;
    return foci_arena_printf(&r->tar->names, "%.*s/%s", PREFIX_SIZE, (const char *)header + PREFIX, name);
}

static const char *stripped(const char *name) {
    while (name[0] == '/' || (name[0] == '.' && name[1] == '/')) name++;
    return name;
}

/* The name in the archive of what a symbolic link `name` leads to; what leads out of it stays as it is. */
static const char *aim(reader *r, const char *name, const char *target) {
    const char *slash = strrchr(name, '/');
    size_t n = slash ? (size_t)(slash - name) : 0;
    char *path = foci_arena_alloc(&r->tar->names, strlen(name) + strlen(target) + 2);
    if (!path || *target == '/') return path ? target : NULL;
    memcpy(path, name, n);
    for (const char *at = target; *at; at += strspn(at, "/")) {
        const size_t part = strcspn(at, "/");
        if (part == 2 && memcmp(at, "..", 2) == 0) {
            if (!n) return target;
            while (n && path[n - 1] != '/') n--;
            n -= n > 0;
        } else if (part != 1 || *at != '.') {
            if (n) path[n++] = '/';
            memcpy(path + n, at, part);
            n += part;
        }
        at += part;
    }
    path[n] = 0;
    return path;
}

/* A file, or a link to `target`. */
static foci_status add(reader *r, const char *name, const unsigned char *data, size_t size, const char *target) {
    foci_tar *tar = r->tar;
    if (tar->count == r->room) {
        r->room = r->room ? 2 * r->room : 1024;
        foci_tar_entry *grown = realloc(tar->entry, (size_t)r->room * sizeof *grown);
        if (!grown) return foci_fail(FOCI_ERR_RUNTIME, "%s: out of memory", r->path);
        tar->entry = grown;
    }
    if (!name) return foci_fail(FOCI_ERR_RUNTIME, "%s: out of memory", r->path);
    tar->entry[tar->count++] = (foci_tar_entry){stripped(name), data, size, target};
    r->links += target != NULL;
    return FOCI_OK;
}

static foci_status add_link(reader *r, const unsigned char *header, bool symbolic) {
    const char *name = name_of(r, header), *target = r->long_link;
    if (!target) target = text_of(r, header + LINK, strnlen((const char *)header + LINK, NAME_SIZE));
    if (name && target) target = symbolic ? aim(r, stripped(name), target) : stripped(target);
    return add(r, target ? name : NULL, NULL, 0, target);
}

/* One header and what belongs to it. */
static foci_status read_entry(reader *r) {
    const unsigned char *header = r->tar->map.data + r->at, *data = header + BLOCK;
    size_t left = r->tar->map.size - r->at - BLOCK;
    uint64_t size;
    if (!checksum_holds(header)) return damaged(r, "not a tar header (wrong checksum)");
    if (!number(header + SIZE, SIZE_SIZE, &size)) return damaged(r, "a size that is no number");
    int type = header[TYPE];
    bool extension = type == 'x' || type == 'g' || type == 'L' || type == 'K';
    if (!extension && r->has_size) size = r->size;
    if (type >= '1' && type <= '6') size = 0; /* links, devices and folders have no data */
    if (size > left) return damaged(r, "the archive ends inside this entry");
    foci_status status = FOCI_OK;
    if (type == 'x') {
        if (size > 1 << 20) return damaged(r, "an extended header of more than 1 MiB");
        status = read_pax(r, data, (size_t)size);
    } else if (type == 'L') {
        if (size > 65536) return damaged(r, "a name of more than 64 KiB");
        r->long_name = text_of(r, data, strnlen((const char *)data, (size_t)size));
    } else if (type == 'K') {
        if (size > 65536) return damaged(r, "a name of more than 64 KiB");
        r->long_link = text_of(r, data, strnlen((const char *)data, (size_t)size));
    } else if (!extension) {
        if (type == '0' || type == 0 || type == '7') status = add(r, name_of(r, header), data, (size_t)size, NULL);
        else if (type == '1' || type == '2') status = add_link(r, header, type == '2');
        r->long_name = r->long_link = NULL;
        r->has_size = false;
    }
    size_t padded = ((size_t)size + BLOCK - 1) / BLOCK * BLOCK;
    r->at += BLOCK + (padded > left ? left : padded);
    return status;
}

static foci_status read_all(reader *r) {
    while (r->tar->map.size - r->at >= BLOCK) {
        if (all_zero(r->tar->map.data + r->at)) return FOCI_OK;
        FOCI_TRY(read_entry(r));
    }
    return damaged(r, r->at ? "the archive ends without its end mark; is it cut short?" : "not a tar archive");
}

/* -------------------------------------------------------------------------------------------------- links */

static int by_name(const void *x, const void *y) {
    const foci_tar_entry *const *a = x, *const *b = y;
    return strcmp((*a)->name, (*b)->name);
}

/* A link becomes what it leads to, over other links too. */
static foci_status follow_links(const reader *r) {
    enum { MOST_STEPS = 16 };
    const foci_tar *tar = r->tar;
    foci_tar_entry **sorted = r->links ? malloc((size_t)tar->count * sizeof *sorted) : NULL;
    if (!r->links) return FOCI_OK;
    if (!sorted) return foci_fail(FOCI_ERR_RUNTIME, "%s: out of memory", r->path);
    for (int64_t i = 0; i < tar->count; i++) sorted[i] = &tar->entry[i];
    qsort(sorted, (size_t)tar->count, sizeof *sorted, by_name);
    for (foci_tar_entry *e = tar->entry; e < tar->entry + tar->count; e++) {
        const foci_tar_entry *at = e;
        for (int step = 0; at && at->link && step < MOST_STEPS; step++) {
            const foci_tar_entry *const wanted = &(foci_tar_entry){.name = at->link};
            foci_tar_entry **found = bsearch(&wanted, sorted, (size_t)tar->count, sizeof *sorted, by_name);
            at = found ? *found : NULL;
        }
        if (at && !at->link) *e = (foci_tar_entry){e->name, at->data, at->size, NULL};
    }
    free(sorted);
    return FOCI_OK;
}

size_t foci_tar_part(const char *path) {
    char part[4096];
    for (size_t n = 1; *path && n < sizeof part; n++) {
        if (path[n - 1] && (path[n] == '/' || !path[n])) {
            memcpy(part, path, n);
            part[n] = 0;
            if (foci_path_kind(part) == 'f') return n;
        }
        if (!path[n]) return 0;
    }
    return 0;
}

foci_status foci_tar_open(foci_tar *tar, const char *path) {
    *tar = (foci_tar){0};
    FOCI_TRY(foci_map_open(&tar->map, path, FOCI_ERR_DATA));
    reader r = {.tar = tar, .path = path};
    foci_status status = read_all(&r);
    if (!status) status = follow_links(&r);
    if (status) foci_tar_close(tar);
    return status;
}

void foci_tar_close(foci_tar *tar) {
    foci_map_close(&tar->map);
    foci_arena_free(&tar->names);
    free(tar->entry);
    *tar = (foci_tar){0};
}
