/* Tokenizers from files and to files: the forms that are read, and what is refused, by its place. */
#include "tokenizers.h"

#include <sys/stat.h>
#include <unistd.h>

/* The 256 bytes and "ab": tokenizer.json with some of its text replaced, as an editor would. */
static char *base; /* of one line */

static int make_base(void **state) {
    static const char *const special[] = {"<|endoftext|>"};
    make_folder(state);
    const char *const path[] = {save("a.txt", "ab ab")};
    foci_bpe_training t = {.size = 258, .min_frequency = 2, .special = special, .specials = 1};
    foci_bpe *bpe;
    if (foci_bpe_train(&bpe, path, 1, &t) || foci_bpe_print(bpe, true, &base)) return 1;
    foci_bpe_free(bpe);
    return 0;
}
static int remove_base(void **state) {
    free(base);
    return remove_folder(state);
}

/* With the first `from` replaced by `to`; the caller frees it. */
static char *replaced(const char *from, const char *to) {
    const char *found = strstr(base, from);
    if (!found) fail_msg("%s is not there", from);
    char *text = malloc(strlen(base) + strlen(to) + 1);
    sprintf(text, "%.*s%s%s", (int)(found - base), base, to, found + strlen(from));
    return text;
}

static foci_status parse(foci_bpe **bpe, const char *text) { return foci_bpe_parse(bpe, "t.json", text, strlen(text)); }

/* ------------------------------------------------------------------------------------------------- written */

static void expect_same(foci_bpe *a, foci_bpe *b) {
    char one[FOCI_BPE_HASH], other[FOCI_BPE_HASH];
    assert_ok(foci_bpe_hash(a, one));
    assert_ok(foci_bpe_hash(b, other));
    assert_string_equal(one, other);
    foci_bpe_free(b);
}

static void what_is_written_is_read(void **state) {
    (void)state;
    foci_bpe *bpe = learn_small(), *again;
    char *json;
    const char *dir = at("saved");
    assert_ok(foci_bpe_save(bpe, dir));
    assert_ok(foci_bpe_open(&again, dir));
    expect_same(bpe, again);
    assert_ok(foci_bpe_open(&again, at("saved/tokenizer.json")));
    expect_same(bpe, again);
    unlink(at("saved/tokenizer.json"));
    assert_ok(foci_bpe_open(&again, dir));
    expect_same(bpe, again);
    assert_int_equal(rename(at("saved/vocab.json"), at("saved/encoder.json")), 0);
    assert_int_equal(rename(at("saved/merges.txt"), at("saved/vocab.bpe")), 0);
    assert_ok(foci_bpe_open(&again, dir));
    expect_same(bpe, again);
    assert_ok(foci_bpe_print(bpe, true, &json));
    assert_ok(foci_bpe_parse(&again, "again", json, strlen(json)));
    expect_same(bpe, again);
    free(json);
    foci_bpe_free(bpe);
}

/* What Hugging Face's library itself wrote, byte by byte. */
static void golden_file(void **state) {
    (void)state;
    const char *path = shared_path("golden/bpe/tokenizer-shared.json");
    if (!path) skip();
    foci_bpe *bpe;
    assert_ok(foci_bpe_open(&bpe, path));
    assert_ok(foci_bpe_save(bpe, at("golden")));
    char command[2048];
    snprintf(command, sizeof command, "cmp '%s' '%s'", shared_path("golden/bpe/tokenizer-shared.json"),
             at("golden/tokenizer.json"));
    assert_int_equal(system(command), 0);
    foci_bpe_free(bpe);
}

static void two_hashes(void **state) {
    (void)state;
    foci_bpe *one = learn("ab ab", 300, 2), *other = learn("ac ac", 300, 2);
    char a[FOCI_BPE_HASH], b[FOCI_BPE_HASH];
    assert_ok(foci_bpe_hash(one, a));
    assert_ok(foci_bpe_hash(other, b));
    assert_string_not_equal(a, b);
    assert_int_equal(strlen(a), 16);
    foci_bpe_free(one);
    foci_bpe_free(other);
}

/* -------------------------------------------------------------------------------------------------- forms */

