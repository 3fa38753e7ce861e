/* Tokenizers from files. What a tokenizer.json may say is listed in docs/mathematics.md 8.8; a field that says anything
 * else asks for another algorithm, and is refused by its name. */
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "bpe/names.h"
#include "bpe/pieces.h"

enum { MOST_BYTES = 1 << 28, MOST_TOKENS = 1 << 24, FIELD = 128 };

static foci_status parse_json(json_t **root, const char *text, size_t size) {
    json_error_t error;
    *root = json_loadb(text, size, JSON_REJECT_DUPLICATES, &error);
    if (!*root) return foci_fail(FOCI_ERR_DATA, "line %d, column %d: %s", error.line, error.column, error.text);
    if (json_is_object(*root)) return FOCI_OK;
    json_decref(*root);
    return foci_fail(FOCI_ERR_DATA, "not an object of JSON");
}

/* ------------------------------------------------------------------------------------- tokens and merges */

static foci_status put_name(foci_bpe *b, const char *name, int64_t id) {
    char text[FOCI_TOKEN_MAX];
    uint32_t size;
    FOCI_TRY(foci_name_bytes(name, strlen(name), text, &size));
    return foci_bpe_put(b, id, text, size, false);
}

/* {"token": number}, but for the names that are special already. */
static foci_status put_vocabulary(foci_bpe *b, const json_t *vocabulary) {
    const char *name;
    json_t *number;
    json_object_foreach((json_t *)(uintptr_t)vocabulary, name, number) {
        if (!json_is_integer(number)) return foci_fail(FOCI_ERR_DATA, "`%.80s`: no number", name);
        const int64_t id = json_integer_value(number);
        const foci_token *t = id >= 0 && id < b->size ? b->token + id : NULL;
        if (t && t->special && t->size == strlen(name) && memcmp(t->text, name, t->size) == 0) continue;
        FOCI_TRY(put_name(b, name, id));
    }
    return FOCI_OK;
}

static foci_status put_merge(foci_bpe *b, const char *left, size_t left_size, const char *right, size_t right_size) {
    char text[2][FOCI_TOKEN_MAX];
    foci_string half[2] = {{text[0]}, {text[1]}};
    FOCI_TRY(foci_name_bytes(left, left_size, text[0], &half[0].size));
    FOCI_TRY(foci_name_bytes(right, right_size, text[1], &half[1].size));
    return foci_bpe_put_merge(b, half[0], half[1]);
}

/* "LEFT RIGHT", of which no half has a blank */
static foci_status put_merge_line(foci_bpe *b, const char *line, size_t size) {
    const char *blank = memchr(line, ' ', size), *end = line + size;
    if (!blank || blank == line || blank + 1 == end || memchr(blank + 1, ' ', (size_t)(end - blank - 1)))
        return foci_fail(FOCI_ERR_DATA, "not two tokens with a blank between");
    return put_merge(b, line, (size_t)(blank - line), blank + 1, (size_t)(end - blank - 1));
}

/* ----------------------------------------------------------------------------------------- tokenizer.json */

static foci_status field_fails(const char *field, const char *what) {
    return foci_fail(FOCI_ERR_DATA, "%s: %s", field, what);
}

static void join(char field[FIELD], const char *where, const char *name) {
    snprintf(field, FIELD, "%s%s%s", where, *where ? "." : "", name);
}

/* The field of an object is absent, null or `is`. */
static foci_status wants(const json_t *object, const char *where, const char *name, bool is) {
    char field[FIELD];
    const json_t *value = json_object_get(object, name);
    if (!value || json_is_null(value) || (json_is_boolean(value) && json_is_true(value) == is)) return FOCI_OK;
    join(field, where, name);
    return field_fails(field, is ? "not true" : "not false");
}

/* ... absent, null or an empty text. */
static foci_status wants_nothing(const json_t *object, const char *where, const char *name) {
    char field[FIELD];
    const json_t *value = json_object_get(object, name);
    const char *text = json_string_value(value);
    if (!value || json_is_null(value) || (text && !*text)) return FOCI_OK;
    join(field, where, name);
    return field_fails(field, "not null; tokenizers that ask for more than byte-level BPE are not read");
}

static bool is_type(const json_t *object, const char *type) {
    const char *text = json_string_value(json_object_get(object, "type"));
    return text && strcmp(text, type) == 0;
}

