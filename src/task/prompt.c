#include "task/prompt.h"

#include <stdlib.h>
#include <string.h>

static const char blanks[] = " \t\r\v\f";

static foci_status add_id(foci_ids *ids, int32_t id, const char *word, size_t length) {
    if (id < 0)
        return foci_fail(FOCI_ERR_CONFIG, "`%.*s` is not in the vocabulary, which has no <unk> (data.min_count)",
                         (int)length, word);
    return foci_ids_add(ids, &id, 1);
}

static foci_status add_word(foci_ids *ids, const foci_vocabulary *v, const char *word) {
    return add_id(ids, foci_vocabulary_id(v, word), word, strlen(word));
}

static foci_status add_line(foci_ids *ids, const foci_vocabulary *v, char *line) {
    char *rest;
    for (char *word = strtok_r(line, blanks, &rest); word; word = strtok_r(NULL, blanks, &rest))
        FOCI_TRY(add_word(ids, v, word));
    return FOCI_OK;
}

static foci_status add_characters(foci_ids *ids, const foci_vocabulary *v, const char *text) {
    const size_t size = strlen(text);
    int32_t id;
    for (size_t at = 0, length; at < size; at += length) {
        if (!(length = (size_t)foci_vocabulary_take(v, text + at, size - at, &id)))
            return foci_fail(FOCI_ERR_CONFIG, "byte 0x%02x, number %zu of the prompt, is not UTF-8",
                             (unsigned char)text[at], at);
        FOCI_TRY(add_id(ids, id, text + at, length));
    }
    return FOCI_OK;
}

/* A text begins as documents do. */
static foci_status add_subwords(foci_ids *ids, const foci_bpe *bpe, const char *text) {
    const int32_t end_of_text = foci_bpe_end_of_text(bpe);
    if (end_of_text < 0 && !*text)
        return foci_fail(FOCI_ERR_CONFIG, "is empty, and the tokenizer has no end-of-text token to begin with");
    if (end_of_text >= 0) FOCI_TRY(foci_ids_add(ids, &end_of_text, 1));
    return *text ? foci_bpe_encode_text(bpe, text, strlen(text), false, ids) : FOCI_OK;
}

foci_status foci_prompt_read(foci_ids *ids, const foci_vocabulary *v, const char *prompt) {
    if (foci_vocabulary_bpe(v)) return add_subwords(ids, foci_vocabulary_bpe(v), prompt);
    FOCI_TRY(add_word(ids, v, "<eos>"));
    if (foci_vocabulary_tokens(v) != FOCI_WORDS) return add_characters(ids, v, prompt);
    char *text = strdup(prompt);
    if (!text) return foci_out_of_memory();
    foci_status s = FOCI_OK;
    for (char *line = text, *end; line && !s; line = end) {
        if ((end = strchr(line, '\n'))) *end++ = 0;
        s = add_line(ids, v, line);
        if (end && !s) s = add_word(ids, v, "<eos>");
    }
    free(text);
    return s;
}
