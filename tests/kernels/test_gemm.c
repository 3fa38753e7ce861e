/* Matrix products against three plain loops. */
#include "base/parallel.h"
#include "check.h"
#include "kernels/bf16.h"
#include "kernels/gemm.h"
#include "kernels/kernels.h"
#include "products.h"

static const foci_kernels *table; /* of the instruction set under test */
static void own_kernel(const foci_product *p) {
    static foci_real scratch[FOCI_GEMM_DEPTH * FOCI_GEMM_COLUMNS] __attribute__((aligned(64)));
    table->gemm(p, scratch);
}

static void long_product(const foci_product *p) {
    foci_real *partial = random_matrix(foci_gemm_chunks(p->rows, p->columns, p->depth) * p->rows * p->columns, 4);
    foci_gemm_long(p, partial);
    free(partial);
}

static void packed_product(const foci_product *p) {
    foci_product q = *p;
    foci_real *memory = random_matrix(foci_gemm_packed_size(p->depth, p->columns) + FOCI_ALIGN, 4);
    foci_gemm_pack(&q, (foci_real *)(((uintptr_t)memory + 63) / 64 * 64));
    foci_gemm_parallel(&q);
    free(memory);
}

static void spread_product(const foci_product *p) {
    foci_real *memory = random_matrix(foci_gemm_packed_size(p->depth, p->columns) + FOCI_ALIGN, 4);
    foci_gemm_spread(p, (foci_real *)(((uintptr_t)memory + 63) / 64 * 64));
    free(memory);
}

static void check_all(way_to_multiply *f, int64_t m, int64_t n, int64_t k) {
    for (int t = 0; t < 4; t++) {
        check_product(f, t & 1, t >> 1, m, n, k, false, false);
        check_product(f, t & 1, t >> 1, m, n, k, true, false);
        if (f != long_product) check_product(f, t & 1, t >> 1, m, n, k, false, true);
    }
}

static void one_thread(void **state) {
    (void)state;
    for (int i = 0; i < SHAPES; i++) check_all(foci_gemm, shapes[i].m, shapes[i].n, shapes[i].k);
}

static void packed_once(void **state) {
    (void)state;
    for (int i = 0; i < SHAPES; i++) check_all(packed_product, shapes[i].m, shapes[i].n, shapes[i].k);
    check_all(packed_product, 300, 520, 9); /* tiles of rows and of columns */
    check_product(packed_product, false, true, 4099, 70, 3, false, true);
}

/* Every bit is that of one thread and nothing packed: B as it is and transposed, either precision, a bias or added. */
static void same_bits(way_to_multiply *f) {
    enum { M = 61, N = 301, K = 1537 };
    foci_real *a = random_matrix(M * K, 1), *b = random_matrix(N * K, 2), *c = random_matrix(M * N, 3),
              *d = random_matrix(M * N, 3), *bias = random_matrix(N, 4);
    for (int t = 0; t < 12; t++) {
        foci_product p = {.rows = M,
                          .columns = N,
                          .depth = K,
                          .a = {a, K},
                          .b = {b, t & 1 ? K : N, t & 1},
                          .c = c,
                          .ldc = N,
                          .bias = t / 4 == 1 ? bias : NULL,
                          .add = t / 4 == 2,
                          .bf16 = t >> 1 & 1};
        foci_gemm(&p);
        p.c = d;
        f(&p);
        assert_memory_equal(c, d, M * N * sizeof *c);
    }
    free(a);
    free(b);
    free(c);
    free(d);
    free(bias);
}

/* Few rows and a large B: C comes about in columns, with the same bits. */
static void few_rows(void **state) {
    (void)state;
    static const int64_t sizes[][3] = {{1, 2, 1},      {1, 300, 70},  {3, 49, 20},    {17, 200, 33},
                                       {61, 301, 400}, {96, 770, 97}, {384, 800, 390}};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        assert_true(foci_gemm_has_few_rows(sizes[i][0], sizes[i][1], sizes[i][2]));
        check_all(spread_product, sizes[i][0], sizes[i][1], sizes[i][2]);
    }
    for (int i = 0; i < SHAPES; i++) check_all(spread_product, shapes[i].m, shapes[i].n, shapes[i].k);
    same_bits(spread_product);
}