/* `cuts`: by GPT-2's rule, or not at all. */
static foci_status check_byte_level(const json_t *level, const char *where, bool cuts) {
    const json_t *prefix = json_object_get(level, "add_prefix_space"), *regex = json_object_get(level, "use_regex");
    char field[FIELD];
    join(field, where, "type");
    if (!is_type(level, "ByteLevel")) return field_fails(field, "not ByteLevel");
    join(field, where, "add_prefix_space");
    if (!json_is_false(prefix)) return field_fails(field, "not false: it would put a space in front of the text");
    join(field, where, "use_regex");
    if (regex ? json_is_true(regex) != cuts : !cuts) return field_fails(field, cuts ? "not true" : "not false");
    return FOCI_OK;
}

/* Sequence of a Split by Llama 3's pattern and a ByteLevel that cuts no more. */
static foci_status read_split(foci_bpe *b, const json_t *sequence) {
    const json_t *parts = json_object_get(sequence, "pretokenizers"), *split = json_array_get(parts, 0),
                 *level = json_array_get(parts, 1), *pattern = json_object_get(split, "pattern");
    const char *regex = json_string_value(json_object_get(pattern, "Regex"));
    const char *behaviour = json_string_value(json_object_get(split, "behavior"));
    if (json_array_size(parts) != 2 || !is_type(split, "Split"))
        return field_fails("pre_tokenizer.pretokenizers", "not a Split and a ByteLevel");
    if (!regex || strcmp(regex, foci_llama3_pattern) != 0)
        return field_fails("pre_tokenizer.pretokenizers[0].pattern", "not that of Llama 3");
    if (!behaviour || strcmp(behaviour, "Isolated") != 0)
        return field_fails("pre_tokenizer.pretokenizers[0].behavior", "not Isolated");
    FOCI_TRY(wants(split, "pre_tokenizer.pretokenizers[0]", "invert", false));
    FOCI_TRY(check_byte_level(level, "pre_tokenizer.pretokenizers[1]", false));
    b->rule = FOCI_BPE_LLAMA3;
    return FOCI_OK;
}

static foci_status read_pieces(foci_bpe *b, const json_t *root) {
    const json_t *pre = json_object_get(root, "pre_tokenizer");
    b->rule = FOCI_BPE_GPT2;
    return is_type(pre, "Sequence") ? read_split(b, pre) : check_byte_level(pre, "pre_tokenizer", true);
}

/* What is done to tokens afterwards, which changes none: nothing, or ByteLevel. Llama 3's puts a token in front, where
 * it is asked for special tokens. */
static foci_status check_ends(const json_t *root, foci_bpe_rule rule) {
    const json_t *decoder = json_object_get(root, "decoder"), *post = json_object_get(root, "post_processor");
    if (decoder && !json_is_null(decoder) && !is_type(decoder, "ByteLevel"))
        return field_fails("decoder.type", "not ByteLevel");
    const bool in_front = rule == FOCI_BPE_LLAMA3 && (is_type(post, "Sequence") || is_type(post, "TemplateProcessing"));
    if (post && !json_is_null(post) && !is_type(post, "ByteLevel") && !in_front)
        return field_fails("post_processor.type", "not ByteLevel");
    return FOCI_OK;
}

static foci_status check_model(const json_t *model) {
    if (!json_is_object(model)) return field_fails("model", "missing");
    if (!is_type(model, "BPE")) return field_fails("model.type", "not BPE");
    FOCI_TRY(wants_nothing(model, "model", "dropout"));
    FOCI_TRY(wants_nothing(model, "model", "unk_token"));
    FOCI_TRY(wants_nothing(model, "model", "continuing_subword_prefix"));
    FOCI_TRY(wants_nothing(model, "model", "end_of_word_suffix"));
    FOCI_TRY(wants(model, "model", "byte_fallback", false));
    if (!json_is_object(json_object_get(model, "vocab"))) return field_fails("model.vocab", "not an object");
    if (!json_is_array(json_object_get(model, "merges"))) return field_fails("model.merges", "not a list");
    return FOCI_OK;
}

/* {"id": N, "content": "<|endoftext|>", ...} */
static foci_status put_added(foci_bpe *b, const json_t *added) {
    const json_t *id = json_object_get(added, "id");
    const char *text = json_string_value(json_object_get(added, "content"));
    if (!json_is_integer(id) || !text) return foci_fail(FOCI_ERR_DATA, "no id or no content");
    FOCI_TRY(wants(added, "", "special", true)); /* others are found in every text */
    FOCI_TRY(wants(added, "", "single_word", false));
    FOCI_TRY(wants(added, "", "lstrip", false));
    FOCI_TRY(wants(added, "", "rstrip", false));
    return foci_bpe_put(b, json_integer_value(id), text, strlen(text), true);
}

