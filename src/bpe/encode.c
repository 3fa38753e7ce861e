/* Text to tokens: piece by piece, most of them remembered from the last time. */
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "bpe/merge.h"
#include "bpe/pieces.h"
#include "bpe/tokenizer.h"

/* A piece with its tokens, in a cache line. */
enum { TEXT = 22, TOKENS = 10, REMEMBERED = 1 << 15 };
typedef struct remembered {
    unsigned char size, count; /* size 0: none yet */
    char text[TEXT];
    int32_t id[TOKENS];
} remembered;
_Static_assert(sizeof(remembered) == 64, "a cache line");

struct foci_bpe_encoder {
    const foci_bpe *bpe;
    foci_merger merger;
    remembered *memory; /* (REMEMBERED), by the hash of the text: of two with one place the later */
};

foci_status foci_bpe_encoder_open(foci_bpe_encoder **encoder, const foci_bpe *bpe) {
    *encoder = NULL;
    if (bpe->decodes_only)
        return foci_fail(FOCI_ERR_CONFIG,
                         "the tokenizer has no merges, and can only decode: vocab.json and merges.txt, "
                         "or a tokenizer.json, can encode too");
    foci_bpe_encoder *e = *encoder = calloc(1, sizeof *e);
    if (!e || !(e->memory = calloc(REMEMBERED, sizeof *e->memory))) {
        free(e);
        *encoder = NULL;
        return foci_fail(FOCI_ERR_RUNTIME, "out of memory for an encoder");
    }
    e->bpe = bpe;
    return FOCI_OK;
}

void foci_bpe_encoder_close(foci_bpe_encoder *e) {
    if (!e) return;
    foci_merger_free(&e->merger);
    free(e->memory);
    free(e);
}

foci_status foci_ids_add(foci_ids *ids, const int32_t *id, int64_t count) {
    if (ids->count + count > ids->room) {
        const int64_t room = 2 * ids->room + count + 1024;
        int32_t *grown = realloc(ids->id, (size_t)room * sizeof *grown);
        if (!grown) return foci_fail(FOCI_ERR_RUNTIME, "out of memory for %lld tokens", (long long)room);
        ids->id = grown;
        ids->room = room;
    }
    memcpy(ids->id + ids->count, id, (size_t)count * sizeof *id);
    ids->count += count;
    return FOCI_OK;
}

/* --------------------------------------------------------------------------------------------- one piece */

static foci_status merge(foci_bpe_encoder *e, const char *piece, size_t size, foci_ids *ids) {
    const foci_bpe *b = e->bpe;
    const int32_t *id;
    int64_t count;
    const int32_t known = b->whole ? foci_strings_find(&b->string, piece, size) : -1;
    if (known >= 0) return foci_ids_add(ids, b->id_of + known, 1);
    FOCI_TRY(foci_merge_bytes(&e->merger, b, piece, size, &id, &count));
    return foci_ids_add(ids, id, count);
}

static void remember(remembered *r, const char *piece, size_t size, const int32_t *id, int64_t count) {
    r->size = (unsigned char)size;
    r->count = (unsigned char)count;
    memcpy(r->text, piece, size);
    memcpy(r->id, id, (size_t)count * sizeof *id);
}

static foci_status encode_piece(foci_bpe_encoder *e, const char *piece, size_t size, foci_ids *ids) {
    if (size == 1) return foci_ids_add(ids, e->bpe->byte + (unsigned char)*piece, 1);
    if (size > TEXT) return merge(e, piece, size, ids);
    remembered *r = e->memory + XXH3_64bits(piece, size) % REMEMBERED;
    if (r->size == size && memcmp(r->text, piece, size) == 0) return foci_ids_add(ids, r->id, r->count);
    const int64_t first = ids->count;
    FOCI_TRY(merge(e, piece, size, ids));
    if (ids->count - first <= TOKENS) remember(r, piece, size, ids->id + first, ids->count - first);
    return FOCI_OK;
}

/* ------------------------------------------------------------------------------------------- a whole text */

/* `used`: as that of foci_bpe_encode. */
static foci_status encode_plain(foci_bpe_encoder *e, const char *text, size_t size, size_t *used, foci_ids *ids) {
    size_t at = 0;
    while (at < size) {
        size_t length;
        FOCI_TRY(foci_piece_take(e->bpe->rule, text + at, size - at, used, &length));
        if (!length) break;
        FOCI_TRY(encode_piece(e, text + at, length, ids));
        at += length;
    }
    if (used) *used = at;
    return FOCI_OK;
}

/* Where the next special token begins, and which; size, -1: there is none. */
static size_t next_special(const foci_bpe *b, const char *text, size_t size, int32_t *id) {
    for (size_t at = 0; at < size; at++)
        if ((*id = foci_bpe_special_at(b, text + at, size - at)) >= 0) return at;
    *id = -1;
    return size;
}

/* Of text that goes on: behind it a special token may begin that has not come wholly. */
static size_t without_part(const foci_bpe *b, const char *text, size_t size) {
    const size_t longest = b->specials ? b->token[b->special[0]].size : 0;
    size_t at = size > longest ? size - longest : 0;
    while (at < size && !b->begins_special[(unsigned char)text[at]]) at++;
    return at;
}

static foci_status encode_special(foci_bpe_encoder *e, const char *text, size_t size, size_t *used, foci_ids *ids) {
    const size_t sure = used ? without_part(e->bpe, text, size) : size;
    size_t at = 0, part;
    int32_t id;
    while (at < sure) {
        const size_t end = at + next_special(e->bpe, text + at, size - at, &id);
        if (id < 0 || end >= sure) break;
        FOCI_TRY(encode_plain(e, text + at, end - at, NULL, ids));
        FOCI_TRY(foci_ids_add(ids, &id, 1));
        at = end + e->bpe->token[id].size;
    }
    if (at < sure) FOCI_TRY(encode_plain(e, text + at, sure - at, used ? &part : NULL, ids));
    else part = 0;
    if (used) *used = at + part;
    return FOCI_OK;
}

foci_status foci_bpe_encode(foci_bpe_encoder *e, const void *text, size_t size, bool special, size_t *used,
                            foci_ids *ids) {
    return (special && e->bpe->specials ? encode_special : encode_plain)(e, text, size, used, ids);
}

foci_status foci_bpe_encode_text(const foci_bpe *bpe, const void *text, size_t size, bool special, foci_ids *ids) {
    foci_bpe_encoder *e;
    FOCI_TRY(foci_bpe_encoder_open(&e, bpe));
    const foci_status status = foci_bpe_encode(e, text, size, special, NULL, ids);
    foci_bpe_encoder_close(e);
    return status;
}
