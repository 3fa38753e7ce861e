/* Word swap: exact counts, line by line, and the same choice for the same seed. */
#include "check.h"

#include "shift/contamination.h"

/* Lines of 2, 0, 8, 1 and (without an end) 3 words; "the", "of" and "isn't" are stop words, "The" is none. */
static const char text[] = "the cat\n"
                           ", .\n"
                           "a red house of 3 @-@ storey \xc3\xa9t\xc3\xa9 isn't\n"
                           "of\n"
                           "The <unk> AAA";
enum { WORDS = 2 + 8 + 1 + 3 }; /* a red house of 3 storey été isn't */

typedef struct fixture {
    foci_vocabulary *v;
    foci_tokens clean;
    int32_t *ids;
} fixture;

static void save(char *path, size_t size, const char *folder, const char *name, const char *what, int times) {
    snprintf(path, size, "%s/%s", folder, name);
    FILE *f = fopen(path, "w");
    for (int i = 0; i < times; i++) fputs(what, f);
    fclose(f);
}

static void open_text(fixture *f, const char *train, const char *what, int times) {
    char path[600], folder[300];
    snprintf(folder, sizeof folder, "%s", temporary_folder());
    save(path, sizeof path, folder, "train.txt", train, 1);
    assert_ok(foci_vocabulary_build(&f->v, path, (foci_word_choice){.min_count = 1}));
    save(path, sizeof path, folder, "test.txt", what, times);
    assert_ok(foci_tokens_read(&f->clean, f->v, path));
    f->ids = malloc((size_t)f->clean.count * sizeof *f->ids);
}

static void close_text(fixture *f) {
    free(f->ids);
    foci_tokens_free(&f->clean);
    foci_vocabulary_free(f->v);
}

/* Contaminates; returns how many tokens changed. */
static int64_t swap(fixture *f, const char *how, foci_contamination_count *n) {
    const foci_contamination *c;
    const void *settings;
    foci_arena arena = {0};
    *n = (foci_contamination_count){0};
    memcpy(f->ids, f->clean.ids, (size_t)f->clean.count * sizeof *f->ids);
    assert_ok(foci_contamination_parse(how, &arena, &c, &settings));
    assert_ok(c->apply(settings, f->v, f->ids, f->clean.count, n));
    foci_arena_free(&arena);
    int64_t changed = 0;
    for (int64_t i = 0; i < f->clean.count; i++) changed += f->ids[i] != f->clean.ids[i];
    return changed;
}

static const char *now(const fixture *f, int64_t i) { return foci_vocabulary_word(f->v, f->ids[i]); }
static bool changed(const fixture *f, int64_t i) { return f->ids[i] != f->clean.ids[i]; }

static void counts_are_exact(void **state) {
    (void)state;
    fixture f;
    foci_contamination_count n;
    open_text(&f, text, text, 1);
    /* 0.015 of each line is nothing: the least is 1, where a word may be swapped at all */
    swap(&f, "word-swap", &n);
    assert_int_equal(n.lines, 5);
    assert_int_equal(n.words, WORDS);
    assert_int_equal(n.swapped, 3); /* cat; one of the third line; one of the last */
    assert_true(changed(&f, 1));
    assert_string_equal(now(&f, 1), "AAA");
    assert_int_equal(swap(&f, "word-swap:rate=0,min=0", &n), 0);
    assert_int_equal(n.swapped, 0);
    /* floor(0.5 * 2) = 1, 0, floor(0.5 * 8) = 4, 0 of 1, floor(0.5 * 3) = 1 */
    swap(&f, "word-swap:rate=0.5,min=0", &n);
    assert_int_equal(n.swapped, 6);
    swap(&f, "word-swap:rate=0.49,min=0", &n); /* 0, 0, 3, 0, 1 */
    assert_int_equal(n.swapped, 4);
    swap(&f, "word-swap:rate=0.1,min=2", &n); /* 1 of the words that may be, 0, 2, 0, 2 */
    assert_int_equal(n.swapped, 5);
    close_text(&f);
}

