/* Text: what a word and a line are, the vocabulary and its cache, the stream in columns, and what is refused.
 */
#include <math.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "folder.h"
#include "text/text.h"
#include "text/read.h"

static const char *save_gz(const char *name, const char *text) {
    const char *path = at(name);
    gzFile f = gzopen(path, "wb");
    assert_non_null(f);
    assert_int_equal(gzwrite(f, text, (unsigned)strlen(text)), strlen(text));
    gzclose(f);
    return path;
}

static foci_vocabulary *build(const char *path, int64_t limit) {
    foci_vocabulary *v;
    assert_ok(foci_vocabulary_build(&v, path, (foci_word_choice){.limit = limit, .min_count = 1}));
    return v;
}

/* The vocabulary as "word:count word:count ..." in order of ids. */
static const char *listing(const foci_vocabulary *v) {
    static char text[4096];
    size_t n = 0;
    text[0] = 0;
    for (int32_t id = 0; id < foci_vocabulary_size(v); id++) {
        const char *word = foci_vocabulary_word(v, id);
        assert_int_equal(foci_vocabulary_id(v, word), id);
        n += (size_t)snprintf(text + n, sizeof text - n, "%s%s:%lld", id ? " " : "", word,
                              (long long)foci_vocabulary_frequency(v, id));
    }
    return text;
}

static void expect_vocabulary(const char *path, int64_t limit, const char *expected) {
    foci_vocabulary *v = build(path, limit);
    assert_string_equal(listing(v), expected);
    foci_vocabulary_free(v);
}

/* The stream of a text by the vocabulary of another, as words. */
static void expect_tokens(const char *path, const char *vocabulary_of, const char *expected) {
    foci_vocabulary *v = build(vocabulary_of, 0);
    foci_tokens t;
    assert_ok(foci_tokens_read(&t, v, path));
    char text[4096] = "";
    size_t n = 0;
    for (int64_t i = 0; i < t.count; i++)
        n += (size_t)snprintf(text + n, sizeof text - n, "%s%s", i ? " " : "", foci_vocabulary_word(v, t.ids[i]));
    assert_string_equal(text, expected);
    foci_tokens_free(&t);
    foci_vocabulary_free(v);
}

/* Both readers of a text refuse it with the same words. */
static void expect_refusal(const char *path, const char *message) {
    char expected[1024];
    snprintf(expected, sizeof expected, "%s%s", path, message);
    foci_vocabulary *v = (foci_vocabulary *)&expected;
    assert_fails(foci_vocabulary_build(&v, path, (foci_word_choice){0}), FOCI_ERR_DATA, expected);
    assert_null(v);
    v = build(save("any.txt", "a <unk>\n"), 0);
    foci_tokens t;
    assert_fails(foci_tokens_read(&t, v, path), FOCI_ERR_DATA, expected);
    assert_null(t.ids);
    foci_vocabulary_free(v);
}

/* ------------------------------------------------------------------------------------------ words and lines
 */

static void every_line_ends_in_eos(void **state) {
    (void)state;
    const char *path = save("a.txt", " \n = a = \n\n b  a \n");
    expect_tokens(path, path, "<eos> = a = <eos> <eos> b a <eos>");
}

static void white_space_is_ascii(void **state) {
    (void)state;
    /* NEL and the no-break space are bytes of words */
    const char *path = save("a.txt", "a\tb\vc\fd\re\x1c"
                                     "f\x1d"
                                     "g\x1e"
                                     "h\x1f"
                                     "i\r\n\xc2\x85x\xc2\xa0y\n");
    expect_tokens(path, path, "a b c d e f g h i <eos> \xc2\x85x\xc2\xa0y <eos>");
}

static void a_last_line_needs_no_newline(void **state) {
    (void)state;
    const char *with = save("with.txt", "a b\nc\n"), *without = save("without.txt", "a b\nc");
    expect_tokens(with, with, "a b <eos> c <eos>");
    expect_tokens(without, with, "a b <eos> c <eos>");
    expect_tokens(save("space.txt", "a b\nc\n "), with, "a b <eos> c <eos> <eos>");
}

