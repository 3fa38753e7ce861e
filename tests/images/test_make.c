/* The built-in image set: its folders, its files, and that the same options make the same bytes. */
#include <omp.h>
#include <unistd.h>

#include "image_files.h"

static const foci_shapes_options small = {.size = 16, .train = 65, .val = 40, .seed = 3};

static const char *const classes[] = {"circle-odd",  "circle-pair", "cross-odd", "cross-pair",   "square-odd",
                                      "square-pair", "star-odd",    "star-pair", "triangle-odd", "triangle-pair"};

static foci_image_set *open_split(const char *dir, const char *split) {
    foci_image_set *set = NULL;
    assert_ok(foci_image_set_open(&set, path_of("%s/%s", dir, split)));
    return set;
}

/* DIR/made, which most tests read. */
static int make_made(void **state) {
    make_folder(state);
    return foci_make_images(path_of("%s/made", (char *)*state), &small);
}
static const char *made(void **state) { return path_of("%s/made", (char *)*state); }

static void both_splits_have_the_ten_classes(void **state) {
    static const char *const splits[] = {"train", "val"};
    for (int i = 0; i < 2; i++) {
        foci_image_set *set = open_split(made(state), splits[i]);
        assert_int_equal(foci_image_set_classes(set), 10);
        for (int k = 0; k < 10; k++) assert_string_equal(foci_image_set_class_name(set, k), classes[k]);
        foci_image_set_close(set);
    }
}

static void the_classes_are_balanced(void **state) {
    foci_image_set *train = open_split(made(state), "train"), *val = open_split(made(state), "val");
    int count[10] = {0};
    assert_int_equal(foci_image_set_count(train), 65);
    assert_int_equal(foci_image_set_count(val), 40);
    for (int i = 0; i < 65; i++) count[foci_image_set_label(train, i)]++;
    for (int k = 0; k < 10; k++) assert_int_equal(count[k], k < 5 ? 7 : 6);
    for (int i = 0; i < 40; i++) assert_int_equal(foci_image_set_label(val, i), i / 4);
    foci_image_set_close(train);
    foci_image_set_close(val);
}

static void files_are_numbered_in_their_class(void **state) {
    foci_image_set *set = open_split(made(state), "val");
    for (int i = 0; i < 40; i++) {
        char start[64];
        snprintf(start, sizeof start, "%s/%05d.", classes[i / 4], i % 4);
        assert_memory_equal(foci_image_set_name(set, i), start, strlen(start));
    }
    foci_image_set_close(set);
}

static void png_and_jpeg_are_both_there(void **state) {
    foci_image_set *set = open_split(made(state), "train");
    int png = 0, jpg = 0;
    for (int64_t i = 0; i < foci_image_set_count(set); i++) {
        bool is_png = strstr(foci_image_set_name(set, i), ".png") != NULL;
        unsigned char head[2];
        FILE *f = fopen(path_of("%s/train/%s", made(state), foci_image_set_name(set, i)), "rb");
        assert_non_null(f);
        assert_int_equal(fread(head, 1, 2, f), 2);
        fclose(f);
        assert_int_equal(head[0], is_png ? 0x89 : 0xff); /* and the names tell the truth */
        png += is_png;
        jpg += strstr(foci_image_set_name(set, i), ".jpg") != NULL;
    }
    assert_true(png >= 20 && jpg >= 20);
    assert_int_equal(png + jpg, 65);
    foci_image_set_close(set);
}

static void every_image_has_the_size_and_something_on_it(void **state) {
    foci_image_set *set = open_split(made(state), "train");
    for (int64_t i = 0; i < foci_image_set_count(set); i++) {
        foci_image image;
        assert_ok(foci_image_set_read(set, i, &image, 0));
        assert_int_equal(image.width, 16);
        assert_int_equal(image.height, 16);
        double sum = 0, squares = 0;
        for (int k = 0; k < 3 * 256; k++) sum += image.pixels[k], squares += image.pixels[k] * image.pixels[k];
        double mean = sum / 768;
        assert_true(squares / 768 - mean * mean > 25); /* a spread of more than 5 levels */
        foci_image_free(&image);
    }
    foci_image_set_close(set);
}

static void no_two_images_are_equal(void **state) {
    static foci_image images[105];
    int n = 0;
    for (int split = 0; split < 2; split++) {
        foci_image_set *set = open_split(made(state), split ? "val" : "train");
        for (int64_t i = 0; i < foci_image_set_count(set); i++) assert_ok(foci_image_set_read(set, i, &images[n++], 0));
        foci_image_set_close(set);
    }
    for (int i = 0; i < n; i++)
        for (int k = 0; k < i; k++) assert_memory_not_equal(images[i].pixels, images[k].pixels, 768);
    for (int i = 0; i < n; i++) foci_image_free(&images[i]);
}

/* Made anew, with another number of threads. */
static void the_same_options_make_the_same_bytes(void **state) {
    int before = omp_get_max_threads();
    omp_set_num_threads(before > 1 ? 1 : 3);
    assert_ok(foci_make_images(path_of("%s/again/deeper/", (char *)*state), &small));
    omp_set_num_threads(before);
    run(path_of("diff -r '%s' '%s/again/deeper'", made(state), (char *)*state));
}

