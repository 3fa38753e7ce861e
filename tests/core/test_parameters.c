/* Parameters: declared once, aligned, initialised by name, found by alias. */
#include "check.h"
#include "core/parameters.h"

static void declared_once_and_aligned(void **state) {
    (void)state;
    foci_parameters p;
    foci_parameters_init(&p);
    for (int i = 0; i < 200; i++) {
        char name[32];
        snprintf(name, sizeof name, "layer.%d.weight", i);
        assert_int_equal(foci_parameters_declare(&p, name, FOCI_NORMAL(0, 1), FOCI_SHAPE(3, i + 1)), i);
        assert_int_equal(foci_parameters_declare(&p, name, FOCI_NORMAL(0, 1), FOCI_SHAPE(3, i + 1)), i);
        assert_int_equal(p.entry[i].offset * (int64_t)sizeof(foci_real) % 64, 0);
    }
    assert_int_equal(foci_parameters_declare(&p, "layer.0.weight", FOCI_ZEROS, FOCI_SHAPE(4)), -1);
    assert_non_null(strstr(foci_error_message(), "different shapes"));
    assert_ok(foci_parameters_allocate(&p, true));
    assert_int_equal(foci_parameters_declare(&p, "late", FOCI_ZEROS, FOCI_SHAPE(4)), -1);
    foci_parameters_free(&p);
}

static void initial_values_follow_the_name(void **state) {
    (void)state;
    foci_real first[2][4];
    for (int turn = 0; turn < 2; turn++) { /* the other order, and a stranger between */
        foci_parameters p;
        foci_parameters_init(&p);
        if (turn) foci_parameters_declare(&p, "x", FOCI_ONES, FOCI_SHAPE(5));
        int i = foci_parameters_declare(&p, "w", FOCI_NORMAL(0, 0.02), FOCI_SHAPE(100, 100));
        assert_ok(foci_parameters_allocate(&p, false));
        foci_parameters_initialise(&p, 7);
        foci_real *w = p.value + p.entry[i].offset;
        memcpy(first[turn], w, sizeof first[turn]);
        double sum = 0, squares = 0;
        for (int k = 0; k < 10000; k++) sum += w[k], squares += (double)w[k] * w[k];
        assert_close(sum / 10000, 0, 0.001);
        assert_close(squares / 10000, 0.0004, 0.00002);
        foci_parameters_free(&p);
    }
    assert_memory_equal(first[0], first[1], sizeof first[0]);
}

static void second_names(void **state) {
    (void)state;
    foci_parameters p;
    foci_parameters_init(&p);
    int i = foci_parameters_declare(&p, "emb", FOCI_ZEROS, FOCI_SHAPE(2));
    assert_ok(foci_parameters_alias(&p, "out", i));
    assert_ok(foci_parameters_alias(&p, "out", i));
    assert_ok(foci_parameters_alias(&p, "buffer", -1));
    assert_fails(foci_parameters_alias(&p, "emb", i), FOCI_ERR_RUNTIME, "taken");
    assert_int_equal(foci_parameters_find(&p, "out"), i);
    assert_int_equal(foci_parameters_find(&p, "buffer"), -1);
    assert_true(foci_parameters_ignores(&p, "buffer"));
    assert_false(foci_parameters_ignores(&p, "out"));
    foci_parameters_free(&p);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(declared_once_and_aligned),
        cmocka_unit_test(initial_values_follow_the_name),
        cmocka_unit_test(second_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
