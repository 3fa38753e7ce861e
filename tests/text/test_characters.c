/* Characters and bytes as tokens: their names, the stream, the vocabulary, packs, and what is refused. */
#include <zlib.h>

#include "folder.h"
#include "text/characters.h"
#include "text/pack.h"

static foci_vocabulary *build(foci_token_kind kind, const char *path, int64_t least) {
    foci_vocabulary *v;
    assert_ok(foci_vocabulary_cached(&v, path, (foci_word_choice){.min_count = least, .tokens = kind}));
    assert_int_equal(foci_vocabulary_tokens(v), kind);
    return v;
}

/* The names of a text's tokens, with blanks between. */
static void expect_tokens(const foci_vocabulary *v, const char *path, int64_t lines, const char *expected) {
    foci_tokens t;
    char text[2048] = "";
    size_t n = 0;
    assert_ok(foci_tokens_read(&t, v, path));
    for (int64_t i = 0; i < t.count; i++)
        n += (size_t)snprintf(text + n, sizeof text - n, "%s%s", i ? " " : "", foci_vocabulary_word(v, t.ids[i]));
    assert_string_equal(text, expected);
    assert_int_equal(t.lines, lines);
    foci_tokens_free(&t);
}

/* "WORD:COUNT ..." of the first words, as many as `expected` has. */
static void expect_words(const foci_vocabulary *v, const char *expected) {
    char text[2048] = "";
    size_t n = 0;
    for (int32_t id = 0; id < foci_vocabulary_size(v) && n < strlen(expected); id++)
        n += (size_t)snprintf(text + n, sizeof text - n, "%s%s:%lld", id ? " " : "", foci_vocabulary_word(v, id),
                              (long long)foci_vocabulary_frequency(v, id));
    assert_string_equal(text, expected);
}

/* -------------------------------------------------------------------------------------------------- names */

static void names_and_codes(void **state) {
    (void)state;
    static const struct {
        foci_token_kind kind;
        int32_t code;
        const char *name;
    } rows[] = {{FOCI_BYTES, 97, "97"},
                {FOCI_BYTES, 0, "0"},
                {FOCI_BYTES, 255, "255"},
                {FOCI_BYTES, '\n', "<eos>"},
                {FOCI_CHARS, '\n', "<eos>"},
                {FOCI_CHARS, 'a', "a"},
                {FOCI_CHARS, ' ', "<U+0020>"},
                {FOCI_CHARS, '\t', "<U+0009>"},
                {FOCI_CHARS, 0xa0, "<U+00A0>"},
                {FOCI_CHARS, 0xe9, "\xc3\xa9"},
                {FOCI_CHARS, 0x1f415, "\xf0\x9f\x90\x95"},
                {FOCI_CHARS, '<', "<"}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char name[FOCI_CODE_NAME];
        foci_code_name(rows[i].kind, rows[i].code, name);
        assert_string_equal(name, rows[i].name);
        assert_int_equal(foci_code_of(rows[i].kind, name), rows[i].code);
    }
    static const char *const no_byte[] = {"", "10", "256", "-1", "097", "97x", "a", "<unk>", "99999999999999999999"},
                             *const no_character[] = {"",        "ab",     "\xc3",     "<unk>",      "<U+0061>",
                                                      "<U+0020", "<U+20>", "<U+D800>", "<U+110000>", "10x"};
    for (size_t i = 0; i < sizeof no_byte / sizeof *no_byte; i++)
        assert_int_equal(foci_code_of(FOCI_BYTES, no_byte[i]), -1);
    for (size_t i = 0; i < sizeof no_character / sizeof *no_character; i++)
        assert_int_equal(foci_code_of(FOCI_CHARS, no_character[i]), -1);
}

