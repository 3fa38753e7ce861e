/* Labelled sequences: every form in which they are read, what is refused with its place, and batches. */
#include <sys/stat.h>
#include <zlib.h>

#include "folder.h"
#include "images/images.h"
#include "sequences/sequences.h"

static void make_dir(const char *name) { assert_int_equal(0, mkdir(at(name), 0755)); }

static const char *class_of(const foci_sequences *s, int64_t i) {
    return foci_sequences_class_name(s, foci_sequences_label(s, i));
}

/* ---------------------------------------------------------------------------------------------- bytes */

static void lines_of_text(void **state) {
    (void)state;
    foci_sequences *s;
    int32_t ids[6];
    foci_real mask[6];
    char name[600];
    assert_ok(foci_byte_text_open(&s,
                                  save("a.tsv", "\xEF\xBB\xBF"
                                                "10\tab\n2\t\xFFmnopqr\r\n10\tc"),
                                  false));
    assert_int_equal(3, foci_sequences_count(s));
    assert_int_equal(2, foci_sequences_classes(s));
    assert_string_equal("2", foci_sequences_class_name(s, 0)); /* as numbers, not as text */
    assert_string_equal("10", class_of(s, 0));
    assert_int_equal(7, foci_sequences_length(s, 1, 0));
    assert_int_equal(257, foci_sequences_vocabulary(s));
    assert_ok(foci_sequences_read(s, 0, 6, 6, ids, mask));
    assert_memory_equal(((int32_t[]){'a' + 1, 'b' + 1, 0, 0, 0, 0}), ids, sizeof ids);
    assert_memory_equal(((foci_real[]){1, 1, 0, 0, 0, 0}), mask, sizeof mask);
    assert_ok(foci_sequences_read(s, 1, 6, 3, ids, mask));
    assert_memory_equal(((int32_t[]){256, 'm' + 1, 'n' + 1, 0, 0, 0}), ids, sizeof ids);
    foci_sequences_name(s, 2, name, sizeof name);
    assert_non_null(strstr(name, "/a.tsv:3"));
    foci_sequences_close(s);
    assert_ok(foci_byte_text_open(&s, save("b.tsv", "fine words\tpos\nbad ones\tneg\n"), true));
    assert_string_equal("pos", class_of(s, 0));
    assert_int_equal(1, foci_sequences_label(s, 0));
    foci_sequences_close(s);
}

static void a_gzip_of_lines(void **state) {
    (void)state;
    foci_sequences *s;
    gzFile f = gzopen(at("a.gz"), "wb");
    for (int i = 0; i < 3000; i++) gzprintf(f, "%d\t%d words of a text that goes on for a while\n", i % 3, i * 7919);
    gzclose(f);
    assert_ok(foci_byte_text_open(&s, at("a.gz"), false));
    assert_int_equal(3000, foci_sequences_count(s));
    foci_sequences_close(s);
    assert_int_equal(0, truncate(at("a.gz"), 2000));
    assert_fails(foci_byte_text_open(&s, at("a.gz"), false), FOCI_ERR_DATA, "a.gz: damaged gzip");
}

static void a_folder_of_texts(void **state) {
    (void)state;
    foci_sequences *s;
    int32_t ids[4];
    make_dir("t"), make_dir("t/pos"), make_dir("t/neg"), make_dir("t/unsup");
    save("t/pos/2_9.txt", "good"), save("t/pos/1_9.txt", "well"), save("t/pos/note", "no"), save("t/neg/0.txt", "bad");
    save("t/unsup/0.txt", "?"), save("t/urls.txt", "x");
    assert_ok(foci_byte_text_open(&s, at("t/"), false));
    assert_int_equal(3, foci_sequences_count(s));
    assert_int_equal(2, foci_sequences_classes(s));
    assert_string_equal("neg", class_of(s, 0));
    assert_ok(foci_sequences_read(s, 1, 4, 4, ids, NULL));
    assert_memory_equal(((int32_t[]){'w' + 1, 'e' + 1, 'l' + 1, 'l' + 1}), ids, sizeof ids);
    save("t/pos/1_9.txt", "other");
    assert_fails(foci_sequences_read(s, 1, 4, 4, ids, NULL), FOCI_ERR_DATA, "has changed");
    foci_sequences_close(s);
    save("t/neg/1.txt", "");
    assert_fails(foci_byte_text_open(&s, at("t"), false), FOCI_ERR_DATA, "t/neg/1.txt: the sequence is empty");
}