static void lines_and_unknown_words_are_counted(void **state) {
    (void)state;
    foci_vocabulary *v = build(save("train.txt", "a <unk> b\n"), 0);
    foci_tokens t;
    assert_ok(foci_tokens_read(&t, v, save("a.txt", "\na <unk> x\n\ny")));
    assert_int_equal(t.lines, 4);
    assert_int_equal(t.count, 8);
    assert_int_equal(t.unknown, 3);
    foci_tokens_free(&t);
    foci_vocabulary_free(v);
}

/* Words lie across the reader's buffers: 100,000 words of 7 bytes with their space. */
static void long_texts_are_read_whole(void **state) {
    (void)state;
    enum { WORDS = 100000, KINDS = 1000 };
    char *text = malloc(7 * WORDS + 1);
    for (int i = 0; i < WORDS; i++) snprintf(text + 7 * i, 8, "w%05d%c", i % KINDS, i % 10 == 9 ? '\n' : ' ');
    const char *plain = save("a.txt", text), *packed = save_gz("a.gz", text);
    free(text);
    for (int i = 0; i < 2; i++) {
        foci_vocabulary *v = build(i ? packed : plain, 0);
        assert_int_equal(foci_vocabulary_size(v), KINDS + 1);
        assert_int_equal(foci_vocabulary_frequency(v, 0), WORDS / 10);
        for (int32_t id = 1; id <= KINDS; id++) assert_int_equal(foci_vocabulary_frequency(v, id), WORDS / KINDS);
        foci_tokens t;
        assert_ok(foci_tokens_read(&t, v, i ? plain : packed));
        assert_int_equal(t.count, WORDS + WORDS / 10);
        for (int64_t k = 0; k < t.count; k++) {
            int64_t word = k - k / 11;
            assert_int_equal(t.ids[k], k % 11 == 10 ? 0 : 1 + word % KINDS);
        }
        foci_tokens_free(&t);
        foci_vocabulary_free(v);
    }
}

/* --------------------------------------------------------------------------------------------- vocabularies
 */

static void words_stand_by_falling_count_and_eos_first(void **state) {
    (void)state;
    expect_vocabulary(save("a.txt", "b a c a\nc a d\n"), 0, "<eos>:2 a:3 c:2 b:1 d:1");
}

static void words_of_one_count_stand_as_first_seen(void **state) {
    (void)state;
    expect_vocabulary(save("a.txt", "z y x y z w x v\n"), 0, "<eos>:1 z:2 y:2 x:2 w:1 v:1");
}

static void eos_in_the_text_is_the_end_of_a_line(void **state) {
    (void)state;
    expect_vocabulary(save("a.txt", "a <eos> a\n"), 0, "<eos>:2 a:2");
}

static void a_word_that_is_unknown(void **state) {
    (void)state;
    foci_vocabulary *with = build(save("a.txt", "a <unk> <unk>\n"), 0), *without = build(save("b.txt", "a b\n"), 0);
    assert_int_equal(foci_vocabulary_id(with, "x"), 1);
    assert_int_equal(foci_vocabulary_id(with, ""), 1);
    assert_int_equal(foci_vocabulary_id(without, "x"), -1);
    foci_tokens t;
    assert_fails(
        foci_tokens_read(&t, without, save("c.txt", "a\nb x\n")), FOCI_ERR_DATA,
        "c.txt:2: \"x\" is not in the vocabulary, which has no <unk>; data.min_count 2 or data.vocab_limit makes "
        "one of rare words");
    foci_vocabulary_free(with);
    foci_vocabulary_free(without);
}

static void expect_choice(const char *text, foci_word_choice choice, const char *expected, int64_t words,
                          int64_t tokens) {
    foci_vocabulary *v;
    assert_ok(foci_vocabulary_build(&v, save("chosen.txt", text), choice));
    assert_string_equal(listing(v), expected);
    assert_int_equal(foci_vocabulary_rare(v).words, words);
    assert_int_equal(foci_vocabulary_rare(v).tokens, tokens);
    foci_vocabulary_free(v);
}