static void expect_ids(const char *json, const char *text, int64_t count, int32_t first) {
    foci_bpe *bpe;
    foci_ids ids = {0};
    assert_ok(parse(&bpe, json));
    assert_ok(foci_bpe_encode_text(bpe, text, strlen(text), false, &ids));
    assert_int_equal(ids.count, count);
    assert_int_equal(ids.id[0], first);
    free(ids.id);
    foci_bpe_free(bpe);
}

static void forms_that_are_read(void **state) {
    (void)state;
    static const char *const row[][2] = {
        {"[[\"a\",\"b\"]", "[\"a b\""},
        {"\"decoder\":{\"type\":\"ByteLevel\",\"add_prefix_space\":false,\"trim_offsets\":true,\"use_regex\":true}",
         "\"decoder\":null"},
        {",\"use_regex\":true},\"post", "},\"post"},
        {"\"dropout\":null,\"unk_token\":null,\"continuing_subword_prefix\":null,\"end_of_word_suffix\":null,", ""},
        {"\"end_of_word_suffix\":null", "\"end_of_word_suffix\":\"\""},
        {"\"normalized\":false", "\"normalized\":true"},
        {",\"<|endoftext|>\":257", ""},
        {"\"version\"", "\"more\":[1,{}],\"version\""}};
    for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
        char *json = replaced(row[i][0], row[i][1]);
        expect_ids(json, "abab", 2, 256);
        free(json);
    }
}

/* "1234" is two pieces; a piece that is a token is taken without its merge. */
static void llama3_is_read_and_written(void **state) {
    (void)state;
    foci_bpe *bpe, *again;
    char *json = replaced(
        "\"pre_tokenizer\":{\"type\":\"ByteLevel\",\"add_prefix_space\":false,\"trim_offsets\":true,\"use_regex\":"
        "true}",
        "\"pre_tokenizer\":{\"type\":\"Sequence\",\"pretokenizers\":[{\"type\":\"Split\",\"pattern\":{\"Regex\":"
        "\"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\\\r\\\\n\\\\p{L}\\\\p{N}]?\\\\p{L}+|\\\\p{N}{1,3}| "
        "?[^\\\\s\\\\p{L}\\\\p{N}]+[\\\\r\\\\n]*|\\\\s*[\\\\r\\\\n]+|\\\\s+(?!\\\\S)|\\\\s+\"},\"behavior\":"
        "\"Isolated\",\"invert\":false},{\"type\":\"ByteLevel\",\"add_prefix_space\":false,\"trim_offsets\":true,"
        "\"use_regex\":false}]}");
    assert_ok(parse(&bpe, json));
    free(json);
    assert_ok(foci_bpe_print(bpe, true, &json));
    assert_ok(parse(&again, json));
    free(json);
    expect_same(bpe, again);
    foci_bpe_free(bpe);
    json = replaced("\"ignore_merges\":false", "\"ignore_merges\":true");
    expect_ids(json, "ab", 1, 256);
    free(json);
}

/* The 256 bytes, "ab" and the end of a text, as llm.c's train_gpt2.py writes them. */
static size_t llmc_file(unsigned char *file) {
    const int32_t head[] = {20240328, 2, 258, 257};
    size_t n = 1024;
    memset(file, 0, n);
    memcpy(file, head, sizeof head);
    for (int i = 0; i < 256; i++) {
        file[n++] = 1;
        file[n++] = (unsigned char)i;
    }
    n += (size_t)sprintf((char *)file + n, "\002ab\015<|endoftext|>");
    return n;
}

