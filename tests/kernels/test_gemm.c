/* Matrix products against three plain loops. */
#include "base/parallel.h"
#include "base/philox.h"
#include "check.h"
#include "kernels/gemm.h"

static foci_real *random_matrix(int64_t n, uint64_t stream) {
    foci_real *x = malloc((size_t)(n > 0 ? n : 1) * sizeof *x);
    assert_non_null(x);
    for (int64_t i = 0; i < n; i++) {
        foci_u32x4 u = foci_philox(7, stream, 0, (uint64_t)i);
        x[i] = (foci_real)foci_normal(u.v[0], u.v[1]);
    }
    return x;
}

static void naive(bool ta, bool tb, int64_t m, int64_t n, int64_t k, double alpha, const foci_real *a,
                  int64_t lda, const foci_real *b, int64_t ldb, double beta, foci_real *c, int64_t ldc) {
    for (int64_t i = 0; i < m; i++)
        for (int64_t j = 0; j < n; j++) {
            double s = 0;
            for (int64_t t = 0; t < k; t++)
                s += (double)a[ta ? t * lda + i : i * lda + t] * (double)b[tb ? j * ldb + t : t * ldb + j];
            c[i * ldc + j] = (foci_real)(alpha * s + (beta != 0 ? beta * (double)c[i * ldc + j] : 0));
        }
}

typedef void product(bool, bool, int64_t, int64_t, int64_t, foci_real, const foci_real *, int64_t,
                     const foci_real *, int64_t, foci_real, foci_real *, int64_t);

static void check_product(product *f, bool ta, bool tb, int64_t m, int64_t n, int64_t k, double alpha,
                          double beta) {
    int64_t lda = (ta ? m : k) + 3, ldb = (tb ? k : n) + 1, ldc = n + 2;
    foci_real *a = random_matrix((ta ? k : m) * lda, 1), *b = random_matrix((tb ? n : k) * ldb, 2);
    foci_real *c = random_matrix(m * ldc, 3), *want = random_matrix(m * ldc, 3);
    if (beta == 0)
        for (int64_t i = 0; i < m; i++)
            for (int64_t j = 0; j < n; j++) c[i * ldc + j] = NAN; /* must not be read */
    f(ta, tb, m, n, k, (foci_real)alpha, a, lda, b, ldb, (foci_real)beta, c, ldc);
    naive(ta, tb, m, n, k, alpha, a, lda, b, ldb, beta, want, ldc);
    for (int64_t i = 0; i < m * ldc; i++)
        assert_close(c[i], want[i], 2e-5 * (1 + sqrt((double)k))); /* gaps too */
    free(a);
    free(b);
    free(c);
    free(want);
}

static void check_all(product *f, int64_t m, int64_t n, int64_t k) {
    for (int t = 0; t < 4; t++) {
        check_product(f, t & 1, t >> 1, m, n, k, 1, 0);
        check_product(f, t & 1, t >> 1, m, n, k, 0.5, 1);
        check_product(f, t & 1, t >> 1, m, n, k, -1, 0.25);
    }
}

static void one_thread(void **state) {
    (void)state;
    check_all(foci_gemm, 1, 1, 1);
    check_all(foci_gemm, 7, 5, 3);
    check_all(foci_gemm, 33, 65, 17);
    check_all(foci_gemm, 1, 100, 129);
}

static void all_threads(void **state) {
    (void)state;
    check_all(foci_gemm_parallel, 3, 2, 1);
    check_all(foci_gemm_parallel, 259, 5, 7);
    check_all(foci_gemm_parallel, 300, 520, 9); /* tiles of rows and of columns */
}

/* 16 tiles of rows and more: columns are no longer cut */
static void many_rows(void **state) {
    (void)state;
    check_product(foci_gemm_parallel, false, true, 4099, 5, 3, 1, 0);
    check_product(foci_gemm_parallel, true, false, 4099, 3, 2, 1, 1);
}