/* Words seen once, where there would be no <unk> else. */
static void rare_words_become_unk(void **state) {
    (void)state;
    const char *plain = "a b a c b a d\na\n", *marked = "a b a c <unk> a d\na\n";
    const foci_word_choice automatic = {0};
    expect_choice(plain, automatic, "<eos>:2 a:4 b:2 <unk>:2", 2, 2);
    expect_choice(marked, automatic, "<eos>:2 a:4 b:1 c:1 <unk>:1 d:1", 0, 0);
    expect_choice("a b a b\n", automatic, "<eos>:1 a:2 b:2 <unk>:0", 0, 0);
    expect_choice(plain, (foci_word_choice){.min_count = 1}, "<eos>:2 a:4 b:2 c:1 d:1", 0, 0);
    expect_choice(plain, (foci_word_choice){.min_count = 3}, "<eos>:2 a:4 <unk>:4", 3, 4);
    expect_choice(marked, (foci_word_choice){.min_count = 2}, "<eos>:2 a:4 <unk>:4", 3, 3);
    expect_choice(plain, (foci_word_choice){.limit = 3}, "<eos>:2 a:4 <unk>:4", 3, 4);
    expect_choice(plain, (foci_word_choice){.limit = 4}, "<eos>:2 a:4 b:2 <unk>:2", 2, 2);
    expect_choice(plain, (foci_word_choice){.limit = 5}, "<eos>:2 a:4 b:2 <unk>:2", 2, 2);
    expect_choice("a a b b c c\n", (foci_word_choice){.limit = 4}, "<eos>:1 a:2 b:2 <unk>:2", 1, 2);
    expect_choice(plain, (foci_word_choice){.limit = 3, .min_count = 2}, "<eos>:2 a:4 <unk>:4", 3, 4);
}

static void a_limit_leaves_the_most_frequent(void **state) {
    (void)state;
    const char *path = save("a.txt", "a a a b b c d\n");
    expect_vocabulary(path, 3, "<eos>:1 <unk>:4 a:3");
    expect_vocabulary(path, 4, "<eos>:1 a:3 b:2 <unk>:2");
    expect_vocabulary(path, 2, "<eos>:1 <unk>:7");
    expect_vocabulary(path, 5, "<eos>:1 a:3 b:2 c:1 d:1");
    expect_vocabulary(save("b.txt", "a a a <unk> b b\n"), 3, "<eos>:1 a:3 <unk>:3");
    foci_vocabulary *v;
    assert_fails(foci_vocabulary_build(&v, path, (foci_word_choice){.limit = 1}), FOCI_ERR_CONFIG,
                 "a vocabulary of 1 words");
    assert_fails(foci_vocabulary_build(&v, path, (foci_word_choice){.limit = -1}), FOCI_ERR_CONFIG,
                 "a vocabulary of -1 words");
}

static void a_word_list_keeps_the_ids(void **state) {
    (void)state;
    foci_vocabulary *v = build(save("a.txt", "b a c a\n<unk> a\n"), 0), *loaded;
    const char *list = at("list.txt");
    assert_ok(foci_vocabulary_save(v, list));
    assert_ok(foci_vocabulary_load(&loaded, list));
    assert_string_equal(listing(loaded), "<eos>:0 a:0 b:0 c:0 <unk>:0");
    assert_int_equal(foci_vocabulary_id(loaded, "x"), 4);
    foci_vocabulary_free(loaded);
    foci_vocabulary_free(v);
}

