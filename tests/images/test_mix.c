/* Mixup and CutMix: the distribution of lambda, the box, what becomes of a pair. */
#include <math.h>

#include "check.h"
#include "images/mix.h"

enum { H = 12, W = 16, PIXELS = 3 * H * W };

static foci_mixture draw(const foci_mix *mix, int64_t group) { return foci_mix_draw(mix, H, W, 7, 3, group); }

/* Beta(a, a) has mean 1/2 and variance 1 / (4 (2 a + 1)). */
static void lambda_has_its_distribution(void **state) {
    (void)state;
    for (double alpha = 0.2; alpha < 5; alpha *= 2) {
        foci_mix mix = {.mixup = alpha, .probability = 1, .groups = 1};
        double sum = 0, squares = 0;
        enum { N = 20000 };
        for (int i = 0; i < N; i++) {
            foci_mixture m = draw(&mix, i);
            assert_false(m.cut);
            assert_true(m.share >= 0 && m.share <= 1);
            sum += m.share;
            squares += (m.share - 0.5) * (m.share - 0.5);
        }
        assert_close(sum / N, 0.5, 0.01);
        assert_close(squares / N, 1 / (4 * (2 * alpha + 1)), 0.004);
    }
}

static void lambda_is_what_the_box_leaves(void **state) {
    (void)state;
    foci_mix mix = {.cutmix = 1, .probability = 1, .groups = 1};
    bool clipped = false;
    double sum = 0;
    enum { N = 5000 };
    for (int i = 0; i < N; i++) {
        foci_mixture m = draw(&mix, i);
        assert_true(m.cut);
        assert_true(0 <= m.top && m.top <= m.bottom && m.bottom <= H && 0 <= m.left && m.left <= m.right &&
                    m.right <= W);
        assert_close(m.share, 1 - (m.bottom - m.top) * (m.right - m.left) / (double)(H * W), 1e-12);
        clipped |= m.top == 0 && (m.bottom - m.top) % 2 == 1; /* unclipped boxes have even sides */
        sum += m.share;
    }
    assert_true(clipped);
    assert_true(sum / N > 0.55 && sum / N < 0.85); /* clipping and rounding leave more than the half that was drawn */
}

static void probability_and_switching(void **state) {
    (void)state;
    foci_mix mix = {.mixup = 0.8, .cutmix = 1, .probability = 0.6, .switching = 0.25, .groups = 1};
    int none = 0, cut = 0;
    for (int i = 0; i < 10000; i++) {
        foci_mixture m = draw(&mix, i);
        none += m.share == 1 && !m.cut;
        cut += m.cut;
    }
    assert_in_range(none, 3800, 4200);
    assert_in_range(cut, 1400, 1600); /* 0.6 * 0.25 */
}

static void a_decision_depends_on_seed_epoch_and_group(void **state) {
    (void)state;
    foci_mix mix = {.mixup = 1, .probability = 1, .groups = 1};
    double a = foci_mix_draw(&mix, H, W, 1, 2, 3).share;
    assert_true(a == foci_mix_draw(&mix, H, W, 1, 2, 3).share);
    assert_true(a != foci_mix_draw(&mix, H, W, 2, 2, 3).share);
    assert_true(a != foci_mix_draw(&mix, H, W, 1, 3, 3).share);
    assert_true(a != foci_mix_draw(&mix, H, W, 1, 2, 4).share);
}

static void mixup_averages(void **state) {
    (void)state;
    foci_real a[PIXELS], b[PIXELS];
    for (int i = 0; i < PIXELS; i++) {
        a[i] = (foci_real)i;
        b[i] = -1;
    }
    foci_mix_pair(&(foci_mixture){.share = 0.75}, H, W, a, b);
    for (int i = 0; i < PIXELS; i++) {
        assert_close(a[i], 0.75 * i - 0.25, 0);
        assert_close(b[i], 0.25 * i - 0.75, 0);
    }
}

static void cutmix_exchanges_a_box(void **state) {
    (void)state;
    foci_real a[PIXELS], b[PIXELS];
    for (int i = 0; i < PIXELS; i++) {
        a[i] = 1;
        b[i] = 2;
    }
    foci_mixture m = {.share = 0.5, .cut = true, .top = 2, .bottom = 5, .left = 1, .right = 15};
    foci_mix_pair(&m, H, W, a, b);
    for (int i = 0; i < PIXELS; i++) {
        int y = i / W % H, x = i % W;
        bool inside = y >= 2 && y < 5 && x >= 1 && x < 15;
        assert_close(a[i], inside ? 2 : 1, 0);
        assert_close(b[i], inside ? 1 : 2, 0);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lambda_has_its_distribution),
        cmocka_unit_test(lambda_is_what_the_box_leaves),
        cmocka_unit_test(probability_and_switching),
        cmocka_unit_test(a_decision_depends_on_seed_epoch_and_group),
        cmocka_unit_test(mixup_averages),
        cmocka_unit_test(cutmix_exchanges_a_box),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
