#include "bpe/census.h"

#include <stdlib.h>

#include "base/parallel.h"
#include "bpe/documents.h"
#include "bpe/pieces.h"

typedef struct work {
    foci_documents documents;
    foci_blocks blocks;
    foci_pieces *part; /* (threads) */
} work;

static foci_status add(foci_pieces *p, const char *text, size_t size, int64_t times) {
    const int32_t i = foci_strings_add(&p->piece, text, size);
    if (p->piece.count > p->room) {
        const int64_t room = 2 * p->piece.count;
        int64_t *grown = realloc(p->count, (size_t)room * sizeof *grown);
        if (!grown) return foci_fail(FOCI_ERR_RUNTIME, "out of memory for %lld pieces", (long long)room);
        for (int64_t k = p->room; k < room; k++) grown[k] = 0;
        p->count = grown;
        p->room = room;
    }
    if (i < 0) return foci_fail(FOCI_ERR_RUNTIME, "out of memory for a piece of %zu bytes", size);
    p->count[i] += times;
    return FOCI_OK;
}

/* Returns in *used how many bytes were read; `more`: as in foci_block. */
static foci_status count_text(foci_pieces *p, const char *text, size_t size, bool more, size_t *used) {
    size_t at = 0;
    while (at < size) {
        size_t length;
        FOCI_TRY(foci_piece_take(FOCI_BPE_GPT2, text + at, size - at, more, &length));
        if (!length) break;
        FOCI_TRY(add(p, text + at, length, 1));
        at += length;
    }
    *used = at;
    return FOCI_OK;
}

static foci_status count_block(void *context, int64_t i) {
    work *w = context;
    foci_block *b = w->blocks.block + i;
    foci_pieces *p = w->part + foci_thread();
    for (size_t at = 0, end, used; at < b->size; at = end) {
        const bool ends = foci_document_ends(w->documents, b, at, &end);
        FOCI_TRY(count_text(p, b->text + at, end - at, !ends, &used));
        if (!ends) b->used = at + used;
    }
    return FOCI_OK;
}

static foci_status count_file(work *w, const char *path) {
    foci_status s = foci_blocks_open(&w->blocks, path, w->documents, false);
    while (!s && !(s = foci_blocks_next(&w->blocks)) && w->blocks.count)
        if ((s = foci_each(w->blocks.count, count_block, w))) foci_context(s, "%s", w->blocks.path);
    w->part[0].bytes += w->blocks.bytes;
    foci_blocks_close(&w->blocks);
    return s;
}

static foci_status add_part(foci_pieces *p, const foci_pieces *part) {
    p->bytes += part->bytes;
    for (int64_t i = 0; i < part->piece.count; i++)
        FOCI_TRY(add(p, part->piece.item[i].text, part->piece.item[i].size, part->count[i]));
    return FOCI_OK;
}

foci_status foci_pieces_count(foci_pieces *p, const char *const *path, int paths, foci_documents documents) {
    const int threads = foci_threads();
    work w = {.documents = documents, .part = calloc((size_t)threads, sizeof *w.part)};
    foci_status s = w.part ? FOCI_OK : foci_out_of_memory();
    for (int i = 0; i < paths && !s; i++) s = count_file(&w, path[i]);
    for (int i = 0; i < threads && w.part; i++) {
        if (!s) s = add_part(p, w.part + i);
        foci_pieces_free(w.part + i);
    }
    free(w.part);
    return s;
}

void foci_pieces_free(foci_pieces *p) {
    foci_strings_free(&p->piece);
    free(p->count);
    *p = (foci_pieces){.count = NULL};
}