/* Of at most FOCI_GEMM_FEW rows, B read where it lies: the bits of the other kernel. */
static void few_rows_kernel(void **state) {
    (void)state;
    static foci_real scratch[FOCI_GEMM_DEPTH * FOCI_GEMM_COLUMNS] __attribute__((aligned(64)));
    enum { N = 83, K = 790 };
    foci_real *a = random_matrix(FOCI_GEMM_FEW * K, 1), *b = random_matrix(N * K, 2), *bias = random_matrix(N, 3);
    foci_real *c = random_matrix(FOCI_GEMM_FEW * N, 4), *d = random_matrix(FOCI_GEMM_FEW * N, 4);
    for (int isa = 0; isa < FOCI_ISA_COUNT; isa++)
        for (int64_t rows = 1; rows <= FOCI_GEMM_FEW && (table = foci_kernels_of(isa)); rows++)
            for (int start = 0; start < 3; start++) {
                foci_product p = {.rows = rows,
                                  .columns = N - rows,
                                  .depth = K - rows,
                                  .a = {a, K},
                                  .b = {b, K, true},
                                  .c = c,
                                  .ldc = N,
                                  .add = start == 1,
                                  .bias = start == 2 ? bias : NULL};
                table->gemm(&p, scratch);
                p.c = d;
                table->gemm_few(&p);
                assert_memory_equal(c, d, FOCI_GEMM_FEW * N * sizeof *c);
            }
    free(a);
    free(b);
    free(bias);
    free(c);
    free(d);
}

static void every_instruction_set(void **state) {
    (void)state;
    for (int isa = 0; isa < FOCI_ISA_COUNT; isa++)
        if ((table = foci_kernels_of(isa)))
            for (int i = 0; i < SHAPES; i++) check_all(own_kernel, shapes[i].m, shapes[i].n, shapes[i].k);
}

static void bf16_kernel(const foci_product *p) { rounded_product(foci_bf16_gemm, p); }

static void bfloat16(void **state) {
    (void)state;
    if (!foci_bf16_supported()) skip();
    for (int i = 0; i < SHAPES; i++) check_all(bf16_kernel, shapes[i].m, shapes[i].n, shapes[i].k);
    check_all(bf16_kernel, 13, 40, 1537);
}

/* C in bfloat16 is C, rounded. */
static void rounded_result(void **state) {
    (void)state;
    if (!foci_bf16_supported()) skip();
    static const int64_t sizes[][3] = {{1, 1, 1}, {7, 5, 3}, {101, 300, 769}, {200, 520, 40}, {61, 301, 400}};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        for (int way = 0; way < 3; way++) {
            const int64_t m = sizes[i][0], n = sizes[i][1], k = sizes[i][2], ldc = n + 3;
            foci_real *a = random_matrix(m * k, 1), *b = random_matrix(n * k, 2), *bias = random_matrix(n, 3);
            foci_real *c = random_matrix(m * ldc, 4),
                      *room = aligned_alloc(64, 4 * (size_t)foci_gemm_packed_size(k, n + 64));
            uint16_t *half = calloc((size_t)(m * ldc), sizeof *half);
            foci_product p = {m, n, k, {a, k}, {b, k, true}, c, NULL, ldc, false, way == 1 ? NULL : bias, NULL, true};
            foci_gemm(&p);
            p.c = NULL;
            p.rounded = half;
            if (way == 0) foci_gemm(&p);
            else foci_gemm_spread(&p, room);
            for (int64_t r = 0; r < m; r++)
                for (int64_t j = 0; j < ldc; j++) {
                    const uint32_t u = (uint32_t)half[r * ldc + j] << 16;
                    const foci_real want = j < n ? rounded(c[r * ldc + j]) : 0;
                    assert_memory_equal(&u, &want, sizeof u);
                }
            free(a);
            free(b);
            free(bias);
            free(c);
            free(room);
            free(half);
        }
}

static void rounding(void **state) {
    (void)state;
    if (!foci_bf16_supported()) skip();
    for (int64_t n = 0; n < 70; n++) {
        foci_real *x = random_matrix(n, 5), *y = random_matrix(n, 6);
        uint16_t *half = malloc((size_t)n * sizeof *half);
        foci_bf16_round(1, n, x, n, half, n);
        foci_bf16_widen(1, n, half, n, y, n);
        for (int64_t i = 0; i < n; i++) assert_true(y[i] == rounded(x[i]));
        free(x);
        free(y);
        free(half);
    }
}

/* Packing changes no bit, in either precision. */
static void packing_does_not_change_bits(void **state) {
    (void)state;
    same_bits(packed_product);
}

/* A depth of nothing: C is cleared, or stays. */
static void no_depth(void **state) {
    (void)state;
    foci_real c[6] = {1, 2, 3, 4, 5, 6}, x = 0;
    foci_product p = {.rows = 2, .columns = 2, .a = {&x, 1}, .b = {&x, 2}, .c = c, .ldc = 3, .add = true};
    foci_gemm(&p);
    assert_close(c[4], 5, 0);
    p.add = false;
    foci_gemm(&p);
    for (int i = 0; i < 6; i++) assert_close(c[i], i % 3 == 2 ? i + 1 : 0, 0);
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
    check_product(foci_gemm_parallel, false, true, 4099, 5, 3, false, true);
    check_product(foci_gemm_parallel, true, false, 4099, 3, 2, true, false);
}

static void long_inner_dimension(void **state) {
    (void)state;
    check_all(long_product, 3, 5, 1);
    check_all(long_product, 7, 3, 1025);
    check_all(long_product, 5, 9, 9001);
    check_all(long_product, 300, 2, 2000);
}