static void a_wrong_word_list_is_refused(void **state) {
    (void)state;
    static const struct {
        const char *text, *message;
    } wrong[] = {
        {"", "list.txt: the file is empty"},
        {"a\n<eos>\n", "list.txt:1: the first word of a vocabulary is <eos>"},
        {"<eos>\na\nb\na\n", "list.txt:4: a word that was there before: a"},
        {"<eos>\na b\n", "list.txt:2: not one word"},
        {"<eos>\na\r\nb\r\n", "list.txt:2: not one word"},
        {"<eos>\na\n\nb\n", "list.txt:3: a word of 0 bytes"},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        foci_vocabulary *v;
        assert_fails(foci_vocabulary_load(&v, save("list.txt", wrong[i].text)), FOCI_ERR_DATA, wrong[i].message);
        assert_null(v);
    }
    foci_vocabulary *v;
    assert_fails(foci_vocabulary_load(&v, save_bytes("list.txt", "<eos>\na\0b\n", 10)), FOCI_ERR_DATA,
                 "list.txt:2: not one word");
    assert_fails(foci_vocabulary_load(&v, at("nope")), FOCI_ERR_DATA, "nope: No such file or directory");
}

/* -------------------------------------------------------------------------------------------------- the
 * cache */

static char logged[1024];

static void keep_log(void *context, foci_log_level level, const char *line) {
    (void)context, (void)level;
    snprintf(logged, sizeof logged, "%s", line);
}

/* The inode tells a file that was kept from one that was written again. */
static ino_t inode(const char *path) {
    struct stat st;
    assert_int_equal(stat(path, &st), 0);
    return st.st_ino;
}

static void expect_cached(const char *path, foci_word_choice choice, const char *expected, const char *message) {
    logged[0] = 0;
    foci_set_log(keep_log, NULL);
    foci_vocabulary *v;
    assert_ok(foci_vocabulary_cached(&v, path, choice));
    foci_set_log(NULL, NULL);
    assert_string_equal(listing(v), expected);
    foci_vocabulary_free(v);
    if (!strstr(logged, message) || !*message != !*logged) fail_msg("the log says \"%s\", not \"%s\"", logged, message);
}

/* The only file of the cache, which begins anew. */
static const char *the_cache(void) {
    static char path[512];
    char command[600];
    snprintf(command, sizeof command, "ls -d '%s'/*", getenv("FOCI_CACHE"));
    FILE *f = popen(command, "r");
    assert_non_null(fgets(path, sizeof path, f));
    path[strcspn(path, "\n")] = 0;
    assert_null(fgets(command, sizeof command, f));
    pclose(f);
    return path;
}

static void empty_the_cache(const char *name) { setenv("FOCI_CACHE", at(name), 1); }

static const foci_word_choice every_word = {.min_count = 1};

static void a_cache_is_made_and_used(void **state) {
    (void)state;
    empty_the_cache("deep/used");
    const char *path = save("cached.txt", "b a a\n");
    expect_cached(path, every_word, "<eos>:1 a:2 b:1", "");
    ino_t made = inode(the_cache());
    expect_cached(path, every_word, "<eos>:1 a:2 b:1", "");
    expect_cached(save("moved.txt", "b a a\n"), every_word, "<eos>:1 a:2 b:1", "");
    assert_int_equal(inode(the_cache()), made);
}

static void nothing_is_written_beside_a_text(void **state) {
    (void)state;
    empty_the_cache("elsewhere");
    const char *own = save("mine.txt.vocab", "my own notes"), *path = save("mine.txt", "b a a\n");
    const ino_t before = inode(own);
    expect_cached(path, every_word, "<eos>:1 a:2 b:1", "");
    assert_int_equal(inode(own), before);
}

static void the_cache_lies_where_caches_lie(void **state) {
    (void)state;
    const char *path = save("cached.txt", "b a a\n");
    unsetenv("FOCI_CACHE");
    setenv("XDG_CACHE_HOME", at("xdg"), 1);
    setenv("HOME", at("home"), 1);
    expect_cached(path, every_word, "<eos>:1 a:2 b:1", "");
    assert_int_equal(access(at("xdg/foci"), F_OK), 0);
    assert_int_not_equal(access(at("home"), F_OK), 0);
    unsetenv("XDG_CACHE_HOME");
    expect_cached(path, every_word, "<eos>:1 a:2 b:1", "");
    assert_int_equal(access(at("home/.cache/foci"), F_OK), 0);
    unsetenv("HOME");
    expect_cached(path, every_word, "<eos>:1 a:2 b:1", "");
}

