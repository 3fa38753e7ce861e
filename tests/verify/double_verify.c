/* The golden cases with the library computing in double: what is left is the rounding of the files to single
 * precision. */
#include "check.h"

#include <math.h>

#include "verify/verify.h"

static void nearly_exact(const char *path) {
    foci_verify_report r;
    assert_ok(foci_verify_case(path, false, &r));
    assert_true(r.ok);
    for (int i = 0; i < r.groups; i++)
        if (!(r.group[i].difference <= 1e-6))
            fail_msg("%s: %s differs by %g in double", path, r.group[i].name, r.group[i].difference);
}

static void kept_cases(void **state) {
    (void)state;
    nearly_exact("tests/golden/units.json");
    nearly_exact("tests/golden/attention.json");
    nearly_exact("tests/golden/small-vit.json");
    nearly_exact("tests/golden/small-lm-plain.json");
    nearly_exact("tests/golden/small-lm-clusters.json");
    nearly_exact("tests/golden/small-encoder.json");
    nearly_exact("tests/golden/small-encoder-pair.json");
}

static void shared_cases(void **state) {
    (void)state;
    static const char *const names[] = {"adaptive-softmax",
                                        "vit-softmax",
                                        "vit-elliptical-max",
                                        "vit-elliptical-mean",
                                        "vit-elliptical-median",
                                        "lm-softmax",
                                        "lm-softmax-divval",
                                        "lm-elliptical-paper",
                                        "lm-elliptical-causal",
                                        "encoder-elliptical",
                                        "span-attention",
                                        "lm-span-switch-softmax",
                                        "lm-span-switch-elliptical",
                                        "lm-span-glam-elliptical",
                                        "lm-span-dense",
                                        "moe"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char name[128];
        snprintf(name, sizeof name, "golden/%s.json", names[i]);
        const char *path = shared_path(name);
        if (!path) skip();
        nearly_exact(path);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(kept_cases),
        cmocka_unit_test(shared_cases),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