/* The seed, and nothing else, decides: a longer split begins with the shorter one. */
static void more_images_begin_with_the_same(void **state) {
    foci_shapes_options more = small;
    more.train = 80;
    char dir[512];
    snprintf(dir, sizeof dir, "%s/more", (char *)*state);
    assert_ok(foci_make_images(dir, &more));
    run(path_of("diff -r '%s/val' '%s/val'", made(state), dir));
    run(path_of("diff '%s/train/star-odd/00000.jpg' '%s/train/star-odd/00000.jpg'", made(state), dir));
}

static void another_seed_makes_other_images(void **state) {
    foci_shapes_options seeded = small;
    seeded.seed = 4;
    char dir[512];
    snprintf(dir, sizeof dir, "%s/seeded", (char *)*state);
    assert_ok(foci_make_images(dir, &seeded));
    foci_image_set *a = open_split(made(state), "train"), *b = open_split(dir, "train");
    for (int64_t i = 0; i < foci_image_set_count(a); i++) {
        foci_image x, y;
        assert_ok(foci_image_set_read(a, i, &x, 0));
        assert_ok(foci_image_set_read(b, i, &y, 0));
        assert_memory_not_equal(x.pixels, y.pixels, 768);
        foci_image_free(&x);
        foci_image_free(&y);
    }
    foci_image_set_close(a);
    foci_image_set_close(b);
}

static void made_once_it_is_left_alone(void **state) {
    struct stat before, after;
    const char *file = path_of("%s/train/star-odd/00000.jpg", made(state));
    assert_int_equal(stat(file, &before), 0);
    assert_ok(foci_make_images(made(state), &small));
    assert_int_equal(stat(file, &after), 0);
    assert_int_equal(before.st_ino, after.st_ino);
    assert_int_equal(before.st_mtim.tv_nsec, after.st_mtim.tv_nsec);
}

static void another_set_is_not_overwritten(void **state) {
    foci_shapes_options other = small;
    other.seed = 99;
    assert_fails(foci_make_images(made(state), &other), FOCI_ERR_CONFIG, "made");
    foci_image_set *set = open_split(made(state), "train");
    assert_int_equal(foci_image_set_count(set), 65);
    foci_image_set_close(set);
}

static void a_folder_of_someone_else_is_not_touched(void **state) {
    char dir[512];
    snprintf(dir, sizeof dir, "%s/theirs", (char *)*state);
    mkdir(dir, 0755);
    save(path_of("%s/thesis.txt", dir), "years", 5);
    assert_fails(foci_make_images(dir, &small), FOCI_ERR_CONFIG, "theirs");
    run(path_of("test \"$(ls -A '%s')\" = thesis.txt", dir));
    assert_fails(foci_make_images(path_of("%s/thesis.txt", dir), &small), FOCI_ERR_CONFIG, "thesis.txt");
}

static void an_empty_folder_is_filled(void **state) {
    char dir[512];
    snprintf(dir, sizeof dir, "%s/void", (char *)*state);
    mkdir(dir, 0755);
    assert_ok(foci_make_images(dir, &small));
    foci_image_set *set = open_split(dir, "val");
    assert_int_equal(foci_image_set_count(set), 40);
    foci_image_set_close(set);
}

static void a_place_that_cannot_be_is_named_and_nothing_left(void **state) {
    char dir[512];
    snprintf(dir, sizeof dir, "%s/blocked", (char *)*state);
    mkdir(dir, 0755);
    save(path_of("%s/file", dir), "x", 1);
    assert_fails(foci_make_images(path_of("%s/file/images", dir), &small), FOCI_ERR_IO, "file");
    run(path_of("test \"$(ls -A '%s')\" = file", dir));
}

static void impossible_options_are_refused(void **state) {
    static const foci_shapes_options wrong[] = {
        {.size = 0, .train = 65, .val = 40},   {.size = 15, .train = 65, .val = 40},
        {.size = 513, .train = 65, .val = 40}, {.size = -16, .train = 65, .val = 40},
        {.size = 16, .train = 0, .val = 40},   {.size = 16, .train = -5, .val = 40},
        {.size = 16, .train = 65, .val = 9},   {.size = 16, .train = INT64_MAX, .val = 40},
    };
    char dir[512];
    snprintf(dir, sizeof dir, "%s/wrong", (char *)*state);
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        assert_fails(foci_make_images(dir, &wrong[i]), FOCI_ERR_CONFIG, i < 4 ? "16 to 512" : "images in each split");
        assert_int_equal(access(dir, F_OK), -1);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_splits_have_the_ten_classes),
        cmocka_unit_test(the_classes_are_balanced),
        cmocka_unit_test(files_are_numbered_in_their_class),
        cmocka_unit_test(png_and_jpeg_are_both_there),
        cmocka_unit_test(every_image_has_the_size_and_something_on_it),
        cmocka_unit_test(no_two_images_are_equal),
        cmocka_unit_test(the_same_options_make_the_same_bytes),
        cmocka_unit_test(more_images_begin_with_the_same),
        cmocka_unit_test(another_seed_makes_other_images),
        cmocka_unit_test(made_once_it_is_left_alone),
        cmocka_unit_test(another_set_is_not_overwritten),
        cmocka_unit_test(a_folder_of_someone_else_is_not_touched),
        cmocka_unit_test(an_empty_folder_is_filled),
        cmocka_unit_test(a_place_that_cannot_be_is_named_and_nothing_left),
        cmocka_unit_test(impossible_options_are_refused),
    };
    return cmocka_run_group_tests(tests, make_made, remove_folder);
}
