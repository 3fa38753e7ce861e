#include "text/pack.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "data/pack.h"
#include "text/vocabulary.h"

enum { IDS = 64, WORDS = 24 }; /* where the ids lie in the file, the vocabulary in the table */

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "ids are used as they lie in the file");

static foci_status print(const foci_vocabulary *v, bool counts, char **words, size_t *size) {
    if (!foci_vocabulary_bpe(v)) return foci_vocabulary_print(v, counts, words, size);
    FOCI_TRY(foci_bpe_print(foci_vocabulary_bpe(v), true, words));
    *size = strlen(*words);
    return FOCI_OK;
}

/* The same for two vocabularies of the same words, whatever their counts. */
static foci_status hash_words(const foci_vocabulary *v, uint64_t *hash) {
    char *words;
    size_t size;
    FOCI_TRY(print(v, false, &words, &size));
    *hash = XXH3_64bits(words, size);
    free(words);
    return FOCI_OK;
}

/* ------------------------------------------------------------------------------------------------ reading */

static foci_pack_kind kind_of(foci_token_kind tokens) { return FOCI_PACK_WORDS + tokens; }

static foci_status open_pack(foci_pack *p, const char *path, foci_token_kind tokens) {
    FOCI_TRY(foci_pack_open(p, path, kind_of(tokens)));
    if (p->table_size > WORDS && p->count >= 1 && p->count <= p->table_offset / 4 &&
        foci_pack_holds(p, IDS, 4 * p->count) && foci_number(p->table + 8, 8) <= p->count &&
        foci_number(p->table + 16, 8) <= p->count)
        return FOCI_OK;
    foci_status status = foci_fail(FOCI_ERR_DATA, "%s: byte 16: %" PRIu64 " tokens before byte %zu, %zu bytes after it",
                                   path, p->count, p->table_offset, p->table_size);
    foci_pack_close(p);
    return status;
}

/* A pack has the words that it was made with. */
static foci_status check_choice(const foci_vocabulary *v, foci_word_choice choice, const char *path) {
    const int64_t size = foci_vocabulary_size(v);
    if (choice.limit && size > choice.limit)
        return foci_fail(FOCI_ERR_DATA,
                         "%s: packed with %" PRId64
                         " words, more than data.vocab_limit: pack it with --vocab-limit %" PRId64,
                         path, size, choice.limit);
    const int32_t unknown = foci_vocabulary_id(v, "<unk>");
    for (int32_t id = 1; id < size && choice.min_count > 1; id++)
        if (id != unknown && foci_vocabulary_frequency(v, id) < choice.min_count)
            return foci_fail(FOCI_ERR_DATA,
                             "%s: packed with words seen less often than data.min_count: pack it with --min-count "
                             "%" PRId64,
                             path, choice.min_count);
    return FOCI_OK;
}

static foci_status parse(foci_vocabulary **v, const char *path, const char *words, size_t size,
                         foci_word_choice choice) {
    foci_bpe *bpe;
    if (choice.tokens != FOCI_SUBWORDS) return foci_vocabulary_parse(v, path, words, size, true);
    FOCI_TRY(foci_bpe_parse(&bpe, path, words, size));
    return foci_vocabulary_of_bpe(v, bpe, choice.reading);
}

foci_status foci_text_pack_vocabulary(foci_vocabulary **v, const char *path, foci_word_choice choice) {
    *v = NULL;
    foci_pack p;
    FOCI_TRY(open_pack(&p, path, choice.tokens));
    foci_status status = parse(v, path, (const char *)p.table + WORDS, p.table_size - WORDS, choice);
    foci_pack_close(&p);
    if (!status && choice.tokens != FOCI_SUBWORDS) status = foci_vocabulary_declare(*v, choice.tokens, path);
    if (!status) status = check_choice(*v, choice, path);
    if (!status) return FOCI_OK;
    foci_vocabulary_free(*v);
    *v = NULL;
    return status;
}

static uint32_t largest(const int32_t *ids, uint64_t count) {
    uint32_t most = 0;
    for (uint64_t i = 0; i < count; i++) most = (uint32_t)ids[i] > most ? (uint32_t)ids[i] : most;
    return most;
}

static foci_status check_ids(const foci_pack *p, const int32_t *ids, const foci_vocabulary *v, const char *path) {
    uint64_t words;
    FOCI_TRY(hash_words(v, &words));
    if (words != p->extra)
        return foci_fail(FOCI_ERR_DATA, "%s: packed with another vocabulary than that of data.train", path);
    if (XXH3_64bits(ids, 4 * p->count) != foci_number(p->table, 8))
        return foci_fail(FOCI_ERR_DATA, "%s: byte %d: the ids are damaged (wrong checksum)", path, IDS);
    if (largest(ids, p->count) >= foci_vocabulary_size(v))
        return foci_fail(FOCI_ERR_DATA, "%s: word %" PRIu32 " of %" PRId64, path, largest(ids, p->count),
                         foci_vocabulary_size(v));
    return FOCI_OK;
}

foci_status foci_text_pack_tokens(foci_tokens *t, const foci_vocabulary *v, const char *path) {
    *t = (foci_tokens){0};
    foci_pack p;
    FOCI_TRY(open_pack(&p, path, foci_vocabulary_tokens(v)));
    const int32_t *ids = (const int32_t *)(const void *)(p.map.data + IDS);
    foci_status status = check_ids(&p, ids, v, path);
    if (status) foci_pack_close(&p);
    else
        *t = (foci_tokens){.count = (int64_t)p.count,
                           .lines = (int64_t)foci_number(p.table + 8, 8),
                           .unknown = (int64_t)foci_number(p.table + 16, 8),
                           .ids = ids,
                           .map = p.map};
    return status;
}

/* ------------------------------------------------------------------------------------------------ writing */

static foci_status fill(foci_pack_writer *w, const foci_tokens *t, const foci_vocabulary *v) {
    uint64_t offset, words;
    char *vocabulary;
    size_t size;
    FOCI_TRY(hash_words(v, &words));
    FOCI_TRY(foci_pack_add(w, t->ids, (size_t)t->count * 4, &offset));
    FOCI_TRY(print(v, true, &vocabulary, &size));
    foci_bytes table = {0};
    foci_bytes_add_number(&table, XXH3_64bits(t->ids, (size_t)t->count * 4), 8);
    foci_bytes_add_number(&table, (uint64_t)t->lines, 8);
    foci_bytes_add_number(&table, (uint64_t)t->unknown, 8);
    foci_bytes_add(&table, vocabulary, size);
    foci_status status = table.failed ? foci_fail(FOCI_ERR_RUNTIME, "out of memory for the vocabulary")
                                      : foci_pack_finish(w, kind_of(foci_vocabulary_tokens(v)), (uint64_t)t->count,
                                                         words, table.data, table.size);
    free(vocabulary);
    free(table.data);
    return status;
}

foci_status foci_pack_text(const char *path, const foci_tokens *t, const foci_vocabulary *v) {
    foci_pack_writer w;
    FOCI_TRY(foci_pack_create(&w, path));
    foci_status status = fill(&w, t, v);
    if (status) foci_writer_abort(&w.file);
    return status;
}
