#include "bpe/documents.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/parallel.h"
#include "data/gzip.h"

enum { BLOCK = 1 << 18 /* bytes of a block, about */, BLOCKS_A_THREAD = 8 };

/* ----------------------------------------------------------------------------------------------- documents */

/* Is the line that ends with the byte before `at` blank, and the one that begins there not? At the start of a block
 * the line before is unknown, and is none. */
static bool is_behind_blank(const char *text, size_t size, size_t at) {
    size_t line = at - 1;
    if (line && text[line - 1] == '\r') line--;
    if (!line || text[line - 1] != '\n') return false;
    return text[at] != '\n' && !(text[at] == '\r' && at + 1 < size && text[at + 1] == '\n');
}

static bool begins_at(foci_documents documents, const char *text, size_t size, size_t at) {
    return text[at - 1] == '\n' && (documents == FOCI_LINES || is_behind_blank(text, size, at));
}

bool foci_document_ends(foci_documents documents, const foci_block *b, size_t at, size_t *end) {
    const size_t sure = b->more ? b->size - (b->size > 0) : b->size; /* \r alone may be half of a line's end */
    *end = b->size;
    if (documents == FOCI_NO_DOCUMENTS || documents == FOCI_FILE) return !b->more;
    for (const char *from = b->text + at, *stop = b->text + b->size, *newline; from < stop; from = newline + 1) {
        newline = memchr(from, '\n', (size_t)(stop - from));
        const size_t next = newline ? (size_t)(newline + 1 - b->text) : b->size;
        if (next >= sure) break;
        if (begins_at(documents, b->text, b->size, next)) return *end = next, true;
    }
    return !b->more;
}

/* -------------------------------------------------------------------------------------------------- blocks */

foci_status foci_blocks_open(foci_blocks *b, const char *path, foci_documents documents, bool whole) {
    const int64_t most = whole ? 1 : (int64_t)BLOCKS_A_THREAD * foci_threads();
    *b = (foci_blocks){.path = path, .documents = documents, .most = most};
    if (strcmp(path, "-") == 0) b->path = "standard input";
    FOCI_TRY(b->path == path ? foci_gzip_open(&b->file, path) : foci_gzip_open_input(&b->file));
    b->block = malloc((size_t)most * sizeof *b->block);
    return b->block ? FOCI_OK : foci_fail(FOCI_ERR_RUNTIME, "%s: out of memory", path);
}

void foci_blocks_close(foci_blocks *b) {
    if (b->file) gzclose_r(b->file);
    free(b->text);
    free(b->block);
    *b = (foci_blocks){NULL};
}

static foci_status make_room(foci_blocks *b) {
    const size_t room = 2 * b->room + (size_t)b->most * BLOCK;
    char *grown = realloc(b->text, room);
    if (!grown) return foci_fail(FOCI_ERR_RUNTIME, "%s: out of memory for %zu bytes", b->path, room);
    b->text = grown;
    b->room = room;
    return FOCI_OK;
}

/* Behind what is left, which is moved to the front; there is more room where it fills half of all. */
static foci_status fill(foci_blocks *b) {
    const size_t rest = b->end - b->first;
    char place[40];
    size_t n;
    if (rest) memmove(b->text, b->text + b->first, rest);
    b->first = 0;
    if (2 * rest >= b->room) FOCI_TRY(make_room(b));
    snprintf(place, sizeof place, "byte %lld", (long long)b->bytes);
    FOCI_TRY(foci_gzip_read(b->file, b->path, place, b->text + rest, b->room - rest, &n));
    b->end = rest + n;
    b->ended = b->end < b->room;
    return FOCI_OK;
}

static bool is_seen(char c) { return c > ' ' && c < 0x7f; }

/* From `at` on, where a piece begins whatever is before it: at a blank between characters that are none. (Were such
 * a place in doubt, the block is longer.) */
static size_t cut(const foci_blocks *b, size_t at) {
    for (; at + 1 < b->end; at++)
        if (b->text[at] == ' ' && is_seen(b->text[at - 1]) && is_seen(b->text[at + 1])) return at;
    return b->end;
}

static void cut_all(foci_blocks *b) {
    size_t at = b->first;
    for (b->count = 0; b->count < b->most && at < b->end; b->count++) {
        const bool last = b->count + 1 == b->most;
        const size_t end = last || b->end - at <= BLOCK ? b->end : cut(b, at + BLOCK);
        b->block[b->count] = (foci_block){.text = b->text + at, .size = end - at, .used = end - at};
        at = end;
    }
    if (!b->count) return;
    b->block[0].begins = !b->begun;
    b->block[b->count - 1].more = !b->ended;
    b->begun = true;
}

foci_status foci_blocks_next(foci_blocks *b) {
    for (int64_t i = 0; i < b->count; i++) {
        b->first += b->block[i].used;
        b->bytes += (int64_t)b->block[i].used;
    }
    b->count = 0;
    if (!b->ended) FOCI_TRY(fill(b));
    cut_all(b);
    return FOCI_OK;
}
