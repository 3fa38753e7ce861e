#define _GNU_SOURCE
#include "text/vocabulary.h"

#include "base/arena.h"
#include "base/file.h"
#include "text/characters.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

/* uthash must not exit the program when memory is out: an entry that could not be added has no table. */
#define HASH_NONFATAL_OOM 1
#define HASH_FUNCTION(key, length, hash) ((hash) = (unsigned)XXH3_64bits((key), (length)))
#include <uthash.h>

#define END_OF_LINE "<eos>"
#define UNKNOWN "<unk>"

typedef struct entry {
    UT_hash_handle hh;
    int64_t count;
    int32_t id;
    char word[];
} entry;

struct foci_vocabulary {
    entry *table; /* uthash; its list is in order of ids once numbered */
    entry **by_id;
    int64_t size;
    int32_t unknown; /* id of <unk>, or -1 */
    foci_token_kind tokens;
    foci_rare_words rare;
    foci_bpe *bpe; /* of subwords */
    foci_subword_reading reading;
    foci_arena arena;
};

static foci_status out_of_memory(void) { return foci_fail(FOCI_ERR_RUNTIME, "out of memory for the vocabulary"); }

static entry *find(const foci_vocabulary *v, const char *word, size_t length) {
    entry *e;
    HASH_FIND(hh, v->table, word, length, e);
    return e;
}

static entry *add(foci_vocabulary *v, const char *word, size_t length) {
    entry *e = foci_arena_alloc(&v->arena, sizeof *e + length + 1);
    if (!e) return NULL;
    e->id = -1;
    memcpy(e->word, word, length);
    HASH_ADD_KEYPTR(hh, v->table, e->word, length, e);
    return e->hh.tbl ? e : NULL;
}

static entry *find_or_add(foci_vocabulary *v, const char *word, size_t length) {
    entry *e = find(v, word, length);
    return e ? e : add(v, word, length);
}

/* Numbers the entries in order of the list. */
static foci_status number(foci_vocabulary *v) {
    v->size = HASH_COUNT(v->table);
    v->by_id = malloc((size_t)v->size * sizeof *v->by_id);
    if (!v->by_id) return out_of_memory();
    int32_t id = 0;
    for (entry *e = v->table; e; e = e->hh.next) {
        v->by_id[id] = e;
        e->id = id++;
    }
    entry *unknown = find(v, UNKNOWN, strlen(UNKNOWN));
    v->unknown = unknown ? unknown->id : -1;
    return FOCI_OK;
}

/* ---------------------------------------------------------------------------------------- from a text */

static foci_status count_words(foci_vocabulary *v, foci_text_reader *r) {
    entry *end = find(v, END_OF_LINE, strlen(END_OF_LINE));
    for (;;) {
        foci_text_item item;
        FOCI_TRY(foci_text_next(r, &item));
        if (item == FOCI_TEXT_END) break;
        entry *e = item == FOCI_TEXT_LINE_END ? end : find_or_add(v, r->word, r->length);
        if (!e) return out_of_memory();
        e->count++;
    }
    return FOCI_OK;
}

static foci_status count_codes(foci_vocabulary *v, foci_text_reader *r) {
    foci_census c;
    foci_status status = foci_census_take(&c, r);
    for (int64_t i = 0; i < c.codes && !status; i++) {
        char name[FOCI_CODE_NAME];
        foci_code_name(v->tokens, c.code[i], name);
        entry *e = find_or_add(v, name, strlen(name));
        if (e) e->count = c.count[c.code[i]];
        else status = out_of_memory();
    }
    foci_census_free(&c);
    return status;
}

static foci_status count(foci_vocabulary *v, foci_text_reader *r) {
    if (!add(v, END_OF_LINE, strlen(END_OF_LINE))) return out_of_memory();
    FOCI_TRY((v->tokens == FOCI_WORDS ? count_words : count_codes)(v, r));
    return r->tokens ? FOCI_OK : foci_fail(FOCI_ERR_DATA, "%s: the file is empty", r->path);
}

/* <eos> first, then falling counts; uthash's sort is stable, so words seen first stay first. */
static int by_count(const entry *a, const entry *b) {
    bool a_end = !strcmp(a->word, END_OF_LINE), b_end = !strcmp(b->word, END_OF_LINE);
    if (a_end != b_end) return b_end - a_end;
    return (a->count < b->count) - (a->count > b->count);
}

