#include <string.h>

#include "base/utf8.h"
#include "bpe/bpe.h"

static const char unknown[] = "\xEF\xBF\xBD"; /* U+FFFD */

/* May `text`, which is no character, begin one when more comes? */
static bool is_begun(const char *text, int size) {
    const unsigned char first = (unsigned char)*text;
    const int length = first >> 5 == 0x6 ? 2 : first >> 4 == 0xe ? 3 : first >> 3 == 0x1e ? 4 : 1;
    char whole[4];
    uint32_t code;
    memcpy(whole, text, (size_t)size);
    for (int i = size; i < length; i++) /* the largest that may come, or the smallest */
        whole[i] = (char)(size == 1 && (first == 0xf4 || first == 0xed) ? 0x80 : 0xbf);
    return size < length && foci_utf8(whole, (size_t)length, &code);
}

/* Takes the first of what is held back; returns how many bytes it is when shown. */
static size_t show_first(foci_utf8_tail *t, int length, char *text) {
    const size_t shown = length ? (size_t)length : strlen(unknown);
    memcpy(text, length ? t->held : unknown, shown);
    t->count -= length ? length : 1;
    memmove(t->held, t->held + (length ? length : 1), (size_t)t->count);
    return shown;
}

size_t foci_utf8_show(foci_utf8_tail *t, const char *more, size_t size, char *text) {
    size_t n = 0;
    uint32_t code;
    for (size_t i = 0; i < size || (!more && t->count);) {
        if (i < size) t->held[t->count++] = more[i++];
        for (int length = 0; t->count; length = 0) {
            length = foci_utf8(t->held, (size_t)t->count, &code);
            if (!length && more && is_begun(t->held, t->count)) break;
            n += show_first(t, length, text + n);
        }
    }
    return n;
}