static void check_long(bool ta, bool tb, int64_t m, int64_t n, int64_t k, bool accumulate) {
    int64_t lda = ta ? m : k, ldb = tb ? k : n;
    foci_real *a = random_matrix(m * k, 1), *b = random_matrix(k * n, 2);
    foci_real *c = random_matrix(m * n, 3), *want = random_matrix(m * n, 3);
    foci_real *partial = random_matrix(foci_gemm_chunks(m, n, k) * m * n, 4);
    for (int64_t i = 0; i < m * n && !accumulate; i++) c[i] = NAN;
    foci_gemm_long(ta, tb, m, n, k, a, lda, b, ldb, accumulate, c, n, partial);
    naive(ta, tb, m, n, k, 1, a, lda, b, ldb, accumulate, want, n);
    for (int64_t i = 0; i < m * n; i++) assert_close(c[i], want[i], 2e-5 * (1 + sqrt((double)k)));
    free(a);
    free(b);
    free(c);
    free(want);
    free(partial);
}

static void long_inner_dimension(void **state) {
    (void)state;
    for (int t = 0; t < 4; t++) {
        check_long(t & 1, t >> 1, 3, 5, 1, false);
        check_long(t & 1, t >> 1, 7, 3, 1025, true);
        check_long(t & 1, t >> 1, 5, 9, 9001, false);
        check_long(t & 1, t >> 1, 300, 2, 2000, true);
    }
}

static void chunks_follow_the_shape(void **state) {
    (void)state;
    assert_int_equal(foci_gemm_chunks(3, 5, 100), 1);
    assert_int_equal(foci_gemm_chunks(3, 5, 1025), 3);
    assert_int_equal(foci_gemm_chunks(3, 5, 1000000), 16);
    assert_int_equal(foci_gemm_chunks(5000, 5, 1000000), 1);
}

static void threads_do_not_change_bits(void **state) {
    (void)state;
    enum { M = 301, N = 77, K = 5003 };
    foci_real *a = random_matrix(M * K, 1), *b = random_matrix(K * N, 2),
              *c[2] = {random_matrix(2 * M * N, 3), NULL};
    foci_real *partial = random_matrix(foci_gemm_chunks(M, N, K) * M * N, 4);
    c[1] = random_matrix(2 * M * N, 3);
    for (int run = 0; run < 2; run++) {
        foci_set_threads(run ? 3 : 1);
        foci_gemm_parallel(false, false, M, N, K, 1, a, K, b, N, 1, c[run], N);
        foci_gemm_long(true, false, M, N, K, a, M, b, N, true, c[run] + M * N, N, partial);
    }
    foci_set_threads(0);
    assert_memory_equal(c[0], c[1], 2 * M * N * sizeof *c[0]);
    free(a);
    free(b);
    free(c[0]);
    free(c[1]);
    free(partial);
}

/* A BLAS without locks hands the same buffer to two threads, and products come out wrong. */
static void many_threads_at_once(void **state) {
    (void)state;
    enum { M = 256, N = 3, K = 2, REPEATS = 3000 };
    foci_real *a = random_matrix(M * K, 1), *b = random_matrix(N * K, 2), *want = random_matrix(M * N, 3);
    foci_real *c = random_matrix((int64_t)REPEATS * M * N, 3);
    foci_gemm(false, true, M, N, K, 1, a, K, b, K, 0, want, N);
    foci_set_threads(4);
    FOCI_PARALLEL_FOR
    for (int64_t i = 0; i < REPEATS; i++) foci_gemm(false, true, M, N, K, 1, a, K, b, K, 0, c + i * M * N, N);
    foci_set_threads(0);
    for (int64_t i = 0; i < REPEATS; i++) assert_memory_equal(c + i * M * N, want, M * N * sizeof *c);
    free(a);
    free(b);
    free(c);
    free(want);
}

static void the_provider_is_usable(void **state) {
    (void)state;
    assert_non_null(strstr(foci_gemm_provider(), "OpenBLAS"));
    foci_set_threads(3);
    assert_ok(foci_gemm_check());
    assert_int_equal(foci_threads(), 3);
    assert_int_equal(omp_get_max_threads(), 3); /* not disturbed */
    foci_set_threads(0);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(the_provider_is_usable),
                                       cmocka_unit_test(one_thread),
                                       cmocka_unit_test(all_threads),
                                       cmocka_unit_test(many_rows),
                                       cmocka_unit_test(long_inner_dimension),
                                       cmocka_unit_test(chunks_follow_the_shape),
                                       cmocka_unit_test(threads_do_not_change_bits),
                                       cmocka_unit_test(many_threads_at_once)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
