/* Packs of texts: the same ids and words as the text gives, and every damage found, named and survived. */
#include <unistd.h>

#include "text/pack.h"
#include "data/pack_files.h"

static char *folder;
static const char *text, *other, *packed; /* a training text, one of other words, the pack of the first */
static blob whole;                        /* the pack's bytes */

static const char training[] = "the cat sat on the mat .\n\n the <unk> sat <eos> too .\nlast line",
                  validation[] = "a cat sat\nthe dog .\n";
enum { WORDS = 11, TOKENS = 19 };

/* ------------------------------------------------------------------------------------------- as the text is */

static foci_vocabulary *words_of(const char *path, int64_t limit) {
    foci_vocabulary *v;
    assert_ok(foci_vocabulary_cached(&v, path, (foci_word_choice){.limit = limit}));
    return v;
}

static void make_pack(const char *from, const char *vocabulary_of, int64_t limit, const char *to) {
    foci_vocabulary *v = words_of(vocabulary_of, limit);
    foci_tokens t;
    assert_ok(foci_tokens_read(&t, v, from));
    assert_ok(foci_pack_text(to, &t, v));
    foci_tokens_free(&t);
    foci_vocabulary_free(v);
}

static int make(void **state) {
    static char names[3][600];
    make_folder(state);
    folder = *state;
    for (int i = 0; i < 3; i++)
        snprintf(names[i], sizeof names[i], "%s/%s", folder,
                 (const char *[]){"train.txt", "valid.txt", "train.pack"}[i]);
    text = names[0];
    other = names[1];
    packed = names[2];
    save(text, training, sizeof training - 1);
    save(other, validation, sizeof validation - 1);
    make_pack(text, text, 0, packed);
    whole = load(packed);
    return 0;
}
static int clean(void **state) {
    free(whole.data);
    return remove_folder(state);
}

static void expect_same_words(const foci_vocabulary *a, const foci_vocabulary *b) {
    assert_int_equal(foci_vocabulary_size(a), foci_vocabulary_size(b));
    for (int32_t id = 0; id < foci_vocabulary_size(a); id++) {
        assert_string_equal(foci_vocabulary_word(a, id), foci_vocabulary_word(b, id));
        assert_int_equal(foci_vocabulary_frequency(a, id), foci_vocabulary_frequency(b, id));
    }
}

static void expect_same_tokens(const char *a, const char *b, const foci_vocabulary *v) {
    foci_tokens s, t;
    assert_ok(foci_tokens_read(&s, v, a));
    assert_ok(foci_tokens_read(&t, v, b));
    assert_int_equal(s.count, t.count);
    assert_int_equal(s.lines, t.lines);
    assert_int_equal(s.unknown, t.unknown);
    assert_memory_equal(s.ids, t.ids, (size_t)s.count * sizeof *s.ids);
    foci_tokens_free(&s);
    foci_tokens_free(&t);
    assert_null(t.ids);
}

static void a_pack_is_as_its_text(void **state) {
    (void)state;
    foci_vocabulary *a = words_of(text, 0), *b = words_of(packed, 0);
    assert_int_equal(foci_vocabulary_size(b), WORDS);
    assert_int_equal(get(&whole, 16, 8), TOKENS);
    expect_same_words(a, b);
    expect_same_tokens(text, packed, a);
    expect_same_tokens(text, packed, b);
    expect_same_tokens(other, other, b);
    foci_vocabulary_free(a);
    foci_vocabulary_free(b);
}

static void another_text_in_the_same_words(void **state) {
    (void)state;
    const char *valid = path_of("%s/valid.pack", folder), *again = path_of("%s/valid-again.pack", folder);
    make_pack(other, text, 0, valid);
    make_pack(other, packed, 0, again);
    blob a = load(valid), b = load(again);
    assert_int_equal(a.size, b.size);
    assert_memory_equal(a.data, b.data, a.size);
    foci_vocabulary *v = words_of(packed, 0);
    expect_same_tokens(other, valid, v);
    foci_vocabulary_free(v);
    free(a.data);
    free(b.data);
}

static void a_pack_of_a_pack_is_the_same(void **state) {
    (void)state;
    const char *again = path_of("%s/again.pack", folder);
    make_pack(packed, packed, 0, again);
    blob b = load(again);
    assert_int_equal(b.size, whole.size);
    assert_memory_equal(b.data, whole.data, b.size);
    free(b.data);
}

