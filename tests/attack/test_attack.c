/* Attacks on a linear model, whose best attack is known in closed form, and what holds for every attack: the ball, eps
 * = 0, the same answer for an image wherever and with whomever it is attacked. */
#include "attacked.h"

#include "attack/attack.h"

static attacked a;

static const foci_norm norms[] = {FOCI_LINF, FOCI_L2};
static foci_units valid(void) { return foci_units_plain(0, 1); }
static foci_units unclipped(void) { return foci_units_plain(-(double)INFINITY, (double)INFINITY); }

static void open_linear(int64_t classes, foci_units units) {
    linear_classes = classes;
    open_attacked(&a, &linear_model, NULL, &units, 8);
}
static int close(void **state) {
    (void)state;
    close_attacked(&a);
    return 0;
}

static const foci_real *weight(int64_t class) {
    return a.parameters.value + a.parameters.entry[foci_parameters_find(&a.parameters, "weight")].offset +
           class * PIXELS;
}

/* w = weight of t - weight of the label; the logit difference to it on the clean image. */
static double difference(int64_t slot, int64_t t) {
    const foci_real *z = a.clean + slot * a.victim.classes;
    return (double)z[t] - (double)z[a.label[slot]];
}

/* How far the difference to class t can rise within the ball: by eps times the dual norm; cut to [0, 1] in L-inf. */
static double most_rise(int64_t slot, int64_t t, double eps, foci_norm norm, bool clipped) {
    const foci_real *up = weight(t), *down = weight(a.label[slot]), *x = a.x + slot * PIXELS;
    double one = 0, square = 0;
    for (int64_t j = 0; j < PIXELS; j++) {
        const double w = (double)up[j] - (double)down[j], room = w > 0 ? 1 - (double)x[j] : (double)x[j];
        one += fabs(w) * (clipped && room < eps ? room : eps);
        square += w * w;
    }
    return norm == FOCI_LINF ? one : eps * sqrt(square);
}

/* The radius at which the nearest boundary is met. */
static double nearest(int64_t slot, foci_norm norm, bool clipped) {
    double best = (double)INFINITY;
    for (int64_t t = 0; t < a.victim.classes; t++) {
        if (t == a.label[slot]) continue;
        double low = 0, high = 10;
        for (int i = 0; i < 60; i++) {
            const double middle = (low + high) / 2;
            if (most_rise(slot, t, middle, norm, clipped) + difference(slot, t) >= 0) high = middle;
            else low = middle;
        }
        if (high < best) best = high;
    }
    return best;
}

static double answer_difference(int64_t slot, int64_t t) {
    const foci_real *z = a.logits + slot * a.victim.classes;
    return (double)z[t] - (double)z[a.label[slot]];
}

/* ------------------------------------------------------------------------------------- the linear model */

/* With two classes the gradient always points at the other one: one step is the best there is. */
static void two_classes_exactly(bool clipped) {
    static const char *const names[] = {"fgsm", "pgd"};
    open_linear(2, clipped ? valid() : unclipped());
    for (int n = 0; n < 2; n++)
        for (int k = 0; k < (clipped ? 1 : 2); k++) {
            const double eps = clipped ? 0.3 : 0.05;
            run_attack(&a, names[n],
                       (foci_attack_options){.eps = eps, .norm = norms[k], .steps = 40, .step_size = 0.3});
            for (int64_t i = 0; i < SLOTS; i++) {
                const int64_t other = 1 - a.label[i];
                const double most = difference(i, other) + most_rise(i, other, eps, norms[k], clipped);
                assert_close(answer_difference(i, other), most, 2e-4 * (1 + fabs(most)));
            }
        }
}
static void one_step_is_exact(void **state) {
    (void)state;
    two_classes_exactly(false);
}
static void clipped_too(void **state) {
    (void)state;
    two_classes_exactly(true);
}

