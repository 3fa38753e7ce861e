/* Configs of several files: inheritance, recipes, and paths beside a config. */
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "schema.h"

/* -------------------------------------------------------------------------------------------------- inherit */

static char folder[256];

static const char *put(const char *name, const char *text) {
    static char path[512];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    assert_ok(foci_write_file(path, text, strlen(text)));
    return path;
}

static int make_folder(void **state) {
    (void)state;
    snprintf(folder, sizeof folder, "%s", temporary_folder());
    return 0;
}

static int remove_folder(void **state) {
    (void)state;
    char command[300];
    snprintf(command, sizeof command, "rm -rf '%s'", folder);
    return system(command);
}

static void expect(char *out, size_t size, const char *fmt) { /* %s stands for the folder, at most four times */
    snprintf(out, size, fmt, folder, folder, folder, folder);
}

static void later_files_win_key_by_key(void **state) {
    (void)state;
    char other[512];
    snprintf(other, sizeof other, "%s/sub", folder);
    assert_ok(foci_make_dirs(other));
    put("base.yaml", DATA "name: base\ntrain: {lr: 1, clip: 1, momentum: 1, batch_size: 1}\n");
    put("sub/second.yaml", "inherit: ../base.yaml\nname: second\ntrain: {lr: 2, momentum: 2, batch_size: 2}\n");
    put("third.yaml", "train: {lr: 3, momentum: 3}\n");
    foci_config *c;
    /* its own keys win although they stand before inherit */
    assert_ok(foci_config_load(&c, &schema, put("own.yaml", "train: {lr: 4}\ninherit: [sub/second.yaml, third.yaml]\n"),
                               NULL, 0));
    assert_close(foci_config_real(c, "train.clip"), 1, 0);
    assert_int_equal(foci_config_int(c, "train.batch_size"), 2);
    assert_close(foci_config_real(c, "train.momentum"), 3, 0);
    assert_close(foci_config_real(c, "train.lr"), 4, 0);
    assert_string_equal(foci_config_string(c, "name"), "second");
    char place[512];
    snprintf(place, sizeof place, "%s/sub/../base.yaml:3:16", folder);
    assert_string_equal(foci_config_place(c, "train.clip"), place);
    foci_config_free(c);
}

static void the_heir_chooses_the_kind(void **state) {
    (void)state;
    put("base.yaml", DATA "attention: {kind: softmax}\n");
    foci_config *c;
    assert_ok(foci_config_load(
        &c, &schema, put("own.yaml", "inherit: base.yaml\nattention: {kind: elliptical, first: 3}\n"), NULL, 0));
    assert_int_equal(foci_config_int(c, "attention.first"), 3);
    foci_config_free(c);
}

static void errors_name_the_file_they_are_in(void **state) {
    (void)state;
    char expected[1024];
    foci_config *c;
    put("base.yaml", DATA "train: {lr: fast}\n");
    const char *own = put("own.yaml", "inherit: base.yaml\n");
    expect(expected, sizeof expected,
           "%s/base.yaml:2:13: train.lr: `fast` is not a number\n     2 | train: {lr: fast}");
    assert_message(foci_config_load(&c, &schema, own, NULL, 0), expected);
    /* what is overridden is not looked at */
    assert_ok(foci_config_load(&c, &schema, own, (const char *[]){"train.lr=1"}, 1));
    foci_config_free(c);
}

static void missing_files_are_named(void **state) {
    (void)state;
    char expected[1024], path[512];
    foci_config *c;
    expect(path, sizeof path, "%s/none.yaml");
    expect(expected, sizeof expected, "%s/none.yaml: No such file or directory");
    assert_message(foci_config_load(&c, &schema, path, NULL, 0), expected);
    expect(expected, sizeof expected, "%s: not a regular file");
    assert_message(foci_config_load(&c, &schema, folder, NULL, 0), expected);
    expect(expected, sizeof expected,
           "%s/own.yaml:2:10: inherit: %s/none.yaml: No such file or directory\n     2 | inherit: none.yaml");
    assert_message(foci_config_load(&c, &schema, put("own.yaml", "\ninherit: none.yaml\n"), NULL, 0), expected);
    expect(expected, sizeof expected,
           "%s/own.yaml:1:9: inherit: no value; write the name of a file\n     1 | inherit:");
    assert_message(foci_config_load(&c, &schema, put("own.yaml", "inherit:\n"), NULL, 0), expected);
    expect(expected, sizeof expected,
           "%s/own.yaml:1:1: `inherit` is a key with a value, not a section\n     1 | inherit: {a: b}");
    assert_message(foci_config_load(&c, &schema, put("own.yaml", "inherit: {a: b}\n"), NULL, 0), expected);
}

