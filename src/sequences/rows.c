#include "sequences/rows.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "data/gzip.h"

static foci_status read_more(foci_rows *r, gzFile file, size_t *used, size_t *room, bool *more) {
    enum { CHUNK = 1 << 20 };
    char place[32];
    size_t n;
    if (*room - *used < CHUNK) {
        char *grown = realloc(r->unpacked, *room = 2 * *room + CHUNK);
        if (!grown) return foci_fail(FOCI_ERR_RUNTIME, "%s: out of memory", r->path);
        r->unpacked = grown;
    }
    snprintf(place, sizeof place, "byte %zu", *used);
    FOCI_TRY(foci_gzip_read(file, r->path, place, r->unpacked + *used, CHUNK, &n));
    *used += n;
    *more = n == CHUNK;
    return FOCI_OK;
}

static foci_status unpack(foci_rows *r) {
    gzFile file;
    FOCI_TRY(foci_gzip_open(&file, r->path));
    size_t used = 0, room = 0;
    bool more = true;
    foci_status s = FOCI_OK;
    while (more && !s) s = read_more(r, file, &used, &room, &more);
    gzclose_r(file);
    r->at = r->unpacked;
    r->end = r->unpacked + used;
    return s;
}

foci_status foci_rows_open(foci_rows *r, const char *path) {
    *r = (foci_rows){.path = path};
    FOCI_TRY(foci_map_open(&r->map, path, FOCI_ERR_DATA));
    r->at = r->map.size ? (const char *)r->map.data : "";
    r->end = r->at + r->map.size;
    if (r->map.size > 2 && memcmp(r->at, "\x1f\x8b", 2) == 0) FOCI_TRY(unpack(r));
    if (r->end - r->at >= 3 && memcmp(r->at, "\xEF\xBB\xBF", 3) == 0) r->at += 3; /* the byte order mark */
    return FOCI_OK;
}

void foci_rows_close(foci_rows *r) {
    foci_map_close(&r->map);
    free(r->unpacked);
    r->unpacked = NULL;
}

bool foci_rows_next(foci_rows *r, foci_row *row) {
    if (r->at == r->end) return false;
    const char *stop = memchr(r->at, '\n', (size_t)(r->end - r->at));
    const char *next = stop ? stop + 1 : r->end, *at = r->at;
    if (!stop) stop = r->end;
    if (stop > at && stop[-1] == '\r') stop--;
    row->columns = 0;
    for (const char *tab; at; at = tab ? tab + 1 : NULL, row->columns++) {
        tab = memchr(at, '\t', (size_t)(stop - at));
        if (row->columns >= FOCI_MOST_COLUMNS) continue;
        row->column[row->columns].text = at;
        row->column[row->columns].length = (size_t)((tab ? tab : stop) - at);
    }
    r->at = next;
    r->line++;
    return true;
}

foci_status foci_rows_fail(const foci_rows *r, const char *fmt, ...) {
    char text[1024];
    va_list args;
    va_start(args, fmt);
    vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    return foci_fail(FOCI_ERR_DATA, "%s:%lld: %s", r->path, (long long)r->line, text);
}