/* Texts and choices have files of their own. */
static void a_cache_is_of_one_text_and_one_choice(void **state) {
    (void)state;
    empty_the_cache("several");
    for (int again = 0; again < 2; again++) {
        const char *path = save("cached.txt", "b a a\n");
        expect_cached(path, every_word, "<eos>:1 a:2 b:1", "");
        expect_cached(path, (foci_word_choice){.limit = 2}, "<eos>:1 <unk>:3", "");
        expect_cached(path, (foci_word_choice){0}, "<eos>:1 a:2 <unk>:1", "");
        expect_cached(save("cached.txt", "b c c\n"), every_word, "<eos>:1 c:2 b:1", ""); /* as many bytes */
    }
}

static void a_damaged_cache_is_built_again(void **state) {
    (void)state;
    empty_the_cache("damaged");
    const char *path = save("damaged.txt", "b a a\n");
    expect_cached(path, every_word, "<eos>:1 a:2 b:1", "");
    const char *cache = the_cache();
    char whole[512];
    FILE *f = fopen(cache, "rb");
    size_t size = fread(whole, 1, sizeof whole, f);
    fclose(f);
    for (size_t i = 0; i < 2 * size; i++) {
        char damaged[512];
        memcpy(damaged, whole, size);
        damaged[i / 2] ^= 1;
        f = fopen(cache, "wb");
        fwrite(damaged, 1, i % 2 ? size : i / 2, f);
        fclose(f);
        expect_cached(at("damaged.txt"), every_word, "<eos>:1 a:2 b:1",
                      "not the vocabulary of this text, or damaged; it is built again");
    }
}

static void without_a_cache_it_works_too(void **state) {
    (void)state;
    setenv("FOCI_CACHE", save("no-folder", ""), 1);
    expect_cached(save("alone.txt", "b a a\n"), every_word, "<eos>:1 a:2 b:1", "");
    assert_int_equal(access(at("alone.txt.vocab"), F_OK), -1);
}

/* --------------------------------------------------------------------------------------------- what is
 * refused */

static void gzip_is_told_by_its_bytes(void **state) {
    (void)state;
    const char *plain = save("a.gz", "b a\na\n"), *packed = save_gz("a.txt", "b a\na\n");
    expect_vocabulary(plain, 0, "<eos>:2 a:2 b:1");
    expect_vocabulary(packed, 0, "<eos>:2 a:2 b:1");
    expect_tokens(packed, plain, "b a <eos> a <eos>");
}

static void a_gzip_cut_short_is_refused(void **state) {
    (void)state;
    const char *path = save_gz("whole.gz", "a b c\nd e f\n");
    unsigned char whole[256];
    FILE *f = fopen(path, "rb");
    size_t size = fread(whole, 1, sizeof whole, f);
    fclose(f);
    for (size_t n = 2; n < size; n++) expect_refusal(save_bytes("cut.gz", whole, n), ": damaged gzip after line ");
    expect_vocabulary(save_bytes("cut.gz", whole, size), 0, "<eos>:2 a:1 b:1 c:1 d:1 e:1 f:1");
    whole[size / 2] ^= 16;
    expect_refusal(save_bytes("flipped.gz", whole, size), ": damaged gzip after line ");
}

static void a_zero_byte_is_refused(void **state) {
    (void)state;
    expect_refusal(save_bytes("zero.txt", "a\nb\0c\n", 6), ":2: a 0 byte: this is not text");
    expect_refusal(save_bytes("zero.txt", "\0", 1), ":1: a 0 byte: this is not text");
}

static void a_byte_order_mark_is_no_part_of_a_word(void **state) {
    (void)state;
    expect_vocabulary(save("marked.txt", "\xEF\xBB\xBF"
                                         "a b\na\n"),
                      0, "<eos>:2 a:2 b:1");
    expect_vocabulary(save_gz("marked.gz", "\xEF\xBB\xBF"
                                           "a b\na\n"),
                      0, "<eos>:2 a:2 b:1");
    expect_vocabulary(save("inside.txt", "a\n\xEF\xBB\xBF"
                                         "b\n"),
                      0,
                      "<eos>:2 a:1 \xEF\xBB\xBF"
                      "b:1");
    expect_refusal(save("mark.txt", "\xEF\xBB\xBF"), ": the file is empty");
}