static void circles_are_named(void **state) {
    (void)state;
    char expected[2048];
    foci_config *c;
    put("b.yaml", "inherit: ./a.yaml\n");
    const char *a = put("a.yaml", "inherit: b.yaml\n");
    expect(expected, sizeof expected,
           "%s/b.yaml:1:10: a circle of inheritance: %s/a.yaml -> %s/b.yaml -> %s/a.yaml\n"
           "     1 | inherit: ./a.yaml");
    assert_message(foci_config_load(&c, &schema, a, NULL, 0), expected);
    a = put("self.yaml", "inherit: self.yaml\n");
    expect(expected, sizeof expected,
           "%s/self.yaml:1:10: a circle of inheritance: %s/self.yaml -> %s/self.yaml\n"
           "     1 | inherit: self.yaml");
    assert_message(foci_config_load(&c, &schema, a, NULL, 0), expected);
}

static void inheritance_is_bounded(void **state) {
    (void)state;
    char name[32], text[64];
    foci_config *c;
    put("0.yaml", DATA);
    for (int i = 1; i <= 9; i++) {
        snprintf(name, sizeof name, "%d.yaml", i);
        snprintf(text, sizeof text, "inherit: %d.yaml\n", i - 1);
        const char *path = put(name, text);
        if (i <= 8) assert_ok(foci_config_load(&c, &schema, path, NULL, 0));
        else
            assert_fails(foci_config_load(&c, &schema, path, NULL, 0), FOCI_ERR_CONFIG,
                         "1.yaml:1:10: inherit: more than 8 files deep");
        foci_config_free(c);
    }
    /* files that inherit many times do not multiply */
    for (int i = 1; i <= 8; i++) {
        snprintf(name, sizeof name, "%d.yaml", i);
        snprintf(text, sizeof text, "inherit: [%d.yaml, %d.yaml, %d.yaml]\n", i - 1, i - 1, i - 1);
        put(name, text);
    }
    assert_fails(foci_config_load(&c, &schema, put("8.yaml", text), NULL, 0), FOCI_ERR_CONFIG,
                 "inherit: more than 64 files");
}

/* -------------------------------------------------------------------------------------------------- recipes */

static const foci_key recipe_keys[] = {{"name", FOCI_KEY_STRING, "run", 0, 0, NULL, "of the run"},
                                       {"recipe", FOCI_KEY_CHOICE, "none", 0, 0, "none fast slow", "defaults"},
                                       {0}};
static const foci_section recipe_sections[] = {{"", NULL, recipe_keys}, {"train", NULL, train_keys}};
static const foci_recipe recipes[] = {{"fast", "in no time", "train:\n  lr: 1\n  clip: 2\n  seed: 3\n"},
                                      {"slow", "in a while", "train: {lr: 0.5}\n"},
                                      {0}};
static const foci_schema with_recipes = {recipe_sections, 2, recipes};

static foci_config *with_recipe(const char *text, const char *const *set, int sets) {
    foci_config *c = NULL;
    assert_ok(foci_config_parse(&c, &with_recipes, "a.yaml", text, strlen(text), set, sets));
    return c;
}

static void a_recipe_gives_defaults(void **state) {
    (void)state;
    foci_config *c = with_recipe("train: {clip: 7}\nrecipe: fast\n", (const char *const[]){"train.seed=9"}, 1);
    assert_close(foci_config_real(c, "train.lr"), 1, 0);
    assert_close(foci_config_real(c, "train.clip"), 7, 0); /* the file wins, wherever it stands */
    assert_int_equal(foci_config_int(c, "train.seed"), 9);
    assert_int_equal(foci_config_int(c, "train.batch_size"), 128);
    assert_true(foci_config_is_set(c, "train.lr"));
    assert_string_equal(foci_config_place(c, "train.lr"), "recipe fast:2:3");
    char *text = foci_config_dump(c); /* and the dump says the same without knowing it */
    foci_config *again = with_recipe(text, NULL, 0);
    char *text_again = foci_config_dump(again);
    assert_string_equal(text, text_again);
    assert_non_null(strstr(text, "recipe: fast\n"));
    free(text);
    free(text_again);
    foci_config_free(again);
    foci_config_free(c);
}
static void the_last_recipe_counts(void **state) {
    (void)state;
    foci_config *c = with_recipe("recipe: fast\n", (const char *const[]){"recipe=slow"}, 1);
    assert_close(foci_config_real(c, "train.lr"), 0.5, 0);
    assert_int_equal(foci_config_int(c, "train.seed"), 0); /* nothing of the other */
    foci_config_free(c);
    c = with_recipe("recipe: fast\n", (const char *const[]){"recipe=none"}, 1);
    assert_close(foci_config_real(c, "train.lr"), 1e-3, 0);
    foci_config_free(c);
}
static void a_recipe_that_is_none(void **state) {
    (void)state;
    foci_config *c;
    assert_fails(foci_config_parse(&c, &with_recipes, "a.yaml", "recipe: fats", 12, NULL, 0), FOCI_ERR_CONFIG,
                 "a.yaml:1:9: recipe: `fats` is not one of none, fast, slow; did you mean `fast`?");
    assert_fails(foci_config_parse(&c, &with_recipes, "a.yaml", "recipe: [fast]", 14, NULL, 0), FOCI_ERR_CONFIG,
                 "recipe: a list where");
    assert_fails(foci_config_parse(&c, &with_recipes, "a.yaml", "recipe: []", 10, NULL, 0), FOCI_ERR_CONFIG,
                 "recipe: a list where");
}