/* Counts do not matter, words and their order do. */
static void a_word_list_is_the_same_vocabulary(void **state) {
    (void)state;
    const char *list = path_of("%s/words", folder);
    foci_vocabulary *v = words_of(text, 0), *plain;
    assert_ok(foci_vocabulary_save(v, list));
    assert_ok(foci_vocabulary_load(&plain, list));
    expect_same_tokens(text, packed, plain);
    foci_vocabulary_free(plain);
    foci_vocabulary_free(v);
}

static void a_limited_vocabulary_is_packed_limited(void **state) {
    (void)state;
    const char *small = path_of("%s/small.pack", folder);
    make_pack(text, text, 5, small);
    foci_vocabulary *a = words_of(text, 5), *b = words_of(small, 5), *c = words_of(small, 0);
    expect_same_words(a, b);
    expect_same_words(a, c);
    expect_same_tokens(text, small, a);
    foci_vocabulary_free(b);
    assert_fails(foci_vocabulary_cached(&b, small, (foci_word_choice){.limit = 4}), FOCI_ERR_DATA,
                 "small.pack: packed with 5 words, more than data.vocab_limit: pack it with --vocab-limit 4");
    assert_null(b);
    assert_ok(foci_vocabulary_cached(&b, small, (foci_word_choice){.min_count = 2}));
    foci_vocabulary_free(b);
    assert_fails(foci_vocabulary_cached(&b, packed, (foci_word_choice){.min_count = 2}), FOCI_ERR_DATA,
                 "train.pack: packed with words seen less often than data.min_count: pack it with --min-count 2");
    assert_null(b);
    foci_vocabulary_free(a);
    foci_vocabulary_free(c);
}

static void ids_of_other_words_are_refused(void **state) {
    (void)state;
    const char *foreign = path_of("%s/foreign.pack", folder);
    make_pack(other, other, 0, foreign);
    foci_vocabulary *v = words_of(packed, 0);
    foci_tokens t;
    assert_fails(foci_tokens_read(&t, v, foreign), FOCI_ERR_DATA,
                 "foreign.pack: packed with another vocabulary than that of data.train");
    assert_null(t.ids);
    foci_vocabulary_free(v);
}

static void a_file_that_is_there_is_kept(void **state) {
    (void)state;
    foci_vocabulary *v = words_of(text, 0);
    foci_tokens t;
    assert_ok(foci_tokens_read(&t, v, text));
    assert_fails(foci_pack_text(packed, &t, v), FOCI_ERR_IO, "train.pack: is there already");
    assert_fails(foci_pack_text(path_of("%s/no/where", folder), &t, v), FOCI_ERR_IO, "no/where");
    blob b = load(packed);
    assert_memory_equal(b.data, whole.data, whole.size);
    free(b.data);
    foci_tokens_free(&t);
    foci_vocabulary_free(v);
}

/* ------------------------------------------------------------------------------------------------- damage */

/* Opens it as a training text; frees the blob. What was read is freed, too. */
static foci_status read_pack(blob *b) {
    const char *path = save_pack(b, folder);
    foci_vocabulary *v;
    foci_tokens t;
    FOCI_TRY(foci_vocabulary_cached(&v, path, (foci_word_choice){0}));
    foci_status status = foci_tokens_read(&t, v, path);
    for (int64_t i = 0; i < t.count; i++) assert_non_null(foci_vocabulary_word(v, t.ids[i]));
    foci_tokens_free(&t);
    foci_vocabulary_free(v);
    return status;
}

static void expect_refusal(blob *b, const char *part) {
    assert_fails(read_pack(b), FOCI_ERR_DATA, part);
    assert_non_null(strstr(foci_error_message(), "damaged.pack"));
}

static void a_pack_cut_short_anywhere_is_refused(void **state) {
    (void)state;
    for (size_t n = 8; n < whole.size; n++) {
        blob b = copy_of(&whole);
        b.size = n;
        expect_refusal(&b, n < HEADER ? "too few" : "cut short");
    }
}

static void every_flipped_bit_is_found(void **state) {
    (void)state;
    size_t table = (size_t)get(&whole, 24, 8);
    for (size_t at = 12; at < whole.size; at++) {
        if (at >= HEADER + 4 * TOKENS && at < table) continue; /* nothing lies between the ids and the table */
        blob b = copy_of(&whole);
        b.data[at] ^= (unsigned char)(1 << at % 8);
        expect_refusal(&b, at < HEADER  ? "header is damaged"
                           : at < table ? "byte 64: the ids are damaged"
                                        : "table is damaged");
    }
}