/* The word becomes <unk>, which takes over its count. */
static void drop(foci_vocabulary *v, entry *unknown, entry *e) {
    unknown->count += e->count;
    v->rare.words++;
    v->rare.tokens += e->count;
    HASH_DEL(v->table, e);
}

/* Leaves the words seen `least` times, and <eos> and <unk>. */
static foci_status drop_rare(foci_vocabulary *v, int64_t least) {
    entry *unknown = find_or_add(v, UNKNOWN, strlen(UNKNOWN));
    if (!unknown) return out_of_memory();
    for (entry *e = v->table->hh.next, *next; e; e = next) {
        next = e->hh.next;
        if (e != unknown && e->count < least) drop(v, unknown, e);
    }
    HASH_SORT(v->table, by_count);
    return FOCI_OK;
}

/* Leaves `limit` entries: <eos>, <unk> and the most frequent others. */
static foci_status cut(foci_vocabulary *v, int64_t limit) {
    entry *unknown = find_or_add(v, UNKNOWN, strlen(UNKNOWN));
    if (!unknown) return out_of_memory();
    int64_t kept = 1;
    for (entry *e = v->table, *next; e; e = next) {
        next = e->hh.next;
        if (e != unknown && kept++ >= limit) drop(v, unknown, e);
    }
    HASH_SORT(v->table, by_count);
    return FOCI_OK;
}

static bool too_many(const foci_vocabulary *v, int64_t limit) {
    return limit && HASH_COUNT(v->table) > (uint64_t)limit;
}

static foci_status choose(foci_vocabulary *v, foci_word_choice choice) {
    const bool has_unknown = find(v, UNKNOWN, strlen(UNKNOWN)) || too_many(v, choice.limit);
    const int64_t least = choice.min_count ? choice.min_count : has_unknown ? 1 : 2;
    HASH_SORT(v->table, by_count);
    if (v->tokens == FOCI_BYTES) return FOCI_OK;
    if (least > 1) FOCI_TRY(drop_rare(v, least));
    return too_many(v, choice.limit) ? cut(v, choice.limit) : FOCI_OK;
}

foci_status foci_vocabulary_build(foci_vocabulary **result, const char *path, foci_word_choice choice) {
    *result = NULL;
    if (choice.limit < 0 || choice.limit == 1)
        return foci_fail(FOCI_ERR_CONFIG,
                         "a vocabulary of %" PRId64 " words: 0 (no limit) or at least 2, <eos> and <unk>",
                         choice.limit);
    foci_vocabulary *v = calloc(1, sizeof *v);
    if (!v) return out_of_memory();
    v->tokens = choice.tokens;
    foci_text_reader reader;
    foci_status status = foci_text_open(&reader, path, choice.tokens);
    if (!status) status = count(v, &reader);
    foci_text_close(&reader);
    if (!status) status = choose(v, choice);
    if (!status) status = number(v);
    if (status) foci_vocabulary_free(v);
    else *result = v;
    return status;
}

/* -------------------------------------------------------------------------------------- word by word */

foci_status foci_vocabulary_begin(foci_vocabulary **result) {
    foci_vocabulary *v = *result = calloc(1, sizeof *v);
    if (!v) return out_of_memory();
    foci_status status = add(v, END_OF_LINE, strlen(END_OF_LINE)) ? number(v) : out_of_memory();
    if (!status) return FOCI_OK;
    foci_vocabulary_free(v);
    *result = NULL;
    return status;
}

foci_status foci_vocabulary_count(foci_vocabulary *v, const char *word, size_t length) {
    entry *e = find_or_add(v, word, length);
    if (!e) return out_of_memory();
    e->count++;
    return FOCI_OK;
}

/* Those that have numbers keep them; uthash's sort is stable. */
static int new_by_count(const entry *a, const entry *b) {
    if (a->id >= 0 || b->id >= 0) return (a->id < 0) - (b->id < 0);
    return (a->count < b->count) - (a->count > b->count);
}

foci_status foci_vocabulary_counted(foci_vocabulary *v) {
    HASH_SORT(v->table, new_by_count);
    free(v->by_id);
    v->by_id = NULL;
    return number(v);
}

/* ------------------------------------------------------------------------------------------------ subwords */

