#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "bpe/shards.h"
#include "bpe/tokenizer.h"
#include "data/gzip.h"

enum { AT_ONCE = 4096 /* tokens */ };

static foci_status write_one(const foci_bpe *bpe, foci_bpe_writing *w, int32_t id) {
    const foci_token t = bpe->token[id];
    w->tokens++;
    return t.special && w->no_special ? FOCI_OK : w->take(w->context, t.text, t.size);
}

static foci_status write_shards(const foci_bpe *bpe, const foci_shards *s, foci_bpe_writing *w) {
    int32_t id[AT_ONCE];
    for (int64_t first = 0, n; first < s->count; first += n) {
        n = s->count - first < AT_ONCE ? s->count - first : AT_ONCE;
        foci_shards_copy(s, first, n, id);
        for (int64_t i = 0; i < n; i++) FOCI_TRY(write_one(bpe, w, id[i]));
    }
    return FOCI_OK;
}

/* ------------------------------------------------------------------------------------------------ numbers */

typedef struct list {
    const char *path;
    gzFile file;
    int64_t line;
    char word[24]; /* of the number that is being read, cut where it is too long for one */
    size_t length;
} list;

static foci_status take_word(list *l, const foci_bpe *bpe, foci_bpe_writing *w) {
    int64_t id = 0;
    size_t i = 0;
    for (; i < l->length && isdigit((unsigned char)l->word[i]) && id < bpe->size; i++) id = 10 * id + l->word[i] - '0';
    if (i < l->length || id >= bpe->size)
        return foci_fail(FOCI_ERR_DATA, "%s:%" PRId64 ": `%.*s` is no number of a token: 0 to %" PRId64, l->path,
                         l->line, (int)l->length, l->word, bpe->size - 1);
    l->length = 0;
    return write_one(bpe, w, (int32_t)id);
}

static foci_status take_byte(list *l, const foci_bpe *bpe, foci_bpe_writing *w, char c) {
    const bool space = isspace((unsigned char)c);
    if (!space && l->length < sizeof l->word) l->word[l->length++] = c;
    if (space && l->length) FOCI_TRY(take_word(l, bpe, w));
    l->line += c == '\n';
    return FOCI_OK;
}

static foci_status write_list(list *l, const foci_bpe *bpe, foci_bpe_writing *w) {
    char text[1 << 16], place[32];
    for (size_t n = 1; n;) {
        snprintf(place, sizeof place, "line %" PRId64, l->line);
        FOCI_TRY(foci_gzip_read(l->file, l->path, place, text, sizeof text, &n));
        for (size_t i = 0; i < n; i++) FOCI_TRY(take_byte(l, bpe, w, text[i]));
    }
    return l->length ? take_word(l, bpe, w) : FOCI_OK;
}

foci_status foci_bpe_decode_file(const foci_bpe *bpe, const char *path, foci_bpe_writing *w) {
    const bool input = strcmp(path, "-") == 0;
    foci_status s;
    if (!input && foci_are_shards(path, w->bare)) {
        foci_shards shards;
        FOCI_TRY(foci_shards_open(&shards, path, w->bare, bpe));
        s = write_shards(bpe, &shards, w);
        foci_shards_close(&shards);
        return s;
    }
    list l = {.path = input ? "standard input" : path, .line = 1};
    FOCI_TRY(input ? foci_gzip_open_input(&l.file) : foci_gzip_open(&l.file, path));
    s = write_list(&l, bpe, w);
    gzclose_r(l.file);
    return s;
}