static void what_is_spared(void **state) {
    (void)state;
    fixture f;
    foci_contamination_count n;
    open_text(&f, text, text, 1);
    /* all that may be: cat; red house 3 storey été (a, of, isn't are stop words); The <unk> AAA */
    int64_t moved = swap(&f, "word-swap:rate=1", &n);
    assert_int_equal(n.swapped, 1 + 5 + 3);
    assert_int_equal(moved, 1 + 5 + 1); /* <unk> stays <unk>, AAA is AAA */
    for (int64_t i = 0; i < f.clean.count; i++) {
        const char *was = foci_vocabulary_word(f.v, f.clean.ids[i]);
        bool spared = strstr(" the , . a of @-@ isn't <unk> AAA <eos> ", was) != NULL;
        assert_int_equal(changed(&f, i), !spared);
        if (!spared) assert_string_equal(now(&f, i), "AAA");
    }
    moved = swap(&f, "word-swap:rate=1,stop_words=swap,word=cat", &n);
    assert_int_equal(n.swapped, WORDS);
    assert_int_equal(moved, WORDS - 2); /* cat and <unk> */
    close_text(&f);
}

static void an_unknown_replacement_is_unk(void **state) {
    (void)state;
    fixture f;
    foci_contamination_count n;
    open_text(&f, "red house\nblue <unk>\n", "red house\n", 1);
    swap(&f, "word-swap:rate=1", &n);
    assert_string_equal(now(&f, 0), "<unk>");
    assert_string_equal(now(&f, 1), "<unk>");
    assert_string_equal(now(&f, 2), "<eos>");
    close_text(&f);
    open_text(&f, "red house\n", "red house\n", 1);
    const foci_contamination *c;
    const void *settings;
    foci_arena arena = {0};
    assert_ok(foci_contamination_parse("word-swap", &arena, &c, &settings));
    assert_fails(c->apply(settings, f.v, f.ids, 0, &n), FOCI_ERR_CONFIG,
                 "`AAA` is not in the vocabulary, which has no <unk>");
    foci_arena_free(&arena);
    close_text(&f);
}

static void seeds_decide(void **state) {
    (void)state;
    fixture f;
    foci_contamination_count n;
    open_text(&f, text, "red house 3 storey cat blue sky green door\n", 400);
    size_t bytes = (size_t)f.clean.count * sizeof *f.ids;
    int32_t *first = malloc(bytes);
    swap(&f, "word-swap:rate=0.3,seed=1", &n);
    assert_int_equal(n.swapped, 400 * 2); /* floor(0.3 * 9) */
    memcpy(first, f.ids, bytes);
    int64_t at[9] = {0};
    for (int64_t i = 0; i < f.clean.count; i++) at[i % 10 < 9 ? i % 10 : 0] += changed(&f, i);
    for (int i = 0; i < 9; i++) /* words that are known: evenly, 800 / 9 = 89 */
        if (at[i]) assert_in_range(at[i], 60, 120);
    swap(&f, "word-swap:rate=0.3,seed=1", &n);
    assert_memory_equal(first, f.ids, bytes);
    swap(&f, "word-swap:rate=0.3,seed=2", &n);
    assert_int_equal(n.swapped, 800);
    assert_memory_not_equal(first, f.ids, bytes);
    free(first);
    close_text(&f);
}

static void wrong_settings_are_named(void **state) {
    (void)state;
    const foci_contamination *c;
    const void *s;
    foci_arena arena = {0};
    assert_fails(foci_contamination_parse("swap", &arena, &c, &s), FOCI_ERR_CONFIG, "there is no contamination `swap`");
    assert_fails(foci_contamination_parse("", &arena, &c, &s), FOCI_ERR_CONFIG, "there is no contamination ``");
    assert_fails(foci_contamination_parse("word-swap:rate=2", &arena, &c, &s), FOCI_ERR_CONFIG,
                 "out of bounds: 0 to 1");
    assert_fails(foci_contamination_parse("word-swap:rat=0", &arena, &c, &s), FOCI_ERR_CONFIG, "did you mean `rate`?");
    assert_fails(foci_contamination_parse("word-swap:rate", &arena, &c, &s), FOCI_ERR_CONFIG, "rate");
    char many[400] = "word-swap:";
    for (int i = 0; i < 40; i++) strcat(many, "min=1,");
    assert_fails(foci_contamination_parse(many, &arena, &c, &s), FOCI_ERR_CONFIG, "more than 32 settings");
    char longer[2000];
    memset(longer, 'x', sizeof longer - 1);
    longer[sizeof longer - 1] = 0;
    assert_fails(foci_contamination_parse(longer, &arena, &c, &s), FOCI_ERR_CONFIG, "1999 bytes");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counts_are_exact),
        cmocka_unit_test(what_is_spared),
        cmocka_unit_test(an_unknown_replacement_is_unk),
        cmocka_unit_test(seeds_decide),
        cmocka_unit_test(wrong_settings_are_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
