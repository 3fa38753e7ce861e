/* Packs: data that is ready to use, in one file that is mapped and never parsed. `foci data pack` writes them.
 *
 * All numbers are little-endian, h is XXH3 (64 bits, seed 0):
 *
 *     byte 0    8   "focipack"
 *          8    4   version, 1
 *         12    4   kind: 1 images; a text's 2 words, 3 characters, 4 bytes, 5 subwords
 *         16    8   count of images or of tokens
 *         24    8   offset of the table; blocks of data lie between the header and the table, each at a multiple of 64
 *         32    8   size of the file; the table goes to its end
 *         40    8   free for the kind, else 0
 *         48    8   h of the table
 *         56    8   h of bytes 0 to 55
 *
 * Every block of data has its h in the table, so that each can be checked when it is read. What the table holds is the
 * kind's business: images/pack.h, text/pack.h. The same data gives the same bytes. */
#ifndef FOCI_DATA_PACK_H
#define FOCI_DATA_PACK_H

#include "base/file.h"

typedef enum foci_pack_kind {
    FOCI_PACK_IMAGES = 1,
    FOCI_PACK_WORDS,
    FOCI_PACK_CHARS,
    FOCI_PACK_BYTES,
    FOCI_PACK_SUBWORDS
} foci_pack_kind;

typedef struct foci_pack {
    foci_map map;
    uint64_t count, extra;      /* bytes 16 and 40 of the header */
    const unsigned char *table; /* (table_size), its checksum was right */
    size_t table_offset, table_size;
} foci_pack;

/* Does the file begin as packs do? */
bool foci_is_pack(const char *path);
/* Checks header and table. FOCI_ERR_DATA names the file and what is wrong. */
foci_status foci_pack_open(foci_pack *p, const char *path, foci_pack_kind kind);
void foci_pack_close(foci_pack *p);
/* May `size` bytes of data lie at `offset`? */
bool foci_pack_holds(const foci_pack *p, uint64_t offset, uint64_t size);

typedef struct foci_pack_writer {
    foci_writer file;
    uint64_t at; /* bytes so far */
} foci_pack_writer;
/* Refuses a file that is there already. Then blocks, then the end; or foci_writer_abort(&w->file). */
foci_status foci_pack_create(foci_pack_writer *w, const char *path);
foci_status foci_pack_add(foci_pack_writer *w, const void *data, size_t size, uint64_t *offset);
foci_status foci_pack_finish(foci_pack_writer *w, foci_pack_kind kind, uint64_t count, uint64_t extra,
                             const void *table, size_t size);

/* A table that grows. It is `failed` when memory is out, and stays so. */
typedef struct foci_bytes {
    unsigned char *data;
    size_t size, room;
    bool failed;
} foci_bytes;
void foci_bytes_add(foci_bytes *b, const void *data, size_t size);
void foci_bytes_add_number(foci_bytes *b, uint64_t value, int bytes);

static inline uint64_t foci_number(const unsigned char *p, int bytes) {
    uint64_t v = 0;
    for (int i = 0; i < bytes; i++) v |= (uint64_t)p[i] << 8 * i;
    return v;
}

#endif
