/* The rank of a label: ties, NaN, and classes that do not count. */
#include "check.h"

#include <math.h>

#include "task/rank.h"

static void the_largest_logit_is_the_best(void **state) {
    (void)state;
    const foci_real z[] = {5, 1, 4, 2};
    const int64_t rank[] = {0, 3, 1, 2};
    for (int32_t k = 0; k < 4; k++) assert_int_equal(rank[k], foci_rank(z, 4, k, NULL));
}

static void ties_go_to_the_lower_index(void **state) {
    (void)state;
    const foci_real z[] = {1, 3, 3, 1, 3};
    const int64_t rank[] = {3, 0, 1, 4, 2};
    for (int32_t k = 0; k < 5; k++) assert_int_equal(rank[k], foci_rank(z, 5, k, NULL));
}

static void nothing_is_below_a_nan(void **state) {
    (void)state;
    const foci_real one[] = {7, (foci_real)NAN, 6}, all[] = {(foci_real)NAN, (foci_real)NAN, (foci_real)NAN};
    const int64_t rank[] = {1, 2, 2};
    for (int32_t k = 0; k < 3; k++) {
        assert_int_equal(rank[k], foci_rank(one, 3, k, NULL));
        assert_int_equal(2, foci_rank(all, 3, k, NULL));
    }
    const foci_real endless[] = {(foci_real)INFINITY, (foci_real)-INFINITY};
    assert_int_equal(0, foci_rank(endless, 2, 0, NULL));
    assert_int_equal(1, foci_rank(endless, 2, 1, NULL));
}

static void other_classes_do_not_count(void **state) {
    (void)state;
    const foci_real z[] = {5, 1, 4, 2, (foci_real)NAN};
    const bool mask[] = {false, true, false, true, false};
    assert_int_equal(3, foci_rank(z, 5, 3, NULL));
    assert_int_equal(0, foci_rank(z, 5, 3, mask));
    assert_int_equal(1, foci_rank(z, 5, 1, mask));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_largest_logit_is_the_best),
        cmocka_unit_test(ties_go_to_the_lower_index),
        cmocka_unit_test(nothing_is_below_a_nan),
        cmocka_unit_test(other_classes_do_not_count),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