/* An element of C depends on its row of A and column of B only: C may be cut anywhere. */
static void cutting_does_not_change_bits(void **state) {
    (void)state;
    enum { M = 61, N = 301, K = 500 };
    foci_real *a = random_matrix(M * K, 1), *b = random_matrix(N * K, 2), *c = random_matrix(M * N, 3),
              *parts = random_matrix(M * N, 3);
    foci_product p = {
        .rows = M, .columns = N, .depth = K, .a = {a, K}, .b = {b, K, true}, .c = c, .ldc = N, .add = true};
    assert_ok(foci_gemm_choose("foci"));
    foci_gemm(&p);
    for (int64_t i = 0; i < M; i += 17)
        for (int64_t j = 0; j < N; j += 45) {
            foci_product q = p;
            q.rows = M - i < 17 ? M - i : 17;
            q.columns = N - j < 45 ? N - j : 45;
            q.a = foci_matrix_from(p.a, i, 0);
            q.b = foci_matrix_from(p.b, 0, j);
            q.c = parts + i * N + j;
            foci_gemm(&q);
        }
    assert_memory_equal(c, parts, M * N * sizeof *c);
    assert_ok(foci_gemm_choose(NULL));
    free(a);
    free(b);
    free(c);
    free(parts);
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
    foci_real *a = random_matrix(M * K, 1), *b = random_matrix(K * N, 2), *c[2] = {random_matrix(2 * M * N, 3), NULL};
    foci_real *partial = random_matrix(foci_gemm_chunks(M, N, K) * M * N, 4);
    c[1] = random_matrix(2 * M * N, 3);
    for (int run = 0; run < 2; run++) {
        foci_set_threads(run ? 3 : 1);
        foci_product p = {
            .rows = M, .columns = N, .depth = K, .a = {a, K}, .b = {b, N}, .c = c[run], .ldc = N, .add = true};
        foci_gemm_parallel(&p);
        p.a = (foci_matrix){a, M, true};
        p.c += M * N;
        foci_gemm_long(&p, partial);
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
    foci_product p = {.rows = M, .columns = N, .depth = K, .a = {a, K}, .b = {b, K, true}, .c = want, .ldc = N};
    foci_gemm(&p);
    foci_set_threads(4);
    FOCI_PARALLEL_FOR
    for (int64_t i = 0; i < REPEATS; i++) {
        foci_product q = p;
        q.c = c + i * M * N;
        foci_gemm(&q);
    }
    foci_set_threads(0);
    for (int64_t i = 0; i < REPEATS; i++) assert_memory_equal(c + i * M * N, want, M * N * sizeof *c);
    free(a);
    free(b);
    free(c);
    free(want);
}

static void providers(void **state) {
    (void)state;
    assert_ok(foci_gemm_choose("foci"));
    assert_string_equal(foci_gemm_provider(), "foci");
    foci_set_threads(3);
    assert_ok(foci_gemm_choose("openblas"));
    assert_non_null(strstr(foci_gemm_provider(), "OpenBLAS"));
    assert_int_equal(foci_threads(), 3);
    assert_int_equal(omp_get_max_threads(), 3); /* not disturbed */
    foci_set_threads(0);
    assert_fails(foci_gemm_choose("mkl"), FOCI_ERR_CONFIG, "FOCI_GEMM: `mkl` is not foci or openblas");
    assert_ok(foci_gemm_choose(NULL));
}

static int with_foci(void **state) {
    (void)state;
    return foci_gemm_choose("foci");
}
static int with_openblas(void **state) {
    (void)state;
    return foci_gemm_choose("openblas");
}

int main(void) {
    const struct CMUnitTest own[] = {cmocka_unit_test(every_instruction_set),
                                     cmocka_unit_test(few_rows_kernel),
                                     cmocka_unit_test(bfloat16),
                                     cmocka_unit_test(rounded_result),
                                     cmocka_unit_test(rounding),
                                     cmocka_unit_test(packing_does_not_change_bits),
                                     cmocka_unit_test(no_depth),
                                     cmocka_unit_test(cutting_does_not_change_bits),
                                     cmocka_unit_test(providers)};
    const struct CMUnitTest both[] = {cmocka_unit_test(one_thread),
                                      cmocka_unit_test(packed_once),
                                      cmocka_unit_test(few_rows),
                                      cmocka_unit_test(all_threads),
                                      cmocka_unit_test(many_rows),
                                      cmocka_unit_test(long_inner_dimension),
                                      cmocka_unit_test(chunks_follow_the_shape),
                                      cmocka_unit_test(threads_do_not_change_bits),
                                      cmocka_unit_test(many_threads_at_once)};
    return cmocka_run_group_tests(own, with_foci, NULL) +
           cmocka_run_group_tests_name("both, foci", both, with_foci, NULL) +
           cmocka_run_group_tests_name("both, OpenBLAS", both, with_openblas, NULL);
}
