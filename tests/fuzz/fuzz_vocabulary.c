/* A vocabulary, plain and with counts, and a prompt (the last line) looked up in it. */
#include "fuzz.h"

#include "text/vocabulary.h"

static void use(const foci_vocabulary *v, char *prompt) {
    char *rest;
    for (char *word = strtok_r(prompt, " ", &rest); word; word = strtok_r(NULL, " ", &rest))
        if (foci_vocabulary_id(v, word) >= foci_vocabulary_size(v)) abort();
    for (int32_t id = 0; id < foci_vocabulary_size(v); id++)
        if (foci_vocabulary_id(v, foci_vocabulary_word(v, id)) != id) abort();
    if (foci_vocabulary_save(v, fuzz_file("saved", "", 0))) abort();
}

/* As a vocabulary of characters and of bytes, where it can be one. */
static void declare(foci_vocabulary *v, const char *prompt) {
    for (int kind = FOCI_CHARS; kind <= FOCI_BYTES; kind++) {
        if (foci_vocabulary_declare(v, (foci_token_kind)kind, "fuzzed")) continue;
        for (int32_t id; *prompt; prompt++)
            if (foci_vocabulary_take(v, prompt, strlen(prompt), &id) && id >= foci_vocabulary_size(v)) abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    foci_vocabulary *v;
    for (int counts = 0; counts < 2; counts++) {
        char *text = fuzz_text(data, size);
        const char *last = memrchr(text, '\n', size);
        if (!foci_vocabulary_parse(&v, "fuzzed", text, size, counts)) {
            use(v, last ? text + (last - text) + 1 : text);
            declare(v, last ? last + 1 : text);
            foci_vocabulary_free(v);
        }
        free(text);
    }
    if (!foci_vocabulary_load(&v, fuzz_file("words", data, size))) foci_vocabulary_free(v);
    return 0;
}
