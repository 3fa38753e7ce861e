/* Sentences of words: how they are split, numbered, cut and padded, and what is refused with its place. */
#include "folder.h"
#include "sequences/sequences.h"

static foci_sequences *open_text(const char *text) {
    foci_sequences *s;
    assert_ok(foci_sentences_open(&s, save("x.tsv", text)));
    return s;
}

static const char three[] = "sentence\tlabel\n"
                            "A fine\x0b film , a  Fine one \t1\n"
                            "dull\t0\r\n"
                            "\xc3\x89mile 's film\t1";

/* <eos>, then by falling count, those of one count as first seen. */
static void words_by_count(void **state) {
    (void)state;
    static const char *const expected[] = {"<eos>", "<CLS>", "<S>",          "a", "fine", "film", ",",
                                           "one",   "dull",  "\xc3\x89mile", "'s"};
    foci_vocabulary *v;
    foci_sequences *s = open_text(three);
    assert_ok(foci_vocabulary_begin(&v));
    assert_ok(foci_sentences_count(s, v));
    assert_ok(foci_vocabulary_counted(v));
    assert_int_equal(11, foci_vocabulary_size(v));
    for (int32_t i = 0; i < 11; i++) assert_string_equal(expected[i], foci_vocabulary_word(v, i));
    foci_vocabulary_free(v);
    foci_sequences_close(s);
}

static foci_vocabulary *words_of(const char *list) {
    foci_vocabulary *v;
    assert_ok(foci_vocabulary_load(&v, save("x.tsv", list)));
    return v;
}

/* Those that are there keep their places, however often they are seen. */
static void words_behind_others(void **state) {
    (void)state;
    static const char *const expected[] = {"<eos>", "the", "film", "<unk>", "<CLS>", "<S>", "a", "fine"};
    foci_vocabulary *v = words_of("<eos>\nthe\nfilm\n<unk>\n");
    foci_sequences *s = open_text(three);
    assert_ok(foci_sentences_count(s, v));
    assert_ok(foci_vocabulary_counted(v));
    for (int32_t i = 0; i < 8; i++) assert_string_equal(expected[i], foci_vocabulary_word(v, i));
    assert_int_equal(7, foci_vocabulary_id(v, "fine"));
    assert_int_equal(3, foci_vocabulary_id(v, "nobody"));
    foci_vocabulary_free(v);
    foci_sequences_close(s);
}

/* Padding in front, the end of a sentence that is cut, words that are not known. */
static void ids(void **state) {
    (void)state;
    int32_t row[8];
    foci_real mask[8];
    char text[FOCI_TOKEN_TEXT];
    foci_vocabulary *v = words_of("<eos>\n<CLS>\n<S>\na\nfine\nfilm\ndull\n");
    foci_sequences *s = open_text(three);
    assert_ok(foci_sentences_number(s, v));
    assert_int_equal(3, foci_sequences_count(s));
    assert_int_equal(2, foci_sequences_classes(s));
    assert_int_equal(7, foci_sequences_vocabulary(s));
    assert_int_equal(4, foci_sequences_unknown(s)); /* , one Emile 's */
    assert_int_equal(7, foci_sequences_length(s, 0, 0));
    assert_true(foci_sequences_in_front(s) && !foci_sequences_padded(s, 8));
    assert_ok(foci_sequences_read(s, 0, 8, 8, row, mask));
    assert_memory_equal(((int32_t[]){0, 1, 3, 4, 5, 3, 4, 2}), row, sizeof row);
    assert_memory_equal(((foci_real[]){0, 1, 1, 1, 1, 1, 1, 1}), mask, sizeof mask);
    assert_ok(foci_sequences_read(s, 0, 5, 4, row, NULL));
    assert_memory_equal(((int32_t[]){0, 1, 3, 4, 2}), row, 5 * sizeof *row);
    assert_ok(foci_sequences_read(s, 0, 1, 1, row, NULL));
    assert_int_equal(2, row[0]);
    foci_sequences_token(s, 5, text);
    assert_string_equal("film ", text);
    foci_sequences_close(s);
    foci_vocabulary_free(v);
}