static void every_code_has_a_name(void **state) {
    (void)state;
    char name[FOCI_CODE_NAME];
    for (int32_t code = 0; code < FOCI_CODES; code++) {
        if (code >= 0xd800 && code < 0xe000) continue; /* no characters */
        foci_code_name(FOCI_CHARS, code, name);
        if (foci_code_of(FOCI_CHARS, name) != code) fail_msg("U+%04X is called %s", (unsigned)code, name);
        for (const char *p = name; *p; p++) assert_false(foci_is_space((unsigned char)*p)); /* a line of a list */
    }
}

/* ------------------------------------------------------------------------------------------------- streams */

/* The published preparation of EnWik8 (golden 7.7): a byte is a decimal number, a newline the end of a line, and of a
 * text that does not end in one there is one more. */
static void bytes_are_those_of_the_published_preparation(void **state) {
    (void)state;
    const char *path = save("a.txt", "ab\nc");
    foci_vocabulary *v = build(FOCI_BYTES, path, 0);
    expect_tokens(v, path, 2, "97 98 <eos> 99 <eos>");
    expect_tokens(v, save("b.txt", "ab\nc\n"), 2, "97 98 <eos> 99 <eos>");
    expect_tokens(v, save("c.txt", "\n\n"), 2, "<eos> <eos>");
    expect_tokens(v, save_bytes("d.txt", "\0\xff \r\n\xEF\xBB\xBF", 8), 2, "0 255 32 13 <eos> 239 187 191 <eos>");
    foci_vocabulary_free(v);
}

/* By falling count, then as first seen, then those that the text lacks by their value. */
static void bytes_are_all_in_the_vocabulary(void **state) {
    (void)state;
    foci_vocabulary *v = build(FOCI_BYTES, save("a.txt", "bab z\nb"), 0);
    assert_int_equal(foci_vocabulary_size(v), 256);
    expect_words(v, "<eos>:2 98:3 97:1 32:1 122:1 0:0 1:0 2:0");
    assert_int_equal(foci_vocabulary_id(v, "<unk>"), -1);
    foci_vocabulary_free(v);
}

static void characters_are_those_of_utf_8(void **state) {
    (void)state;
    const char *path = save("a.txt", "\xEF\xBB\xBF"
                                     "a \xc3\xa9 a\n\n\xf0\x9f\x90\x95\xc3\xa9");
    foci_vocabulary *v = build(FOCI_CHARS, path, 1);
    expect_words(v, "<eos>:3 a:2 <U+0020>:2 \xc3\xa9:2 \xf0\x9f\x90\x95:1");
    expect_tokens(v, path, 3, "a <U+0020> \xc3\xa9 <U+0020> a <eos> <eos> \xf0\x9f\x90\x95 \xc3\xa9 <eos>");
    foci_vocabulary_free(v);
}

/* Those seen once are <unk>, unless every one is wanted. */
static void rare_characters_are_unknown(void **state) {
    (void)state;
    const char *path = save("a.txt", "abbaz\n"), *other = save("b.txt", "a?b\n");
    foci_vocabulary *v = build(FOCI_CHARS, path, 0);
    expect_words(v, "<eos>:1 a:2 b:2 <unk>:1");
    expect_tokens(v, other, 1, "a <unk> b <eos>");
    foci_vocabulary_free(v);
    v = build(FOCI_CHARS, path, 1);
    foci_tokens t;
    assert_fails(
        foci_tokens_read(&t, v, other), FOCI_ERR_DATA,
        "b.txt:1: \"?\" is not in the vocabulary, which has no <unk>; data.min_count 2 or data.vocab_limit makes "
        "one of rare characters");
    foci_vocabulary_free(v);
}