static void another_kind_or_version_is_refused(void **state) {
    (void)state;
    blob b = copy_of(&whole);
    set_number(&b, 12, FOCI_PACK_IMAGES, 4);
    seal(&b);
    expect_refusal(&b, "a pack of images, not of words");
    b = copy_of(&whole);
    set_number(&b, 8, 2, 4);
    seal(&b);
    expect_refusal(&b, "version 2");
}

/* Fields that lie, under right checksums. */
static void impossible_counts_are_refused(void **state) {
    (void)state;
    static const uint64_t counts[] = {0,         1000, (uint64_t)1 << 62, ((uint64_t)1 << 62) + 1, (uint64_t)1 << 63,
                                      UINT64_MAX};
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
        blob b = copy_of(&whole);
        set_number(&b, 16, counts[i], 8);
        seal(&b);
        expect_refusal(&b, "byte 16: ");
    }
    blob b = copy_of(&whole);
    set_number(&b, 24, 64, 8); /* the table over the ids */
    seal(&b);
    expect_refusal(&b, "byte 16: ");
}

static void ids_beyond_the_vocabulary_are_refused(void **state) {
    (void)state;
    static const uint32_t ids[] = {WORDS, 0x7fffffff, 0x80000000, 0xffffffff};
    size_t table = (size_t)get(&whole, 24, 8);
    for (size_t i = 0; i < sizeof ids / sizeof *ids; i++) {
        blob b = copy_of(&whole);
        set_number(&b, HEADER + 4 * (i * TOKENS / 4), ids[i], 4);
        set_number(&b, table, XXH3_64bits(b.data + HEADER, 4 * TOKENS), 8);
        seal(&b);
        expect_refusal(&b, path_of("word %u of %d", ids[i], WORDS));
    }
}

static void a_vocabulary_that_is_none_is_refused(void **state) {
    (void)state;
    size_t words = (size_t)get(&whole, 24, 8) + 24;
    blob b = copy_of(&whole);
    b.data[words] = 'x';
    seal(&b);
    expect_refusal(&b, "damaged.pack:1: no count");
    b = copy_of(&whole);
    b.size = words;
    set_number(&b, 32, words, 8);
    seal(&b);
    expect_refusal(&b, "byte 16: ");
}

/* Whatever the bits say, under right checksums: refused with the name of the file, or read. */
static void damaged_packs_do_no_harm(void **state) {
    (void)state;
    uint32_t r = 7;
    size_t table = (size_t)get(&whole, 24, 8), opened = 0;
    for (int round = 0; round < 3000; round++) {
        blob b = copy_of(&whole);
        for (int k = 0; k < 1 + round % 3; k++) {
            size_t at = round % 3 ? table + next_random(&r) % (whole.size - table) : next_random(&r) % whole.size;
            b.data[at] ^= (unsigned char)(1 << next_random(&r) % 8);
        }
        if (round % 5) set_number(&b, table, XXH3_64bits(b.data + HEADER, 4 * TOKENS), 8);
        if (round % 5) seal(&b);
        if (round % 7 == 0) b.size -= next_random(&r) % 100;
        if (read_pack(&b) == FOCI_OK) opened++;
        else assert_non_null(strstr(foci_error_message(), "damaged.pack"));
    }
    assert_in_range(opened, 50, 2900); /* both ends of it were tried */
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_pack_is_as_its_text),
        cmocka_unit_test(another_text_in_the_same_words),
        cmocka_unit_test(a_pack_of_a_pack_is_the_same),
        cmocka_unit_test(a_word_list_is_the_same_vocabulary),
        cmocka_unit_test(a_limited_vocabulary_is_packed_limited),
        cmocka_unit_test(ids_of_other_words_are_refused),
        cmocka_unit_test(a_file_that_is_there_is_kept),
        cmocka_unit_test(a_pack_cut_short_anywhere_is_refused),
        cmocka_unit_test(every_flipped_bit_is_found),
        cmocka_unit_test(another_kind_or_version_is_refused),
        cmocka_unit_test(impossible_counts_are_refused),
        cmocka_unit_test(ids_beyond_the_vocabulary_are_refused),
        cmocka_unit_test(a_vocabulary_that_is_none_is_refused),
        cmocka_unit_test(damaged_packs_do_no_harm),
    };
    return cmocka_run_group_tests_name("text_pack", tests, make, clean);
}