/* An image is won exactly where its nearest boundary lies within eps. FAB goes 5 % beyond it: no verdict in between. */
static void wins_exactly(const char *name, foci_norm norm, bool clipped, double beyond) {
    int fooled = 0, standing = 0;
    for (int step = 1; step <= 8; step++) {
        const double eps = (norm == FOCI_LINF ? 0.01 : 0.1) * step;
        run_attack(&a, name, (foci_attack_options){.eps = eps, .norm = norm});
        for (int64_t i = 0; i < SLOTS; i++) {
            const double radius = nearest(i, norm, clipped);
            if (is_fooled(&a, i) && radius > eps * (1 + 1e-4))
                fail_msg("%s: image %d at eps %g, boundary at %g", name, (int)i, eps, radius);
            if (!is_fooled(&a, i) && radius * beyond < eps)
                fail_msg("%s: missed image %d at eps %g, boundary at %g", name, (int)i, eps, radius);
            fooled += is_fooled(&a, i);
            standing += !is_fooled(&a, i);
        }
    }
    if (fooled < 5 || standing < 5) fail_msg("%s: %d fooled, %d standing", name, fooled, standing);
}
static void apgd_finds_the_nearest_boundary(void **state) {
    (void)state;
    open_linear(5, unclipped());
    for (int k = 0; k < 2; k++) wins_exactly("apgd_t", norms[k], false, 1.01);
}
static void fab_finds_the_nearest_boundary(void **state) {
    (void)state;
    open_linear(5, unclipped());
    for (int k = 0; k < 2; k++) wins_exactly("fab_t", norms[k], false, 1.06);
}
static void both_within_valid_images(void **state) {
    (void)state;
    open_linear(5, valid());
    for (int64_t i = 0; i < SLOTS * PIXELS; i += 2) /* hardly any room to one side */
        a.x[i] = (foci_real)(foci_philox(4, 5, 6, (uint64_t)i).v[0] & 1 ? 0.999 : 0.002);
    foci_victim_logits(&a.victim, SLOTS, NULL, a.x, a.clean);
    for (int64_t i = 0; i < SLOTS; i++) a.label[i] = (int32_t)foci_argmax(a.clean + i * 5, 5);
    wins_exactly("apgd_t", FOCI_LINF, true, 1.01);
    wins_exactly("fab_t", FOCI_LINF, true, 1.06);
}
/* More targets than classes, fewer classes than targets. */
static void many_classes(void **state) {
    (void)state;
    open_linear(12, unclipped());
    wins_exactly("fab_t", FOCI_LINF, false, 1.06);
    wins_exactly("apgd_t", FOCI_LINF, false, 1.01);
}

/* Attacks without gradients come near: they win whatever could be won with so much less of a radius. */
static void queries_come_near(const char *name, foci_attack_options o, foci_norm norm, double share) {
    int fooled = 0;
    for (int step = 1; step <= 3; step++) {
        o.eps = (norm == FOCI_LINF ? 0.02 : 0.3) * step;
        o.norm = norm;
        run_attack(&a, name, o);
        for (int64_t i = 0; i < SLOTS; i++) {
            const double radius = nearest(i, norm, true);
            assert_false(is_fooled(&a, i) && radius > o.eps * (1 + 1e-4));
            if (!is_fooled(&a, i) && share * radius < o.eps)
                fail_msg("%s: missed image %d at eps %g, boundary at %g", name, (int)i, o.eps, radius);
            fooled += is_fooled(&a, i);
        }
    }
    assert_true(fooled > 5);
}
/* A third of these small images is out of its reach: the last row and column. */
static void square_comes_near(void **state) {
    (void)state;
    open_linear(5, valid());
    for (int k = 0; k < 2; k++) queries_come_near("square", (foci_attack_options){.steps = 5000}, norms[k], 3);
}

/* The window by which query n + 1 changed the answer: what is nonzero lies in it. */
typedef struct box {
    int64_t top, left, bottom, right;
} box;
static box changed(const foci_real *before, const foci_real *after) {
    box b = {SIDE, SIDE, -1, -1};
    for (int64_t j = 0; j < PIXELS; j++) {
        const int64_t y = j / SIDE % SIDE, x = j % SIDE;
        if (!((double)fabsf((float)(after[j] - before[j])) > 1e-5)) continue;
        b.top = y < b.top ? y : b.top;
        b.left = x < b.left ? x : b.left;
        b.bottom = y > b.bottom ? y : b.bottom;
        b.right = x > b.right ? x : b.right;
    }
    return b;
}