/* Characters that lie across the end of the reader's buffer, plain and gzip. */
static void long_texts(void **state) {
    (void)state;
    enum { EACH = 60000 };
    const char *plain = at("long.txt"), *packed = at("long.gz");
    FILE *f = fopen(plain, "wb");
    gzFile z = gzopen(packed, "wb");
    for (int i = 0; i < EACH; i++) { /* 1 + 2 + 3 + 4 bytes */
        static const char four[] = "a\xc3\xa9\xe2\x80\x94\xf0\x9f\x90\x95";
        assert_int_equal(fwrite(four, 1, 10, f), 10);
        assert_int_equal(gzwrite(z, four + i % 2, (unsigned)(10 - i % 2)), 10 - i % 2);
    }
    fclose(f);
    gzclose(z);
    foci_vocabulary *v = build(FOCI_CHARS, plain, 1);
    expect_words(v, "<eos>:1 a:60000 \xc3\xa9:60000 \xe2\x80\x94:60000 \xf0\x9f\x90\x95:60000");
    foci_tokens t;
    assert_ok(foci_tokens_read(&t, v, plain));
    assert_int_equal(t.count, 4 * EACH + 1);
    for (int64_t i = 0; i < 4 * EACH; i++) assert_int_equal(t.ids[i], 1 + i % 4);
    foci_tokens_free(&t);
    assert_ok(foci_tokens_read(&t, v, packed));
    assert_int_equal(t.count, 4 * EACH - EACH / 2 + 1);
    foci_tokens_free(&t);
    foci_vocabulary_free(v);
}

/* ------------------------------------------------------------------------------------- a text in memory */

static void tokens_are_taken_and_spelled(void **state) {
    (void)state;
    const char *path = save("a.txt", "a\xc3\xa9 \n");
    static const char prompt[] = "\xc3\xa9 a\n";
    for (int kind = FOCI_CHARS; kind <= FOCI_BYTES; kind++) {
        foci_vocabulary *v = build((foci_token_kind)kind, path, kind == FOCI_CHARS);
        char text[FOCI_WORD_MAX + 1], again[8] = "";
        size_t at = 0;
        for (int32_t id; at < strlen(prompt);) {
            const int length = foci_vocabulary_take(v, prompt + at, strlen(prompt) - at, &id);
            assert_int_equal(length, kind == FOCI_CHARS && !at ? 2 : 1);
            assert_int_equal(foci_vocabulary_spell(v, id, text), length);
            memcpy(again + at, text, (size_t)length);
            at += (size_t)length;
        }
        assert_string_equal(again, prompt);
        int32_t id;
        assert_int_equal(foci_vocabulary_take(v, "\xff", 1, &id), kind == FOCI_BYTES);
        foci_vocabulary_free(v);
    }
}

/* -------------------------------------------------------------------------------------------------- packs */

static void packs_say_what_their_tokens_are(void **state) {
    (void)state;
    const char *path = save("a.txt", "abba \n"), *packed = at("a.pack");
    foci_vocabulary *v = build(FOCI_BYTES, path, 0), *again, *other;
    foci_tokens t;
    assert_ok(foci_tokens_read(&t, v, path));
    assert_ok(foci_pack_text(packed, &t, v));
    foci_tokens_free(&t);
    again = build(FOCI_BYTES, packed, 0);
    expect_tokens(again, packed, 1, "97 98 98 97 32 <eos>");
    foci_vocabulary_free(again);
    assert_fails(foci_vocabulary_cached(&other, packed, (foci_word_choice){.tokens = FOCI_WORDS}), FOCI_ERR_DATA,
                 "a.pack: a pack of bytes, not of words");
    other = build(FOCI_CHARS, path, 0);
    assert_fails(foci_tokens_read(&t, other, packed), FOCI_ERR_DATA, "a.pack: a pack of bytes, not of characters");
    foci_vocabulary_free(other);
    foci_vocabulary_free(v);
}

/* ------------------------------------------------------------------------------------------ what is refused */

static void refuses(foci_token_kind kind, const char *path, const char *expected) {
    foci_vocabulary *v;
    assert_fails(foci_vocabulary_build(&v, path, (foci_word_choice){.tokens = kind}), FOCI_ERR_DATA, expected);
    assert_null(v);
}

