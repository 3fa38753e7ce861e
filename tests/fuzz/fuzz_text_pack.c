/* A pack of a text, whatever its tokens are: its vocabulary, its tokens. */
#include "fuzz.h"

#include "text/pack.h"

/* The ids' checksum, first in the table, and that of the words are made right too. */
static void seal(uint8_t *data, size_t size) {
    if (size < 64) return;
    uint64_t table, count, hash;
    memcpy(&count, data + 16, 8);
    memcpy(&table, data + 24, 8);
    if (table <= size && size - table >= 8 && count <= (size - 64) / 4) {
        hash = XXH3_64bits(data + 64, 4 * count);
        memcpy(data + table, &hash, 8);
    }
    fuzz_seal_pack(data, size);
}

static void read_as(foci_token_kind kind, const char *path) {
    foci_vocabulary *v;
    foci_tokens t;
    if (foci_text_pack_vocabulary(&v, path, (foci_word_choice){.tokens = kind})) return;
    if (!foci_text_pack_tokens(&t, v, path)) {
        for (int64_t i = 0; i < t.count; i++)
            if (t.ids[i] < 0 || t.ids[i] >= foci_vocabulary_size(v)) abort();
        foci_unigram_perplexity(v, &t);
        foci_tokens_free(&t);
    }
    foci_vocabulary_free(v);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    uint8_t *copy = fuzz_copy(data, size);
    seal(copy, size);
    const char *path = fuzz_file("x.pack", copy, size);
    free(copy);
    for (int kind = FOCI_WORDS; kind <= FOCI_SUBWORDS; kind++) read_as((foci_token_kind)kind, path);
    return 0;
}
