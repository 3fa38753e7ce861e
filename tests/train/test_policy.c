/* What is decided about losses that are no numbers, and the means of a line of metrics. */
#include "check.h"

#include <math.h>

#include "train/pace.h"
#include "train/policy.h"

static void a_run_gives_up_unless_it_is_told_otherwise(void **state) {
    (void)state;
    foci_policy p = {.saved = 10};
    assert_int_equal(FOCI_GIVE_UP, foci_policy_judge(&p, &(foci_training){.on_nonfinite = FOCI_NONFINITE_STOP}));
    assert_int_equal(FOCI_LEAVE_OUT, foci_policy_judge(&p, &(foci_training){.on_nonfinite = FOCI_NONFINITE_SKIP}));
    assert_int_equal(0, p.rollbacks);
}

static void going_back_ends_where_it_does_not_help(void **state) {
    (void)state;
    const foci_training train = {.on_nonfinite = FOCI_NONFINITE_ROLLBACK};
    foci_policy p = {.saved = 0};
    assert_int_equal(FOCI_GIVE_UP, foci_policy_judge(&p, &train)); /* to what? */
    foci_policy_checkpoint(&p, 10);
    for (int i = 0; i < FOCI_MOST_ROLLBACKS; i++) assert_int_equal(FOCI_ROLL_BACK, foci_policy_judge(&p, &train));
    foci_policy_checkpoint(&p, 10); /* without an update training did not get on */
    assert_int_equal(FOCI_GIVE_UP, foci_policy_judge(&p, &train));
    foci_policy_update(&p);
    foci_policy_checkpoint(&p, 20);
    assert_int_equal(FOCI_ROLL_BACK, foci_policy_judge(&p, &train));
    assert_int_equal(20, p.saved);
}

static void patience_is_for_updates_in_a_row(void **state) {
    (void)state;
    foci_policy p = {.saved = 0};
    for (int turn = 0; turn < 2; turn++) {
        for (int i = 1; i < FOCI_MOST_IN_A_ROW; i++) assert_true(foci_policy_bears(&p));
        foci_policy_update(&p);
    }
    for (int i = 1; i < FOCI_MOST_IN_A_ROW; i++) assert_true(foci_policy_bears(&p));
    assert_false(foci_policy_bears(&p));
}

static void lines_are_means_of_their_steps(void **state) {
    (void)state;
    foci_pace p = {.lr = 0.5};
    foci_pace_start(&p);
    foci_pace_step(&p, 2, 10);
    foci_pace_step(&p, (double)NAN, 10); /* a step without a loss */
    foci_pace_step(&p, 4, 5);
    assert_true(p.steps == 3 && p.losses == 2 && p.items == 25);
    assert_close(foci_pace_loss(&p), 3, 1e-12);
    assert_true(foci_pace_elapsed(&p, 100) >= 100 && foci_pace_seconds(&p) >= 0);
    foci_pace_line(&p);
    assert_true(p.steps == 0 && p.losses == 0 && p.items == 0 && p.loss_sum == 0 && p.lr == 0.5);
    foci_pace_step(&p, (double)NAN, 10);
    assert_true(isnan(foci_pace_loss(&p))); /* not 0 */
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_run_gives_up_unless_it_is_told_otherwise),
        cmocka_unit_test(going_back_ends_where_it_does_not_help),
        cmocka_unit_test(patience_is_for_updates_in_a_row),
        cmocka_unit_test(lines_are_means_of_their_steps),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
