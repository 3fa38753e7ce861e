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
    MAGIC = 257,
    PREFIX = 345,
    PREFIX_SIZE = 155
};

typedef struct reader {
    foci_tar *tar;
    const char *path;
    size_t at;
    int64_t room;
    char *long_name; /* of the next entry, where an extension gave one */
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

/* Records "LENGTH key=value\n"; of interest are path and size. */
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

static foci_status add(reader *r, char *name, const unsigned char *data, size_t size) {
    foci_tar *tar = r->tar;
    if (tar->count == r->room) {
        r->room = r->room ? 2 * r->room : 1024;
        foci_tar_entry *grown = realloc(tar->entry, (size_t)r->room * sizeof *grown);
        if (!grown) return foci_fail(FOCI_ERR_RUNTIME, "%s: out of memory", r->path);
        tar->entry = grown;
    }
    if (!name) return foci_fail(FOCI_ERR_RUNTIME, "%s: out of memory", r->path);
    while (name[0] == '/' || (name[0] == '.' && name[1] == '/')) name++;
    tar->entry[tar->count++] = (foci_tar_entry){name, data, size};
    return FOCI_OK;
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
    } else if (!extension) {
        if (type == '0' || type == 0 || type == '7') status = add(r, name_of(r, header), data, (size_t)size);
        r->long_name = NULL;
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

foci_status foci_tar_open(foci_tar *tar, const char *path) {
    *tar = (foci_tar){0};
    FOCI_TRY(foci_map_open(&tar->map, path, FOCI_ERR_DATA));
    foci_status status = read_all(&(reader){.tar = tar, .path = path});
    if (status) foci_tar_close(tar);
    return status;
}

void foci_tar_close(foci_tar *tar) {
    foci_map_close(&tar->map);
    foci_arena_free(&tar->names);
    free(tar->entry);
    *tar = (foci_tar){0};
}
