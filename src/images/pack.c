#include "images/pack.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "base/parallel.h"
#include "images/resize.h"
#include "images/png.h"

/* ------------------------------------------------------------------------------------------------ reading */

enum { ENTRY = 32, LONGEST_NAME = 4096 };

typedef struct entry {
    uint64_t offset, hash, name;
    uint32_t width, height;
} entry;

static entry entry_at(const foci_pack *p, int64_t i) {
    const unsigned char *e = p->table + i * ENTRY;
    return (entry){foci_number(e, 8), foci_number(e + 8, 8), foci_number(e + 24, 8), (uint32_t)foci_number(e + 16, 4),
                   (uint32_t)foci_number(e + 20, 4)};
}

static const char *names(const foci_pack *p) { return (const char *)p->table + p->count * ENTRY; }
static size_t names_size(const foci_pack *p) { return p->table_size - (size_t)p->count * ENTRY; }

static const char *what_is_wrong(const foci_pack *p, int64_t i) {
    entry e = entry_at(p, i);
    if (e.width < 1 || e.height < 1 || (uint64_t)e.width * e.height > (uint64_t)FOCI_MOST_PIXELS)
        return "an impossible size";
    if (!foci_pack_holds(p, e.offset, (uint64_t)3 * e.width * e.height)) return "its pixels lie outside the data";
    if (e.name >= names_size(p)) return "its name lies outside the table";
    if (strnlen(names(p) + e.name, LONGEST_NAME + 1) > LONGEST_NAME) return "its name is too long";
    const char *slash = strchr(names(p) + e.name, '/');
    return slash && slash > names(p) + e.name && slash[1] ? NULL : "its name is not CLASS/FILE";
}

static foci_status check(const foci_pack *p, const char *path) {
    if (p->count < 1 || p->count > p->table_size / ENTRY)
        return foci_fail(FOCI_ERR_DATA, "%s: byte 16: %" PRIu64 " images in a table of %zu bytes", path, p->count,
                         p->table_size);
    if (!names_size(p) || p->table[p->table_size - 1])
        return foci_fail(FOCI_ERR_DATA, "%s: the names have no end", path);
    for (int64_t i = 0; i < (int64_t)p->count; i++) {
        const char *wrong = what_is_wrong(p, i);
        if (wrong)
            return foci_fail(FOCI_ERR_DATA, "%s: byte %zu: image %" PRId64 ": %s", path,
                             p->table_offset + (size_t)i * ENTRY, i, wrong);
    }
    return FOCI_OK;
}

foci_status foci_image_pack_open(foci_pack *p, const char *path) {
    FOCI_TRY(foci_pack_open(p, path, FOCI_PACK_IMAGES));
    foci_status status = check(p, path);
    if (status) foci_pack_close(p);
    return status;
}

const char *foci_image_pack_name(const foci_pack *p, int64_t i) { return names(p) + entry_at(p, i).name; }

foci_status foci_image_pack_read(const foci_pack *p, int64_t i, const char *name, foci_image *image) {
    entry e = entry_at(p, i);
    size_t size = (size_t)3 * e.width * e.height;
    const unsigned char *pixels = p->map.data + e.offset;
    *image = (foci_image){0};
    if (XXH3_64bits(pixels, size) != e.hash)
        return foci_fail(FOCI_ERR_DATA,
                         "%s: its %zu bytes at byte %" PRIu64 " of the pack are damaged (wrong checksum)", name, size,
                         e.offset);
    *image = (foci_image){(int)e.width, (int)e.height, malloc(size)};
    if (!image->pixels)
        return foci_fail(FOCI_ERR_RUNTIME, "%s: out of memory for %u x %u pixels", name, e.width, e.height);
    memcpy(image->pixels, pixels, size);
    return FOCI_OK;
}

/* ------------------------------------------------------------------------------------------------ writing */

enum { AT_ONCE = 64 }; /* images decoded in parallel before they are written */

