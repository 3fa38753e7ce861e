/* A text, plain or gzip, as words, characters and bytes: its tokens, and windows of them. */
#include "fuzz.h"

#include "text/text.h"

static void read_as(foci_token_kind kind, const char *path) {
    foci_vocabulary *v;
    foci_tokens t;
    foci_windows w;
    if (foci_vocabulary_build(&v, path, (foci_word_choice){.limit = 50, .tokens = kind})) return;
    if (!foci_tokens_read(&t, v, path)) {
        if (!foci_windows_make(&w, &t, 2, 3)) {
            int32_t ids[6], targets[6];
            for (int64_t i = 0; i < foci_windows_count(&w); i++)
                foci_windows_copy(&w, 3 * i, foci_windows_length(&w, i), ids, targets);
        }
        char text[FOCI_WORD_MAX + 1];
        for (int64_t i = 0; i < t.count; i++)
            if (!foci_vocabulary_spell(v, t.ids[i], text)) abort();
        foci_unigram_perplexity(v, &t);
        foci_tokens_free(&t);
    }
    foci_vocabulary_free(v);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    const char *path = fuzz_file("text", data, size);
    if (size && data[0] == 'f') return 0; /* not a pack */
    for (int kind = FOCI_WORDS; kind <= FOCI_BYTES; kind++) read_as((foci_token_kind)kind, path);
    return 0;
}