static void what_is_no_utf_8_is_refused(void **state) {
    (void)state;
    expect_vocabulary(save("utf8.txt", "caf\xc3\xa9 \xe2\x80\x94 \xf0\x9f\x90\x95\n"), 0,
                      "<eos>:1 caf\xc3\xa9:1 \xe2\x80\x94:1 \xf0\x9f\x90\x95:1");
    expect_refusal(save("latin1.txt", "a\nb caf\xe9 c\n"),
                   ":2: byte 0xe9 after \"caf\" is not UTF-8; convert the text, as by iconv -f LATIN1 -t UTF-8");
    expect_refusal(save("utf16.txt", "\xff\xfe"
                                     "a"),
                   ":1: byte 0xff after \"\" is not UTF-8");
    expect_refusal(save("long.txt", "x \xc0\xaf\n"), ":1: byte 0xc0 after \"\" is not UTF-8");
    expect_refusal(save("cut.txt", "\xe2\x80\n"), ":1: byte 0xe2 after \"\" is not UTF-8");
}

static void a_word_may_have_1024_bytes(void **state) {
    (void)state;
    char text[FOCI_WORD_MAX + 8] = "a\n";
    memset(text + 2, 'x', FOCI_WORD_MAX);
    const char *path = save("long.txt", text);
    foci_vocabulary *v = build(path, 0);
    assert_string_equal(foci_vocabulary_word(v, 2), text + 2);
    foci_vocabulary_free(v);
    text[2 + FOCI_WORD_MAX] = 'x';
    expect_refusal(save("long.txt", text), ":2: a word of more than 1024 bytes");
}

static void an_empty_file_is_refused(void **state) {
    (void)state;
    expect_refusal(save("empty.txt", ""), ": the file is empty");
    expect_refusal(save_gz("empty.gz", ""), ": the file is empty");
    const char *newline = save("newline.txt", "\n");
    expect_tokens(newline, newline, "<eos>");
}

static void what_is_no_file_is_refused(void **state) {
    (void)state;
    expect_refusal(at("nope.txt"), ": No such file or directory");
    expect_refusal(folder, ": not a regular file");
    foci_vocabulary *v;
    assert_fails(foci_vocabulary_cached(&v, at("nope.txt"), every_word), FOCI_ERR_DATA,
                 "nope.txt: No such file or directory");
    assert_null(v);
}

/* ----------------------------------------------------------------------------------------------------
 * windows */

static const int32_t counting[] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14};
static const foci_tokens fifteen = {.count = 15, .ids = (int32_t *)counting};

static void columns_are_contiguous(void **state) {
    (void)state;
    foci_windows w;
    assert_ok(foci_windows_make(&w, &fifteen, 2, 4));
    assert_int_equal(w.column, 7); /* token 14 is dropped */
    assert_int_equal(foci_windows_count(&w), 2);
    assert_int_equal(foci_windows_length(&w, 0), 4);
    assert_int_equal(foci_windows_length(&w, 1), 2); /* token 6 of a column is only a target */
    int32_t ids[4], targets[4];
    foci_windows_copy(&w, 4, 2, ids, targets);
    assert_memory_equal(ids, ((int32_t[]){4, 5, 11, 12}), sizeof ids);
    assert_memory_equal(targets, ((int32_t[]){5, 6, 12, 13}), sizeof targets);
}

/* Every token but a column's first is predicted once. */
static void windows_cover_a_column(void **state) {
    (void)state;
    for (int64_t batch = 1; batch <= 7; batch++)
        for (int64_t window = 1; window <= 16; window++) {
            foci_windows w;
            assert_ok(foci_windows_make(&w, &fifteen, batch, window));
            int64_t covered = 0;
            for (int64_t i = 0; i < foci_windows_count(&w); i++) {
                int64_t length = foci_windows_length(&w, i);
                assert_in_range(length, 1, (uintmax_t)window);
                covered += length;
            }
            assert_int_equal(covered, 15 / batch - 1);
        }
}