/* AutoAttack looks the size of a window up by the number of its query, however many there will be, and draws offsets
 * below 6 - size: the last row and column keep the stripes of the start. */
static void squares_are_autoattacks(void **state) {
    (void)state;
    static foci_real before[SLOTS * PIXELS];
    static const int64_t sides[] = {5, 4, 3}; /* round(sqrt(p * 36)), p = 0.8, 0.4, 0.2 */
    int moves = 0;
    open_linear(5, unclipped());
    for (int64_t n = 1; n <= 60; n++) {
        run_attack(&a, "square", (foci_attack_options){.eps = 0.004, .steps = n});
        const int64_t side = sides[(n - 1 > 10) + (n - 1 > 50)];
        for (int64_t i = 0; i < SLOTS && n > 1; i++) {
            const box b = changed(before + i * PIXELS, a.adv + i * PIXELS);
            if (b.bottom < 0) continue;
            assert_true(b.bottom - b.top < side && b.right - b.left < side);
            assert_true(b.bottom < SIDE - 1 && b.right < SIDE - 1);
            moves++;
        }
        memcpy(before, a.adv, sizeof before);
    }
    assert_true(moves > 20);
}
static void spsa_comes_near(void **state) {
    (void)state;
    open_linear(5, valid());
    for (int k = 0; k < 2; k++) queries_come_near("spsa", (foci_attack_options){.steps = 40}, norms[k], 2);
}

static void targeted_attacks_reach_their_class(void **state) {
    (void)state;
    static const char *const names[] = {"fgsm", "pgd", "spsa"};
    open_linear(5, unclipped());
    a.job.head = foci_head_cross_entropy_target;
    for (int n = 0; n < 3; n++) {
        run_attack(&a, names[n],
                   (foci_attack_options){.eps = 0.5, .targeted = FOCI_AIM_RANDOM, .step_size = n == 2 ? 0.05 : 0.15});
        int reached = 0;
        for (int64_t i = 0; i < SLOTS; i++) {
            assert_int_equal(is_fooled(&a, i), foci_argmax(a.logits + i * 5, 5) == a.target[i]);
            reached += is_fooled(&a, i);
        }
        assert_true(reached >= SLOTS - 2);
    }
}

/* ------------------------------------------------------------------------------------------- every attack */

static void every_attack(void (*check)(const char *name, foci_norm norm)) {
    for (int i = 0; foci_attacks[i]; i++)
        for (int k = 0; k < 2 && foci_attacks[i]->run; k++) check(foci_attacks[i]->name, norms[k]);
}
static foci_attack_options brief(foci_norm norm, double eps) {
    return (foci_attack_options){.eps = eps, .norm = norm, .steps = 12, .samples = 8};
}

static void stays(const char *name, foci_norm norm) {
    for (int step = 0; step < 3; step++) {
        run_attack(&a, name, brief(norm, (norm == FOCI_LINF ? 0.05 : 0.5) * (1 + 3 * step)));
        for (int64_t i = 0; i < SLOTS; i++)
            if (!foci_ball_holds(&a.job, i, a.adv + i * PIXELS))
                fail_msg("%s: image %d is outside, at %g of %g", name, (int)i,
                         foci_ball_norm(norm, PIXELS, a.x + i * PIXELS, a.adv + i * PIXELS), a.options.eps);
    }
}
static void all_stay_in_the_ball(void **state) {
    (void)state;
    open_linear(5, valid());
    every_attack(stays);
    close_attacked(&a);
    open_linear(5, unclipped());
    every_attack(stays);
}

static void changes_nothing(const char *name, foci_norm norm) {
    run_attack(&a, name, brief(norm, 0));
    for (int64_t j = 0; j < SLOTS * PIXELS; j++)
        if (a.adv[j] != a.x[j]) fail_msg("%s changes an image with eps 0", name);
}
static void eps_0_changes_nothing(void **state) {
    (void)state;
    open_linear(5, valid());
    every_attack(changes_nothing);
}

