/* Places in files: how they are shown, and the messages that carry them. */
#include "config/internal.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

foci_shown foci_show(const char *text, size_t size) {
    foci_shown shown;
    size_t used = 0;
    while (size) {
        if (used + 4 + sizeof "..." > sizeof shown.text) {
            memcpy(shown.text + used, "...", 3);
            used += 3;
            break;
        }
        uint32_t code = 0;
        int length = foci_utf8(text, size, &code);
        bool printable = length && code >= 0x20 && (code < 0x7f || code >= 0xa0);
        if (!length) length = 1;
        if (printable) memcpy(shown.text + used, text, (size_t)length);
        else shown.text[used] = '?';
        used += printable ? (size_t)length : 1;
        text += length;
        size -= (size_t)length;
    }
    shown.text[used] = 0;
    return shown;
}

foci_shown foci_entry_name(const foci_entry *e) {
    char full[2 * FOCI_CONFIG_SCALAR + 2];
    snprintf(full, sizeof full, "%s%s%s", e->section, e->section[0] && e->name ? "." : "", e->name ? e->name : "");
    return foci_show(full, strlen(full));
}

/* Skips that many characters. */
static size_t skip(const foci_source *source, size_t at, size_t characters) {
    for (; characters && at < source->size; characters--) {
        uint32_t code;
        int length = foci_utf8(source->text + at, source->size - at, &code);
        at += length ? (size_t)length : 1;
    }
    return at;
}

/* "\n    12 |   lrr: 0.1". A long line is shown from shortly before the place. */
static void excerpt(char *out, size_t size, const foci_source *source, foci_mark at) {
    size_t begin = skip(source, 0, at.index - (at.column - 1));
    bool cut = at.column > 80;
    if (cut) begin = skip(source, begin, at.column - 60);
    size_t end = begin;
    while (end < source->size && source->text[end] != '\n' && source->text[end] != '\r') end++;
    foci_shown line = foci_show(source->text + begin, end - begin);
    snprintf(out, size, "\n%6zu | %s%s", at.line, cut ? "..." : "", line.text);
}

char *foci_place(foci_arena *arena, const foci_source *source, foci_mark at) {
    if (!source->text) return foci_arena_strdup(arena, source->name);
    return foci_arena_printf(arena, "%s:%zu:%zu", source->name, at.line, at.column);
}

foci_status foci_fail_at(const foci_source *source, foci_mark at, const char *fmt, ...) {
    char text[1024], line[192];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    if (!source->text) return foci_fail(FOCI_ERR_CONFIG, "%s%s%s", source->name, source->name[0] ? ": " : "", text);
    excerpt(line, sizeof line, source, at);
    return foci_fail(FOCI_ERR_CONFIG, "%s:%zu:%zu: %s%s", source->name, at.line, at.column, text, line);
}