/* The shorter side to `size`, the longer in proportion (rounded down, as in evaluation); a smaller image stays. */
static foci_status shrink(foci_image *image, int64_t size) {
    int64_t width = image->width, height = image->height, shorter = width < height ? width : height;
    if (!size || shorter <= size) return FOCI_OK;
    foci_image_view all = foci_image_crop(image, 0, 0, image->width, image->height);
    foci_image small;
    FOCI_TRY(foci_image_resize(&small, &all, width * size / shorter, height * size / shorter, FOCI_BICUBIC));
    foci_image_free(image);
    *image = small;
    return FOCI_OK;
}

typedef struct prepared {
    foci_image image;
    uint64_t hash;
    foci_error error;
} prepared;

static void prepare(prepared *made, const foci_image_set *set, int64_t i, int size) {
    foci_status status = foci_image_set_read(set, i, &made->image, 0);
    if (!status && (status = shrink(&made->image, size)))
        status = foci_context(status, "%s", foci_image_set_name(set, i));
    if (status) foci_error_take(&made->error, status);
    else
        made->hash =
            XXH3_64bits(made->image.pixels, (size_t)3 * (size_t)made->image.width * (size_t)made->image.height);
}

static foci_status add(foci_pack_writer *w, foci_bytes *table, uint64_t *name, const prepared *p, const char *file) {
    if (p->error.status) return foci_error_raise(&p->error);
    uint64_t offset;
    FOCI_TRY(foci_pack_add(w, p->image.pixels, (size_t)3 * (size_t)p->image.width * (size_t)p->image.height, &offset));
    foci_bytes_add_number(table, offset, 8);
    foci_bytes_add_number(table, p->hash, 8);
    foci_bytes_add_number(table, (uint64_t)p->image.width, 4);
    foci_bytes_add_number(table, (uint64_t)p->image.height, 4);
    foci_bytes_add_number(table, *name, 8);
    *name += strlen(file) + 1;
    return FOCI_OK;
}

static foci_status add_all(foci_pack_writer *w, foci_bytes *table, prepared *made, const foci_image_set *set, int size,
                           const foci_watch *watch) {
    int64_t count = foci_image_set_count(set);
    uint64_t name = 0;
    for (int64_t first = 0; first < count; first += AT_ONCE) {
        foci_range r = foci_tile(count, AT_ONCE, first / AT_ONCE);
        memset(made, 0, AT_ONCE * sizeof *made);
        FOCI_PARALLEL_FOR
        for (int64_t i = r.first; i < r.end; i++) prepare(&made[i - r.first], set, i, size);
        foci_status status = foci_watch_stopped(watch);
        for (int64_t i = r.first; i < r.end; i++) {
            prepared *p = &made[i - r.first];
            if (!status) status = add(w, table, &name, p, foci_image_set_name(set, i));
            foci_image_free(&p->image);
        }
        if (status) return status;
        foci_watch_tell(watch, r.end, count);
    }
    for (int64_t i = 0; i < count; i++)
        foci_bytes_add(table, foci_image_set_name(set, i), strlen(foci_image_set_name(set, i)) + 1);
    if (table->failed) return foci_fail(FOCI_ERR_RUNTIME, "out of memory for the table of %" PRId64 " images", count);
    return foci_pack_finish(w, FOCI_PACK_IMAGES, (uint64_t)count, 0, table->data, table->size);
}

foci_status foci_pack_images(const char *path, const foci_image_set *set, int size, const foci_watch *watch) {
    foci_pack_writer w;
    foci_bytes table = {0};
    FOCI_TRY(foci_pack_create(&w, path));
    prepared *made = malloc(AT_ONCE * sizeof *made);
    foci_status status = made ? add_all(&w, &table, made, set, size, watch) : foci_out_of_memory();
    if (status) foci_writer_abort(&w.file);
    free(made);
    free(table.data);
    return status;
}