static void pairs(void **state) {
    (void)state;
    foci_sequences *s;
    int32_t ids[6];
    foci_real mask[6];
    assert_ok(foci_byte_pairs_open(&s, save("p.tsv", "1.0\tA\tB\tab\tcdef\n0.0\tA\tC\tx\ty\n")));
    assert_int_equal(2, foci_sequences_sides(s));
    assert_string_equal("1", class_of(s, 0));
    assert_ok(foci_sequences_read(s, 0, 3, 3, ids, mask));
    assert_memory_equal(((int32_t[]){'b', 'c', 0, 'd', 'e', 'f'}), ids, sizeof ids);
    assert_memory_equal(((foci_real[]){1, 1, 0, 1, 1, 1}), mask, sizeof mask);
    foci_sequences_close(s);
}

static void refused_lines(void **state) {
    (void)state;
    enum { TEXT, LAST, PAIRS, LISTOPS };
    static const struct {
        int how;
        const char *text, *message;
    } rows[] = {
        {TEXT, "", "x.tsv: no sequences"},
        {TEXT, "1\ta\n2\n", "x.tsv:2: 1 column, not LABEL<TAB>TEXT"},
        {TEXT, "1\ta\n\n", "x.tsv:2: 1 column"},
        {TEXT, "1\ta\tb\n", "x.tsv:1: 3 columns"},
        {TEXT, "1\ta\n1\t\n", "x.tsv:2: the sequence is empty"},
        {TEXT, "\ta\n", "x.tsv:1: there is no label"},
        {TEXT, "\x01\ta\n", "x.tsv:1: there is no label"},
        {LAST, "a\tb\n\tb\n", "x.tsv:2: the sequence is empty"},
        {LAST, "a b c\n", "x.tsv:1: 1 column, not TEXT<TAB>LABEL"},
        {PAIRS, "1\tA\tB\tx\n", "x.tsv:1: 4 columns, not LABEL<TAB>ID<TAB>ID<TAB>TEXT<TAB>TEXT"},
        {PAIRS, "1\tA\tB\tx\ty\n0\tA\tB\tx\t\n", "x.tsv:2: a pair with one side"},
        {PAIRS, "1\t\ty\n", "x.tsv:1: a pair with one side"},
        {LISTOPS, "Source\tTarget\n", "x.tsv: no sequences"},
        {LISTOPS, "Source\tTarget\n[MAX 1 ]\t1\n[MAX 1\t1\n", "x.tsv:3: 1 [ without ]"},
        {LISTOPS, "1\t[MAX 1 ]\n1\t[MAX 1 ] ]\n", "x.tsv:2: token 4: ] closes nothing"},
        {LISTOPS, "10\t[MAX 1 ]\n", "x.tsv:1: the label is no digit: `10`"},
        {LISTOPS, "1\t[MAX a ]\n", "x.tsv:1: token 1: `a` is no token"},
        {LISTOPS, "Source\tTarget\n1\t[MAX 1 ]\n", "x.tsv:2: the label is no digit"},
        {LISTOPS, "1\t\n", "x.tsv:1: the sequence is empty"},
        {LISTOPS, "1\n", "x.tsv:1: 1 column, not an expression and its value"},
    };
    foci_sequences *s;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const char *path = save("x.tsv", rows[i].text);
        foci_status status = rows[i].how == LISTOPS ? foci_listops_open(&s, path)
                             : rows[i].how == PAIRS ? foci_byte_pairs_open(&s, path)
                                                    : foci_byte_text_open(&s, path, rows[i].how == LAST);
        assert_fails(status, FOCI_ERR_DATA, rows[i].message);
        assert_null(s);
    }
    assert_fails(foci_byte_text_open(&s, at("none"), false), FOCI_ERR_DATA, "none: No such file");
}

