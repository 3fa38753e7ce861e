#include "bpe/shards.h"

#include <dirent.h>
#include <errno.h>
#include <fnmatch.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/parallel.h"
#include "base/report.h"

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "tokens are used as they lie in the file");

static const struct form {
    int32_t magic, version;
    int width;
} form[] = {{20240520, 1, 2}, {20240801, 7, 4}, {0, 0, 2}};

static foci_status out_of_memory(void) { return foci_fail(FOCI_ERR_RUNTIME, "out of memory for token files"); }

/* ---------------------------------------------------------------------------------------------- one file */

static const struct form *form_of(const void *head) {
    int32_t word[2];
    memcpy(word, head, sizeof word);
    for (const struct form *f = form; f->magic; f++)
        if (word[0] == f->magic && word[1] == f->version) return f;
    return NULL;
}

static foci_status open_headed(foci_shard *s, const struct form **kind) {
    int32_t count;
    *kind = s->map.size >= FOCI_SHARD_HEADER ? form_of(s->map.data) : NULL;
    if (!*kind) return foci_fail(FOCI_ERR_DATA, "%s: not a token file of llm.c: no header of one", s->path);
    memcpy(&count, s->map.data + 8, sizeof count);
    s->at = s->map.data + FOCI_SHARD_HEADER;
    s->count = count;
    const int64_t size = FOCI_SHARD_HEADER + s->count * (*kind)->width;
    if (count >= 0 && size == (int64_t)s->map.size) return FOCI_OK;
    return foci_fail(FOCI_ERR_DATA, "%s: %zu bytes, but byte 8 says %" PRId32 " tokens, which take %" PRId64, s->path,
                     s->map.size, count, size);
}

static foci_status open_bare(foci_shard *s, const struct form **kind) {
    *kind = form + FOCI_SHARD_BARE;
    s->at = s->map.data;
    s->count = (int64_t)s->map.size / 2;
    if (s->map.size >= 8 && form_of(s->map.data))
        return foci_fail(FOCI_ERR_DATA, "%s: begins with a header of llm.c, but is to be read without one", s->path);
    return s->map.size % 2 ? foci_fail(FOCI_ERR_DATA, "%s: %zu bytes, not 2 for every token", s->path, s->map.size)
                           : FOCI_OK;
}

static foci_status open_shard(foci_shard *s, bool bare) {
    const struct form *kind;
    FOCI_TRY(foci_map_open(&s->map, s->path, FOCI_ERR_DATA));
    FOCI_TRY((bare ? open_bare : open_headed)(s, &kind));
    s->width = kind->width;
    return FOCI_OK;
}

static void copy(const foci_shard *s, int64_t first, int64_t count, int32_t *id) {
    const unsigned char *at = s->at + first * s->width;
    if (s->width == 4) memcpy(id, at, (size_t)count * 4);
    else
        for (int64_t i = 0; i < count; i++) id[i] = at[2 * i] | at[2 * i + 1] << 8;
}

/* ------------------------------------------------------------------------------------------- their tokens */

typedef struct check {
    const foci_shard *shard;
    uint32_t size; /* of the vocabulary */
} check;
enum { CHECKED = 1 << 20 /* tokens at once */, PART = 4096 };

static foci_status check_tile(void *context, int64_t tile) {
    const check *c = context;
    const foci_range r = foci_tile(c->shard->count, CHECKED, tile);
    int32_t id[PART];
    for (int64_t at = r.first, n; at < r.end; at += n) {
        n = r.end - at < PART ? r.end - at : PART;
        copy(c->shard, at, n, id);
        for (int64_t i = 0; i < n; i++)
            if ((uint32_t)id[i] >= c->size)
                return foci_fail(FOCI_ERR_DATA,
                                 "%s: token %" PRId64 " is number %" PRIu32 ", of a vocabulary of %" PRIu32,
                                 c->shard->path, at + i, (uint32_t)id[i], c->size);
    }
    return FOCI_OK;
}

static foci_status check_shard(const foci_shard *s, const foci_bpe *bpe) {
    check c = {s, (uint32_t)foci_bpe_size(bpe)};
    return foci_each(foci_tiles(s->count, CHECKED), check_tile, &c);
}

/* ------------------------------------------------------------------------------------- who made the tokens */

static foci_status note_path(char path[4096], const char *shard) {
    const int n = snprintf(path, 4096, "%s.json", shard);
    return n < 4096 ? FOCI_OK : foci_fail(FOCI_ERR_IO, "%.64s...: path too long", shard);
}

