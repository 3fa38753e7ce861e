/* The quadratic programme of robust density estimates: against every set of variables tried out, and by the conditions
 * that only the solution meets. */
#include <math.h>

#include "base/philox.h"
#include "check.h"
#include "ops/simplex.h"

enum { MOST = 200 };
static double g[MOST * MOST], w[MOST], scratch[MOST * MOST + 8 * MOST];

/* The Gram matrix of points on a circle of so many turns, some of them far out. */
static void gram(int64_t n, uint64_t seed, double spread) {
    double at[MOST][3];
    foci_rng r = foci_rng_make(seed, 1, 0);
    for (int64_t i = 0; i < n; i++)
        for (int d = 0; d < 3; d++) at[i][d] = (i % 5 == 4 ? 3 : spread) * foci_rng_normal(&r);
    for (int64_t i = 0; i < n; i++)
        for (int64_t j = 0; j < n; j++) {
            double square = 0;
            for (int d = 0; d < 3; d++) square += (at[i][d] - at[j][d]) * (at[i][d] - at[j][d]);
            g[i * n + j] = exp(-square / 2);
        }
}

static double slope(int64_t n, double beta, const double *at, int64_t i) {
    double sum = 0;
    for (int64_t j = 0; j < n; j++) sum += g[i * n + j] * (at[j] - beta / (double)n);
    return sum;
}

static double objective(int64_t n, double beta, const double *at) {
    double sum = 0;
    for (int64_t i = 0; i < n; i++) sum += (at[i] - beta / (double)n) * slope(n, beta, at, i) / 2;
    return sum;
}

/* Gauss on the system of a set: G_ff x - nu = G_f beta/n, sum x = 1; zeros outside. */
static void solve_set(int64_t n, double beta, unsigned set, double *x) {
    double m[9][10] = {{0}};
    int64_t at[8], k = 0;
    for (int64_t i = 0; i < n; i++)
        if (set >> i & 1) at[k++] = i;
    for (int64_t i = 0; i < k; i++) {
        for (int64_t j = 0; j < k; j++) m[i][j] = g[at[i] * n + at[j]];
        m[i][k] = m[k][i] = 1;
        for (int64_t j = 0; j < n; j++) m[i][k + 1] += g[at[i] * n + j] * beta / (double)n;
    }
    m[k][k + 1] = 1;
    for (int64_t c = 0; c <= k; c++) {
        int64_t p = c;
        for (int64_t r = c; r <= k; r++) p = fabs(m[r][c]) > fabs(m[p][c]) ? r : p;
        for (int64_t j = 0; j <= k + 1; j++) {
            const double t = m[c][j];
            m[c][j] = m[p][j], m[p][j] = t;
        }
        for (int64_t r = 0; r <= k; r++)
            for (int64_t j = k + 1; r != c && j >= c; j--) m[r][j] -= m[r][c] / m[c][c] * m[c][j];
    }
    for (int64_t i = 0; i < n; i++) x[i] = 0;
    for (int64_t i = 0; i < k; i++) x[at[i]] = m[i][k + 1] / m[i][i];
}

static void the_best_of_all_sets(void **state) {
    (void)state;
    int zeros = 0;
    for (int64_t n = 1; n <= 8; n++)
        for (uint64_t seed = 1; seed < 12; seed++) {
            const double beta = 1 / (1 - 0.08 * (double)seed);
            double best = INFINITY, x[8];
            gram(n, seed, 0.7);
            assert_true(foci_simplex(n, g, beta, w, scratch) > 0);
            for (unsigned set = 1; set < 1u << n; set++) {
                bool within = true;
                solve_set(n, beta, set, x);
                for (int64_t i = 0; i < n; i++) within &= x[i] >= 0;
                if (within) best = fmin(best, objective(n, beta, x));
            }
            assert_close(objective(n, beta, w), best, 1e-11);
            for (int64_t i = 0; i < n; i++) zeros += w[i] == 0;
        }
    assert_true(zeros > 50);
}

/* Sum 1, none below 0; the slope is one number where w is above 0, and nowhere below that. */
static void conditions(int64_t n, double beta, double tolerance) {
    double sum = 0, level = 0;
    for (int64_t i = 0; i < n; i++) {
        assert_true(w[i] >= 0);
        sum += w[i];
        level += w[i] * slope(n, beta, w, i);
    }
    assert_close(sum, 1, 1e-12);
    for (int64_t i = 0; i < n; i++) {
        const double above = slope(n, beta, w, i) - level;
        if (w[i] > 0) assert_close(above, 0, tolerance);
        else assert_true(above > -tolerance);
    }
}

static void many_points(void **state) {
    (void)state;
    for (uint64_t seed = 1; seed < 6; seed++)
        for (int close = 0; close < 3; close++) {
            const double beta = 1 / (1 - 0.1 * (double)seed);
            gram(197, seed, (double[]){2, 0.5, 0.01}[close]);
            const int64_t solved = foci_simplex(197, g, beta, w, scratch);
            printf("197 points, spread %d, outliers %.1f: %d systems\n", close, 0.1 * (double)seed, (int)solved);
            assert_true(solved > 0);
            conditions(197, beta, 1e-9);
        }
}

/* One point many times over: singular but for what is added. */
static void points_that_are_the_same(void **state) {
    (void)state;
    for (int i = 0; i < 100 * 100; i++) g[i] = 1;
    assert_true(foci_simplex(100, g, 1.1, w, scratch) > 0);
    conditions(100, 1.1, 1e-9);
    gram(100, 3, 0.6);
    for (int64_t i = 1; i < 100; i += 2) /* pairs */
        for (int64_t j = 0; j < 100; j++) g[i * 100 + j] = g[(i - 1) * 100 + j];
    for (int64_t i = 0; i < 100; i++)
        for (int64_t j = 1; j < 100; j += 2) g[i * 100 + j] = g[i * 100 + j - 1];
    assert_true(foci_simplex(100, g, 1.2, w, scratch) > 0);
    conditions(100, 1.2, 1e-9);
}

static void without_outliers_all_weigh_the_same(void **state) {
    (void)state;
    gram(30, 1, 1);
    assert_true(foci_simplex(30, g, 1, w, scratch) > 0);
    for (int64_t i = 0; i < 30; i++) assert_close(w[i], 1.0 / 30, 1e-16);
}

static void what_is_no_matrix_of_numbers(void **state) {
    (void)state;
    gram(10, 1, 1);
    g[33] = NAN;
    assert_true(foci_simplex(10, g, 1.1, w, scratch) < 0);
    for (int64_t i = 0; i < 10; i++) assert_close(w[i], 0.1, 1e-15);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_best_of_all_sets),         cmocka_unit_test(many_points),
        cmocka_unit_test(points_that_are_the_same),     cmocka_unit_test(without_outliers_all_weigh_the_same),
        cmocka_unit_test(what_is_no_matrix_of_numbers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