static void llmcs_tokenizer_only_decodes(void **state) {
    (void)state;
    unsigned char file[4096];
    const size_t size = llmc_file(file);
    foci_bpe *bpe, *again;
    foci_ids ids = {0};
    assert_ok(foci_bpe_open(&bpe, save_bytes("llmc.bin", file, size)));
    assert_int_equal(foci_bpe_size(bpe), 258);
    assert_int_equal(foci_bpe_end_of_text(bpe), 257);
    assert_memory_equal(foci_bpe_token(bpe, 256).text, "ab", 2);
    assert_fails(foci_bpe_encode_text(bpe, "ab", 2, false, &ids), FOCI_ERR_CONFIG,
                 "the tokenizer has no merges, and can only decode");
    char *json;
    assert_ok(foci_bpe_print(bpe, true, &json)); /* as weights carry it */
    assert_ok(parse(&again, json));
    assert_fails(foci_bpe_encode_text(again, "ab", 2, false, &ids), FOCI_ERR_CONFIG, "can only decode");
    expect_same(bpe, again);
    free(json);
    foci_bpe_free(bpe);
    assert_fails(foci_bpe_open(&bpe, save_bytes("llmc.bin", file, size - 1)), FOCI_ERR_DATA,
                 "llmc.bin: byte 1539: token 257 is cut short");
    file[size] = 0;
    assert_fails(foci_bpe_open(&bpe, save_bytes("llmc.bin", file, size + 1)), FOCI_ERR_DATA,
                 "llmc.bin: byte 1553: more than the 258 tokens");
    file[1024 + 3] = 0;
    assert_fails(foci_bpe_open(&bpe, save_bytes("llmc.bin", file, size)), FOCI_ERR_DATA,
                 "llmc.bin: numbers 0 and 1 are the same token");
}

/* ------------------------------------------------------------------------------------------------ refused */

static void bad_fields_are_named(void **state) {
    (void)state;
    static const char *const row[][3] = {
        {"{\"version\"", "[{\"version\"", "t.json: line 1, column"},
        {"\"normalizer\":null", "\"normalizer\":{\"type\":\"NFC\"}", "t.json: normalizer: not null"},
        {"\"pre_tokenizer\":{\"type\":\"ByteLevel\"", "\"pre_tokenizer\":{\"type\":\"Metaspace\"",
         "t.json: pre_tokenizer.type: not ByteLevel"},
        {"\"add_prefix_space\":false", "\"add_prefix_space\":true",
         "t.json: pre_tokenizer.add_prefix_space: not false: it would put a space in front of the text"},
        {"\"use_regex\":true", "\"use_regex\":false", "t.json: pre_tokenizer.use_regex: not true"},
        {"\"type\":\"BPE\"", "\"type\":\"Unigram\"", "t.json: model.type: not BPE"},
        {"\"dropout\":null", "\"dropout\":0.1", "t.json: model.dropout: not null"},
        {"\"unk_token\":null", "\"unk_token\":\"<unk>\"", "t.json: model.unk_token: not null"},
        {"\"continuing_subword_prefix\":null", "\"continuing_subword_prefix\":\"##\"",
         "t.json: model.continuing_subword_prefix: not null"},
        {"\"byte_fallback\":false", "\"byte_fallback\":true", "t.json: model.byte_fallback: not false"},
        {"\"ignore_merges\":false", "\"ignore_merges\":3", "t.json: model.ignore_merges: neither"},
        {"\"decoder\":{\"type\":\"ByteLevel\"", "\"decoder\":{\"type\":\"Fuse\"",
         "t.json: decoder.type: not ByteLevel"},
        {"\"post_processor\":{\"type\":\"ByteLevel\"", "\"post_processor\":{\"type\":\"BertProcessing\"",
         "t.json: post_processor.type: not ByteLevel"},
        {"\"special\":true", "\"special\":false", "t.json: added_tokens[0]: special: not true"},
        {"\"lstrip\":false", "\"lstrip\":true", "t.json: added_tokens[0]: lstrip: not false"},
        {"\"id\":257", "\"id\":\"x\"", "t.json: added_tokens[0]: no id or no content"},
        {"\"id\":257", "\"id\":300", "t.json: added_tokens[0]: number 300 of 258 tokens"},
        {"\"!\":0", "\"!\":1", "t.json: model.vocab: number 1 is given twice"},
        {"\"!\":0", "\"!\":-1", "t.json: model.vocab: number -1 of 258 tokens"},
        {"\"!\":0", "\"!\":0.5", "t.json: model.vocab: `!`: no number"},
        {"\"!\":0", "\"\u2581\":0", "t.json: model.vocab: `\u2581` is no token of bytes: character 0 stands for none"},
        {"\"!\":0", "\"zz\":0", "t.json: byte 33 has no token of its own"},
        {"\"!\":0,", "", "t.json: added_tokens[0]: number 257 of 257 tokens"},
        {"\"!\":0,", "\"!\":0,\"!\":0,", "t.json: line 1, column"},
        {"[[\"a\",\"b\"]", "[[\"a\",\"q\"]", "t.json: model.merges[0]: the two halves together are no token"},
        {"[[\"a\",\"b\"]", "[[\"a\",\"zz\"]", "t.json: model.merges[0]: the right half is no token"},
        {"[[\"a\",\"b\"]", "[\"ab\"", "t.json: model.merges[0]: not two tokens with a blank between"},
        {"[[\"a\",\"b\"]", "[[\"a\",\"b\",\"c\"]", "t.json: model.merges[0]: not a pair of tokens"},
        {"[[\"a\",\"b\"]", "[7", "t.json: model.merges[0]: not a pair of tokens"},
        {"\"merges\":", "\"mergers\":", "t.json: model.merges: not a list"},
        {"\"vocab\":", "\"vocabulary\":", "t.json: model.vocab: not an object"},
        {"\"model\":", "\"modell\":", "t.json: model: missing"}};
    for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
        foci_bpe *bpe;
        char *json = replaced(row[i][0], row[i][1]);
        assert_fails(parse(&bpe, json), FOCI_ERR_DATA, row[i][2]);
        assert_null(bpe);
        free(json);
    }
}

