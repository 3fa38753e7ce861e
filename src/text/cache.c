#define _GNU_SOURCE
/* The vocabulary of a text, kept where it can be found again: counting WikiText-103 takes longer than reading this.
 *
 *     foci-vocabulary 2 text SIZE XXH3 limit LIMIT least COUNT words XXH3
 *     WORDS TOKENS                                                 that are rare, and not below
 *     COUNT WORD                                                   one line a word, in order of ids
 *
 * The first line is a function of the text, the choice of words and the lines after it: one comparison tells whether
 * the cache belongs to this text and is whole. The file is named after the same, whatever the text is called. */
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
    char cache[4096]; /* path of the cache file; "": there is no place for one */
    size_t size;
    uint64_t hash;
    foci_word_choice choice;
} identity;

/* Nothing is ever written beside the text, which is not foci's. */
static const char *cache_folder(char folder[4096]) {
    const char *own = getenv("FOCI_CACHE"), *all = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
    int n = 0;
    if (own && *own) n = snprintf(folder, 4096, "%s", own);
    else if (all && *all) n = snprintf(folder, 4096, "%s/foci", all);
    else if (home && *home) n = snprintf(folder, 4096, "%s/.cache/foci", home);
    return n > 0 && n < 4096 ? folder : NULL;
}

static foci_status identify(identity *id, const char *path, foci_word_choice choice) {
    char folder[4096];
    foci_map map;
    *id = (identity){.choice = choice};
    FOCI_TRY(foci_map_open(&map, path, FOCI_ERR_DATA));
    id->size = map.size;
    id->hash = XXH3_64bits(map.data, map.size);
    foci_map_close(&map);
    if (!cache_folder(folder) || foci_make_dirs(folder)) return FOCI_OK;
    const int n = snprintf(id->cache, sizeof id->cache, "%s/%016" PRIx64 "-%zu-%" PRId64 "-%" PRId64 ".vocab", folder,
                           id->hash, id->size, choice.limit, choice.min_count);
    if (n >= (int)sizeof id->cache) id->cache[0] = 0;
    return FOCI_OK;
}

static size_t header(char line[256], const identity *id, const char *words, size_t size) {
    return (size_t)snprintf(
        line, 256,
        "foci-vocabulary 2 text %zu %016" PRIx64 " limit %" PRId64 " least %" PRId64 " words %016" PRIx64 "\n",
        id->size, id->hash, id->choice.limit, id->choice.min_count, (uint64_t)XXH3_64bits(words, size));
}

static foci_status parse(foci_vocabulary **v, const identity *id, const char *text, size_t size) {
    foci_rare_words rare;
    int n = 0;
    if (sscanf(text, "%" SCNd64 " %" SCNd64 "\n%n", &rare.words, &rare.tokens, &n) != 2)
        return foci_fail(FOCI_ERR_DATA, "%s: no count of rare words", id->cache);
    FOCI_TRY(foci_vocabulary_parse(v, id->cache, text + n, size - (size_t)n, true));
    foci_vocabulary_set_rare(*v, rare);
    return FOCI_OK;
}

static foci_status read_cache(foci_vocabulary **v, const identity *id) {
    char *text;
    size_t size;
    FOCI_TRY(foci_read_file(id->cache, FOCI_VOCABULARY_BYTES, &text, &size, FOCI_ERR_DATA));
    char *newline = memchr(text, '\n', size), expected[256];
    size_t first = newline ? (size_t)(newline - text) + 1 : 0;
    foci_status status;
    if (header(expected, id, text + first, size - first) == first && !memcmp(text, expected, first))
        status = parse(v, id, text + first, size - first);
    else status = foci_fail(FOCI_ERR_DATA, "%s: not the vocabulary of this text, or damaged", id->cache);
    free(text);
    return status;
}

static foci_status write_cache(const foci_vocabulary *v, const identity *id) {
    const foci_rare_words rare = foci_vocabulary_rare(v);
    char *words, *text = NULL, first[256];
    size_t size;
    FOCI_TRY(foci_vocabulary_print(v, true, &words, &size));
    const int length = asprintf(&text, "%" PRId64 " %" PRId64 "\n%s", rare.words, rare.tokens, words);
    free(words);
    if (length < 0) return foci_fail(FOCI_ERR_RUNTIME, "out of memory for the vocabulary");
    foci_writer w;
    foci_status status = foci_writer_open(&w, id->cache);
    if (!status) {
        foci_write(&w, first, header(first, id, text, (size_t)length));
        foci_write(&w, text, (size_t)length);
        status = foci_writer_commit(&w);
    }
    free(text);
    return status;
}

foci_status foci_vocabulary_cached(foci_vocabulary **v, const char *path, foci_word_choice choice) {
    if (foci_is_pack(path)) return foci_text_pack_vocabulary(v, path, choice);
    if (choice.tokens != FOCI_WORDS) return foci_vocabulary_build(v, path, choice); /* counted in a moment */
    *v = NULL;
    identity id;
    FOCI_TRY(identify(&id, path, choice));
    const bool present = *id.cache && foci_path_kind(id.cache);
    if (present && read_cache(v, &id) == FOCI_OK) return FOCI_OK;
    if (present) foci_log(FOCI_LOG_INFO, "%s; it is built again", foci_error_message());
    FOCI_TRY(foci_vocabulary_build(v, path, choice));
    if (*id.cache) write_cache(*v, &id); /* a failure costs time only */
    return FOCI_OK;
}