/* Each of the places where a window fits is as likely; a batch is drawn again as it was. */
static void windows_that_are_drawn(void **state) {
    (void)state;
    enum { BATCH = 3, WINDOW = 4, PLACES = 11, BATCHES = 4000 };
    foci_windows w;
    int32_t ids[BATCH * WINDOW], targets[BATCH * WINDOW], again[BATCH * WINDOW];
    int count[PLACES] = {0};
    assert_ok(foci_windows_make(&w, &fifteen, BATCH, WINDOW));
    for (int64_t k = 0; k < BATCHES; k++) {
        foci_windows_draw(&w, 5, k, ids, targets);
        for (int i = 0; i < BATCH * WINDOW; i++) {
            assert_int_equal(ids[i], ids[i / WINDOW * WINDOW] + i % WINDOW);
            assert_int_equal(targets[i], ids[i] + 1);
        }
        for (int i = 0; i < BATCH; i++) count[ids[i * WINDOW]]++;
    }
    for (int i = 0; i < PLACES; i++) assert_close(count[i], BATCH * BATCHES / PLACES, 150);
    foci_windows_draw(&w, 5, BATCHES - 1, again, targets);
    assert_memory_equal(ids, again, sizeof ids);
    foci_windows_draw(&w, 6, BATCHES - 1, again, targets);
    assert_memory_not_equal(ids, again, sizeof ids);
}

/* Windows follow each other until a column has no whole one left; then somewhere in the first window. */
static void endless_windows(void **state) {
    (void)state;
    for (int64_t window = 1; window <= 14; window++) {
        foci_windows w;
        bool begins;
        int64_t end = 0, passes = 0;
        assert_ok(foci_windows_make(&w, &fifteen, 1, window));
        assert_ok(foci_windows_check_endless(&w));
        for (int64_t i = 0; i < 100; i++) {
            const int64_t start = foci_windows_endless(&w, 5, i, &begins);
            passes += begins;
            assert_in_range(start + window, window, 14); /* the last target is token 14 */
            if (i == 0) assert_int_equal(start, 0);
            if (begins) assert_true(start < window && (i == 0 || end + window > 14));
            else assert_int_equal(start, end);
            end = start + window;
        }
        assert_true(passes > 1);
    }
    foci_windows w;
    assert_ok(foci_windows_make(&w, &fifteen, 1, 15));
    assert_fails(foci_windows_check_endless(&w), FOCI_ERR_DATA, "15 tokens in 1 rows of 15 have no window of 15");
}

static void impossible_windows_are_refused(void **state) {
    (void)state;
    foci_windows w;
    assert_fails(foci_windows_make(&w, &fifteen, 8, 4), FOCI_ERR_DATA,
                 "15 tokens are too few for a batch of 8: at least 2 in each row");
    assert_fails(foci_windows_make(&w, &fifteen, 0, 4), FOCI_ERR_CONFIG, "windows of 0 x 4 tokens");
    assert_fails(foci_windows_make(&w, &fifteen, 2, 0), FOCI_ERR_CONFIG, "windows of 2 x 0 tokens");
}

/* (3 + 1) words counted + 3 kinds: p(a) = 3/7, p(b) = p(<eos>) = 2/7. */
static void the_unigram_baseline_by_hand(void **state) {
    (void)state;
    foci_vocabulary *v = build(save("train.txt", "a a b\n"), 0);
    foci_tokens t;
    assert_ok(foci_tokens_read(&t, v, save("test.txt", "b a\n")));
    assert_close(foci_unigram_perplexity(v, &t), cbrt(7. / 2 * 7 / 3 * 7 / 2), 1e-12);
    foci_tokens_free(&t);
    assert_true(isnan(foci_unigram_perplexity(v, &t)));
    foci_vocabulary_free(v);
}

