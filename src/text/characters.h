/* Bytes and characters as tokens: what they are called in a vocabulary, and which of them a text has; internal to this
 * room. A code is a byte's value or a character's number in Unicode; '\n', the end of a line, is <eos>. */
#ifndef FOCI_TEXT_CHARACTERS_H
#define FOCI_TEXT_CHARACTERS_H

#include "base/utf8.h"
#include "text/read.h"

enum { FOCI_CODES = 0x110000, FOCI_CODE_NAME = 16 /* bytes of a name, with its end */ };

/* The code that `text`, of `size` bytes, at least one, begins with: its length in bytes, 0 where it is none. */
static inline int foci_code_at(foci_token_kind kind, const char *text, size_t size, int32_t *code) {
    uint32_t character = (unsigned char)*text;
    const int length = kind == FOCI_BYTES || character < 0x80 ? 1 : foci_utf8(text, size, &character);
    *code = (int32_t)character;
    return length;
}
/* The same as it stands in a text; returns the length. */
int foci_code_text(foci_token_kind kind, int32_t code, char text[4]);

/* A byte's name is its value in decimal, a character's is the character itself, or <U+0020> where nothing would be
 * seen. */
void foci_code_name(foci_token_kind kind, int32_t code, char name[FOCI_CODE_NAME]);
/* The reverse; -1: it is no code's name. */
int32_t foci_code_of(foci_token_kind kind, const char *name);

/* The codes of a text: those that it has in the order in which they were first seen; behind them, of bytes, the others.
 */
typedef struct foci_census {
    int32_t *code;
    int64_t codes;
    int64_t *count; /* (FOCI_CODES), by code */
} foci_census;
foci_status foci_census_take(foci_census *c, foci_text_reader *r);
void foci_census_free(foci_census *c); /* after a failure too */

#endif
