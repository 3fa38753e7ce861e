#include "data/pack.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

enum { ALIGNMENT = 64, HEADER = 64, SEALED = 56 /* bytes of the header under its checksum */, VERSION = 1 };
static const char MAGIC[8] = {'f', 'o', 'c', 'i', 'p', 'a', 'c', 'k'};

static const char *const kind_name[] = {"nothing", "images", "words", "characters", "bytes", "subwords"};

/* ------------------------------------------------------------------------------------------------ reading */

static uint64_t field(const foci_pack *p, int at, int bytes) { return foci_number(p->map.data + at, bytes); }

bool foci_is_pack(const char *path) {
    char head[sizeof MAGIC] = {0};
    FILE *f = foci_path_kind(path) == 'f' ? fopen(path, "rbe") : NULL;
    if (!f) return false;
    bool whole = fread(head, sizeof head, 1, f) == 1;
    fclose(f);
    return whole && memcmp(head, MAGIC, sizeof MAGIC) == 0;
}

static foci_status check(foci_pack *p, const char *path, foci_pack_kind kind) {
    size_t size = p->map.size;
    if (size < HEADER) return foci_fail(FOCI_ERR_DATA, "%s: %zu bytes, too few for a pack", path, size);
    if (memcmp(p->map.data, MAGIC, sizeof MAGIC) != 0) return foci_fail(FOCI_ERR_DATA, "%s: not a pack", path);
    if (field(p, 8, 4) != VERSION)
        return foci_fail(FOCI_ERR_DATA, "%s: a pack of version %" PRIu64 ", not %d; make it again", path,
                         field(p, 8, 4), VERSION);
    if (field(p, SEALED, 8) != XXH3_64bits(p->map.data, SEALED))
        return foci_fail(FOCI_ERR_DATA, "%s: byte 0: the header is damaged (wrong checksum)", path);
    uint64_t found = field(p, 12, 4), whole = field(p, 32, 8), table = field(p, 24, 8);
    if (found != kind)
        return foci_fail(FOCI_ERR_DATA, "%s: a pack of %s, not of %s", path,
                         kind_name[found <= FOCI_PACK_SUBWORDS ? found : 0], kind_name[kind]);
    if (whole != size)
        return foci_fail(FOCI_ERR_DATA, "%s: %zu bytes, but %" PRIu64 " were written; is it cut short?", path, size,
                         whole);
    if (table < HEADER || table > size || table % ALIGNMENT)
        return foci_fail(FOCI_ERR_DATA, "%s: byte 24: a table at byte %" PRIu64 " of %zu", path, table, size);
    p->count = field(p, 16, 8);
    p->extra = field(p, 40, 8);
    p->table = p->map.data + table;
    p->table_offset = (size_t)table;
    p->table_size = size - (size_t)table;
    if (field(p, 48, 8) != XXH3_64bits(p->table, p->table_size))
        return foci_fail(FOCI_ERR_DATA, "%s: byte %" PRIu64 ": the table is damaged (wrong checksum)", path, table);
    return FOCI_OK;
}

foci_status foci_pack_open(foci_pack *p, const char *path, foci_pack_kind kind) {
    *p = (foci_pack){0};
    FOCI_TRY(foci_map_open(&p->map, path, FOCI_ERR_DATA));
    foci_status status = check(p, path, kind);
    if (status) foci_pack_close(p);
    return status;
}

void foci_pack_close(foci_pack *p) {
    foci_map_close(&p->map);
    *p = (foci_pack){0};
}

bool foci_pack_holds(const foci_pack *p, uint64_t offset, uint64_t size) {
    return offset % ALIGNMENT == 0 && offset >= HEADER && offset <= p->table_offset && size <= p->table_offset - offset;
}

/* ------------------------------------------------------------------------------------------------ writing */

void foci_bytes_add(foci_bytes *b, const void *data, size_t size) {
    if (!b->failed && b->room - b->size < size) {
        size_t room = 2 * b->room + size + 4096;
        unsigned char *grown = realloc(b->data, room);
        b->failed = !grown;
        if (grown) {
            b->data = grown;
            b->room = room;
        }
    }
    if (b->failed || !size) return;
    memcpy(b->data + b->size, data, size);
    b->size += size;
}

void foci_bytes_add_number(foci_bytes *b, uint64_t value, int bytes) {
    unsigned char p[8];
    for (int i = 0; i < bytes; i++) p[i] = (unsigned char)(value >> 8 * i);
    foci_bytes_add(b, p, (size_t)bytes);
}

foci_status foci_pack_create(foci_pack_writer *w, const char *path) {
    static const unsigned char header[HEADER];
    w->at = HEADER;
    if (foci_path_kind(path)) return foci_fail(FOCI_ERR_IO, "%s: is there already", path);
    FOCI_TRY(foci_writer_open(&w->file, path));
    foci_write(&w->file, header, HEADER); /* filled in at the end; a failure sticks */
    return FOCI_OK;
}

foci_status foci_pack_add(foci_pack_writer *w, const void *data, size_t size, uint64_t *offset) {
    static const unsigned char zeros[ALIGNMENT];
    size_t gap = (ALIGNMENT - w->at % ALIGNMENT) % ALIGNMENT;
    *offset = w->at + gap;
    w->at += gap + size;
    foci_write(&w->file, zeros, gap);
    return foci_write(&w->file, data, size);
}

foci_status foci_pack_finish(foci_pack_writer *w, foci_pack_kind kind, uint64_t count, uint64_t extra,
                             const void *table, size_t size) {
    uint64_t offset;
    foci_pack_add(w, table, size, &offset);
    unsigned char header[HEADER];
    foci_bytes b = {header, 0, HEADER, false};
    foci_bytes_add(&b, MAGIC, sizeof MAGIC);
    foci_bytes_add_number(&b, VERSION, 4);
    foci_bytes_add_number(&b, kind, 4);
    foci_bytes_add_number(&b, count, 8);
    foci_bytes_add_number(&b, offset, 8);
    foci_bytes_add_number(&b, w->at, 8);
    foci_bytes_add_number(&b, extra, 8);
    foci_bytes_add_number(&b, XXH3_64bits(table, size), 8);
    foci_bytes_add_number(&b, XXH3_64bits(header, SEALED), 8);
    foci_write_at(&w->file, 0, header, HEADER);
    return foci_writer_commit(&w->file);
}