static void no_tokenizers(void **state) {
    (void)state;
    static const char *const text[] = {"", "[]", "7", "{", "null", "\xff"};
    foci_bpe *bpe;
    for (size_t i = 0; i < sizeof text / sizeof *text; i++)
        assert_fails(parse(&bpe, text[i]), FOCI_ERR_DATA, "t.json: ");
    assert_fails(foci_bpe_open(&bpe, at("nope")), FOCI_ERR_DATA, "nope: No such file or directory");
    assert_int_equal(mkdir(at("empty"), 0777), 0);
    assert_fails(foci_bpe_open(&bpe, at("empty")), FOCI_ERR_DATA,
                 "empty: no tokenizer.json, vocab.json or encoder.json");
}

static void bad_merges_have_their_line(void **state) {
    (void)state;
    static const char *const row[][2] = {
        {"#version: 0.2\na b\na\n", "merges.txt:3: not two tokens with a blank between"},
        {"a b\n#version: 0.2\n", "merges.txt:2: the left half is no token"},
        {"a  b\n", "merges.txt:1: not two tokens with a blank between"},
        {"a b\n\na q", "merges.txt:3: the two halves together are no token"},
        {"a \xff\n", "merges.txt:1: `\xff` is no token of bytes"}};
    foci_bpe *bpe = learn("ab ab", 258, 2);
    assert_ok(foci_bpe_save(bpe, at("two")));
    foci_bpe_free(bpe);
    unlink(at("two/tokenizer.json"));
    for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
        save("two/merges.txt", row[i][0]);
        assert_fails(foci_bpe_open(&bpe, at("two")), FOCI_ERR_DATA, row[i][1]);
    }
    save("two/merges.txt", "a b");
    assert_ok(foci_bpe_open(&bpe, at("two")));
    foci_bpe_free(bpe);
    unlink(at("two/merges.txt"));
    assert_fails(foci_bpe_open(&bpe, at("two")), FOCI_ERR_DATA, "merges.txt: No such file or directory");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_written_is_read),
        cmocka_unit_test(golden_file),
        cmocka_unit_test(two_hashes),
        cmocka_unit_test(forms_that_are_read),
        cmocka_unit_test(llama3_is_read_and_written),
        cmocka_unit_test(llmcs_tokenizer_only_decodes),
        cmocka_unit_test(bad_fields_are_named),
        cmocka_unit_test(no_tokenizers),
        cmocka_unit_test(bad_merges_have_their_line),
    };
    return cmocka_run_group_tests(tests, make_base, remove_base);
}
