/* Learning rates of the published recipes, computed by hand. */
#include <math.h>

#include "check.h"

#include "train/schedule.h"

static void language_model(void **state) {
    (void)state;
    foci_schedule s = {.kind = FOCI_SCHEDULE_COSINE, .lr = 2.5e-4, .warmup = 2000, .total = 500000};
    assert_close(foci_schedule_lr(&s, 0, 1000), 0, 0);
    assert_close(foci_schedule_lr(&s, 1000, 1000), 1.25e-4, 1e-18);
    assert_close(foci_schedule_lr(&s, 1999, 1000), 2.5e-4 * 1999 / 2000, 1e-18);
    assert_close(foci_schedule_lr(&s, 2000, 1000), 2.4999013044e-4, 1e-13); /* cosine time began at 0 */
    assert_close(foci_schedule_lr(&s, 250000, 1000), 1.25e-4, 1e-18);
    assert_close(foci_schedule_lr(&s, 500000, 1000), 0, 1e-18);
    assert_close(foci_schedule_lr(&s, 600000, 1000), 0, 1e-18);
    s.first_update_at_lr = true; /* as the published loop has it */
    assert_close(foci_schedule_lr(&s, 0, 1000), 2.5e-4, 0);
    assert_close(foci_schedule_lr(&s, 1, 1000), 1.25e-7, 1e-18);
    assert_close(foci_schedule_lr(&s, 2000, 1000), 2.4999013044e-4, 1e-13);
}

static void deit(void **state) {
    (void)state;
    foci_schedule s = {.kind = FOCI_SCHEDULE_COSINE,
                       .lr = 1e-3,
                       .min_lr = 1e-5,
                       .warmup_lr = 1e-6,
                       .warmup = 5,
                       .total = 300,
                       .per_epoch = true};
    assert_close(foci_schedule_lr(&s, 0, 1251), 1e-6, 1e-18);
    assert_close(foci_schedule_lr(&s, 1250, 1251), 1e-6, 1e-18);
    assert_close(foci_schedule_lr(&s, 1251, 1251), 1e-6 + (1e-3 - 1e-6) / 5, 1e-18);
    assert_close(foci_schedule_lr(&s, 150 * 1251 + 7, 1251), (1e-3 + 1e-5) / 2, 1e-15);
    assert_close(foci_schedule_lr(&s, 300 * 1251, 1251), 1e-5, 1e-18);
    s.lag = 1; /* as the published loop has it: epochs 0 and 1 are alike */
    assert_close(foci_schedule_lr(&s, 0, 1251), 1e-6, 1e-18);
    assert_close(foci_schedule_lr(&s, 2 * 1251 - 1, 1251), 1e-6, 1e-18);
    assert_close(foci_schedule_lr(&s, 2 * 1251, 1251), 1e-6 + (1e-3 - 1e-6) / 5, 1e-18);
    assert_close(foci_schedule_lr(&s, 151 * 1251, 1251), (1e-3 + 1e-5) / 2, 1e-15);
    assert_close(foci_schedule_lr(&s, 299 * 1251, 1251),
                 1e-5 + 9.9e-4 * (1 + cos(3.14159265358979323846 * 298 / 300)) / 2, 1e-15);
}

/* torch.optim.lr_scheduler.OneCycleLR(max_lr=1e-4, total_steps=10, pct_start=0.3, anneal_strategy="linear"), computed
 * by its formula: phases end at steps 2 and 9. */
static void one_cycle(void **state) {
    (void)state;
    const foci_schedule s = {
        .kind = FOCI_SCHEDULE_ONE_CYCLE, .lr = 1e-4, .warmup = 3, .total = 10, .cycle = {4e-6, 4e-10, 0.95, 0.85}};
    static const double rate[] = {4e-06,           5.2e-05,         1e-04,           8.571434286e-05, 7.142868571e-05,
                                  5.714302857e-05, 4.285737143e-05, 2.857171429e-05, 1.428605714e-05, 4e-10};
    static const double beta[] = {0.95,        0.90,        0.85,        0.864285714, 0.878571429,
                                  0.892857143, 0.907142857, 0.921428571, 0.935714286, 0.95};
    for (int i = 0; i < 10; i++) {
        assert_close(foci_schedule_lr(&s, i, 7), rate[i], 1e-14);
        assert_close(foci_schedule_momentum(&s, i, 7, 0.9), beta[i], 1e-9);
    }
    assert_close(foci_schedule_lr(&s, 12, 7), 4e-10, 1e-20); /* PyTorch refuses to go on */
    const foci_schedule other = {.kind = FOCI_SCHEDULE_COSINE, .total = 10};
    assert_close(foci_schedule_momentum(&other, 3, 7, 0.9), 0.9, 0);
}

/* nanoGPT's get_lr with warmup_iters 4, lr_decay_iters 16, by its formula. */
static void cosine_behind_the_warmup(void **state) {
    (void)state;
    const foci_schedule s = {.kind = FOCI_SCHEDULE_WARMUP_COSINE, .lr = 3e-3, .min_lr = 3e-4, .warmup = 4, .total = 16};
    static const double rate[] = {6e-4, 1.2e-3, 1.8e-3, 2.4e-3, 3e-3, 2.953999865490242e-3, 2.8191342951089924e-3};
    for (int i = 0; i < 7; i++) assert_close(foci_schedule_lr(&s, i, 3), rate[i], 1e-15);
    assert_close(foci_schedule_lr(&s, 10, 3), 1.65e-3, 1e-15);
    assert_close(foci_schedule_lr(&s, 16, 3), 3e-4, 1e-15);
    assert_close(foci_schedule_lr(&s, 99, 3), 3e-4, 1e-15);
}

static void other_shapes(void **state) {
    (void)state;
    foci_schedule s = {.kind = FOCI_SCHEDULE_LINEAR, .lr = 4, .min_lr = 2, .total = 8};
    assert_close(foci_schedule_lr(&s, 0, 1), 4, 0);
    assert_close(foci_schedule_lr(&s, 6, 1), 2.5, 1e-15);
    assert_close(foci_schedule_lr(&s, 9, 1), 2, 0);
    s.kind = FOCI_SCHEDULE_POLYNOMIAL;
    s.power = 2;
    assert_close(foci_schedule_lr(&s, 4, 1), 2.5, 1e-15);
    assert_close(foci_schedule_lr(&s, 8, 1), 2, 0);
    s.kind = FOCI_SCHEDULE_CONSTANT;
    assert_close(foci_schedule_lr(&s, 0, 1), 4, 0);
    assert_close(foci_schedule_lr(&s, 1000, 1), 4, 0);
    s.warmup = 4;
    assert_close(foci_schedule_lr(&s, 1, 1), 1, 1e-15);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(language_model),           cmocka_unit_test(deit),         cmocka_unit_test(one_cycle),
        cmocka_unit_test(cosine_behind_the_warmup), cmocka_unit_test(other_shapes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