/* A list of words has one a line. */
static foci_status add_subword(foci_vocabulary *v, int32_t id) {
    char name[FOCI_TOKEN_NAME];
    const size_t length = foci_bpe_name(v->bpe, id, name);
    if (memchr(name, '\n', length) || memchr(name, 0, length))
        return foci_fail(FOCI_ERR_DATA, "special token %" PRId32 " is not one line of text", id);
    return add(v, name, length) ? FOCI_OK : out_of_memory();
}

foci_status foci_vocabulary_of_bpe(foci_vocabulary **result, foci_bpe *bpe, foci_subword_reading reading) {
    foci_vocabulary *v = *result = calloc(1, sizeof *v);
    if (!v) return foci_bpe_free(bpe), out_of_memory();
    v->tokens = FOCI_SUBWORDS;
    v->bpe = bpe;
    v->reading = reading;
    foci_status status = FOCI_OK;
    for (int32_t id = 0; id < foci_bpe_size(bpe) && !status; id++) status = add_subword(v, id);
    if (!status) status = number(v);
    if (!status) return FOCI_OK;
    foci_vocabulary_free(v);
    *result = NULL;
    return status;
}

const foci_bpe *foci_vocabulary_bpe(const foci_vocabulary *v) { return v->bpe; }
int32_t foci_vocabulary_end_of_text(const foci_vocabulary *v) { return v->bpe ? foci_bpe_end_of_text(v->bpe) : -1; }
foci_subword_reading foci_vocabulary_reading(const foci_vocabulary *v) { return v->reading; }

/* --------------------------------------------------------------------------------------- as a word list */

foci_status foci_vocabulary_print(const foci_vocabulary *v, bool counts, char **text, size_t *size) {
    *text = NULL;
    FILE *f = open_memstream(text, size);
    if (!f) return out_of_memory();
    for (int64_t i = 0; i < v->size; i++) {
        if (counts) fprintf(f, "%" PRId64 " ", v->by_id[i]->count);
        fprintf(f, "%s\n", v->by_id[i]->word);
    }
    bool failed = ferror(f);
    if (!fclose(f) && !failed) return FOCI_OK;
    free(*text);
    *text = NULL;
    return out_of_memory();
}

/* One line, without its newline. */
static foci_status parse_line(foci_vocabulary *v, const char *line, size_t length, bool counts) {
    int64_t count = 0;
    const char *word = line, *end = line + length;
    if (counts) {
        for (; word < end && *word >= '0' && *word <= '9' && count <= INT32_MAX; word++)
            count = 10 * count + *word - '0';
        if (word == line || word == end || *word++ != ' ') return foci_fail(FOCI_ERR_DATA, "no count");
    }
    size_t n = (size_t)(end - word);
    if (n == 0 || n > FOCI_WORD_MAX) return foci_fail(FOCI_ERR_DATA, "a word of %zu bytes", n);
    for (size_t i = 0; i < n; i++)
        if (!word[i] || foci_is_space((unsigned char)word[i])) return foci_fail(FOCI_ERR_DATA, "not one word");
    if (!v->table && (n != strlen(END_OF_LINE) || memcmp(word, END_OF_LINE, n)))
        return foci_fail(FOCI_ERR_DATA, "the first word of a vocabulary is " END_OF_LINE);
    if (find(v, word, n)) return foci_fail(FOCI_ERR_DATA, "a word that was there before: %.*s", (int)n, word);
    entry *e = add(v, word, n);
    if (!e) return out_of_memory();
    e->count = count;
    return FOCI_OK;
}

foci_status foci_vocabulary_parse(foci_vocabulary **result, const char *name, const char *text, size_t size,
                                  bool counts) {
    *result = NULL;
    foci_vocabulary *v = calloc(1, sizeof *v);
    if (!v) return out_of_memory();
    foci_status status = size ? FOCI_OK : foci_fail(FOCI_ERR_DATA, "%s: the file is empty", name);
    int64_t line = 0;
    for (const char *p = text, *end = text + size; p < end && !status;) {
        const char *newline = memchr(p, '\n', (size_t)(end - p));
        const char *stop = newline ? newline : end;
        line++;
        status = parse_line(v, p, (size_t)(stop - p), counts);
        if (status == FOCI_ERR_DATA) foci_context(status, "%s:%" PRId64, name, line);
        p = stop + 1;
    }
    if (!status) status = number(v);
    if (status) foci_vocabulary_free(v);
    else *result = v;
    return status;
}

