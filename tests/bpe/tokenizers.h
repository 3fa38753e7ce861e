/* Tokenizers for tests: one that is learnt here, and OpenAI's, which lies beside the checkout. */
#ifndef FOCI_TESTS_TOKENIZERS_H
#define FOCI_TESTS_TOKENIZERS_H

#include <jansson.h>

#include "folder.h"

#include "base/philox.h"
#include "bpe/bpe.h"

static const char small_text[] = "the cat sat on the mat, and the cat's hat sat on that cat.\n"
                                 "The hat isn't the cat's; it's the mat's, isn't it? Then they'll sit.\n"
                                 "caf\xc3\xa9 na\xc3\xafve caf\xc3\xa9 1234 1234 12\n\n\nthe    end\n";

static inline foci_bpe *learn(const char *text, int64_t size, int64_t min_frequency) {
    static const char *const special[] = {"<|endoftext|>"};
    foci_bpe_training t = {
        .size = size, .min_frequency = min_frequency, .special = special, .specials = 1, .documents = FOCI_FILE};
    const char *const path[] = {save("learn.txt", text)};
    foci_bpe *bpe;
    assert_ok(foci_bpe_train(&bpe, path, 1, &t));
    return bpe;
}
static inline foci_bpe *learn_small(void) { return learn(small_text, 300, 2); }

/* GPT-2's; NULL where it is not there. */
static inline foci_bpe *open_gpt2(void) {
    foci_bpe *bpe;
    const char *path = shared_path("golden/bpe/encoder.json");
    if (!path) return NULL;
    char folder_of[1024];
    snprintf(folder_of, sizeof folder_of, "%.*s", (int)(strrchr(path, '/') - path), path);
    assert_ok(foci_bpe_open(&bpe, folder_of));
    return bpe;
}

static inline json_t *golden(const char *name) {
    json_error_t error;
    const char *path = shared_path(name);
    json_t *root = path ? json_load_file(path, JSON_ALLOW_NUL, &error) : NULL;
    if (path && !root) fail_msg("%s:%d: %s", path, error.line, error.text);
    return root;
}

static inline void assert_ids(const foci_ids *ids, const json_t *expected, const char *what) {
    assert_int_equal(ids->count, json_array_size(expected));
    for (int64_t i = 0; i < ids->count; i++)
        if (ids->id[i] != json_integer_value(json_array_get(expected, (size_t)i)))
            fail_msg("%s: token %lld is %d", what, (long long)i, (int)ids->id[i]);
}

/* The tokens are these bytes again. */
static inline void assert_decodes(const foci_bpe *bpe, const foci_ids *ids, const void *text, size_t size) {
    size_t at = 0;
    for (int64_t i = 0; i < ids->count; i++) {
        const foci_token t = foci_bpe_token(bpe, ids->id[i]);
        assert_true(at + t.size <= size);
        assert_memory_equal((const char *)text + at, t.text, t.size);
        at += t.size;
    }
    assert_int_equal(at, size);
}

/* Bytes that are like text now and then; returns how many, at most `most`. */
static inline size_t draw_text(foci_rng *r, unsigned char *text, size_t most) {
    static const char *const part[] = {"the",      " cat",         "'s", "'ll",  " ",    "  ",   "\n",
                                       "\r\n",     "\t",           "12", "1234", "...",  "\xff", "\xc3\xa9",
                                       "\xe2\x80", "\xe3\x80\x80", "\0", "aaaa", "abab", "<|",   "<|endoftext|>"};
    size_t n = 0;
    for (const size_t wanted = (size_t)(foci_rng_uniform(r) * (double)most); n < wanted;) {
        const char *p = part[(size_t)(foci_rng_uniform(r) * (double)(sizeof part / sizeof *part))];
        const size_t size = *p ? strlen(p) : 1;
        if (n + size > most) break;
        memcpy(text + n, p, size);
        if (foci_rng_uniform(r) < 0.1) text[n] = (unsigned char)(foci_rng_uniform(r) * 256);
        n += size;
    }
    return n;
}

#endif
