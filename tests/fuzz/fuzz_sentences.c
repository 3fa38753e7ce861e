/* Sentences with labels: their words are counted, and then they are read by these, by a vocabulary that has an <unk>,
 * and as lines. */
#include "fuzz.h"

#include "sequences/sequences.h"

enum { LONGEST = 20 };

static void check_row(const int32_t *ids, int64_t n, const foci_vocabulary *words) {
    for (int64_t t = 0; t < n; t++)
        if (ids[t] < 0 || ids[t] >= foci_vocabulary_size(words)) abort();
}

static void use(foci_sequences *s, const foci_vocabulary *words) {
    int32_t ids[LONGEST];
    foci_real mask[LONGEST];
    char text[FOCI_TOKEN_TEXT], name[300];
    if (foci_sentences_number(s, words)) abort();
    for (int64_t i = 0; i < foci_sequences_count(s); i++)
        for (int64_t cut = 1; cut <= LONGEST; cut += 6) {
            if (foci_sequences_read(s, i, LONGEST, cut, ids, mask)) abort();
            check_row(ids, LONGEST, words);
            foci_sequences_token(s, ids[LONGEST - 1], text);
            foci_sequences_name(s, i, name, sizeof name);
        }
}

static void use_lines(char *text, const foci_vocabulary *words) {
    int32_t ids[LONGEST];
    int64_t length;
    char *rest;
    for (char *line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest))
        if (!foci_sentence_line(words, line, LONGEST, ids, &length)) check_row(ids, length, words);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static const char given[] = "<eos>\n<CLS>\n<unk>\nfilm\n<S>\n";
    foci_sequences *s;
    foci_vocabulary *counted, *other;
    char *text = fuzz_text(data, size);
    if (foci_vocabulary_begin(&counted) || foci_vocabulary_load(&other, fuzz_file("words", given, strlen(given))))
        abort();
    if (!foci_sentences_open(&s, fuzz_file("lines", data, size))) {
        if (foci_sentences_count(s, counted) || foci_vocabulary_counted(counted)) abort();
        use(s, counted);
        if (foci_sequences_unknown(s)) abort();
        use(s, other);
        foci_sequences_close(s);
    }
    use_lines(text, other);
    foci_vocabulary_free(counted);
    foci_vocabulary_free(other);
    free(text);
    return 0;
}
