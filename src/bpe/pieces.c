/* The two rules, as they are published; \s, \p{L}, \p{N} are FOCI_SPACE, FOCI_LETTER, FOCI_NUMBER.
 *
 * GPT-2:   's|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+
 * Llama 3: (?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|
 *          \s+(?!\S)|\s+ */
#include "bpe/pieces.h"

#include <ctype.h>
#include <string.h>

#include "bpe/classes.h"

typedef const unsigned char *bytes;

static bool is_line_end(unsigned char c) { return c == '\n' || c == '\r'; }

/* The end of the run of one class that begins at `at`, or of its first `most` characters. */
static size_t run(bytes text, size_t at, size_t size, foci_class class, size_t most) {
    for (; at < size && most; most--) {
        const foci_character c = foci_character_of(text + at, size - at);
        if (c.class != class) break;
        at += c.length;
    }
    return at;
}

static bool has_class(bytes text, size_t at, size_t size, foci_class class) {
    return at < size && foci_character_of(text + at, size - at).class == class;
}

/* Of 's 't 're 've 'm 'll 'd, which `text` begins with; 0: none of them. Where case does not count, the long s (U+017F)
 * is an s, as it is to regular expressions. */
static size_t contraction(bytes text, size_t size, bool any_case) {
    static const char *const endings[] = {"s", "t", "re", "ve", "m", "ll", "d"};
    if (*text != '\'') return 0;
    for (size_t i = 0; i < sizeof endings / sizeof *endings; i++) {
        size_t n = 0;
        while (endings[i][n] && n + 1 < size && (any_case ? tolower(text[n + 1]) : text[n + 1]) == endings[i][n]) n++;
        if (!endings[i][n]) return n + 1;
    }
    return any_case && size > 2 && memcmp(text + 1, "\xC5\xBF", 2) == 0 ? 3 : 0;
}

/* \s+(?!\S)|\s+: without its last character, where there are others and something follows. */
static foci_piece space(bytes text, size_t size) {
    size_t end = 0, last = 0;
    while (has_class(text, end, size, FOCI_SPACE)) {
        last = end;
        end += foci_character_of(text + end, size - end).length;
    }
    return (foci_piece){end < size && last ? last : end, end};
}

static foci_piece gpt2(bytes text, size_t size) {
    const size_t short_one = contraction(text, size, false);
    if (short_one) return (foci_piece){short_one, short_one};
    const size_t from = *text == ' ' && size > 1 && !has_class(text, 1, size, FOCI_SPACE);
    const foci_class class = foci_character_of(text + from, size - from).class;
    if (class == FOCI_SPACE) return space(text, size);
    const size_t end = run(text, from, size, class, size);
    return (foci_piece){end, end};
}

/* \s*[\r\n]+: white space up to the last line's end in it */
static foci_piece lines_or_space(bytes text, size_t size) {
    const size_t end = run(text, 0, size, FOCI_SPACE, size);
    for (size_t n = end; n; n--)
        if (is_line_end(text[n - 1])) return (foci_piece){n, end};
    return space(text, size);
}

static foci_piece others_and_lines(bytes text, size_t size, size_t from) {
    size_t end = run(text, from, size, FOCI_OTHER, size);
    while (end < size && is_line_end(text[end])) end++;
    return (foci_piece){end, end};
}

static foci_piece llama3(bytes text, size_t size) {
    const size_t short_one = contraction(text, size, true);
    const foci_character c = foci_character_of(text, size);
    size_t end = 0;
    if (short_one) end = short_one;
    else if (c.class == FOCI_LETTER) end = run(text, 0, size, FOCI_LETTER, size);
    else if (c.class == FOCI_NUMBER) end = run(text, 0, size, FOCI_NUMBER, 3);
    else if (!is_line_end(*text) && has_class(text, c.length, size, FOCI_LETTER))
        end = run(text, c.length, size, FOCI_LETTER, size);
    else if (c.class == FOCI_OTHER) return others_and_lines(text, size, 0);
    else if (*text == ' ' && has_class(text, 1, size, FOCI_OTHER)) return others_and_lines(text, size, 1);
    else return lines_or_space(text, size);
    return (foci_piece){end, end};
}

foci_piece foci_piece_of(foci_bpe_rule rule, const unsigned char *text, size_t size) {
    return rule == FOCI_BPE_LLAMA3 ? llama3(text, size) : gpt2(text, size);
}

foci_status foci_piece_take(foci_bpe_rule rule, const char *text, size_t size, bool more, size_t *length) {
    const foci_piece p = foci_piece_of(rule, (bytes)text, size);
    *length = more && !foci_piece_is_sure(p, size) ? 0 : p.length;
    if (p.length <= FOCI_PIECE_MAX) return FOCI_OK;
    return foci_fail(FOCI_ERR_DATA, "more than %d bytes of one kind, which may not be cut: this is not text",
                     FOCI_PIECE_MAX);
}

const char foci_llama3_pattern[] = "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}| "
                                   "?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";