static void a_line_by_itself(void **state) {
    (void)state;
    int32_t row[4];
    int64_t length;
    foci_vocabulary *v = words_of("<eos>\n<CLS>\n<S>\n<unk>\nfine\n");
    assert_ok(foci_sentence_line(v, " FINE indeed", 4, row, &length));
    assert_int_equal(4, length);
    assert_memory_equal(((int32_t[]){1, 4, 3, 2}), row, sizeof row);
    assert_ok(foci_sentence_line(v, "fine fine fine", 3, row, &length));
    assert_int_equal(3, length);
    assert_memory_equal(((int32_t[]){1, 4, 2}), row, 3 * sizeof *row);
    assert_fails(foci_sentence_line(v, " \x1f", 4, row, &length), FOCI_ERR_DATA, "the sequence is empty");
    assert_fails(foci_sentence_line(v, "a\xff", 4, row, &length), FOCI_ERR_DATA, "byte 0xff is not UTF-8");
    foci_vocabulary_free(v);
}

/* Rows are as long as the longest of a batch, whoever makes them. */
static void batches_that_fit(void **state) {
    (void)state;
    enum { SAMPLES = 11, LONGEST = 9 };
    char text[1000] = "";
    for (int i = 0; i < SAMPLES; i++)
        snprintf(text + strlen(text), sizeof text - strlen(text), "%.*s\t%d\n", 2 * (1 + 5 * i % 7), "x x x x x x x x ",
                 i % 2);
    foci_vocabulary *v = words_of("<eos>\n<CLS>\n<S>\nx\n");
    foci_sequences *s = open_text(text);
    assert_ok(foci_sentences_number(s, v));
    for (int workers = 1; workers <= 3; workers += 2) {
        const foci_sequence_options o = {
            .longest = LONGEST, .cut = 7, .batch = 4, .shuffle = true, .seed = 3, .workers = workers, .fit = true};
        foci_sequence_loader *l;
        foci_sequence_batch b;
        int64_t seen = 0;
        assert_ok(foci_sequence_loader_open(&l, s, &o));
        assert_ok(foci_sequence_loader_seek(l, 0, 0));
        for (;; seen += b.count) {
            int64_t longest = 0;
            assert_ok(foci_sequence_loader_next(l, &b));
            if (!b.count) break;
            for (int64_t i = 0; i < b.count; i++) {
                const int64_t all = foci_sequences_length(s, b.index[i], 0), length = all < 7 ? all : 7;
                longest = length > longest ? length : longest;
                assert_int_equal(2, b.ids[(i + 1) * b.longest - 1]);
                assert_int_equal(1, b.ids[(i + 1) * b.longest - length]);
                for (int64_t t = 0; t < b.longest - length; t++) assert_int_equal(0, b.ids[i * b.longest + t]);
            }
            assert_int_equal(longest, b.longest);
        }
        assert_int_equal(SAMPLES, seen);
        foci_sequence_loader_close(l);
    }
    foci_sequences_close(s);
    foci_vocabulary_free(v);
}

static void refused(void **state) {
    (void)state;
    static char long_word[1100];
    memset(long_word, 'w', 1030);
    strcat(long_word, "\t1\n");
    const struct {
        const char *text, *message;
    } rows[] = {
        {"", "x.tsv: no sequences"},
        {"sentence\tlabel\n", "x.tsv: no sequences"},
        {"a\t1\nb\n", "x.tsv:2: 1 column, not SENTENCE<TAB>LABEL"},
        {"a\t1\n\n", "x.tsv:2: 1 column"},
        {"a\tb\t1\n", "x.tsv:1: 3 columns"},
        {"a\t1\n \t1\n", "x.tsv:2: the sequence is empty"},
        {"\t1\n", "x.tsv:1: the sequence is empty"},
        {"a\t\n", "x.tsv:1: there is no label"},
        {"a\t1\nsentence \xe9\t0\n", "x.tsv:2: byte 0xe9 is not UTF-8"},
        {"index\tsentence\n0\tfine\n", "x.tsv:1: GLUE's test sentences, which have no labels"},
        {long_word, "x.tsv:1: a word of more than 1024 bytes"},
    };
    foci_sequences *s;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_fails(foci_sentences_open(&s, save("x.tsv", rows[i].text)), FOCI_ERR_DATA, rows[i].message);
    assert_fails(foci_sentences_open(&s, "/nowhere/x.tsv"), FOCI_ERR_DATA, "/nowhere/x.tsv");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(words_by_count),   cmocka_unit_test(words_behind_others), cmocka_unit_test(ids),
        cmocka_unit_test(a_line_by_itself), cmocka_unit_test(batches_that_fit),    cmocka_unit_test(refused),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