foci_status foci_shard_note(const char *path, const foci_bpe *bpe, int64_t count) {
    char file[4096], hash[FOCI_BPE_HASH];
    foci_report r = {NULL};
    FOCI_TRY(note_path(file, path));
    FOCI_TRY(foci_bpe_hash(bpe, hash));
    foci_report_text(&r, "tokenizer", hash);
    foci_report_whole(&r, "vocabulary", foci_bpe_size(bpe));
    foci_report_whole(&r, "end_of_text", foci_bpe_end_of_text(bpe));
    foci_report_whole(&r, "tokens", count);
    const foci_status s = foci_report_write(&r, &foci_json_line, file);
    foci_report_free(&r);
    return s;
}

/* Files of others have no note. */
static foci_status check_note(const char *shard, const foci_bpe *bpe) {
    char path[4096], hash[FOCI_BPE_HASH];
    json_error_t error;
    FOCI_TRY(note_path(path, shard));
    if (foci_path_kind(path) != 'f') return FOCI_OK;
    FOCI_TRY(foci_bpe_hash(bpe, hash));
    json_t *note = json_load_file(path, 0, &error);
    const char *text = json_string_value(json_object_get(note, "tokenizer"));
    foci_status s = FOCI_OK;
    if (!text) s = foci_fail(FOCI_ERR_DATA, "%s: does not say which tokenizer made the tokens", path);
    else if (strcmp(text, hash) != 0)
        s = foci_fail(FOCI_ERR_DATA, "%s: the tokens are of tokenizer %.16s, not of %s", shard, text, hash);
    json_decref(note);
    return s;
}

/* ------------------------------------------------------------------------------------------------ several */

static bool has_mark(const char *path) {
    int32_t head[2] = {0};
    FILE *f = fopen(path, "rbe");
    const bool whole = f && fread(head, sizeof head, 1, f) == 1;
    if (f) fclose(f);
    return whole && form_of(head);
}

static bool is_called_bin(const char *path) {
    const size_t n = strlen(path);
    return n >= 4 && strcmp(path + n - 4, ".bin") == 0;
}

bool foci_are_shards(const char *path, bool bare) {
    const int kind = foci_path_kind(path);
    if (kind == 'f') return has_mark(path) || (bare && is_called_bin(path));
    return kind == 'd' || (!kind && strchr(path, '*'));
}

static foci_status add_path(foci_shards *s, const char *folder, const char *name) {
    char path[4096];
    FOCI_TRY(foci_path_join(path, sizeof path, folder, name));
    foci_shard *grown = realloc(s->shard, (size_t)(s->shards + 1) * sizeof *grown);
    if (!grown) return out_of_memory();
    s->shard = grown;
    s->shard[s->shards] = (foci_shard){.path = strdup(path)};
    return s->shard[s->shards++].path ? FOCI_OK : out_of_memory();
}

static foci_status add_matching(foci_shards *s, const char *folder, const char *pattern) {
    DIR *d = opendir(*folder ? folder : ".");
    if (!d) return foci_fail(FOCI_ERR_DATA, "%s: %s", folder, strerror(errno));
    foci_status status = FOCI_OK;
    for (struct dirent *e; !status && (e = readdir(d));)
        if (fnmatch(pattern, e->d_name, FNM_PERIOD) == 0) status = add_path(s, folder, e->d_name);
    closedir(d);
    return status;
}

static int by_name(const void *a, const void *b) {
    return strcmp(((const foci_shard *)a)->path, ((const foci_shard *)b)->path);
}

static foci_status list(foci_shards *s, const char *path) {
    const int kind = foci_path_kind(path);
    const char *slash = strrchr(path, '/');
    char folder[4096] = "";
    if (kind == 'f') return add_path(s, "", path);
    if (kind == 'd') FOCI_TRY(add_matching(s, path, "*.bin"));
    else {
        if (slash) snprintf(folder, sizeof folder, "%.*s", slash > path ? (int)(slash - path) : 1, path);
        FOCI_TRY(add_matching(s, folder, slash ? slash + 1 : path));
    }
    if (!s->shards) return foci_fail(FOCI_ERR_DATA, "%s: no token file (.bin) there", path);
    qsort(s->shard, (size_t)s->shards, sizeof *s->shard, by_name);
    return FOCI_OK;
}

static foci_status open_all(foci_shards *s, const char *path, bool bare, const foci_bpe *bpe) {
    FOCI_TRY(list(s, path));
    for (int64_t i = 0; i < s->shards; i++) {
        FOCI_TRY(open_shard(s->shard + i, bare));
        FOCI_TRY(check_note(s->shard[i].path, bpe));
        FOCI_TRY(check_shard(s->shard + i, bpe));
        s->count += s->shard[i].count;
    }
    return FOCI_OK;
}

foci_status foci_shards_open(foci_shards *s, const char *path, bool bare, const foci_bpe *bpe) {
    *s = (foci_shards){NULL};
    const foci_status status = open_all(s, path, bare, bpe);
    if (status) foci_shards_close(s);
    return status;
}

