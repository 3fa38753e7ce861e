/* Curves of a run: a smoothed one keeps its trend to the ends and loses its noise. */
#include "check.h"

#include <math.h>

#include "plot/curves.h"

enum { MOST = 400 };
static foci_point point[MOST];

/* A line that falls from 5 to 1 with noise of +-0.5, one way and the other in turn. */
static foci_curve falling(size_t count, double noise) {
    for (size_t i = 0; i < count; i++)
        point[i].value = 5 - 4 * (double)i / (double)(count - 1) + (i % 2 ? noise : -noise);
    return (foci_curve){point, count, MOST};
}

static void a_line_stays_what_it_is(void **state) {
    (void)state;
    foci_curve c = falling(100, 0);
    assert_ok(foci_curve_smooth(&c, 5));
    for (size_t i = 0; i < c.count; i++) assert_close(point[i].value, 5 - 4 * (double)i / 99, 1e-9);
}

static void noise_goes_up_to_the_ends(void **state) {
    (void)state;
    for (size_t count = 20; count <= 320; count *= 2) {
        const size_t reach = count / 20 > 4 ? count / 20 : 4;
        foci_curve c = falling(count, 0.5);
        assert_ok(foci_curve_smooth(&c, reach));
        for (size_t i = 0; i < count; i++) {
            const double off = fabs(point[i].value - (5 - 4 * (double)i / (double)(count - 1)));
            const bool inside = i >= reach && i + reach < count;
            if (off > (inside ? 0.1 : 0.35)) fail_msg("%zu of %zu is off by %g", i, count, off);
        }
        assert_true(point[0].value > point[count - 1].value + 3);
    }
}

static void a_smoothed_loss_is_none_below_zero(void **state) {
    (void)state;
    for (size_t i = 0; i < 40; i++) point[i].value = 1e-3 + exp(-(double)i * 2);
    foci_curve c = {point, 40, MOST};
    assert_ok(foci_curve_smooth(&c, 4));
    for (size_t i = 0; i < c.count; i++) assert_true(point[i].value >= 1e-3);
}

static void short_curves(void **state) {
    (void)state;
    for (size_t count = 0; count < 5; count++) {
        foci_curve c = falling(count < 2 ? 2 : count, 0.5);
        c.count = count;
        assert_ok(foci_curve_smooth(&c, 4));
        for (size_t i = 0; i < count; i++) assert_true(isfinite(point[i].value));
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_line_stays_what_it_is),
        cmocka_unit_test(noise_goes_up_to_the_ends),
        cmocka_unit_test(a_smoothed_loss_is_none_below_zero),
        cmocka_unit_test(short_curves),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
