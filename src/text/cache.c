/* The vocabulary of a text, kept beside it as TEXT.vocab: counting WikiText-103 takes longer than reading
 * this.
 *
 *     foci-vocabulary 1 text SIZE XXH3 limit LIMIT words XXH3
 *     COUNT WORD                                                   one line a word, in order of ids
 *
 * The first line is a function of the text, the limit and the lines after it: one comparison tells whether
 * the cache belongs to this text and is whole. */
#include "text/vocabulary.h"

#include "base/file.h"
#include "data/pack.h"
#include "text/pack.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

typedef struct identity {
    char cache[4096]; /* path of the cache file */
    const char *path;
    size_t size;
    uint64_t hash;
    int64_t limit;
} identity;

static foci_status identify(identity *id, const char *path, int64_t limit) {
    *id = (identity){.path = path, .limit = limit};
    if (snprintf(id->cache, sizeof id->cache, "%s.vocab", path) >= (int)sizeof id->cache)
        return foci_fail(FOCI_ERR_IO, "%.64s...: path too long", path);
    foci_map map;
    FOCI_TRY(foci_map_open(&map, path, FOCI_ERR_DATA));
    id->size = map.size;
    id->hash = XXH3_64bits(map.data, map.size);
    foci_map_close(&map);
    return FOCI_OK;
}

static size_t header(char line[256], const identity *id, const char *words, size_t size) {
    return (size_t)snprintf(line, 256,
                            "foci-vocabulary 1 text %zu %016" PRIx64 " limit %" PRId64 " words %016" PRIx64 "\n",
                            id->size, id->hash, id->limit, (uint64_t)XXH3_64bits(words, size));
}

static foci_status read_cache(foci_vocabulary **v, const identity *id) {
    char *text;
    size_t size;
    FOCI_TRY(foci_read_file(id->cache, FOCI_VOCABULARY_BYTES, &text, &size, FOCI_ERR_DATA));
    char *newline = memchr(text, '\n', size), expected[256];
    size_t first = newline ? (size_t)(newline - text) + 1 : 0;
    foci_status status;
    if (header(expected, id, text + first, size - first) == first && !memcmp(text, expected, first))
        status = foci_vocabulary_parse(v, id->cache, text + first, size - first, true);
    else status = foci_fail(FOCI_ERR_DATA, "%s: not the vocabulary of this text, or damaged", id->cache);
    free(text);
    return status;
}

static foci_status write_cache(const foci_vocabulary *v, const identity *id) {
    char *words, first[256];
    size_t size;
    FOCI_TRY(foci_vocabulary_print(v, true, &words, &size));
    foci_writer w;
    foci_status status = foci_writer_open(&w, id->cache);
    if (!status) {
        foci_write(&w, first, header(first, id, words, size));
        foci_write(&w, words, size);
        status = foci_writer_commit(&w);
    }
    free(words);
    return status;
}

foci_status foci_vocabulary_cached(foci_vocabulary **v, const char *path, int64_t limit) {
    if (foci_is_pack(path)) return foci_text_pack_vocabulary(v, path, limit);
    *v = NULL;
    identity id;
    FOCI_TRY(identify(&id, path, limit));
    bool present = foci_path_kind(id.cache) != 0;
    if (present && read_cache(v, &id) == FOCI_OK) return FOCI_OK;
    if (present) foci_log(FOCI_LOG_INFO, "%s; it is built again", foci_error_message());
    FOCI_TRY(foci_vocabulary_build(v, path, limit));
    if (write_cache(*v, &id)) foci_log(FOCI_LOG_INFO, "the vocabulary is not cached: %s", foci_error_message());
    return FOCI_OK;
}
