/* Lists of files: what they say of the content, what changed between two, and lists that are none. */
#include "check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "data/manifest.h"

static const char *folder;
static const char *in(const char *name) {
    static char path[4][512];
    static int turn;
    turn = (turn + 1) % 4;
    snprintf(path[turn], sizeof path[turn], "%s/%s", folder, name);
    return path[turn];
}

static void put(const char *name, const char *text) { assert_ok(foci_write_file(in(name), text, strlen(text))); }

static foci_manifest list(const char *part, const char *const *name, int count) {
    static char path[8][512];
    foci_manifest m = {NULL};
    for (int i = 0; i < count; i++) {
        snprintf(path[i], sizeof path[i], "%s/%s", folder, name[i]);
        assert_ok(foci_manifest_add(&m, &(foci_manifest_file){.part = part, .name = name[i], .path = path[i]}));
    }
    assert_ok(foci_manifest_look(&m));
    return m;
}

static void comes_back_from_disk(void **state) {
    (void)state;
    const char *names[] = {"a b.txt", "c.txt"};
    char text[512], digest[2][256];
    folder = temporary_folder();
    put("a b.txt", "one");
    put("c.txt", "");
    foci_manifest m = list("train", names, 2), read;
    assert_ok(foci_manifest_write(&m, in("data.txt")));
    assert_ok(foci_manifest_read(&read, in("data.txt")));
    assert_true(read.count == 2 && read.file[0].size == 3 && read.file[1].size == 0);
    assert_string_equal(read.file[0].name, "a b.txt");
    assert_int_equal(foci_manifest_compare(&read, &m, text, sizeof text), 0);
    foci_manifest_digest(&m, digest[0], sizeof digest[0]);
    foci_manifest_digest(&read, digest[1], sizeof digest[1]);
    assert_string_equal(digest[0], digest[1]);
    assert_non_null(strstr(digest[0], "train 2 files, 3 bytes, "));
    foci_manifest_free(&m);
    foci_manifest_free(&read);
}

static void tells_what_changed(void **state) {
    (void)state;
    const char *before_names[] = {"a", "b", "c"}, *now_names[] = {"b", "c", "d"};
    char text[512];
    folder = temporary_folder();
    put("a", "1");
    put("b", "2");
    put("c", "3");
    foci_manifest before = list("val", before_names, 3);
    put("c", "4"); /* as long as it was */
    put("d", "5");
    foci_manifest now = list("val", now_names, 3);
    assert_int_equal(foci_manifest_compare(&before, &now, text, sizeof text), 3);
    assert_string_equal(text, "val: a is gone, val: c has changed, val: d is new");
    foci_manifest_free(&before);
    foci_manifest_free(&now);
}

static void names_a_few_of_many(void **state) {
    (void)state;
    foci_manifest before = {NULL}, now = {NULL};
    static char name[20][8];
    char text[256], small[16];
    for (int i = 0; i < 20; i++) {
        snprintf(name[i], sizeof name[i], "%02d", i);
        assert_ok(foci_manifest_add(&now, &(foci_manifest_file){.part = "train", .name = name[i]}));
    }
    assert_int_equal(foci_manifest_compare(&before, &now, text, sizeof text), 20);
    assert_non_null(strstr(text, "train: 04 is new, and 15 more"));
    assert_null(strstr(text, "05"));
    assert_int_equal(foci_manifest_compare(&before, &now, small, sizeof small), 20); /* within its bounds */
    foci_manifest_free(&now);
}

static void lists_that_are_none(void **state) {
    (void)state;
    static const char *const bad[] = {"x",
                                      "0123456789abcdef 5 train\n",
                                      "0123456789abcdef -1 train a\n",
                                      "0123456789abcde 5 train a\n",
                                      "0123456789abcdef 5 train a",
                                      "\n"};
    foci_manifest m;
    folder = temporary_folder();
    for (int i = 0; i < 6; i++) {
        put("data.txt", bad[i]);
        assert_fails(foci_manifest_read(&m, in("data.txt")), FOCI_ERR_DATA, "data.txt:1: no line of a list of files");
    }
    assert_fails(foci_manifest_read(&m, in("nowhere")), FOCI_ERR_DATA, "nowhere");
}

static void a_file_that_is_missing(void **state) {
    (void)state;
    folder = temporary_folder();
    foci_manifest m = {NULL};
    assert_ok(foci_manifest_add(&m, &(foci_manifest_file){.part = "val", .name = "x", .path = in("x")}));
    assert_fails(foci_manifest_look(&m), FOCI_ERR_DATA, "x: No such file");
    foci_manifest_free(&m);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(comes_back_from_disk),   cmocka_unit_test(tells_what_changed),
        cmocka_unit_test(names_a_few_of_many),    cmocka_unit_test(lists_that_are_none),
        cmocka_unit_test(a_file_that_is_missing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