/* Alone, in another slot, with another capacity: the same bits. */
static void same_alone(const char *name, foci_norm norm) {
    static foci_real all[SLOTS * PIXELS];
    run_attack(&a, name, brief(norm, norm == FOCI_LINF ? 0.02 : 0.2));
    memcpy(all, a.adv, sizeof all);
    for (int64_t i = 0; i < SLOTS; i += 5) {
        a.job.n = 1;
        a.which[0] = i;
        run_attack(&a, name, brief(norm, norm == FOCI_LINF ? 0.02 : 0.2));
        if (memcmp(a.adv + i * PIXELS, all + i * PIXELS, PIXELS * sizeof *all))
            fail_msg("%s: image %d differs when attacked alone", name, (int)i);
    }
    a.job.n = SLOTS;
    a.which[0] = 0;
}
static void an_image_is_attacked_by_itself(void **state) {
    (void)state;
    open_linear(5, valid());
    every_attack(same_alone);
}

static void uses_the_seed(const char *name, foci_norm norm) {
    static foci_real before[SLOTS * PIXELS];
    foci_attack_options o = brief(norm, 0.001); /* too small to win */
    run_attack(&a, name, o);
    memcpy(before, a.adv, sizeof before);
    run_attack(&a, name, o);
    assert_memory_equal(before, a.adv, sizeof before);
    o.seed = 1;
    run_attack(&a, name, o);
    const bool other = memcmp(before, a.adv, sizeof before) != 0;
    a.job.restart = 1;
    o.seed = 0;
    run_attack(&a, name, o);
    a.job.restart = 0;
    assert_int_equal(other, memcmp(before, a.adv, sizeof before) != 0);
    if (!foci_attack_reads(foci_attack_find(name), "restarts") && other) fail_msg("%s draws random numbers", name);
}
static void seeds_and_restarts(void **state) {
    (void)state;
    open_linear(5, valid());
    every_attack(uses_the_seed);
}

/* ------------------------------------------------------------------------------------------------ the parts */

static void every_head_has_its_gradient(void **state) {
    (void)state;
    foci_head *const heads[] = {
        foci_head_cross_entropy, foci_head_cross_entropy_target, foci_head_margin,    foci_head_margin_target,
        foci_head_dlr,           foci_head_dlr_target,           foci_head_difference};
    open_linear(5, valid());
    for (size_t h = 0; h < sizeof heads / sizeof *heads; h++)
        for (int32_t label = 0; label < 5; label++) {
            foci_real z[5] = {(foci_real)0.5, (foci_real)-1.25, (foci_real)2, (foci_real)0.25, (foci_real)1},
                      dz[5] = {0}, unused[5] = {0};
            const int32_t target = (label + 2) % 5;
            heads[h](z, 5, label, target, dz);
            for (int k = 0; k < 5; k++) {
                const double step = 1.0 / 64;
                z[k] += (foci_real)step;
                memset(unused, 0, sizeof unused);
                const double up = heads[h](z, 5, label, target, unused);
                z[k] -= (foci_real)(2 * step);
                memset(unused, 0, sizeof unused);
                const double down = heads[h](z, 5, label, target, unused);
                z[k] += (foci_real)step;
                assert_close(dz[k], (up - down) / (2 * step), 1e-3);
            }
        }
}

/* Known values of the DLR losses: z = 3, 2, 1, 0. */
static void dlr_values(void **state) {
    (void)state;
    const foci_real z[4] = {1, 3, 0, 2};
    foci_real dz[4] = {0};
    open_linear(5, valid());
    assert_close(foci_head_dlr(z, 4, 1, -1, dz), -0.5, 1e-6); /* (2 - 3) / (3 - 1) */
    memset(dz, 0, sizeof dz);
    assert_close(foci_head_dlr(z, 4, 0, -1, dz), 1, 1e-6); /* (3 - 1) / (3 - 1) */
    memset(dz, 0, sizeof dz);
    assert_close(foci_head_dlr_target(z, 4, 1, 2, dz), -1.2, 1e-6); /* (0 - 3) / (3 - (1 + 0) / 2) */
}

