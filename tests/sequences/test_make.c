/* The sets that foci makes: what they hold, whoever reads them, and that they depend on their options alone. */
#include <sys/stat.h>

#include "base/file.h"
#include "folder.h"
#include "sequences/listops.h"
#include "sequences/pathfinder.h"
#include "sequences/sequences.h"

static const foci_listops_options lists = {
    .train = 300, .val = 50, .test = 50, .shortest = 20, .longest = 60, .depth = 5, .args = 6, .seed = 3};

static void expressions(void **state) {
    (void)state;
    static const char *const files[] = {"l/basic_train.tsv", "l/basic_val.tsv", "l/basic_test.tsv"};
    const int64_t counts[] = {300, 50, 50};
    int deepest = 0;
    assert_ok(foci_make_listops(at("l"), &lists));
    for (int f = 0; f < 3; f++) {
        foci_sequences *s;
        assert_ok(foci_listops_open(&s, at(files[f])));
        assert_int_equal(counts[f], foci_sequences_count(s));
        for (int64_t i = 0; i < counts[f]; i++) {
            int32_t ids[60];
            int depth = 1;
            assert_ok(foci_sequences_prove(s, i));
            const int64_t n = foci_sequences_length(s, i, 0);
            assert_true(n > 20 && n < 60);
            assert_ok(foci_sequences_read(s, i, 60, 60, ids, NULL));
            for (int64_t t = 0; t < n; t++) {
                depth += ids[t] == FOCI_LISTOPS_END ? -1 : ids[t] >= FOCI_LISTOPS_MIN;
                if (depth > deepest) deepest = depth;
            }
        }
        foci_sequences_close(s);
    }
    assert_int_equal(5, deepest);
}

static void same_file(const char *a, const char *b) {
    char *one, *other;
    size_t size, other_size;
    assert_ok(foci_read_file(at(a), 1 << 20, &one, &size, FOCI_ERR_DATA));
    assert_ok(foci_read_file(at(b), 1 << 20, &other, &other_size, FOCI_ERR_DATA));
    assert_int_equal(size, other_size);
    assert_memory_equal(one, other, size);
    free(one);
    free(other);
}

static void options_that_fit_nothing(void **state) {
    (void)state;
    foci_listops_options o = lists;
    o.longest = 21;
    assert_fails(foci_make_listops(at("none"), &o), FOCI_ERR_CONFIG, "no length is more than 20 and less than 21");
    o = lists;
    o.shortest = 0, o.longest = 2; /* digits alone, ten of them */
    assert_fails(foci_make_listops(at("none"), &o), FOCI_ERR_CONFIG, "none of 1000000 drawings is new");
    assert_int_equal(0, foci_path_kind(at("none")));
    const foci_pathfinder_options p = {.images = 2, .size = 16, .contour = 60, .distractors = 0};
    assert_fails(foci_make_pathfinder(at("none"), &p), FOCI_ERR_CONFIG, "no room for two contours of 60 dashes");
    const foci_pathfinder_options many = {.images = 2, .size = 512, .contour = 300, .distractors = 10};
    assert_fails(foci_make_pathfinder(at("none"), &many), FOCI_ERR_CONFIG, "more than 1024 dashes");
    assert_int_equal(0, foci_path_kind(at("none")));
}

static const foci_pathfinder_options paths = {.images = 40, .size = 32, .contour = 14, .distractors = 5, .seed = 1};

static void contours(void **state) {
    (void)state;
    foci_sequences *s;
    foci_set_threads(1);
    assert_ok(foci_make_pathfinder(at("p"), &paths));
    foci_set_threads(3);
    assert_ok(foci_make_pathfinder(at("q"), &paths));
    for (int i = 0; i < 40; i++) {
        char a[64], b[64];
        snprintf(a, sizeof a, "p/imgs/0/sample_%d.png", i);
        snprintf(b, sizeof b, "q/imgs/0/sample_%d.png", i);
        same_file(a, b);
    }
    same_file("p/metadata/0.npy", "q/metadata/0.npy");
    assert_int_equal('f', foci_path_kind(at("p/sheet.png")));
    assert_ok(foci_pathfinder_open(&s, at("p"), 0, 0.8, &(foci_pixel_options){0}));
    assert_int_equal(32, foci_sequences_count(s));
    int64_t joined = 0;
    for (int64_t i = 0; i < 32; i++) {
        int32_t ids[1024];
        int white = 0, dark = 0;
        joined += foci_sequences_label(s, i);
        assert_ok(foci_sequences_read(s, i, 1024, 1024, ids, NULL));
        for (int t = 0; t < 1024; t++) white += ids[t] == 255, dark += ids[t] == 0;
        assert_true(white >= 2 && white <= 14); /* of two discs of 7 square pixels, those that are covered whole */
        assert_true(dark > 512);
    }
    assert_int_equal(16, joined);
    foci_sequences_close(s);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(expressions),
        cmocka_unit_test(options_that_fit_nothing),
        cmocka_unit_test(contours),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
