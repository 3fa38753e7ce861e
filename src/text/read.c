#include "text/read.h"

#include "base/file.h"
#include "base/utf8.h"
#include "text/characters.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

foci_status foci_text_open(foci_text_reader *r, const char *path, foci_token_kind kind_of_token) {
    *r = (foci_text_reader){.path = path, .kind = kind_of_token};
    int kind = foci_path_kind(path);
    if (kind && kind != 'f') return foci_fail(FOCI_ERR_DATA, "%s: not a regular file", path);
    errno = 0;
    r->file = gzopen(path, "rb"); /* reads plain files as they are */
    if (!r->file) return foci_fail(FOCI_ERR_DATA, "%s: %s", path, strerror(errno ? errno : ENOMEM));
    gzbuffer(r->file, 1 << 17);
    return FOCI_OK;
}

void foci_text_close(foci_text_reader *r) {
    if (r->file) gzclose_r(r->file);
    r->file = NULL;
}

/* A file that expands without end. Text becomes 3 to 10 times as large; deflate can do 1,032 times. */
enum { FREE_BYTES = 16 << 20, MOST_RATIO = 100 };

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
    int n = gzread(r->file, r->buffer + rest, (unsigned)room);
    if (n < (int)room) { /* the end, or an error: of a file cut short zlib returns what it has */
        int code;
        const char *message = gzerror(r->file, &code);
        if (code == Z_ERRNO) return foci_fail(FOCI_ERR_IO, "%s: %s", r->path, strerror(errno));
        if (code != Z_OK)
            return foci_fail(FOCI_ERR_DATA, "%s: damaged gzip after line %" PRId64 ": %s", r->path, r->line, message);
    }
    int64_t expanded = gztell(r->file);
    if (expanded > FREE_BYTES && expanded / MOST_RATIO > gzoffset(r->file))
        return foci_fail(FOCI_ERR_DATA,
                         "%s:%" PRId64 ": so far the gzip became more than %d times as large: this is not text",
                         r->path, r->line, MOST_RATIO);
    r->next = 0;
    r->end = rest + (size_t)n;
    if (expanded == n && r->kind != FOCI_BYTES) skip_mark(r);
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
