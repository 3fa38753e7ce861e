/* Every operation's gradient-check rows, in double, to 1e-6 relative; an operation with a backward pass and no row
 * fails. */
#include "gradients.h"
#include "ops/ops.h"

static void every_operation_has_rows(void **state) {
    (void)state;
    for (int i = 0; foci_ops[i]; i++) {
        const foci_op *op = foci_ops[i];
        assert_non_null(op->name);
        assert_non_null(op->summary);
        if (op->backward && (!op->gradients || !op->gradients[0].build))
            fail_msg("%s has no gradient-check row", op->name);
        if (!op->backward && !op->detaches) fail_msg("%s has neither a backward pass nor detaches", op->name);
    }
}

static void check_rows(void **state) {
    const foci_op *op = *state;
    for (const foci_gradient_case *c = op->gradients; c && c->build; c++) {
        double worst = gradient_error(c->build, 1);
        printf("%-32s %-50s %.1e\n", op->name, c->what, worst);
        if (!(worst <= 1e-6)) fail_msg("%s, %s: gradient is off by %.3g", op->name, c->what, worst);
    }
}

int main(void) {
    struct CMUnitTest tests[128] = {cmocka_unit_test(every_operation_has_rows)};
    size_t n = 1;
    for (int i = 0; foci_ops[i] && n < 128; i++)
        if (foci_ops[i]->gradients)
            tests[n++] = (struct CMUnitTest){foci_ops[i]->name, check_rows, NULL, NULL, (void *)(uintptr_t)foci_ops[i]};
    return _cmocka_run_group_tests("gradients", tests, n, NULL, NULL);
}