/* Those of the vocabulary, and the added ones that it lacks. */
static foci_status count_tokens(const json_t *vocabulary, const json_t *added, int64_t *count) {
    int64_t n = (int64_t)json_object_size(vocabulary);
    for (size_t i = 0; i < json_array_size(added); i++) {
        const char *text = json_string_value(json_object_get(json_array_get(added, i), "content"));
        n += !text || !json_object_get(vocabulary, text);
    }
    *count = n;
    return n <= MOST_TOKENS ? FOCI_OK : foci_fail(FOCI_ERR_DATA, "%" PRId64 " tokens: more than 2^24", n);
}

static foci_status put_all_added(foci_bpe *b, const json_t *added) {
    for (size_t i = 0; i < json_array_size(added); i++) {
        const foci_status s = put_added(b, json_array_get(added, i));
        if (s) return foci_context(s, "added_tokens[%zu]", i);
    }
    return FOCI_OK;
}

/* "LEFT RIGHT", or ["LEFT", "RIGHT"] */
static foci_status put_json_merge(foci_bpe *b, const json_t *merge) {
    const char *line = json_string_value(merge), *left = json_string_value(json_array_get(merge, 0)),
               *right = json_string_value(json_array_get(merge, 1));
    if (line) return put_merge_line(b, line, strlen(line));
    if (!left || !right || json_array_size(merge) != 2) return foci_fail(FOCI_ERR_DATA, "not a pair of tokens");
    return put_merge(b, left, strlen(left), right, strlen(right));
}

static foci_status put_all_merges(foci_bpe *b, const json_t *merges) {
    for (size_t i = 0; i < json_array_size(merges); i++) {
        const foci_status s = put_json_merge(b, json_array_get(merges, i));
        if (s) return foci_context(s, "model.merges[%zu]", i);
    }
    return FOCI_OK;
}

static foci_status fill(foci_bpe *b, const json_t *root) {
    const json_t *model = json_object_get(root, "model");
    FOCI_TRY(read_pieces(b, root));
    FOCI_TRY(check_ends(root, b->rule));
    FOCI_TRY(put_all_added(b, json_object_get(root, "added_tokens")));
    const foci_status s = put_vocabulary(b, json_object_get(model, "vocab"));
    if (s) return foci_context(s, "model.vocab");
    FOCI_TRY(put_all_merges(b, json_object_get(model, "merges")));
    const json_t *whole = json_object_get(model, "ignore_merges");
    b->whole = json_is_true(whole);
    if (whole && !json_is_boolean(whole)) return field_fails("model.ignore_merges", "neither true nor false");
    return foci_bpe_finish(b);
}

static foci_status make(foci_bpe **bpe, const json_t *root) {
    const json_t *model = json_object_get(root, "model");
    int64_t count;
    FOCI_TRY(wants_nothing(root, "", "normalizer"));
    FOCI_TRY(check_model(model));
    FOCI_TRY(count_tokens(json_object_get(model, "vocab"), json_object_get(root, "added_tokens"), &count));
    FOCI_TRY(foci_bpe_begin(bpe, count));
    const foci_status s = fill(*bpe, root);
    if (!s) return FOCI_OK;
    foci_bpe_free(*bpe);
    *bpe = NULL;
    return s;
}

foci_status foci_bpe_parse(foci_bpe **bpe, const char *name, const char *json, size_t size) {
    json_t *root;
    *bpe = NULL;
    foci_status s = parse_json(&root, json, size);
    if (!s) {
        s = make(bpe, root);
        json_decref(root);
    }
    return s ? foci_context(s, "%s", name) : FOCI_OK;
}

/* --------------------------------------------------------------------------- vocab.json and merges.txt */

static const char end_of_text[] = "<|endoftext|>";

static foci_status read_vocabulary(foci_bpe **bpe, const char *path) {
    json_t *root, *end;
    char *text;
    size_t size;
    FOCI_TRY(foci_read_file(path, MOST_BYTES, &text, &size, FOCI_ERR_DATA));
    foci_status s = parse_json(&root, text, size);
    free(text);
    if (s) return foci_context(s, "%s", path);
    if (json_object_size(root) > MOST_TOKENS) s = foci_fail(FOCI_ERR_DATA, "more than 2^24 tokens");
    if (!s) s = foci_bpe_begin(bpe, (int64_t)json_object_size(root));
    if (!s && json_is_integer(end = json_object_get(root, end_of_text)))
        s = foci_bpe_put(*bpe, json_integer_value(end), end_of_text, strlen(end_of_text), true);
    if (!s) s = put_vocabulary(*bpe, root);
    json_decref(root);
    return s ? foci_context(s, "%s", path) : FOCI_OK;
}

