#include "bpe/classes.h"

#include <stdbool.h>

#include "base/utf8.h"
#include "bpe/unicode.h"

enum { O = FOCI_OTHER, L = FOCI_LETTER, N = FOCI_NUMBER, S = FOCI_SPACE };

const unsigned char foci_ascii_class[128] = {
    ['\t'] = S, ['\n'] = S,        ['\v'] = S,        ['\f'] = S,        ['\r'] = S,
    [' '] = S,  ['0' ... '9'] = N, ['A' ... 'Z'] = L, ['a' ... 'z'] = L,
};

static bool is_in(const uint32_t range[][2], size_t count, uint32_t code) {
    size_t first = 0, end = count; /* of the ranges that may have it */
    while (first < end) {
        const size_t middle = (first + end) / 2;
        if (code > range[middle][1]) first = middle + 1;
        else end = middle;
    }
    return first < count && code >= range[first][0];
}

#define IS_IN(ranges, code) is_in(ranges, sizeof(ranges) / sizeof *(ranges), code)

static foci_class class_of(uint32_t code) {
    if (IS_IN(foci_unicode_letters, code)) return FOCI_LETTER;
    if (IS_IN(foci_unicode_numbers, code)) return FOCI_NUMBER;
    return IS_IN(foci_unicode_spaces, code) ? FOCI_SPACE : FOCI_OTHER;
}

foci_character foci_wide_character(const unsigned char *text, size_t size) {
    uint32_t code;
    const int length = foci_utf8((const char *)text, size, &code);
    return length ? (foci_character){class_of(code), (uint32_t)length} : (foci_character){FOCI_OTHER, 1};
}
