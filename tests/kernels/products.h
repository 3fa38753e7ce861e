/* A product, of any way to make it, against three plain loops. */
#ifndef FOCI_TESTS_KERNELS_PRODUCTS_H
#define FOCI_TESTS_KERNELS_PRODUCTS_H

#include "base/philox.h"
#include "check.h"
#include "kernels/types.h"

static inline foci_real *random_matrix(int64_t n, uint64_t stream) {
    foci_real *x = malloc((size_t)(n > 0 ? n : 1) * sizeof *x);
    assert_non_null(x);
    for (int64_t i = 0; i < n; i++) {
        foci_u32x4 u = foci_philox(7, stream, 0, (uint64_t)i);
        x[i] = (foci_real)foci_normal(u.v[0], u.v[1]);
    }
    return x;
}

static double entry(const foci_matrix *m, int64_t i, int64_t j) {
    return (double)*(const foci_real *)foci_matrix_at(m, i, j).first;
}

static void naive(const foci_product *p) {
    for (int64_t i = 0; i < p->rows; i++)
        for (int64_t j = 0; j < p->columns; j++) {
            double s = (p->bias ? (double)p->bias[j] : 0) + (p->add ? (double)p->c[i * p->ldc + j] : 0);
            for (int64_t t = 0; t < p->depth; t++) s += entry(&p->a, i, t) * entry(&p->b, t, j);
            p->c[i * p->ldc + j] = (foci_real)s;
        }
}

typedef void way_to_multiply(const foci_product *p);

/* Every row of C is two elements longer than what the product writes. */
static void check_product(way_to_multiply *f, bool ta, bool tb, int64_t m, int64_t n, int64_t k, bool add, bool bias) {
    int64_t lda = (ta ? m : k) + 3, ldb = (tb ? k : n) + 1, ldc = n + 2;
    foci_real *a = random_matrix((ta ? k : m) * lda, 1), *b = random_matrix((tb ? n : k) * ldb, 2);
    foci_real *c = random_matrix(m * ldc, 3), *want = random_matrix(m * ldc, 3), *row = random_matrix(n, 5);
    foci_product p = {.rows = m,
                      .columns = n,
                      .depth = k,
                      .a = {a, lda, ta},
                      .b = {b, ldb, tb},
                      .c = c,
                      .ldc = ldc,
                      .add = add,
                      .bias = bias ? row : NULL};
    if (!add)
        for (int64_t i = 0; i < m; i++)
            for (int64_t j = 0; j < n; j++) c[i * ldc + j] = NAN; /* must not be read */
    f(&p);
    p.c = want;
    naive(&p);
    for (int64_t i = 0; i < m * ldc; i++) assert_close(c[i], want[i], 2e-5 * (1 + sqrt((double)k)));
    free(a);
    free(b);
    free(c);
    free(want);
    free(row);
}

static const struct {
    int64_t m, n, k;
} shapes[] = {{1, 1, 1},    {7, 5, 3},     {33, 65, 17},   {1, 100, 129}, {13, 31, 400},
              {25, 257, 5}, {12, 32, 384}, {24, 300, 769}, {5, 3, 2048}};
enum { SHAPES = sizeof shapes / sizeof *shapes };

/* To the nearest number of 8 significant bits, ties to even. */
static inline foci_real rounded(foci_real x) {
    float f = (float)x;
    uint32_t u;
    memcpy(&u, &f, sizeof u);
    u = (u + 0x7fff + (u >> 16 & 1)) & 0xffff0000u;
    memcpy(&f, &u, sizeof f);
    return (foci_real)f;
}

static inline void round_all(const foci_matrix *m, int64_t rows) {
    foci_real *x = (foci_real *)(uintptr_t)m->data;
    for (int64_t i = 0; i < rows * m->ld; i++) x[i] = rounded(x[i]);
}

/* The same numbers, already rounded, in bfloat16, in rows of `ld`. */
static inline foci_matrix halves_of(const foci_matrix *m, int64_t rows, int64_t ld) {
    uint16_t *half = calloc((size_t)(rows * ld), sizeof *half);
    assert_non_null(half);
    for (int64_t i = 0; i < rows; i++)
        for (int64_t j = 0; j < m->ld && j < ld; j++) {
            uint32_t u;
            memcpy(&u, (const foci_real *)m->data + i * m->ld + j, sizeof u);
            half[i * ld + j] = (uint16_t)(u >> 16);
        }
    return (foci_matrix){half, ld, m->transposed, true};
}

/* What is rounded beforehand is not changed by rounding, wherever it lies: the result is that of plain products, summed
 * in float32. */
static inline void rounded_product(void (*multiply)(const foci_product *p, foci_real *scratch), const foci_product *p) {
    static foci_real scratch[FOCI_GEMM_DEPTH * FOCI_GEMM_COLUMNS] __attribute__((aligned(64)));
    const size_t size = (size_t)(p->rows * p->ldc) * sizeof *p->c;
    foci_real *before = malloc(size), *first = malloc(size);
    memcpy(before, p->c, size);
    multiply(p, scratch);
    memcpy(first, p->c, size);
    round_all(&p->a, p->a.transposed ? p->depth : p->rows);
    round_all(&p->b, p->b.transposed ? p->columns : p->depth);
    memcpy(p->c, before, size);
    multiply(p, scratch);
    assert_memory_equal(first, p->c, size);
    for (int odd = 0; odd < 2; odd++) { /* pairs are whole in rows of an even length alone */
        const int64_t rows_a = p->a.transposed ? p->depth : p->rows, rows_b = p->b.transposed ? p->columns : p->depth;
        foci_product q = *p;
        q.a = halves_of(&p->a, rows_a, (p->a.ld - 3) / 2 * 2 + 2 + odd);
        q.b = halves_of(&p->b, rows_b, p->b.ld / 2 * 2 + 2 + odd);
        memcpy(p->c, before, size);
        multiply(&q, scratch);
        assert_memory_equal(first, p->c, size);
        free((void *)(uintptr_t)q.a.data);
        free((void *)(uintptr_t)q.b.data);
    }
    free(before);
    free(first);
}

#endif