static void too_many_labels(void **state) {
    (void)state;
    foci_sequences *s;
    FILE *f = fopen(at("many.tsv"), "wb");
    for (int i = 0; i < 1001; i++) fprintf(f, "text %d\tpos\n", i);
    fclose(f);
    assert_fails(foci_byte_text_open(&s, at("many.tsv"), false), FOCI_ERR_DATA,
                 "many.tsv:1001: `text 1000` is one label more than 1000");
}

static void labels_of_a_model(void **state) {
    (void)state;
    static const char *const names[] = {"c", "b", "a"};
    foci_sequences *s;
    assert_ok(foci_byte_text_open(&s, save("l.tsv", "a\t1\nc\t2\n"), false));
    assert_ok(foci_sequences_take_labels(s, names, 3));
    assert_int_equal(2, foci_sequences_label(s, 0));
    assert_int_equal(0, foci_sequences_label(s, 1));
    assert_int_equal(3, foci_sequences_classes(s));
    assert_fails(foci_sequences_take_labels(s, names + 1, 2), FOCI_ERR_DATA,
                 "l.tsv:2: the label c is none of the model's 2 (b, ...)");
    foci_sequences_close(s);
}

/* --------------------------------------------------------------------------------------------- pixels */

static void save_image(const char *name, int width, int height, const unsigned char *rgb) {
    unsigned char *copy = malloc(3 * (size_t)(width * height));
    memcpy(copy, rgb, 3 * (size_t)(width * height));
    foci_image image = {width, height, copy};
    assert_ok(foci_image_write(at(name), &image, 0));
    foci_image_free(&image);
}

static const unsigned char four[12] = {0, 0, 0, 255, 255, 255, 255, 0, 0, 10, 20, 30};

static foci_status open_pixels(foci_sequences **s, const char *path, foci_pixel_options o) {
    foci_image_set *images;
    FOCI_TRY(foci_image_set_open(&images, path));
    return foci_pixels_open(s, images, &o);
}

static void grey_pixels(void **state) {
    (void)state;
    foci_sequences *s;
    int32_t ids[5];
    foci_real mask[5];
    make_dir("i"), make_dir("i/a"), make_dir("i/b");
    save_image("i/a/1.png", 2, 2, four);
    save_image("i/b/1.png", 2, 2, four);
    assert_ok(open_pixels(&s, at("i"), (foci_pixel_options){0}));
    assert_ok(foci_sequences_read(s, 1, 4, 4, ids, mask));
    assert_memory_equal(((int32_t[]){0, 255, 76, 18}), ids, 4 * sizeof *ids); /* as PIL's convert("L") */
    assert_true(!foci_sequences_padded(s, 4) && foci_sequences_padded(s, 5) && mask[0] == 1);
    assert_fails(foci_sequences_read(s, 1, 3, 3, ids, mask), FOCI_ERR_CONFIG, "2 x 2 pixels");
    foci_sequences_close(s);
    assert_ok(open_pixels(&s, at("i"), (foci_pixel_options){.black_is_padding = true}));
    assert_true(foci_sequences_padded(s, 4));
    assert_ok(foci_sequences_read(s, 0, 5, 5, ids, mask));
    assert_memory_equal(((foci_real[]){0, 1, 1, 1, 0}), mask, sizeof mask);
    foci_sequences_close(s);
    save_image("i/b/1.png", 4, 1, four);
    assert_ok(open_pixels(&s, at("i"), (foci_pixel_options){0}));
    assert_fails(foci_sequences_read(s, 1, 4, 4, ids, mask), FOCI_ERR_DATA, "b/1.png: 4 x 1 pixels");
    foci_sequences_close(s);
    assert_ok(open_pixels(&s, at("i"), (foci_pixel_options){.size = 1}));
    assert_ok(foci_sequences_read(s, 0, 1, 1, ids, mask));
    assert_int_equal(88, ids[0]); /* of the mean colour (131, 69, 71), which PIL rounds twice */
    foci_sequences_close(s);
}

