#include "task/prompt.h"

#include <stdlib.h>
#include <string.h>

static const char blanks[] = " \t\r\v\f";

static foci_status add_id(foci_generator *g, int32_t id, const char *word, size_t length) {
    if (id < 0)
        return foci_fail(FOCI_ERR_CONFIG, "`%.*s` is not in the vocabulary, which has no <unk> (data.min_count)",
                         (int)length, word);
    return foci_generator_add(g, &id, 1);
}

static foci_status add_word(foci_generator *g, const foci_vocabulary *v, const char *word) {
    return add_id(g, foci_vocabulary_id(v, word), word, strlen(word));
}

static foci_status add_line(foci_generator *g, const foci_vocabulary *v, char *line) {
    char *rest;
    for (char *word = strtok_r(line, blanks, &rest); word; word = strtok_r(NULL, blanks, &rest))
        FOCI_TRY(add_word(g, v, word));
    return FOCI_OK;
}

static foci_status add_characters(foci_generator *g, const foci_vocabulary *v, const char *text) {
    const size_t size = strlen(text);
    int32_t id;
    for (size_t at = 0, length; at < size; at += length) {
        if (!(length = (size_t)foci_vocabulary_take(v, text + at, size - at, &id)))
            return foci_fail(FOCI_ERR_CONFIG, "byte 0x%02x, number %zu of the prompt, is not UTF-8",
                             (unsigned char)text[at], at);
        FOCI_TRY(add_id(g, id, text + at, length));
    }
    return FOCI_OK;
}

/* A text begins as documents do. */
static foci_status add_subwords(foci_generator *g, const foci_bpe *bpe, const char *text) {
    const int32_t end_of_text = foci_bpe_end_of_text(bpe);
    foci_ids ids = {0};
    if (end_of_text < 0 && !*text)
        return foci_fail(FOCI_ERR_CONFIG, "is empty, and the tokenizer has no end-of-text token to begin with");
    if (end_of_text >= 0) FOCI_TRY(foci_generator_add(g, &end_of_text, 1));
    foci_status s = *text ? foci_bpe_encode_text(bpe, text, strlen(text), false, &ids) : FOCI_OK;
    if (!s && ids.count) s = foci_generator_add(g, ids.id, ids.count);
    free(ids.id);
    return s;
}

foci_status foci_generator_prompt(foci_generator *g, const foci_vocabulary *v, const char *prompt) {
    if (foci_vocabulary_bpe(v)) return add_subwords(g, foci_vocabulary_bpe(v), prompt);
    FOCI_TRY(add_word(g, v, "<eos>"));
    if (foci_vocabulary_tokens(v) != FOCI_WORDS) return add_characters(g, v, prompt);
    char *text = strdup(prompt);
    if (!text) return foci_fail(FOCI_ERR_RUNTIME, "out of memory");
    foci_status s = FOCI_OK;
    for (char *line = text, *end; line && !s; line = end) {
        if ((end = strchr(line, '\n'))) *end++ = 0;
        s = add_line(g, v, line);
        if (end && !s) s = add_word(g, v, "<eos>");
    }
    free(text);
    return s;
}