/* A line each, perhaps behind one that begins with #version. */
static foci_status parse_merges(foci_bpe *b, const char *path, const char *text, size_t size) {
    long long line = 0;
    for (const char *at = text, *end = text + size, *stop; at < end; at = stop + 1) {
        stop = memchr(at, '\n', (size_t)(end - at));
        if (!stop) stop = end;
        const size_t length = (size_t)(stop - at) - (stop > at && stop[-1] == '\r');
        if (++line == 1 && length >= 8 && memcmp(at, "#version", 8) == 0) continue;
        const foci_status s = length ? put_merge_line(b, at, length) : FOCI_OK;
        if (s) return foci_context(s, "%s:%lld", path, line);
    }
    return FOCI_OK;
}

static foci_status read_merges(foci_bpe *b, const char *path) {
    char *text;
    size_t size;
    FOCI_TRY(foci_read_file(path, MOST_BYTES, &text, &size, FOCI_ERR_DATA));
    const foci_status s = parse_merges(b, path, text, size);
    free(text);
    return s;
}

static foci_status open_two(foci_bpe **bpe, const char *vocabulary, const char *merges) {
    foci_status s = read_vocabulary(bpe, vocabulary);
    if (!s) s = read_merges(*bpe, merges);
    if (!s && (s = foci_bpe_finish(*bpe))) foci_context(s, "%s", vocabulary);
    if (!s) return FOCI_OK;
    foci_bpe_free(*bpe);
    *bpe = NULL;
    return s;
}

/* ------------------------------------------------------------------------------------- llm.c's tokenizer file */

/* 256 int32: magic, version, count, number of the end-of-text token; then for each token a byte of length, its bytes.
 */
enum { LLMC_MAGIC = 20240328, LLMC_VERSION = 2, LLMC_HEADER = 1024 };

static bool is_llmc(const char *text, size_t size) {
    int32_t head[2] = {0};
    if (size >= LLMC_HEADER) memcpy(head, text, sizeof head);
    return head[0] == LLMC_MAGIC && head[1] == LLMC_VERSION;
}

static foci_status put_llmc(foci_bpe *b, const char *text, size_t size, int32_t end) {
    size_t at = LLMC_HEADER;
    for (int32_t id = 0; id < b->size; id++) {
        const size_t length = at < size ? (unsigned char)text[at] : 0;
        if (at + 1 + length > size) return foci_fail(FOCI_ERR_DATA, "byte %zu: token %" PRId32 " is cut short", at, id);
        FOCI_TRY(foci_bpe_put(b, id, text + at + 1, length, id == end));
        at += 1 + length;
    }
    if (at != size) return foci_fail(FOCI_ERR_DATA, "byte %zu: more than the %" PRId64 " tokens", at, b->size);
    return foci_bpe_finish(b);
}

static foci_status parse_llmc(foci_bpe **bpe, const char *path, const char *text, size_t size) {
    int32_t head[4];
    memcpy(head, text, sizeof head);
    if (head[2] < 1 || head[2] > MOST_TOKENS)
        return foci_fail(FOCI_ERR_DATA, "%s: byte 8: %" PRId32 " tokens", path, head[2]);
    FOCI_TRY(foci_bpe_begin(bpe, head[2]));
    const foci_status s = put_llmc(*bpe, text, size, head[3]);
    if (!s) return FOCI_OK;
    foci_bpe_free(*bpe);
    *bpe = NULL;
    return foci_context(s, "%s", path);
}

/* ------------------------------------------------------------------------------------------------------ any */

static foci_status open_file(foci_bpe **bpe, const char *path) {
    char *text;
    size_t size;
    FOCI_TRY(foci_read_file(path, MOST_BYTES, &text, &size, FOCI_ERR_DATA));
    const foci_status s = (is_llmc(text, size) ? parse_llmc : foci_bpe_parse)(bpe, path, text, size);
    free(text);
    return s;
}

foci_status foci_bpe_open(foci_bpe **bpe, const char *path) {
    static const char *const two[][2] = {{"vocab.json", "merges.txt"}, {"encoder.json", "vocab.bpe"}};
    char first[4096], second[4096];
    *bpe = NULL;
    if (foci_path_kind(path) != 'd') return open_file(bpe, path);
    FOCI_TRY(foci_path_join(first, sizeof first, path, "tokenizer.json"));
    if (foci_path_kind(first)) return open_file(bpe, first);
    for (int i = 0; i < 2; i++) {
        FOCI_TRY(foci_path_join(first, sizeof first, path, two[i][0]));
        FOCI_TRY(foci_path_join(second, sizeof second, path, two[i][1]));
        if (foci_path_kind(first)) return open_two(bpe, first, second);
    }
    return foci_fail(FOCI_ERR_DATA, "%s: no tokenizer.json, vocab.json or encoder.json in it", path);
}
