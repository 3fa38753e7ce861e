/* Subwords as tokens: the vocabulary, streams from texts, packs and token files, and what is refused. */
#include "../bpe/tokenizers.h"

#include "text/pack.h"

static foci_vocabulary *vocabulary(foci_documents documents) {
    foci_vocabulary *v;
    assert_ok(foci_vocabulary_of_bpe(&v, learn_small(), (foci_subword_reading){documents, false}));
    return v;
}

static void a_tokenizer_is_a_vocabulary(void **state) {
    (void)state;
    foci_vocabulary *v = vocabulary(FOCI_FILE);
    char text[FOCI_WORD_MAX + 1];
    assert_int_equal(foci_vocabulary_tokens(v), FOCI_SUBWORDS);
    assert_int_equal(foci_vocabulary_size(v), 287);
    assert_string_equal(foci_vocabulary_word(v, 0), "!");
    assert_string_equal(foci_vocabulary_word(v, 220), "\u0120");
    assert_string_equal(foci_vocabulary_word(v, 286), "<|endoftext|>");
    assert_int_equal(foci_vocabulary_id(v, "\u0120"), 220);
    assert_int_equal(foci_vocabulary_id(v, "<unk>"), -1);
    assert_int_equal(foci_vocabulary_spell(v, 220, text), 1);
    assert_int_equal(*text, ' ');
    foci_vocabulary_free(v);
}

static void expect_stream(const foci_tokens *t, const foci_vocabulary *v, int64_t documents, const char *expected) {
    char text[512] = "", one[FOCI_WORD_MAX + 1];
    size_t n = 0;
    for (int64_t i = 0; i < t->count; i++) {
        int32_t id;
        foci_tokens_copy(t, i, 1, &id);
        n += (size_t)snprintf(text + n, sizeof text - n, "%s%.*s", i ? "_" : "", (int)foci_vocabulary_spell(v, id, one),
                              one);
    }
    assert_string_equal(text, expected);
    if (documents >= 0) assert_int_equal(t->lines, documents);
}

static void texts_are_read_by_document(void **state) {
    (void)state;
    static const char *const expected[] = {"the_ cat_\n_\n_the_\n", "<|endoftext|>_the_ cat_\n_\n_the_\n",
                                           "<|endoftext|>_the_ cat_\n_\n_<|endoftext|>_the_\n",
                                           "<|endoftext|>_the_ cat_\n_<|endoftext|>_\n_<|endoftext|>_the_\n"};
    for (int documents = FOCI_NO_DOCUMENTS; documents <= FOCI_LINES; documents++) {
        foci_vocabulary *v = vocabulary((foci_documents)documents);
        foci_tokens t;
        assert_ok(foci_tokens_read(&t, v, save("a.txt", "the cat\n\nthe\n")));
        expect_stream(&t, v, documents, expected[documents]);
        foci_tokens_free(&t);
        assert_fails(foci_tokens_read(&t, v, save("empty.txt", "")), FOCI_ERR_DATA, "empty.txt: the file is empty");
        assert_fails(foci_tokens_read(&t, v, at("nope.txt")), FOCI_ERR_DATA, "nope.txt: No such file");
        foci_vocabulary_free(v);
    }
}

static void packs_have_their_tokenizer(void **state) {
    (void)state;
    const char *path = save("a.txt", "the cat\nthe hat\n"), *packed = at("a.pack");
    foci_vocabulary *v = vocabulary(FOCI_LINES), *again, *other;
    foci_tokens t;
    assert_ok(foci_tokens_read(&t, v, path));
    assert_ok(foci_pack_text(packed, &t, v));
    foci_tokens_free(&t);
    assert_ok(foci_vocabulary_cached(&again, packed, (foci_word_choice){.tokens = FOCI_SUBWORDS}));
    assert_int_equal(foci_vocabulary_size(again), 287);
    assert_ok(foci_tokens_read(&t, again, packed));
    expect_stream(&t, again, 2, "<|endoftext|>_the_ cat_\n_<|endoftext|>_the_ hat_\n");
    foci_tokens_free(&t);
    foci_vocabulary_free(again);
    assert_fails(foci_vocabulary_cached(&other, packed, (foci_word_choice){.tokens = FOCI_WORDS}), FOCI_ERR_DATA,
                 "a.pack: a pack of subwords, not of words");
    assert_ok(foci_vocabulary_of_bpe(&other, learn("ab ab", 258, 2), (foci_subword_reading){FOCI_FILE, false}));
    assert_fails(foci_tokens_read(&t, other, packed), FOCI_ERR_DATA, "a.pack: packed with another vocabulary");
    foci_vocabulary_free(other);
    foci_vocabulary_free(v);
}

