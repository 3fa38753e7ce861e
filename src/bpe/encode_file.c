#include <stdlib.h>

#include "base/parallel.h"
#include "bpe/documents.h"
#include "bpe/tokenizer.h"

typedef struct work {
    const foci_bpe *bpe;
    const foci_bpe_reading *reading;
    int32_t end_of_text;
    foci_bpe_encoder **encoder; /* (threads) made where they are needed */
    foci_ids *ids;              /* (blocks) */
    foci_blocks blocks;
} work;

static foci_status begin_document(const work *w, foci_ids *ids) {
    return w->reading->documents == FOCI_NO_DOCUMENTS ? FOCI_OK : foci_ids_add(ids, &w->end_of_text, 1);
}

static foci_status encode_block(void *context, int64_t i) {
    work *w = context;
    foci_block *b = w->blocks.block + i;
    foci_ids *ids = w->ids + i;
    foci_bpe_encoder **e = w->encoder + foci_thread();
    if (!*e) FOCI_TRY(foci_bpe_encoder_open(e, w->bpe));
    ids->count = 0;
    if (b->begins) FOCI_TRY(begin_document(w, ids));
    for (size_t at = 0, end, used; at < b->size; at = end) {
        const bool ends = foci_document_ends(w->reading->documents, b, at, &end);
        FOCI_TRY(foci_bpe_encode(*e, b->text + at, end - at, w->reading->special, ends ? NULL : &used, ids));
        if (!ends) b->used = at + used;
        if (end < b->size) FOCI_TRY(begin_document(w, ids));
    }
    return FOCI_OK;
}

static foci_status run(work *w) {
    for (;;) {
        FOCI_TRY(foci_blocks_next(&w->blocks));
        if (!w->blocks.count) return FOCI_OK;
        const foci_status s = foci_each(w->blocks.count, encode_block, w);
        if (s) return foci_context(s, "%s", w->blocks.path);
        for (int64_t i = 0; i < w->blocks.count; i++)
            FOCI_TRY(w->reading->take(w->reading->context, w->ids[i].id, w->ids[i].count));
    }
}

static void close_work(work *w, int threads) {
    for (int i = 0; i < threads && w->encoder; i++) foci_bpe_encoder_close(w->encoder[i]);
    for (int64_t i = 0; i < w->blocks.most && w->ids; i++) free(w->ids[i].id);
    free(w->encoder);
    free(w->ids);
    foci_blocks_close(&w->blocks);
}

static foci_status open_work(work *w, const char *path, int threads) {
    FOCI_TRY(foci_blocks_open(&w->blocks, path, w->reading->documents, w->reading->special));
    w->encoder = calloc((size_t)threads, sizeof *w->encoder);
    w->ids = calloc((size_t)w->blocks.most, sizeof *w->ids);
    return w->encoder && w->ids ? FOCI_OK : foci_fail(FOCI_ERR_RUNTIME, "%s: out of memory", path);
}

foci_status foci_bpe_encode_file(const foci_bpe *bpe, const char *path, foci_bpe_reading *reading) {
    const int threads = foci_threads();
    work w = {.bpe = bpe, .reading = reading, .end_of_text = foci_bpe_end_of_text(bpe)};
    if (reading->documents != FOCI_NO_DOCUMENTS && w.end_of_text < 0)
        return foci_fail(FOCI_ERR_CONFIG, "the tokenizer has no end-of-text token for documents to begin with");
    foci_status s = open_work(&w, path, threads);
    if (!s) s = run(&w);
    reading->bytes = w.blocks.bytes;
    close_work(&w, threads);
    return s;
}