static void bad_texts_are_refused(void **state) {
    (void)state;
    refuses(
        FOCI_CHARS, save("a.txt", "ab\nc\xe9z\n"),
        "a.txt:2: byte 0xe9, number 4 of the text, is not UTF-8; convert the text, as by iconv -f LATIN1 -t UTF-8, or "
        "read its bytes (data.tokens)");
    refuses(FOCI_CHARS, save("a.txt", "\xEF\xBB\xBF\xc3"), "a.txt:1: byte 0xc3, number 3 of the text, is not UTF-8");
    refuses(FOCI_CHARS, save_bytes("a.txt", "a\n\0b", 4), "a.txt:2: a 0 byte: this is not text");
    refuses(FOCI_CHARS, save("a.txt", "\xEF\xBB\xBF"), "a.txt: the file is empty");
    refuses(FOCI_BYTES, save("a.txt", ""), "a.txt: the file is empty");
    refuses(FOCI_BYTES, at("nope.txt"), "nope.txt: No such file or directory");
    refuses(FOCI_BYTES, save_bytes("a.gz", "\x1f\x8b\x08\0\0\0\0\0\0\3xx", 12), "a.gz: damaged gzip");
}

static void lists_must_be_what_they_are_declared(void **state) {
    (void)state;
    foci_vocabulary *v = build(FOCI_BYTES, save("a.txt", "ab\n"), 0), *read;
    const char *list = at("list.txt");
    assert_ok(foci_vocabulary_save(v, list));
    foci_vocabulary_free(v);
    assert_ok(foci_vocabulary_load(&read, list));
    assert_ok(foci_vocabulary_declare(read, FOCI_BYTES, "list.txt"));
    assert_fails(foci_vocabulary_declare(read, FOCI_CHARS, "list.txt"), FOCI_ERR_DATA,
                 "list.txt:2: `97` is none of the characters of a text (data.tokens)");
    foci_vocabulary_free(read);
    assert_ok(foci_vocabulary_load(&read, save("list.txt", "<eos>\na\n<unk>\n")));
    assert_ok(foci_vocabulary_declare(read, FOCI_CHARS, "list.txt"));
    assert_fails(foci_vocabulary_declare(read, FOCI_BYTES, "list.txt"), FOCI_ERR_DATA,
                 "list.txt:2: `a` is none of the byte values of a text (data.tokens)");
    foci_vocabulary_free(read);
    assert_ok(foci_vocabulary_load(&read, save("list.txt", "<eos>\n97\n")));
    assert_fails(foci_vocabulary_declare(read, FOCI_BYTES, "list.txt"), FOCI_ERR_DATA,
                 "list.txt: 2 of the 256 byte values");
    foci_vocabulary_free(read);
}

/* ------------------------------------------------------------------------------------------------ real data */

static void brown_has_its_bytes(void **state) {
    (void)state;
    const char *path = shared_path("data/brown/train.txt.gz");
    if (!path) skip();
    foci_vocabulary *v = build(FOCI_BYTES, path, 0);
    foci_tokens t;
    assert_ok(foci_tokens_read(&t, v, path));
    assert_int_equal(t.count, 5411948); /* wc -lc */
    assert_int_equal(t.lines, 11873);
    assert_int_equal(foci_vocabulary_frequency(v, 0), 11873);
    foci_tokens_free(&t);
    foci_vocabulary_free(v);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_and_codes),
        cmocka_unit_test(every_code_has_a_name),
        cmocka_unit_test(bytes_are_those_of_the_published_preparation),
        cmocka_unit_test(bytes_are_all_in_the_vocabulary),
        cmocka_unit_test(characters_are_those_of_utf_8),
        cmocka_unit_test(rare_characters_are_unknown),
        cmocka_unit_test(long_texts),
        cmocka_unit_test(tokens_are_taken_and_spelled),
        cmocka_unit_test(packs_say_what_their_tokens_are),
        cmocka_unit_test(bad_texts_are_refused),
        cmocka_unit_test(lists_must_be_what_they_are_declared),
        cmocka_unit_test(brown_has_its_bytes),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