static const char *write_shard(const char *name, const int32_t *id, int64_t count) {
    foci_shard_writer w;
    const char *path = at(name);
    assert_ok(foci_shard_create(&w, path, FOCI_SHARD_GPT2));
    assert_ok(foci_shard_put(&w, id, count));
    assert_ok(foci_shard_finish(&w));
    return path;
}

/* Windows of token files that stay where they are, and of the same ids in memory. */
static void token_files_are_streams(void **state) {
    (void)state;
    enum { COUNT = 101, BATCH = 3, WINDOW = 8 };
    int32_t id[COUNT], ids[2][BATCH * WINDOW], targets[2][BATCH * WINDOW];
    foci_vocabulary *v = vocabulary(FOCI_FILE);
    foci_tokens t;
    for (int i = 0; i < COUNT; i++) id[i] = i * 7 % 287;
    write_shard("part_1.bin", id, 40);
    write_shard("part_2.bin", id + 40, COUNT - 40);
    assert_ok(foci_tokens_read(&t, v, at("part_*.bin")));
    assert_int_equal(t.count, COUNT);
    assert_null(t.ids);
    const foci_tokens same = {.count = COUNT, .ids = id};
    foci_windows one, other;
    assert_ok(foci_windows_make(&one, &t, BATCH, WINDOW));
    assert_ok(foci_windows_make(&other, &same, BATCH, WINDOW));
    for (int64_t i = 0; i < foci_windows_count(&one); i++) {
        const int64_t length = foci_windows_length(&one, i);
        foci_windows_copy(&one, i * WINDOW, length, ids[0], targets[0]);
        foci_windows_copy(&other, i * WINDOW, length, ids[1], targets[1]);
        assert_memory_equal(ids[0], ids[1], (size_t)(BATCH * length) * sizeof(int32_t));
        assert_memory_equal(targets[0], targets[1], (size_t)(BATCH * length) * sizeof(int32_t));
    }
    assert_close(foci_unigram_perplexity(v, &t), foci_unigram_perplexity(v, &same), 0);
    assert_ok(foci_tokens_gather(&t));
    assert_memory_equal(t.ids, id, sizeof id);
    foci_tokens_free(&t);
    assert_fails(foci_tokens_read(&t, v, write_shard("none.bin", id, 0)), FOCI_ERR_DATA, "none.bin: no tokens in it");
    id[3] = 287;
    assert_fails(foci_tokens_read(&t, v, write_shard("large.bin", id, 5)), FOCI_ERR_DATA,
                 "large.bin: token 3 is number 287, of a vocabulary of 287");
    foci_vocabulary_free(v);
}

static void special_tokens_are_lines(void **state) {
    (void)state;
    static const char *const special[] = {"a\nb"};
    const char *const path[] = {save("a.txt", "ab")};
    foci_bpe_training t = {.size = 257, .min_frequency = 2, .special = special, .specials = 1};
    foci_bpe *bpe;
    foci_vocabulary *v;
    assert_ok(foci_bpe_train(&bpe, path, 1, &t));
    assert_fails(foci_vocabulary_of_bpe(&v, bpe, (foci_subword_reading){FOCI_FILE, false}), FOCI_ERR_DATA,
                 "special token 256 is not one line of text");
    assert_null(v);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_tokenizer_is_a_vocabulary), cmocka_unit_test(texts_are_read_by_document),
        cmocka_unit_test(packs_have_their_tokenizer),  cmocka_unit_test(token_files_are_streams),
        cmocka_unit_test(special_tokens_are_lines),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
