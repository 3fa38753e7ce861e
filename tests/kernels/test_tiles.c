/* Products by tiles: their instructions emulated, on any machine, and the real ones beside them where there are some.
 */
#include <math.h>
#include <string.h>

#define FOCI_TILES_EMULATED
#define foci_bf16_tiles emulated_tiles /* the library has another */
#include "kernels/vector_amx.c"
#undef foci_bf16_tiles
extern const foci_bf16_products foci_bf16_tiles;

#include "base/cpu.h"
#include "products.h"

static void emulated(const foci_product *p) { rounded_product(emulated_tiles.gemm, p); }

static void every_shape(void **state) {
    (void)state;
    for (int i = 0; i < SHAPES; i++)
        for (int t = 0; t < 4; t++)
            for (int start = 0; start < 3; start++)
                check_product(emulated, t & 1, t >> 1, shapes[i].m, shapes[i].n, shapes[i].k, start == 1, start == 2);
}

/* A packed B is what gemm makes of it, block for block. */
static void packed_before(void **state) {
    (void)state;
    enum { M = 40, N = 70, K = 801, PAIRS = (K + 31) / 32 * 16, COLUMNS = 96 };
    static foci_real scratch[FOCI_GEMM_DEPTH * FOCI_GEMM_COLUMNS] __attribute__((aligned(64)));
    static foci_real packed[PAIRS * COLUMNS] __attribute__((aligned(64)));
    foci_real *a = random_matrix(M * K, 1), *b = random_matrix(N * K, 2), *c = random_matrix(2 * M * N, 3);
    for (int transposed = 0; transposed < 2; transposed++) {
        foci_product p = {.rows = M,
                          .columns = N,
                          .depth = K,
                          .a = {a, K},
                          .b = {b, transposed ? K : N, transposed},
                          .c = c,
                          .ldc = N};
        emulated_tiles.gemm(&p, scratch);
        emulated_tiles.pack(&p.b, K, N, packed);
        p.packed = packed;
        p.c = c + M * N;
        emulated_tiles.gemm(&p, scratch);
        assert_memory_equal(c, c + M * N, M * N * sizeof *c);
    }
    free(a);
    free(b);
    free(c);
}

static foci_real from_bits(uint32_t bits) {
    foci_real x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

/* Some of them infinite, none, so large that sums overflow, or smaller than the normal ones. */
static void strange_numbers(int64_t n, foci_real *x, uint64_t stream) {
    static const uint32_t strange[] = {0x00000001, 0x807fffff, 0x00800000, 0x7f7fffff, 0xff000000,
                                       0x7f800000, 0xff800000, 0x7fc00000, 0x80000000, 0x20000000};
    for (int64_t i = 0; i < n; i++) {
        const foci_u32x4 u = foci_philox(9, stream, 0, (uint64_t)i);
        if (u.v[0] % 2048 < 10) x[i] = from_bits(strange[u.v[0] % 2048]);
    }
}

/* Of about 2^-63: products, and sums of them, are about the smallest normal number. */
static void small_numbers(int64_t n, foci_real *x, uint64_t stream) {
    for (int64_t i = 0; i < n; i++) {
        const foci_u32x4 u = foci_philox(9, stream, 0, (uint64_t)i);
        x[i] = from_bits((u.v[1] & 0x807fffff) | (u.v[2] % 8 + 60) << 23);
    }
}

static bool same_number(foci_real x, foci_real y) { return (isnan(x) && isnan(y)) || memcmp(&x, &y, sizeof x) == 0; }

/* Bit for bit what the processor does. */
static void as_the_processor(void **state) {
    (void)state;
    if (!foci_isa_supported(FOCI_ISA_AMX)) skip();
    static foci_real scratch[FOCI_GEMM_DEPTH * FOCI_GEMM_COLUMNS] __attribute__((aligned(64)));
    enum { M = 61, N = 77, K = 500 };
    foci_real *a = random_matrix(M * K, 1), *b = random_matrix(K * N, 2), *c = random_matrix(M * N, 3),
              *d = random_matrix(M * N, 3);
    for (int kind = 0; kind < 3; kind++) {
        if (kind > 0) (kind > 1 ? small_numbers : strange_numbers)(M * K, a, 1);
        if (kind > 0) (kind > 1 ? small_numbers : strange_numbers)(K * N, b, 2);
        if (kind > 1) {
            small_numbers(M * N, c, 3);
            for (int64_t i = 0; i < M * N; i++) d[i] = c[i] *= c[i];
        }
        for (int t = 0; t < 4; t++) {
            foci_product p = {.rows = M,
                              .columns = N,
                              .depth = K,
                              .a = {a, t & 1 ? M : K, t & 1},
                              .b = {b, t & 2 ? K : N, t & 2},
                              .c = c,
                              .ldc = N,
                              .add = true};
            foci_bf16_tiles.gemm(&p, scratch);
            p.c = d;
            emulated_tiles.gemm(&p, scratch);
            for (int64_t i = 0; i < M * N; i++) assert_true(same_number(c[i], d[i]));
        }
    }
    free(a);
    free(b);
    free(c);
    free(d);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_shape), cmocka_unit_test(packed_before),
                                       cmocka_unit_test(as_the_processor)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
