/* Samples of a set: evenly spread, the same numbers as one by one, and the first that is bad is named. */
#include "image_files.h"

#include "base/parallel.h"
#include "images/samples.h"

enum { IMAGES = 12, SIDE = 8, PIXELS = 3 * SIDE * SIDE };

static const foci_transform transform = {.height = SIDE, .width = SIDE, .crop_pct = 0.875, .std = {0.5, 0.25, 1}};

static foci_image_set *open_set(void **state) {
    foci_image_set *set;
    char *dir = *state;
    for (int i = 0; i < IMAGES; i++)
        save_image(dir, i % 2 ? "even" : "odd", path_of("%02d.%s", i, i % 3 ? "png" : "jpg"), i);
    assert_ok(foci_image_set_open(&set, dir));
    assert_int_equal(IMAGES, foci_image_set_count(set));
    return set;
}

static void they_are_evenly_spread(void **state) {
    foci_image_set *set = open_set(state);
    const foci_image_samples all = foci_image_samples_of(set, 0), more = foci_image_samples_of(set, IMAGES + 1);
    assert_int_equal(IMAGES, all.count);
    assert_int_equal(IMAGES, more.count);
    for (int i = 0; i < IMAGES; i++) assert_int_equal(i, foci_image_samples_at(&all, i));
    const foci_image_samples five = foci_image_samples_of(set, 5);
    const int64_t expected[] = {0, 2, 4, 7, 9}, some[] = {1, 3, 5, 8, 9, 11}, chosen[] = {1, 5, 9};
    for (int i = 0; i < 5; i++) assert_int_equal(expected[i], foci_image_samples_at(&five, i));
    const foci_image_samples of_some = {set, some, 6, 3};
    for (int i = 0; i < 3; i++) assert_int_equal(chosen[i], foci_image_samples_at(&of_some, i));
    foci_image_set_close(set);
}

static void they_are_what_the_transform_makes(void **state) {
    foci_image_set *set = open_set(state);
    const foci_image_samples five = foci_image_samples_of(set, 5);
    foci_real together[4 * PIXELS], alone[PIXELS];
    foci_image cut[4];
    for (int threads = 1; threads <= 3; threads += 2) {
        foci_set_threads(threads);
        assert_ok(foci_image_samples_read(&five, &transform, 1, 4, together));
        assert_ok(foci_image_samples_cut(&five, &transform, 1, 4, cut));
        for (int i = 0; i < 4; i++) {
            foci_image image;
            assert_ok(foci_image_set_read(set, foci_image_samples_at(&five, 1 + i), &image, 0));
            assert_ok(foci_transform_apply(&transform, &image, 0, 0, 0, alone));
            assert_memory_equal(alone, together + i * PIXELS, sizeof alone);
            foci_transform_normalise(&transform, &cut[i], alone);
            assert_memory_equal(alone, together + i * PIXELS, sizeof alone);
            foci_image_free(&image);
            foci_image_free(&cut[i]);
        }
    }
    foci_set_threads(0);
    foci_image_set_close(set);
}

static void the_first_bad_one_is_named(void **state) {
    foci_image_set *set = open_set(state);
    const foci_image_samples all = foci_image_samples_of(set, 0);
    static foci_real numbers[IMAGES * PIXELS];
    foci_image cut[IMAGES];
    for (int i = 3; i < IMAGES; i++) save(path_of("%s/%s", (char *)*state, foci_image_set_name(set, i)), "no image", 8);
    const char *first = foci_image_set_name(set, 3);
    for (int again = 0; again < 5; again++) {
        assert_fails(foci_image_samples_read(&all, &transform, 0, IMAGES, numbers), FOCI_ERR_DATA, first);
        assert_fails(foci_image_samples_cut(&all, &transform, 0, IMAGES, cut), FOCI_ERR_DATA, first);
        for (int i = 0; i < IMAGES; i++) assert_null(cut[i].pixels);
    }
    assert_ok(foci_image_samples_read(&all, &transform, 0, 3, numbers));
    foci_image_set_close(set);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(they_are_evenly_spread, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(they_are_what_the_transform_makes, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(the_first_bad_one_is_named, make_folder, remove_folder),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
