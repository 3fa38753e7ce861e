#include "base/philox.h"
#include "data/pack.h"
#include "text/characters.h"
#include "text/pack.h"
#include "text/subwords.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ------------------------------------------------------------------------------------ the token stream */

typedef struct stream {
    int32_t *ids;
    int64_t count, room, unknown;
    int32_t unknown_id; /* -1: there is no <unk> */
} stream;

static foci_status reserve(stream *s, int64_t wanted) {
    int32_t *ids = realloc(s->ids, (size_t)wanted * sizeof *ids);
    if (!ids) return foci_fail(FOCI_ERR_RUNTIME, "out of memory for %" PRId64 " tokens", wanted);
    s->ids = ids;
    s->room = wanted;
    return FOCI_OK;
}

static foci_status push(stream *s, int32_t id) {
    if (s->count == s->room) FOCI_TRY(reserve(s, s->room + s->room / 2 + 65536));
    s->ids[s->count++] = id;
    s->unknown += id == s->unknown_id;
    return FOCI_OK;
}

static foci_status is_missing(const foci_text_reader *r, const char *word) {
    return foci_fail(FOCI_ERR_DATA,
                     "%s:%" PRId64 ": \"%.80s\" is not in the vocabulary, which has no <unk>; data.min_count 2 or "
                     "data.vocab_limit makes one of rare %s",
                     r->path, r->line, word, foci_token_noun(r->kind));
}

static foci_status encode_words(stream *s, const foci_vocabulary *v, foci_text_reader *r) {
    const int32_t end_of_line = foci_vocabulary_id(v, "<eos>");
    for (;;) {
        foci_text_item item;
        FOCI_TRY(foci_text_next(r, &item));
        if (item == FOCI_TEXT_END) return FOCI_OK;
        int32_t id = item == FOCI_TEXT_LINE_END ? end_of_line : foci_vocabulary_id(v, r->word);
        if (id < 0) return is_missing(r, r->word);
        FOCI_TRY(push(s, id));
    }
}

/* id: of every code */
static foci_status encode_codes(stream *s, const int32_t *id, foci_text_reader *r) {
    for (int32_t code;;) {
        char name[FOCI_CODE_NAME];
        FOCI_TRY(foci_text_code(r, &code));
        if (code < 0) return FOCI_OK;
        if (id[code] < 0) return foci_code_name(r->kind, code, name), is_missing(r, name);
        FOCI_TRY(push(s, id[code]));
    }
}

static foci_status encode_by_table(stream *s, const foci_vocabulary *v, foci_text_reader *r) {
    int32_t *id = malloc(FOCI_CODES * sizeof *id);
    if (!id) return foci_fail(FOCI_ERR_RUNTIME, "%s: out of memory for its characters", r->path);
    for (int32_t code = 0; code < FOCI_CODES; code++) id[code] = s->unknown_id;
    for (int32_t k = 0; k < foci_vocabulary_size(v); k++) {
        const int32_t code = foci_code_of(r->kind, foci_vocabulary_word(v, k));
        if (code >= 0) id[code] = k;
    }
    const foci_status status = encode_codes(s, id, r);
    free(id);
    return status;
}

static foci_status encode(stream *s, const foci_vocabulary *v, foci_text_reader *r) {
    s->unknown_id = foci_vocabulary_id(v, "<unk>");
    FOCI_TRY((r->kind == FOCI_WORDS ? encode_words : encode_by_table)(s, v, r));
    if (!s->count) return foci_fail(FOCI_ERR_DATA, "%s: the file is empty", r->path);
    return reserve(s, s->count);
}

foci_status foci_tokens_read(foci_tokens *t, const foci_vocabulary *v, const char *path) {
    if (foci_is_pack(path)) return foci_text_pack_tokens(t, v, path);
    *t = (foci_tokens){0};
    if (foci_vocabulary_bpe(v)) return foci_subwords_read(t, v, path);
    foci_text_reader reader;
    stream s = {0};
    foci_status status = foci_text_open(&reader, path, foci_vocabulary_tokens(v));
    if (!status) status = encode(&s, v, &reader);
    foci_text_close(&reader);
    if (status) free(s.ids);
    else *t = (foci_tokens){.count = s.count, .lines = reader.line, .unknown = s.unknown, .ids = s.ids};
    return status;
}

void foci_tokens_copy(const foci_tokens *t, int64_t first, int64_t count, int32_t *ids) {
    if (t->ids) memcpy(ids, t->ids + first, (size_t)count * sizeof *ids);
    else foci_shards_copy(t->shards, first, count, ids);
}

foci_status foci_tokens_gather(foci_tokens *t) {
    if (t->ids || !t->count) return FOCI_OK;
    int32_t *ids = malloc((size_t)t->count * sizeof *ids);
    if (!ids) return foci_fail(FOCI_ERR_RUNTIME, "out of memory for %" PRId64 " tokens", t->count);
    foci_tokens_copy(t, 0, t->count, ids);
    t->ids = ids;
    return FOCI_OK;
}