static void runners_up(void **state) {
    (void)state;
    open_linear(5, valid());
    const foci_real z[5] = {1, 3, 0, 2, 1};
    memcpy(a.clean, z, sizeof z);
    const int32_t when_best[] = {3, 0, 4, 2}, when_third[] = {1, 3, 4, 2};
    for (int r = 0; r < 4; r++) {
        a.label[0] = 1;
        assert_int_equal(foci_attack_runner_up(&a.job, 0, r + 1), when_best[r]);
        a.label[0] = 0;
        assert_int_equal(foci_attack_runner_up(&a.job, 0, r + 1), when_third[r]);
    }
}

/* Whatever rungs a number of images takes: those of one at a time. */
static void rungs_give_the_same_bits(void **state) {
    (void)state;
    open_linear(5, valid());
    for (int64_t n = 1; n <= SLOTS; n++) {
        memset(a.logits, 0, sizeof a.logits);
        foci_victim_gradient(&a.victim, n, NULL, a.x, foci_head_cross_entropy, a.label, NULL, a.logits, a.loss, a.adv);
        for (int64_t i = 0; i < n; i++) {
            foci_victim_gradient(&a.victim, 1, (int64_t[]){i}, a.x, foci_head_cross_entropy, a.label, NULL, NULL,
                                 a.loss, a.dx);
            assert_memory_equal(a.dx + i * PIXELS, a.adv + i * PIXELS, PIXELS * sizeof *a.dx);
            assert_memory_equal(a.logits + i * 5, a.clean + i * 5, 5 * sizeof *a.logits);
        }
    }
}

static void what_leaves_the_ball_is_noticed(void **state) {
    (void)state;
    open_linear(5, valid());
    a.options = (foci_attack_options){.eps = 0.1};
    foci_real *y = a.adv;
    memcpy(y, a.x, PIXELS * sizeof *y);
    assert_true(foci_ball_holds(&a.job, 0, y));
    y[5] = a.x[5] + (foci_real)0.1;
    assert_true(foci_ball_holds(&a.job, 0, y));
    y[5] = a.x[5] + (foci_real)0.10001;
    assert_false(foci_ball_holds(&a.job, 0, y));
    y[5] = (foci_real)NAN;
    assert_false(foci_ball_holds(&a.job, 0, y));
    y[5] = a.x[5];
    a.options.eps = 5;
    y[7] = (foci_real)1.0001;
    assert_false(foci_ball_holds(&a.job, 0, y));
    y[7] = (foci_real)-0.0001;
    assert_false(foci_ball_holds(&a.job, 0, y));
    y[7] = 1;
    assert_true(foci_ball_holds(&a.job, 0, y));
}

static void unfit_models_are_refused(void **state) {
    (void)state;
    foci_units units = valid();
    linear_classes = 0;
    memset(&a, 0, sizeof a);
    foci_parameters_init(&a.parameters);
    assert_int_equal(foci_victim_open(&a.victim, &linear_model, NULL, &a.parameters, &units, 0, 8, false),
                     FOCI_ERR_CONFIG);
}

int main(void) {
#define TEST(name) cmocka_unit_test_teardown(name, close)
    const struct CMUnitTest tests[] = {
        TEST(one_step_is_exact),
        TEST(clipped_too),
        TEST(apgd_finds_the_nearest_boundary),
        TEST(fab_finds_the_nearest_boundary),
        TEST(both_within_valid_images),
        TEST(many_classes),
        TEST(square_comes_near),
        TEST(squares_are_autoattacks),
        TEST(spsa_comes_near),
        TEST(targeted_attacks_reach_their_class),
        TEST(all_stay_in_the_ball),
        TEST(eps_0_changes_nothing),
        TEST(an_image_is_attacked_by_itself),
        TEST(seeds_and_restarts),
        TEST(every_head_has_its_gradient),
        TEST(dlr_values),
        TEST(runners_up),
        TEST(rungs_give_the_same_bits),
        TEST(what_leaves_the_ball_is_noticed),
        TEST(unfit_models_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
