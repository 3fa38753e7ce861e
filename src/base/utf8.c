#include "base/utf8.h"

int foci_utf8(const char *text, size_t size, uint32_t *code) {
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000}; /* of so many bytes; fewer would do for less */
    if (!size) return 0;
    unsigned char first = (unsigned char)text[0];
    int length = first < 0x80 ? 1 : first >> 5 == 0x6 ? 2 : first >> 4 == 0xe ? 3 : first >> 3 == 0x1e ? 4 : 0;
    if (!length || (size_t)length > size) return 0;
    uint32_t c = length == 1 ? first : first & (0x7fu >> length);
    for (int i = 1; i < length; i++) {
        unsigned char byte = (unsigned char)text[i];
        if (byte >> 6 != 2) return 0;
        c = c << 6 | (byte & 0x3f);
    }
    *code = c;
    return c < least[length] || c > 0x10ffff || (c >= 0xd800 && c < 0xe000) ? 0 : length;
}

int foci_utf8_put(uint32_t code, char text[4]) {
    static const unsigned char mark[] = {0, 0, 0xc0, 0xe0, 0xf0}; /* of the first of so many bytes */
    const int length = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    for (int i = length - 1; i > 0; i--, code >>= 6) text[i] = (char)(0x80 | (code & 0x3f));
    text[0] = (char)(mark[length] | code);
    return length;
}
