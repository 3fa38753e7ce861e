/* The measures of collapse on numbers worked out by hand, and the golden case where it is at hand. */
#include "check.h"

#include <math.h>

#include "base/philox.h"
#include "kernels/bf16.h"
#include "analyze/collapse.h"
#include "analyze/eigenvalues.h"
#include "verify/verify.h"

static void tokens_alike_and_apart(void **state) {
    (void)state;
    const foci_real alike[] = {1, 2, 2, 4, -1, -2}; /* (3, 2): two the same way, one the other */
    assert_close(foci_token_cosine(alike, 2, 2), 1, 1e-7);
    assert_close(foci_token_cosine(alike, 3, 2), (1 - 1 - 1) / 3.0, 1e-7);
    const foci_real square[] = {1, 0, 0, 5};
    assert_close(foci_token_cosine(square, 2, 2), 0, 1e-7);
    const foci_real zero[] = {0, 0, 3, 4, 3, 4}; /* a zero token is like none: of 3 pairs one counts */
    assert_close(foci_token_cosine(zero, 3, 2), 1 / 3.0, 1e-7);
    assert_true(isnan(foci_token_cosine(square, 1, 2)));
}

/* Against the definition, pair by pair. */
static void token_cosine_by_pairs(void **state) {
    (void)state;
    enum { N = 7, C = 5 };
    foci_real x[N * C];
    double sum = 0;
    for (int i = 0; i < N * C; i++) x[i] = (foci_real)(foci_uniform(foci_philox(1, 2, 3, (uint64_t)i).v[0]) - 0.3);
    for (int i = 0; i < N; i++)
        for (int j = 0; j < i; j++) {
            double xy = 0, xx = 0, yy = 0;
            for (int c = 0; c < C; c++) {
                xy += (double)x[i * C + c] * (double)x[j * C + c];
                xx += (double)x[i * C + c] * (double)x[i * C + c];
                yy += (double)x[j * C + c] * (double)x[j * C + c];
            }
            sum += xy / sqrt(xx * yy);
        }
    assert_close(foci_token_cosine(x, N, C), sum / (N * (N - 1) / 2), 1e-9);
}

static void distances_of_heads(void **state) {
    (void)state;
    const foci_real map[] = {1, 0, 0, 1, 0, 1, 1, 0, 1, 0, 0, 1}; /* (3, 2, 2): the first and third alike */
    double distance[3];
    assert_int_equal(foci_head_pairs(3), 3);
    foci_head_distances(map, 3, 2 * 2, distance);
    assert_close(distance[0], 2, 1e-12);
    assert_close(distance[1], 0, 0);
    assert_close(distance[2], 2, 1e-12);
}

static int by_size(const void *a, const void *b) {
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}
static void known_eigenvalues(void **state) {
    (void)state;
    enum { N = 9 };
    double a[N * N] = {0}, value[N], spare[N];
    for (int i = 0; i < N; i++) { /* the second difference: 2 - 2 cos(k pi / (N + 1)) */
        a[i * N + i] = 2;
        if (i) a[i * N + i - 1] = a[(i - 1) * N + i] = -1;
    }
    foci_eigenvalues(N, a, value, spare);
    qsort(value, N, sizeof *value, by_size);
    for (int k = 0; k < N; k++) assert_close(value[k], 2 - 2 * cos((k + 1) * acos(-1) / (N + 1)), 1e-12);
    double full[N * N]; /* all ones: N once, and 0 */
    for (int i = 0; i < N * N; i++) full[i] = 1;
    foci_eigenvalues(N, full, value, spare);
    qsort(value, N, sizeof *value, by_size);
    for (int k = 0; k < N; k++) assert_close(value[k], k == N - 1 ? N : 0, 1e-12);
    double one[] = {-3};
    foci_eigenvalues(1, one, value, spare);
    assert_close(value[0], -3, 0);
}

static void effective_ranks(void **state) {
    (void)state;
    const foci_real alike[] = {1, 2, 3, 2, 4, 6, -1, -2, -3}, even[] = {2, 0, 0, 0, 0, 2, 0, 0, 0, 0, 2, 0};
    assert_close(foci_effective_rank(alike, 3, 3), 1, 1e-5);
    assert_close(foci_effective_rank(even, 3, 4), 3, 1e-6); /* the smaller of both sides */
    assert_close(foci_effective_rank(even, 4, 3), 3, 1e-6);
    const foci_real uneven[] = {3, 0, 0, 1}; /* singular values 3 and 1 */
    assert_close(foci_effective_rank(uneven, 2, 2), exp(-0.75 * log(0.75) - 0.25 * log(0.25)), 1e-6);
    const foci_real zero[4] = {0};
    assert_true(isnan(foci_effective_rank(zero, 2, 2)));
}

static void spreads(void **state) {
    (void)state;
    const foci_real even[] = {0.5, 0.5, 0.5, 0.5}, one[] = {0, 1, 0, 0};
    foci_spread s = foci_metric_spread(even, 4);
    assert_close(s.min, 0.5, 0);
    assert_close(s.max, 0.5, 0);
    assert_close(s.coordinates, 4, 1e-9);
    s = foci_metric_spread(one, 4);
    assert_close(s.mean, 0.25, 0);
    assert_close(s.entropy, 0, 0);
    assert_close(s.coordinates, 1, 0);
}

static void rollouts(void **state) {
    (void)state;
    const foci_real self[] = {1, 0, 0, 1}, first[] = {1, 0, 1, 0};
    double r[4], spare[4];
    foci_rollout_start(2, r);
    foci_rollout_layer(self, 1, 2, r, spare); /* who looks at himself stays */
    assert_close(r[0], 1, 0);
    assert_close(r[2], 0, 0);
    foci_rollout_layer(first, 1, 2, r, spare); /* half of the second token becomes the first, twice */
    foci_rollout_layer(first, 1, 2, r, spare);
    assert_close(r[2], 0.75, 1e-12);
    assert_close(r[3], 0.25, 1e-12);
    assert_close(r[0] + r[1], 1, 1e-12);
}

static void golden(void **state) {
    (void)state;
    const char *path = shared_path("golden/collapse.json");
    foci_verify_report r;
    if (!path) skip();
    for (int bf16 = 0; bf16 <= foci_bf16_supported(); bf16++) {
        assert_ok(foci_verify_case(path, bf16, &r));
        assert_true(r.ok && !r.skipped);
        assert_int_equal(r.groups, 4);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tokens_alike_and_apart),
        cmocka_unit_test(token_cosine_by_pairs),
        cmocka_unit_test(distances_of_heads),
        cmocka_unit_test(known_eigenvalues),
        cmocka_unit_test(effective_ranks),
        cmocka_unit_test(spreads),
        cmocka_unit_test(rollouts),
        cmocka_unit_test(golden),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