/* --------------------------------------------------------------------------------------------------- paths */

static const foci_key path_keys[] = {{"train", FOCI_KEY_STRING, "", 0, 0, NULL, "images", .path = true},
                                     {"val", FOCI_KEY_STRING, "", 0, 0, NULL, "images", .path = true},
                                     {"note", FOCI_KEY_STRING, "", 0, 0, NULL, "no path"},
                                     {0}};
static const foci_section path_sections[] = {{"data", NULL, path_keys}};
static const foci_schema with_paths = {path_sections, 1, NULL};

static void write_text(const char *path, const char *text) {
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    fputs(text, f);
    fclose(f);
}

static foci_config *with_path(const char *file, const char *set) {
    foci_config *c = NULL;
    assert_ok(foci_config_load(&c, &with_paths, file, &set, set ? 1 : 0));
    return c;
}

static void expect_path(const char *file, const char *set, const char *expected) {
    foci_config *c = with_path(file, set);
    assert_string_equal(foci_config_string(c, "data.train"), expected);
    assert_ok(foci_config_path(c, "data.train"));
    foci_config_free(c);
}

/* The configs in sub name files there and here. */
static void a_path_is_found_beside_the_config_too(void **state) {
    (void)state;
    const char *place = temporary_folder();
    char before[4096], real[4096], expected[8192];
    assert_non_null(getcwd(before, sizeof before));
    assert_int_equal(0, chdir(place));
    assert_non_null(realpath(".", real));
    mkdir("sub", 0755);
    mkdir("sub/heir", 0755);
    write_text("here", "");
    write_text("sub/there", "");
    write_text("sub/here", "");
    write_text("sub/b.tar", "");
    write_text("sub/a.yaml", "data: {train: there, val: nowhere, note: there}\n");
    write_text("sub/both.yaml", "data: {train: here}\n");
    write_text("sub/tar.yaml", "data: {train: b.tar/train}\n");
    write_text("sub/heir/c.yaml", "inherit: ../a.yaml\ndata: {note: x}\n");
    expect_path("sub/a.yaml", NULL, "sub/there");
    expect_path("sub/heir/c.yaml", NULL, "sub/heir/../there"); /* of the file that names it */
    expect_path("sub/both.yaml", NULL, "here");                /* from the working folder first */
    expect_path("sub/tar.yaml", NULL, "sub/b.tar/train");
    expect_path("sub/a.yaml", "data.train=here", "here");
    expect_path("sub/a.yaml", "data.train=there", "there"); /* an override stands in no file */
    foci_config *c = with_path("sub/a.yaml", NULL);
    assert_string_equal(foci_config_string(c, "data.note"), "there");
    assert_fails(foci_config_path(c, "data.val"), FOCI_ERR_DATA,
                 "sub/a.yaml:1:22: data.val: nothing is at nowhere, nor at sub/nowhere, from the folder of the config");
    char *text = foci_config_record(c);
    snprintf(expected, sizeof expected, "data:\n  train: %s/sub/there\n  val: nowhere\n  note: there\n", real);
    assert_non_null(strstr(text, expected));
    free(text);
    foci_config_free(c);
    c = with_path("sub/tar.yaml", NULL);
    text = foci_config_record(c);
    snprintf(expected, sizeof expected, "data:\n  train: %s/sub/b.tar/train\n", real);
    assert_non_null(strstr(text, expected));
    free(text);
    foci_config_free(c);
    assert_int_equal(0, chdir(before));
}

int main(void) {
#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, make_folder, remove_folder)
    const struct CMUnitTest tests[] = {
        IN_FOLDER(later_files_win_key_by_key),
        IN_FOLDER(the_heir_chooses_the_kind),
        IN_FOLDER(errors_name_the_file_they_are_in),
        IN_FOLDER(missing_files_are_named),
        IN_FOLDER(circles_are_named),
        IN_FOLDER(inheritance_is_bounded),
        cmocka_unit_test(a_recipe_gives_defaults),
        cmocka_unit_test(the_last_recipe_counts),
        cmocka_unit_test(a_recipe_that_is_none),
        cmocka_unit_test(a_path_is_found_beside_the_config_too),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