/* --------------------------------------------------------------------------------------------- published
 * counts */

/* Of a text by its own vocabulary. */
static void expect_counts(const char *name, int64_t count, int64_t unknown, int64_t types) {
    const char *path = shared_path(name);
    if (!path) skip();
    foci_vocabulary *v = build(path, 0);
    foci_tokens t;
    assert_ok(foci_tokens_read(&t, v, path));
    assert_int_equal(t.count, count);
    if (unknown >= 0) assert_int_equal(t.unknown, unknown);
    if (types >= 0) assert_int_equal(foci_vocabulary_size(v), types);
    for (int32_t id = 2; id < foci_vocabulary_size(v); id++)
        assert_true(foci_vocabulary_frequency(v, id) <= foci_vocabulary_frequency(v, id - 1));
    foci_tokens_free(&t);
    foci_vocabulary_free(v);
}

static void wikitext_2_has_its_published_counts(void **state) {
    (void)state;
    expect_counts("data/wikitext-2/valid.txt.gz", 217646, 11718, 13777);
    expect_counts("data/wikitext-2/test.txt.gz", 245569, 15218, 14143);
}

static void wikitext_103_has_its_published_counts(void **state) {
    (void)state;
    expect_counts("data/wikitext-103/valid.txt.gz", 217646, 1657, 18891);
    expect_counts("data/wikitext-103/test.txt.gz", 245569, 2492, 19766);
}

static void brown_has_its_counts(void **state) {
    (void)state;
    expect_counts("data/brown/train.txt.gz", 1059062, -1, 21348);
    expect_counts("data/brown/valid.txt.gz", 58300, -1, -1);
    expect_counts("data/brown/test.txt.gz", 59002, -1, -1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_line_ends_in_eos),
        cmocka_unit_test(white_space_is_ascii),
        cmocka_unit_test(a_last_line_needs_no_newline),
        cmocka_unit_test(lines_and_unknown_words_are_counted),
        cmocka_unit_test(long_texts_are_read_whole),
        cmocka_unit_test(words_stand_by_falling_count_and_eos_first),
        cmocka_unit_test(words_of_one_count_stand_as_first_seen),
        cmocka_unit_test(eos_in_the_text_is_the_end_of_a_line),
        cmocka_unit_test(a_word_that_is_unknown),
        cmocka_unit_test(rare_words_become_unk),
        cmocka_unit_test(a_limit_leaves_the_most_frequent),
        cmocka_unit_test(a_word_list_keeps_the_ids),
        cmocka_unit_test(a_wrong_word_list_is_refused),
        cmocka_unit_test(a_cache_is_made_and_used),
        cmocka_unit_test(nothing_is_written_beside_a_text),
        cmocka_unit_test(the_cache_lies_where_caches_lie),
        cmocka_unit_test(a_cache_is_of_one_text_and_one_choice),
        cmocka_unit_test(a_damaged_cache_is_built_again),
        cmocka_unit_test(without_a_cache_it_works_too),
        cmocka_unit_test(gzip_is_told_by_its_bytes),
        cmocka_unit_test(a_gzip_cut_short_is_refused),
        cmocka_unit_test(a_zero_byte_is_refused),
        cmocka_unit_test(a_byte_order_mark_is_no_part_of_a_word),
        cmocka_unit_test(what_is_no_utf_8_is_refused),
        cmocka_unit_test(a_word_may_have_1024_bytes),
        cmocka_unit_test(an_empty_file_is_refused),
        cmocka_unit_test(what_is_no_file_is_refused),
        cmocka_unit_test(columns_are_contiguous),
        cmocka_unit_test(windows_cover_a_column),
        cmocka_unit_test(windows_that_are_drawn),
        cmocka_unit_test(endless_windows),
        cmocka_unit_test(impossible_windows_are_refused),
        cmocka_unit_test(the_unigram_baseline_by_hand),
        cmocka_unit_test(wikitext_2_has_its_published_counts),
        cmocka_unit_test(wikitext_103_has_its_published_counts),
        cmocka_unit_test(brown_has_its_counts),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