static void pathfinder(void **state) {
    (void)state;
    foci_sequences *s;
    int32_t ids[4];
    const foci_pixel_options plain = {0};
    make_dir("f"), make_dir("f/metadata"), make_dir("f/imgs"), make_dir("f/imgs/0"), make_dir("f/imgs/1");
    for (int i = 0; i < 10; i++) {
        char name[64];
        snprintf(name, sizeof name, "f/imgs/%d/sample_%d.png", i / 5, i % 5);
        save_image(name, 2, 2, four);
    }
    save("f/imgs/0/sample_3.png", "");
    save("f/metadata/0.npy", "imgs/0 sample_0.png 0 1 1.0 14\nimgs/0 sample_1.png 1 0 1.0\nimgs/0 sample_2.png 2 1\n"
                             "imgs/0 sample_3.png 3 1\nimgs/0 sample_4.png 4 0\n");
    save("f/metadata/10.npy", "imgs/1 sample_0.png 0 1\nimgs/1 sample_1.png 1 1\n");
    save("f/metadata/2.npy", "imgs/1 sample_2.png 2 0\nimgs/1 sample_3.png 3 0\nimgs/1 sample_4.png 4 0\n");
    assert_ok(foci_pathfinder_open(&s, at("f"), 0, 0.8, &plain));
    assert_int_equal(7, foci_sequences_count(s)); /* one file of 0 bytes */
    assert_int_equal(1, foci_sequences_passed_over(s));
    assert_string_equal("1", class_of(s, 0));
    assert_ok(foci_sequences_read(s, 6, 4, 4, ids, NULL));
    assert_int_equal(76, ids[2]);
    foci_sequences_close(s);
    assert_ok(foci_pathfinder_open(&s, at("f"), 0.9, 1, &plain)); /* 10.npy is behind 2.npy */
    assert_int_equal(1, foci_sequences_count(s));
    assert_string_equal("1", class_of(s, 0));
    foci_sequences_close(s);
    static const struct {
        const char *text, *message;
    } rows[] = {
        {"imgs/0 sample_0.png 0\n", "10.npy:1: 3 words, not FOLDER FILE NUMBER LABEL"},
        {"imgs/0 sample_0.png 0 2\n", "10.npy:1: the label is neither 0 nor 1: `2`"},
        {"imgs/0 ../../../a.png 0 1\n", "leads out of the set"},
        {"\x93NUMPY......\n", "an array of NumPy"},
        {"imgs/1 none.png 0 1\n", "none.png: No such file"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        save("f/metadata/10.npy", rows[i].text);
        assert_fails(foci_pathfinder_open(&s, at("f"), 0, 1, &plain), FOCI_ERR_DATA, rows[i].message);
    }
    assert_fails(foci_pathfinder_open(&s, at("i"), 0, 1, &plain), FOCI_ERR_DATA, "i/metadata: No such file");
}

/* -------------------------------------------------------------------------------------------- batches */

enum { SAMPLES = 23, BATCH = 4, LONGEST = 8 };

static foci_sequences *numbered(void) {
    foci_sequences *s;
    FILE *f = fopen(at("n.tsv"), "wb");
    for (int i = 0; i < SAMPLES; i++) fprintf(f, "%d\t%.*s%c\n", i % 3, i % 10, "xxxxxxxxxx", 'A' + i);
    fclose(f);
    assert_ok(foci_byte_text_open(&s, at("n.tsv"), false));
    return s;
}

static foci_sequence_loader *loader_of(const foci_sequences *s, bool training, int workers) {
    foci_sequence_loader *l;
    const foci_sequence_options o = {LONGEST, LONGEST, BATCH, training, training, 5, workers};
    assert_ok(foci_sequence_loader_open(&l, s, &o));
    return l;
}

/* Batches b .. of an epoch into a flat array; returns how many samples. */
static int64_t take(foci_sequence_loader *l, int64_t epoch, int64_t first, int32_t *ids, int32_t *labels) {
    int64_t n = 0;
    assert_ok(foci_sequence_loader_seek(l, epoch, first));
    for (foci_sequence_batch b;; n += b.count) {
        assert_ok(foci_sequence_loader_next(l, &b));
        if (!b.count) return n;
        memcpy(ids + n * LONGEST, b.ids, (size_t)(b.count * LONGEST) * sizeof *ids);
        memcpy(labels + n, b.labels, (size_t)b.count * sizeof *labels);
    }
}

static void batches_are_a_function_of_seed_and_epoch(void **state) {
    (void)state;
    foci_sequences *s = numbered();
    int32_t ids[4][SAMPLES * LONGEST], labels[4][SAMPLES];
    foci_sequence_loader *one = loader_of(s, true, 1), *three = loader_of(s, true, 3);
    assert_int_equal(SAMPLES / BATCH, foci_sequence_loader_batches(one));
    assert_int_equal(20, take(one, 1, 0, ids[0], labels[0]));
    assert_int_equal(20, take(three, 1, 0, ids[1], labels[1]));
    assert_memory_equal(ids[0], ids[1], 20 * LONGEST * sizeof **ids);
    assert_memory_equal(labels[0], labels[1], 20 * sizeof **labels);
    assert_int_equal(8, take(three, 1, 3, ids[2], labels[2])); /* as a run that goes on */
    assert_memory_equal(ids[0] + 12 * LONGEST, ids[2], 8 * LONGEST * sizeof **ids);
    assert_int_equal(20, take(one, 2, 0, ids[3], labels[3]));
    assert_true(memcmp(ids[0], ids[3], 20 * LONGEST * sizeof **ids) != 0);
    foci_sequence_loader_close(one);
    foci_sequence_loader_close(three);
    foci_sequences_close(s);
}

static void what_is_not_wanted_is_not_read(void **state) {
    (void)state;
    foci_sequences *s;
    foci_sequence_batch b;
    make_dir("w"), make_dir("w/k");
    save("w/k/0.txt", "good"), save("w/k/1.txt", "well");
    assert_ok(foci_byte_text_open(&s, at("w"), false));
    save("w/k/1.txt", "other");
    foci_sequence_loader *l = loader_of(s, false, 2);
    foci_sequence_loader_share(l, 0, 1);
    assert_ok(foci_sequence_loader_seek(l, 0, 0));
    assert_ok(foci_sequence_loader_next(l, &b));
    assert_int_equal(2, b.count);
    assert_int_equal('g' + 1, b.ids[0]);
    foci_sequence_loader_close(l);
    l = loader_of(s, false, 2);
    foci_sequence_loader_share(l, 1, 2);
    assert_ok(foci_sequence_loader_seek(l, 0, 0));
    assert_fails(foci_sequence_loader_next(l, &b), FOCI_ERR_DATA, "has changed");
    foci_sequence_loader_close(l);
    foci_sequences_close(s);
}

static void evaluation_has_all_in_order(void **state) {
    (void)state;
    foci_sequences *s = numbered();
    int32_t ids[SAMPLES * LONGEST], labels[SAMPLES];
    foci_sequence_loader *l = loader_of(s, false, 2);
    assert_int_equal(SAMPLES, take(l, 0, 0, ids, labels));
    for (int i = 0; i < SAMPLES; i++) assert_int_equal(i % 3, labels[i]);
    foci_sequence_loader_close(l);
    foci_sequences_close(s);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_of_text),
        cmocka_unit_test(a_gzip_of_lines),
        cmocka_unit_test(a_folder_of_texts),
        cmocka_unit_test(pairs),
        cmocka_unit_test(refused_lines),
        cmocka_unit_test(too_many_labels),
        cmocka_unit_test(labels_of_a_model),
        cmocka_unit_test(grey_pixels),
        cmocka_unit_test(pathfinder),
        cmocka_unit_test(batches_are_a_function_of_seed_and_epoch),
        cmocka_unit_test(what_is_not_wanted_is_not_read),
        cmocka_unit_test(evaluation_has_all_in_order),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
