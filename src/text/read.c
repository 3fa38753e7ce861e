#include "text/read.h"

#include "base/utf8.h"
#include "data/gzip.h"
#include "text/characters.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

foci_status foci_text_open(foci_text_reader *r, const char *path, foci_token_kind kind_of_token) {
    *r = (foci_text_reader){.path = path, .kind = kind_of_token};
    return foci_gzip_open(&r->file, path);
}

void foci_text_close(foci_text_reader *r) {
    if (r->file) gzclose_r(r->file);
    r->file = NULL;
}

/* The byte order mark that some editors put before the first word. */
static void skip_mark(foci_text_reader *r) {
    if (r->end < 3 || memcmp(r->buffer, "\xEF\xBB\xBF", 3) != 0) return;
    r->end -= 3;
    memmove(r->buffer, r->buffer + 3, r->end);
}

/* Reads on behind what is unread. */
static foci_status fill(foci_text_reader *r) {
    const size_t rest = r->end - r->next, room = sizeof r->buffer - rest;
    memmove(r->buffer, r->buffer + r->next, rest);
    char place[32];
    size_t n;
    snprintf(place, sizeof place, "line %" PRId64, r->line);
    FOCI_TRY(foci_gzip_read(r->file, r->path, place, r->buffer + rest, room, &n));
    r->next = 0;
    r->end = rest + n;
    if (gztell(r->file) == (z_off_t)n && r->kind != FOCI_BYTES) skip_mark(r);
    return FOCI_OK;
}

static foci_status check_characters(const foci_text_reader *r) {
    uint32_t code;
    for (size_t at = 0, length; at < r->length; at += length) {
        length = (size_t)foci_utf8(r->word + at, r->length - at, &code);
        if (!length)
            return foci_fail(FOCI_ERR_DATA,
                             "%s:%" PRId64 ": byte 0x%02x after \"%.*s\" is not UTF-8; convert the text, as by "
                             "iconv -f LATIN1 -t UTF-8",
                             r->path, r->line, (unsigned char)r->word[at], (int)at, r->word);
    }
    return FOCI_OK;
}

static foci_status count(foci_text_reader *r) {
    if (r->tokens++ < INT32_MAX) return FOCI_OK;
    return foci_fail(FOCI_ERR_DATA, "%s:%" PRId64 ": more than 2^31 - 1 tokens", r->path, r->line);
}

foci_status foci_text_next(foci_text_reader *r, foci_text_item *item) {
    size_t n = 0;
    unsigned char bits = 0; /* of all bytes of the word */
    bool line_end = false;
    while (!line_end) {
        if (r->next == r->end) {
            FOCI_TRY(fill(r));
            if (!r->end) break;
        }
        unsigned char c = r->buffer[r->next];
        bool space = foci_is_space(c);
        if (space && n) break;
        if (!r->in_line) r->line++;
        r->in_line = true;
        r->next++;
        line_end = c == '\n';
        if (space) continue;
        if (!c) return foci_fail(FOCI_ERR_DATA, "%s:%" PRId64 ": a 0 byte: this is not text", r->path, r->line);
        if (n == FOCI_WORD_MAX)
            return foci_fail(FOCI_ERR_DATA, "%s:%" PRId64 ": a word of more than %d bytes", r->path, r->line,
                             FOCI_WORD_MAX);
        r->word[n++] = (char)c;
        bits |= c;
    }
    r->word[n] = 0;
    r->length = n;
    if (bits & 0x80) FOCI_TRY(check_characters(r));
    *item = n ? FOCI_TEXT_WORD : r->in_line ? FOCI_TEXT_LINE_END : FOCI_TEXT_END;
    if (*item == FOCI_TEXT_LINE_END) r->in_line = false;
    return *item == FOCI_TEXT_END ? FOCI_OK : count(r);
}

/* ----------------------------------------------------------------------------------- characters and bytes */

enum { LONGEST = 4 }; /* bytes of a character */

static foci_status no_character(const foci_text_reader *r) {
    const int64_t at = (int64_t)gztell(r->file) - (int64_t)(r->end - r->next);
    return foci_fail(FOCI_ERR_DATA,
                     "%s:%" PRId64 ": byte 0x%02x, number %" PRId64
                     " of the text, is not UTF-8; convert the text, as by "
                     "iconv -f LATIN1 -t UTF-8, or read its bytes (data.tokens)",
                     r->path, r->line + !r->in_line, r->buffer[r->next], at);
}

foci_status foci_text_code(foci_text_reader *r, int32_t *code) {
    int length = 0;
    if (r->end - r->next < LONGEST) FOCI_TRY(fill(r));
    *code = r->in_line ? '\n' : -1; /* at the end of the file */
    if (r->next < r->end) {
        length = foci_code_at(r->kind, (const char *)r->buffer + r->next, r->end - r->next, code);
        if (!length) return no_character(r);
    }
    if (*code < 0) return FOCI_OK;
    r->next += (size_t)length;
    r->line += !r->in_line;
    r->in_line = *code != '\n';
    if (!*code && r->kind == FOCI_CHARS)
        return foci_fail(FOCI_ERR_DATA, "%s:%" PRId64 ": a 0 byte: this is not text", r->path, r->line);
    return count(r);
}
