/* Sentences of words, with labels, as the Stanford Sentiment Treebank has them. */
#include <stdio.h>
#include <string.h>

#include "base/utf8.h"
#include "sequences/set.h"
#include "text/read.h"

/* ---------------------------------------------------------------------------------------------------- words */

/* Takes the words of a sentence one by one, small and ended by 0. */
typedef struct taking {
    foci_status (*take)(void *context, const char *word, size_t length);
    void *context;
} taking;

static foci_status check_word(const char *word, size_t length) {
    uint32_t code;
    for (size_t at = 0, n; at < length; at += n) {
        if (!word[at]) return foci_fail(FOCI_ERR_DATA, "a 0 byte: this is not text");
        n = (size_t)foci_utf8(word + at, length - at, &code);
        if (!n) return foci_fail(FOCI_ERR_DATA, "byte 0x%02x is not UTF-8", (unsigned char)word[at]);
    }
    return FOCI_OK;
}

static foci_status take_word(const taking *t, const char *from, size_t length) {
    char word[FOCI_WORD_MAX + 1];
    if (length > FOCI_WORD_MAX) return foci_fail(FOCI_ERR_DATA, "a word of more than %d bytes", FOCI_WORD_MAX);
    FOCI_TRY(check_word(from, length));
    for (size_t i = 0; i < length; i++)
        word[i] = (char)(from[i] >= 'A' && from[i] <= 'Z' ? from[i] - 'A' + 'a' : from[i]);
    word[length] = 0;
    return t->take(t->context, word, length);
}

/* <CLS>, the words, <S> */
static foci_status each_word(const char *text, size_t size, const taking *t) {
    const char *at = text, *end = text + size;
    int64_t words = 0;
    FOCI_TRY(t->take(t->context, "<CLS>", strlen("<CLS>")));
    for (const char *stop; at < end; at = stop) {
        for (stop = at; stop < end && !foci_is_space((unsigned char)*stop);) stop++;
        if (stop > at) words++;
        if (stop > at) FOCI_TRY(take_word(t, at, (size_t)(stop - at)));
        while (stop < end && foci_is_space((unsigned char)*stop)) stop++;
    }
    if (!words) return foci_fail(FOCI_ERR_DATA, "the sequence is empty");
    return t->take(t->context, "<S>", strlen("<S>"));
}

/* ------------------------------------------------------------------------------------------------------ ids */

typedef struct numbering {
    const foci_vocabulary *words;
    int64_t most, length, unknown; /* length: of all */
    int32_t *ids;                  /* (most) */
} numbering;

/* The last word of a sentence stays where others are cut. */
static foci_status number_word(void *context, const char *word, size_t length) {
    numbering *n = context;
    const int32_t id = foci_vocabulary_id(n->words, word), unknown = foci_vocabulary_id(n->words, "<unk>");
    (void)length;
    n->unknown += id < 0 || (id == unknown && strcmp(word, "<unk>") != 0);
    if (id < 0) return FOCI_OK;
    if (n->most) n->ids[n->length < n->most ? n->length : n->most - 1] = id;
    n->length++;
    return FOCI_OK;
}

static foci_status number_words(numbering *n, const char *text, size_t size) {
    return each_word(text, size, &(taking){number_word, n});
}

foci_status foci_sentence_line(const foci_vocabulary *words, const char *text, int64_t most, int32_t *ids,
                               int64_t *length) {
    numbering n = {.words = words, .most = most, .ids = ids};
    FOCI_TRY(number_words(&n, text, strlen(text)));
    *length = n.length < most ? n.length : most;
    return FOCI_OK;
}

static foci_status read_sentence(const foci_sequences *s, const foci_sequence *x, int side, int64_t most,
                                 int32_t *ids) {
    numbering n = {.words = s->words, .most = most, .ids = ids};
    (void)side;
    return number_words(&n, x->at[0], x->bytes);
}

static void token(const foci_sequences *s, int32_t id, char text[FOCI_TOKEN_TEXT]) {
    snprintf(text, FOCI_TOKEN_TEXT, "%.*s ", FOCI_TOKEN_TEXT - 2, foci_vocabulary_word(s->words, id));
}

static const foci_sequence_kind sentences = {.in_front = true, .read = read_sentence, .token = token};

/* ---------------------------------------------------------------------------------------------------- a file */

static bool is(const foci_row *row, int column, const char *text) {
    return row->column[column].length == strlen(text) && memcmp(row->column[column].text, text, strlen(text)) == 0;
}

static foci_status pass(void *context, const char *word, size_t length) {
    return (void)context, (void)word, (void)length, FOCI_OK;
}

static foci_status add_row(foci_sequences *s, const foci_row *row) {
    foci_sequence x = {.at = {row->column[0].text}, .bytes = row->column[0].length, .line = s->rows.line};
    if (each_word(x.at[0], x.bytes, &(taking){pass, NULL}) ||
        foci_sequences_class(s, row->column[1].text, row->column[1].length, &x.label))
        return foci_rows_fail(&s->rows, "%s", foci_error_message());
    return foci_sequences_add(s, &x);
}

static foci_status fill(foci_sequences *s) {
    foci_row row;
    FOCI_TRY(foci_rows_open(&s->rows, s->path));
    while (foci_rows_next(&s->rows, &row)) {
        if (row.columns != 2)
            return foci_rows_fail(&s->rows, "%d column%s, not SENTENCE<TAB>LABEL", row.columns,
                                  foci_plural(row.columns, "s"));
        if (s->rows.line == 1 && is(&row, 0, "sentence") && is(&row, 1, "label")) continue;
        if (s->rows.line == 1 && is(&row, 0, "index") && is(&row, 1, "sentence"))
            return foci_rows_fail(&s->rows, "GLUE's test sentences, which have no labels");
        FOCI_TRY(add_row(s, &row));
    }
    return FOCI_OK;
}

foci_status foci_sentences_open(foci_sequences **s, const char *path) {
    FOCI_TRY(foci_sequences_new(s, &sentences, path, 1));
    return foci_sequences_filled(s, fill(*s));
}

/* ----------------------------------------------------------------------------------------------- a vocabulary */

static foci_status count_word(void *context, const char *word, size_t length) {
    return foci_vocabulary_count(context, word, length);
}

foci_status foci_sentences_count(const foci_sequences *s, foci_vocabulary *words) {
    for (int64_t i = 0; i < s->count; i++)
        FOCI_TRY(each_word(s->item[i].at[0], s->item[i].bytes, &(taking){count_word, words}));
    return FOCI_OK;
}

foci_status foci_sentences_number(foci_sequences *s, const foci_vocabulary *words) {
    s->words = words;
    s->unknown = 0;
    for (int64_t i = 0; i < s->count; i++) {
        numbering n = {.words = words};
        FOCI_TRY(number_words(&n, s->item[i].at[0], s->item[i].bytes));
        s->item[i].length[0] = n.length;
        s->unknown += n.unknown;
    }
    return FOCI_OK;
}
