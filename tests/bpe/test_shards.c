/* Token files: llm.c's and nanoGPT's, one or many, and what is refused. */
#include "bpe/shards.h"
#include "tokenizers.h"

#include <sys/stat.h>

static foci_bpe *bpe; /* of 287 tokens */

static int open_small(void **state) {
    make_folder(state);
    bpe = learn_small();
    return 0;
}
static int close_small(void **state) {
    foci_bpe_free(bpe);
    return remove_folder(state);
}

static const char *write_shard(const char *name, foci_shard_kind kind, const int32_t *id, int64_t count) {
    foci_shard_writer w;
    const char *path = at(name);
    assert_ok(foci_shard_create(&w, path, kind));
    assert_ok(foci_shard_put(&w, id, count / 2));
    assert_ok(foci_shard_put(&w, id + count / 2, count - count / 2));
    assert_ok(foci_shard_finish(&w));
    return path;
}

static void expect_tokens(const char *path, bool bare, const foci_bpe *of, const int32_t *id, int64_t count) {
    foci_shards s;
    int32_t *read = malloc((size_t)count * sizeof *read);
    assert_ok(foci_shards_open(&s, path, bare, of));
    assert_int_equal(s.count, count);
    for (int64_t first = 0; first < count; first += 3) {
        const int64_t n = count - first < 5 ? count - first : 5;
        foci_shards_copy(&s, first, n, read);
        assert_memory_equal(read, id + first, (size_t)n * sizeof *read);
    }
    foci_shards_close(&s);
    free(read);
}

static const int32_t some[] = {0, 286, 7, 255, 256, 100, 3, 3, 200, 1, 2};
enum { SOME = sizeof some / sizeof *some };

static void what_is_written_is_read(void **state) {
    (void)state;
    for (int kind = FOCI_SHARD_GPT2; kind <= FOCI_SHARD_BARE; kind++) {
        const char *path = write_shard("one.bin", (foci_shard_kind)kind, some, SOME);
        assert_int_equal(foci_are_shards(path, kind == FOCI_SHARD_BARE), true);
        expect_tokens(path, kind == FOCI_SHARD_BARE, bpe, some, SOME);
    }
}

static void golden_files(void **state) {
    (void)state;
    json_t *root = golden("golden/bpe/tokens.json");
    foci_bpe *gpt2 = open_gpt2();
    if (!root || !gpt2) skip();
    int32_t id[64];
    const json_t *ids = json_object_get(root, "ids"), *files = json_object_get(root, "files");
    for (size_t i = 0; i < json_array_size(ids); i++) id[i] = (int32_t)json_integer_value(json_array_get(ids, i));
    for (size_t i = 0; i < json_array_size(files); i++) {
        char name[256], command[2048];
        snprintf(name, sizeof name, "golden/bpe/%s", json_string_value(json_array_get(files, i)));
        expect_tokens(shared_path(name), i == FOCI_SHARD_BARE, gpt2, id, (int64_t)json_array_size(ids));
        const char *again = write_shard("again.bin", (foci_shard_kind)i, id, (int64_t)json_array_size(ids));
        snprintf(command, sizeof command, "cmp '%s' '%s'", shared_path(name), again);
        assert_int_equal(system(command), 0);
    }
    json_decref(root);
    foci_bpe_free(gpt2);
}

static void shards_come_by_name(void **state) {
    (void)state;
    mkdir(at("many"), 0777);
    write_shard("many/train_2.bin", FOCI_SHARD_GPT2, some + 4, SOME - 4);
    write_shard("many/train_1.bin", FOCI_SHARD_LLAMA3, some, 4);
    expect_tokens(at("many"), false, bpe, some, SOME);
    write_shard("many/val_0.bin", FOCI_SHARD_GPT2, some, 2);
    write_shard("many/train_0.bin", FOCI_SHARD_GPT2, some, 0);
    expect_tokens(at("many/train_*.bin"), false, bpe, some, SOME);
    assert_true(foci_are_shards(at("many"), false));
    assert_true(foci_are_shards(at("many/t*.bin"), false));
    assert_false(foci_are_shards(save("a.txt", "no tokens at all"), false));
    assert_false(foci_are_shards(at("nope.bin"), true));
}

static void refuses(const char *path, bool bare, const char *expected) {
    foci_shards s;
    assert_fails(foci_shards_open(&s, path, bare, bpe), FOCI_ERR_DATA, expected);
    assert_int_equal(s.shards, 0);
}

static void bad_files_are_refused(void **state) {
    (void)state;
    char text[2048] = "";
    const int32_t large[] = {5, 287}, head[] = {20240520, 1, 3}, negative[] = {20240520, 1, -1};
    refuses(write_shard("bad.bin", FOCI_SHARD_GPT2, large, 2), false,
            "bad.bin: token 1 is number 287, of a vocabulary of 287");
    refuses(write_shard("bad.bin", FOCI_SHARD_LLAMA3, (const int32_t[]){-1, 5}, 2), false,
            "bad.bin: token 0 is number 4294967295");
    refuses(write_shard("bad.bin", FOCI_SHARD_GPT2, some, SOME), true, "bad.bin: begins with a header of llm.c");
    refuses(save_bytes("bad.bin", "abc", 3), true, "bad.bin: 3 bytes, not 2 for every token");
    refuses(save_bytes("bad.bin", "abc", 3), false, "bad.bin: not a token file of llm.c");
    memcpy(text, head, sizeof head);
    refuses(save_bytes("bad.bin", text, 1023), false, "bad.bin: not a token file of llm.c");
    refuses(save_bytes("bad.bin", text, 1029), false, "bad.bin: 1029 bytes, but byte 8 says 3 tokens, which take 1030");
    memcpy(text, negative, sizeof negative);
    refuses(save_bytes("bad.bin", text, 1022 + 2), false, "bad.bin: 1024 bytes, but byte 8 says -1 tokens");
    text[4] = 9;
    refuses(save_bytes("bad.bin", text, 1024), false, "bad.bin: not a token file of llm.c");
    mkdir(at("empty"), 0777);
    refuses(at("empty"), false, "empty: no token file (.bin) there");
    refuses(at("nope/*.bin"), false, "nope: No such file or directory");
    foci_shard_writer w;
    assert_ok(foci_shard_create(&w, at("wide.bin"), FOCI_SHARD_GPT2));
    assert_fails(foci_shard_put(&w, (const int32_t[]){65536}, 1), FOCI_ERR_DATA, "token 65536 does not fit 2 bytes");
    foci_writer_abort(&w.file);
}

static void notes_tell_who_made_them(void **state) {
    (void)state;
    const char *path = write_shard("noted.bin", FOCI_SHARD_GPT2, some, SOME);
    assert_ok(foci_shard_note(path, bpe, SOME));
    expect_tokens(path, false, bpe, some, SOME);
    foci_bpe *other = learn("ab ab ab", 600, 1);
    foci_shards s;
    assert_fails(foci_shards_open(&s, path, false, other), FOCI_ERR_DATA, "noted.bin: the tokens are of tokenizer ");
    foci_bpe_free(other);
    save("noted.bin.json", "{\"tokenizer\": 7}");
    refuses(path, false, "noted.bin.json: does not say which tokenizer made the tokens");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_written_is_read),  cmocka_unit_test(golden_files),
        cmocka_unit_test(shards_come_by_name),      cmocka_unit_test(bad_files_are_refused),
        cmocka_unit_test(notes_tell_who_made_them),
    };
    return cmocka_run_group_tests(tests, open_small, close_small);
}
