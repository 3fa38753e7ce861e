/* Built-in data sets: each is on the list, has defaults, and is made as its settings say. */
#include "check.h"

#include "images/images.h"
#include "task/makers.h"

static void each_has_what_a_kind_needs(void **state) {
    (void)state;
    for (int i = 0; foci_makers[i]; i++) {
        const foci_maker *m = foci_makers[i];
        assert_ptr_equal(m, foci_maker_find(m->name));
        assert_true(m->summary[0] && m->make && m->keys);
        assert_true(m->size <= FOCI_MAKER_OPTIONS && foci_keys_bytes(m->keys) >= m->size);
        for (const foci_key *k = m->keys; k->name; k++) {
            assert_non_null(k->initial);
            assert_true(k->size && k->at + k->size <= m->size);
        }
    }
    assert_null(foci_maker_find("sounds"));
}

static void settings_are_obeyed_and_checked(void **state) {
    (void)state;
    static const char *const small[] = {"size=16", "train=20", "val=10"}, *const wrong[] = {"words=300"};
    char folder[400], val[420];
    foci_image_set *set;
    snprintf(folder, sizeof folder, "%s/made", temporary_folder());
    snprintf(val, sizeof val, "%s/val", folder);
    assert_ok(foci_make_data("images", folder, small, 3));
    assert_ok(foci_image_set_open(&set, val));
    assert_int_equal(10, foci_image_set_count(set));
    foci_image_set_close(set);
    assert_fails(foci_make_data("images", folder, wrong, 1), FOCI_ERR_CONFIG, "words");
    assert_fails(foci_make_data("sounds", folder, NULL, 0), FOCI_ERR_CONFIG,
                 "there is no built-in data set `sounds`, only images, text");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_has_what_a_kind_needs),
        cmocka_unit_test(settings_are_obeyed_and_checked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