void foci_tokens_free(foci_tokens *t) {
    if (t->map.data) foci_map_close(&t->map);
    else free((void *)(uintptr_t)t->ids);
    if (t->shards) foci_shards_close(t->shards);
    free(t->shards);
    *t = (foci_tokens){0};
}

/* ---------------------------------------------------------------------------------------------- windows */

foci_status foci_windows_make(foci_windows *w, const foci_tokens *tokens, int64_t batch, int64_t window) {
    if (batch < 1 || window < 1)
        return foci_fail(FOCI_ERR_CONFIG, "windows of %" PRId64 " x %" PRId64 " tokens: both at least 1", batch,
                         window);
    *w = (foci_windows){.tokens = tokens, .batch = batch, .window = window, .column = tokens->count / batch};
    if (w->column < 2)
        return foci_fail(FOCI_ERR_DATA,
                         "%" PRId64 " tokens are too few for a batch of %" PRId64
                         ": at least 2 in each row; lower train.batch_size",
                         tokens->count, batch);
    return FOCI_OK;
}

/* The last token of a column is only a target: column - 1 predictions. */
int64_t foci_windows_count(const foci_windows *w) { return (w->column - 2) / w->window + 1; }

int64_t foci_windows_length(const foci_windows *w, int64_t i) {
    int64_t rest = w->column - 1 - i * w->window;
    return rest < w->window ? rest : w->window;
}

foci_status foci_windows_check_endless(const foci_windows *w) {
    if (w->column > w->window) return FOCI_OK;
    return foci_fail(FOCI_ERR_DATA,
                     "%" PRId64 " tokens in %" PRId64 " rows of %" PRId64 " have no window of %" PRId64
                     " and the token after it: lower model.context or train.batch_size",
                     w->tokens->count, w->batch, w->column, w->window);
}

int64_t foci_windows_endless(const foci_windows *w, uint64_t seed, int64_t number, bool *begins) {
    const int64_t room = w->column - w->window, most = room < w->window ? room : w->window;
    const uint64_t name = foci_stream("reading");
    for (int64_t pass = 0;; pass++) {
        const uint64_t drawn = foci_philox(seed, name, 0, (uint64_t)pass).v[0];
        const int64_t first = pass ? (int64_t)(drawn * (uint64_t)most >> 32) : 0;
        const int64_t windows = (room - first - 1) / w->window + 1;
        *begins = number == 0;
        if (number < windows) return first + number * w->window;
        number -= windows;
    }
}

void foci_windows_draw(const foci_windows *w, uint64_t seed, int64_t number, int32_t *ids, int32_t *targets) {
    const uint64_t name = foci_stream("drawn windows"), places = (uint64_t)(w->tokens->count - w->window);
    for (int64_t i = 0; i < w->batch; i++, ids += w->window, targets += w->window) {
        const foci_u32x4 u = foci_philox(seed, name, (uint64_t)number, (uint64_t)i);
        const unsigned __int128 drawn = (unsigned __int128)((uint64_t)u.v[0] << 32 | u.v[1]) * places;
        foci_tokens_copy(w->tokens, (int64_t)(drawn >> 64), w->window, ids);
        foci_tokens_copy(w->tokens, (int64_t)(drawn >> 64) + 1, w->window, targets);
    }
}

void foci_windows_copy(const foci_windows *w, int64_t start, int64_t length, int32_t *ids, int32_t *targets) {
    for (int64_t b = 0; b < w->batch; b++) {
        foci_tokens_copy(w->tokens, b * w->column + start, length, ids + b * length);
        foci_tokens_copy(w->tokens, b * w->column + start + 1, length, targets + b * length);
    }
}

/* --------------------------------------------------------------------------------------------- baseline */

static void count_ids(const foci_tokens *t, int64_t *seen) {
    enum { PART = 4096 };
    int32_t ids[PART];
    for (int64_t first = 0, n; first < t->count; first += n) {
        n = t->count - first < PART ? t->count - first : PART;
        foci_tokens_copy(t, first, n, ids);
        for (int64_t i = 0; i < n; i++) seen[ids[i]]++;
    }
}

/* p(w) = (frequency(w) + 1) / (sum of all frequencies + size of the vocabulary); the result is
 * exp(-mean over the stream of ln p). Counted by word first, so its rounding does not grow with the stream.
 */
double foci_unigram_perplexity(const foci_vocabulary *v, const foci_tokens *t) {
    int64_t size = foci_vocabulary_size(v);
    int64_t *seen = calloc((size_t)size, sizeof *seen);
    if (!seen || !t->count) {
        free(seen);
        return NAN;
    }
    count_ids(t, seen);
    double total = (double)size, nll = 0;
    for (int32_t id = 0; id < size; id++) total += (double)foci_vocabulary_frequency(v, id);
    for (int32_t id = 0; id < size; id++)
        nll -= (double)seen[id] * log((double)(foci_vocabulary_frequency(v, id) + 1) / total);
    free(seen);
    return exp(nll / (double)t->count);
}