static bool is_declared(const foci_vocabulary *v, int32_t id) {
    return v->tokens == FOCI_WORDS || (id == v->unknown && v->tokens == FOCI_CHARS) ||
           foci_code_of(v->tokens, v->by_id[id]->word) >= 0;
}

foci_status foci_vocabulary_declare(foci_vocabulary *v, foci_token_kind tokens, const char *name) {
    v->tokens = tokens;
    for (int32_t id = 0; id < v->size; id++)
        if (!is_declared(v, id))
            return foci_fail(FOCI_ERR_DATA, "%s:%" PRId32 ": `%.80s` is none of the %s of a text (data.tokens)", name,
                             id + 1, v->by_id[id]->word, foci_token_noun(tokens));
    if (tokens != FOCI_BYTES || v->size == 256) return FOCI_OK;
    return foci_fail(FOCI_ERR_DATA, "%s: %" PRId64 " of the 256 byte values", name, v->size);
}

foci_status foci_vocabulary_load(foci_vocabulary **v, const char *path) {
    *v = NULL;
    char *text;
    size_t size;
    FOCI_TRY(foci_read_file(path, FOCI_VOCABULARY_BYTES, &text, &size, FOCI_ERR_DATA));
    foci_status status = foci_vocabulary_parse(v, path, text, size, false);
    free(text);
    return status;
}

foci_status foci_vocabulary_save(const foci_vocabulary *v, const char *path) {
    char *text;
    size_t size;
    FOCI_TRY(foci_vocabulary_print(v, false, &text, &size));
    foci_status status = foci_write_file(path, text, size);
    free(text);
    return status;
}

/* ---------------------------------------------------------------------------------------------- look-up */

void foci_vocabulary_free(foci_vocabulary *v) {
    if (!v) return;
    HASH_CLEAR(hh, v->table);
    foci_bpe_free(v->bpe);
    free(v->by_id);
    foci_arena_free(&v->arena);
    free(v);
}

const char *const foci_token_kinds[] = {FOCI_TOKEN_KINDS(FOCI_CHOICE_NAME)};

const char *foci_token_noun(foci_token_kind kind) {
    static const char *const noun[] = {"words", "characters", "byte values", "subwords"};
    return noun[kind];
}

int64_t foci_vocabulary_size(const foci_vocabulary *v) { return v->size; }

foci_token_kind foci_vocabulary_tokens(const foci_vocabulary *v) { return v->tokens; }

int32_t foci_vocabulary_id(const foci_vocabulary *v, const char *word) {
    const entry *e = find(v, word, strlen(word));
    return e ? e->id : v->unknown;
}

const char *foci_vocabulary_word(const foci_vocabulary *v, int32_t id) { return v->by_id[id]->word; }

size_t foci_vocabulary_spell(const foci_vocabulary *v, int32_t id, char text[FOCI_WORD_MAX + 1]) {
    if (v->bpe) {
        const foci_token t = foci_bpe_token(v->bpe, id);
        return memcpy(text, t.text, t.size), t.size;
    }
    const char *word = foci_vocabulary_word(v, id);
    const int32_t code = v->tokens == FOCI_WORDS ? -1 : foci_code_of(v->tokens, word);
    if (code >= 0) return (size_t)foci_code_text(v->tokens, code, text);
    const size_t length = strlen(word);
    memcpy(text, word, length);
    return length;
}

int foci_vocabulary_take(const foci_vocabulary *v, const char *text, size_t size, int32_t *id) {
    char name[FOCI_CODE_NAME];
    int32_t code;
    const int length = foci_code_at(v->tokens, text, size, &code);
    if (!length) return 0;
    foci_code_name(v->tokens, code, name);
    *id = foci_vocabulary_id(v, name);
    return length;
}

int64_t foci_vocabulary_frequency(const foci_vocabulary *v, int32_t id) { return v->by_id[id]->count; }

foci_rare_words foci_vocabulary_rare(const foci_vocabulary *v) { return v->rare; }

void foci_vocabulary_set_rare(foci_vocabulary *v, foci_rare_words rare) { v->rare = rare; }
