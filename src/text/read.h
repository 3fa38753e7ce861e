/* The words, characters or bytes of a text file, plain or gzip, one at a time: for this room, and for who reads words
 * elsewhere what they are. */
#ifndef FOCI_TEXT_READ_H
#define FOCI_TEXT_READ_H

#include "text/text.h"

#include <zlib.h>

/* ASCII white space as Python's str.split sees it; every other character belongs to a word. */
static inline bool foci_is_space(unsigned char c) {
    return c == ' ' || (c >= '\t' && c <= '\r') || (c >= 0x1c && c <= 0x1f);
}

typedef enum foci_text_item { FOCI_TEXT_WORD, FOCI_TEXT_LINE_END, FOCI_TEXT_END } foci_text_item;

typedef struct foci_text_reader {
    const char *path;
    foci_token_kind kind;
    gzFile file;
    int64_t line, tokens; /* of the item last returned: its line, from 1; how many came so far */
    bool in_line;         /* something of the line was read, its end was not */
    size_t next, end;     /* unread part of buffer */
    size_t length;        /* of word */
    char word[FOCI_WORD_MAX + 1];
    unsigned char buffer[1 << 16];
} foci_text_reader;

/* FOCI_ERR_DATA where there is no such file. `path` must outlive the reader. */
foci_status foci_text_open(foci_text_reader *r, const char *path, foci_token_kind kind);
/* The next word (in r->word, ended by 0), end of a line (also after a last line without newline, also of
 * blank lines), or end of the file. A byte order mark at the start is no part of a word. FOCI_ERR_DATA with file and
 * line: a 0 byte, a byte that is no UTF-8, a word of more than FOCI_WORD_MAX bytes, more than 2^31 - 1 tokens, a
 * damaged gzip, one that expands more than 100 times. */
foci_status foci_text_next(foci_text_reader *r, foci_text_item *item);
/* The same of characters or bytes: the next one's code, '\n' also after a last line without newline; -1: the end of the
 * file. Nothing but more than 2^31 - 1 of them and a bad gzip is wrong with bytes, a byte order mark is three of them.
 */
foci_status foci_text_code(foci_text_reader *r, int32_t *code);
void foci_text_close(foci_text_reader *r);

#endif