void foci_shards_close(foci_shards *s) {
    for (int64_t i = 0; i < s->shards; i++) {
        foci_map_close(&s->shard[i].map);
        free(s->shard[i].path);
    }
    free(s->shard);
    *s = (foci_shards){NULL};
}

void foci_shards_copy(const foci_shards *s, int64_t first, int64_t count, int32_t *id) {
    for (const foci_shard *one = s->shard; count; one++) {
        const int64_t here = one->count - first < count ? one->count - first : count;
        if (here > 0) {
            copy(one, first, here, id);
            id += here;
            count -= here;
            first += here;
        }
        first -= one->count;
    }
}

/* ------------------------------------------------------------------------------------------------ writing */

static foci_status put_header(foci_shard_writer *w) {
    int32_t header[FOCI_SHARD_HEADER / 4] = {form[w->kind].magic, form[w->kind].version, (int32_t)w->count};
    return w->kind == FOCI_SHARD_BARE ? FOCI_OK : foci_write_at(&w->file, 0, header, sizeof header);
}

foci_status foci_shard_create(foci_shard_writer *w, const char *path, foci_shard_kind kind) {
    static const char zeros[FOCI_SHARD_HEADER];
    *w = (foci_shard_writer){.kind = kind};
    FOCI_TRY(foci_writer_open(&w->file, path));
    return kind == FOCI_SHARD_BARE ? FOCI_OK : foci_write(&w->file, zeros, sizeof zeros); /* filled in at the end */
}

foci_status foci_shard_put(foci_shard_writer *w, const int32_t *id, int64_t count) {
    uint16_t narrow[PART];
    if (w->kind != FOCI_SHARD_BARE && w->count + count > INT32_MAX)
        return foci_fail(FOCI_ERR_DATA, "%s: more than 2^31 - 1 tokens", w->file.path);
    w->count += count;
    if (form[w->kind].width == 4) return foci_write(&w->file, id, (size_t)count * 4);
    for (int64_t at = 0, n; at < count; at += n) {
        n = count - at < PART ? count - at : PART;
        for (int64_t i = 0; i < n; i++) {
            if (id[at + i] > UINT16_MAX)
                return foci_fail(FOCI_ERR_DATA, "%s: token %" PRId32 " does not fit 2 bytes", w->file.path, id[at + i]);
            narrow[i] = (uint16_t)id[at + i];
        }
        FOCI_TRY(foci_write(&w->file, narrow, (size_t)n * 2));
    }
    return FOCI_OK;
}

foci_status foci_shard_finish(foci_shard_writer *w) {
    put_header(w); /* a failure sticks */
    return foci_writer_commit(&w->file);
}

/* ---------------------------------------------------------------------------------------- a stream of any length */

/* "train.bin": "train_000001.bin" */
static foci_status name_file(foci_shards_writer *w) {
    const int stem = (int)strlen(w->path) - (is_called_bin(w->path) ? 4 : 0);
    const int n = w->most ? snprintf(w->name, sizeof w->name, "%.*s_%06" PRId64 ".bin", stem, w->path, w->files)
                          : snprintf(w->name, sizeof w->name, "%s", w->path);
    return n < (int)sizeof w->name ? FOCI_OK : foci_fail(FOCI_ERR_IO, "%.64s...: path too long", w->path);
}

foci_status foci_shards_begin(foci_shards_writer *w) {
    FOCI_TRY(name_file(w));
    if (foci_path_kind(w->name)) return foci_fail(FOCI_ERR_IO, "%s: is there already", w->name);
    FOCI_TRY(foci_shard_create(&w->file, w->name, w->kind));
    w->open = true;
    w->files++;
    return FOCI_OK;
}

foci_status foci_shards_finish(foci_shards_writer *w) {
    if (!w->open) return FOCI_OK;
    w->open = false;
    FOCI_TRY(foci_shard_finish(&w->file));
    return foci_shard_note(w->name, w->bpe, w->file.count);
}

foci_status foci_shards_put(foci_shards_writer *w, const int32_t *id, int64_t count) {
    for (int64_t at = 0, n; at < count; at += n) {
        if (!w->open) FOCI_TRY(foci_shards_begin(w));
        const int64_t room = w->most ? w->most - w->file.count : count;
        n = count - at < room ? count - at : room;
        FOCI_TRY(foci_shard_put(&w->file, id + at, n));
        if (w->most && w->file.count == w->most) FOCI_TRY(foci_shards_finish(w));
    }
    return FOCI_OK;
}

void foci_shards_abort(foci_shards_writer *w) {
    if (w->open) foci_writer_abort(&w->file.file);
    w->open = false;
}
