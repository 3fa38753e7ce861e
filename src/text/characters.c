#include "text/characters.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* -------------------------------------------------------------------------------------------------- names */

/* Control characters, spaces and marks without width. */
static bool is_unseen(int32_t code) {
    static const int32_t range[][2] = {{0, 0x20},        {0x7f, 0xa0},     {0xad, 0xad},     {0x2000, 0x200f},
                                       {0x2028, 0x202f}, {0x205f, 0x206f}, {0x3000, 0x3000}, {0xfeff, 0xfeff}};
    for (size_t i = 0; i < sizeof range / sizeof *range; i++)
        if (code >= range[i][0] && code <= range[i][1]) return true;
    return false;
}

int foci_code_text(foci_token_kind kind, int32_t code, char text[4]) {
    if (kind == FOCI_CHARS) return foci_utf8_put((uint32_t)code, text);
    text[0] = (char)code;
    return 1;
}

void foci_code_name(foci_token_kind kind, int32_t code, char name[FOCI_CODE_NAME]) {
    if (code == '\n') snprintf(name, FOCI_CODE_NAME, "<eos>");
    else if (kind == FOCI_BYTES) snprintf(name, FOCI_CODE_NAME, "%d", (int)code);
    else if (is_unseen(code)) snprintf(name, FOCI_CODE_NAME, "<U+%04X>", (unsigned)code);
    else name[foci_code_text(kind, code, name)] = 0;
}

/* What it could be the name of; then that one's name tells. */
static long guess(foci_token_kind kind, const char *name) {
    const size_t size = strlen(name);
    int32_t code;
    if (strcmp(name, "<eos>") == 0) return '\n';
    if (kind == FOCI_BYTES) return strtol(name, NULL, 10);
    if (strncmp(name, "<U+", 3) == 0) return strtol(name + 3, NULL, 16);
    return size && foci_code_at(kind, name, size, &code) == (int)size ? code : -1;
}

int32_t foci_code_of(foci_token_kind kind, const char *name) {
    char again[FOCI_CODE_NAME];
    const long code = guess(kind, name);
    if (code < 0 || code >= (kind == FOCI_BYTES ? 256 : FOCI_CODES)) return -1;
    foci_code_name(kind, (int32_t)code, again);
    return strcmp(again, name) == 0 ? (int32_t)code : -1;
}

/* ------------------------------------------------------------------------------------------------- census */

static foci_status count(foci_census *c, foci_text_reader *r) {
    for (int32_t code;;) {
        FOCI_TRY(foci_text_code(r, &code));
        if (code < 0) return FOCI_OK;
        if (!c->count[code]++) c->code[c->codes++] = code;
    }
}

foci_status foci_census_take(foci_census *c, foci_text_reader *r) {
    *c = (foci_census){.code = malloc(FOCI_CODES * sizeof *c->code), .count = calloc(FOCI_CODES, sizeof *c->count)};
    if (!c->code || !c->count) return foci_fail(FOCI_ERR_RUNTIME, "%s: out of memory for its characters", r->path);
    FOCI_TRY(count(c, r));
    for (int32_t byte = 0; byte < 256 && r->kind == FOCI_BYTES; byte++)
        if (!c->count[byte]) c->code[c->codes++] = byte;
    return FOCI_OK;
}

void foci_census_free(foci_census *c) {
    free(c->code);
    free(c->count);
    *c = (foci_census){.code = NULL};
}
