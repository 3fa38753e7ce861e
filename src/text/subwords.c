#include "text/subwords.h"

#include <stdlib.h>
#include <sys/stat.h>

static foci_status take(void *ids, const int32_t *id, int64_t count) { return foci_ids_add(ids, id, count); }

static int64_t count_documents(const foci_tokens *t, int32_t end_of_text) {
    int64_t documents = 0;
    for (int64_t i = 0; i < t->count; i++) documents += t->ids[i] == end_of_text;
    return documents;
}

/* A word to who waits for the first step. */
static void announce(const char *path) {
    enum { MEGABYTE = 1 << 20, LARGE = 256 };
    struct stat s;
    if (stat(path, &s) == 0 && s.st_size / MEGABYTE >= LARGE)
        foci_log(FOCI_LOG_INFO, "%s: %lld MB are encoded first; a token file (foci data bpe encode) is ready at once",
                 path, (long long)(s.st_size / MEGABYTE));
}

static foci_status read_text(foci_tokens *t, const foci_vocabulary *v, const char *path) {
    const foci_bpe *bpe = foci_vocabulary_bpe(v);
    foci_ids ids = {0};
    foci_bpe_reading r = {.documents = foci_vocabulary_reading(v).documents, .take = take, .context = &ids};
    announce(path);
    foci_status s = foci_bpe_encode_file(bpe, path, &r);
    if (!s && !ids.count) s = foci_fail(FOCI_ERR_DATA, "%s: the file is empty", path);
    if (s) return free(ids.id), s;
    *t = (foci_tokens){.count = ids.count, .ids = ids.id};
    t->lines = count_documents(t, foci_bpe_end_of_text(bpe));
    return FOCI_OK;
}

static foci_status read_shards(foci_tokens *t, const foci_vocabulary *v, const char *path) {
    foci_shards *s = malloc(sizeof *s);
    if (!s) return foci_out_of_memory();
    foci_status status = foci_shards_open(s, path, foci_vocabulary_reading(v).bare, foci_vocabulary_bpe(v));
    if (!status && !s->count) {
        foci_shards_close(s);
        status = foci_fail(FOCI_ERR_DATA, "%s: no tokens in it", path);
    }
    if (status) return free(s), status;
    *t = (foci_tokens){.count = s->count, .shards = s};
    return FOCI_OK;
}

foci_status foci_subwords_read(foci_tokens *t, const foci_vocabulary *v, const char *path) {
    const bool shards = foci_are_shards(path, foci_vocabulary_reading(v).bare);
    return (shards ? read_shards : read_text)(t, v, path);
}
