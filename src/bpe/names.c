#include "bpe/names.h"

#include <string.h>

#include "base/utf8.h"

foci_status foci_name_bytes(const char *name, size_t size, char text[FOCI_TOKEN_MAX], uint32_t *length) {
    uint32_t code;
    *length = 0;
    for (size_t at = 0, n; at < size; at += n) {
        n = (size_t)foci_utf8(name + at, size - at, &code);
        const int byte = n ? foci_character_byte(code) : -1;
        if (byte < 0)
            return foci_fail(FOCI_ERR_DATA, "`%.*s` is no token of bytes: character %zu stands for none",
                             size < 80 ? (int)size : 80, name, at);
        if (*length == FOCI_TOKEN_MAX)
            return foci_fail(FOCI_ERR_DATA, "`%.80s...` is longer than %d bytes", name, FOCI_TOKEN_MAX);
        text[(*length)++] = (char)byte;
    }
    return FOCI_OK;
}

size_t foci_bpe_name(const foci_bpe *bpe, int32_t id, char name[FOCI_TOKEN_NAME]) {
    const foci_token t = bpe->token[id];
    size_t n = 0;
    if (t.special) return memcpy(name, t.text, t.size), t.size;
    for (uint32_t i = 0; i < t.size; i++)
        n += (size_t)foci_utf8_put(foci_byte_character((unsigned char)t.text[i]), name + n);
    return n;
}
