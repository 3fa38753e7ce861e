/* The metric kernel of every instruction set here, against the formula written out in double. */
#include <math.h>

#include "base/philox.h"
#include "check.h"
#include "kernels/bf16.h"
#include "kernels/kernels.h"

enum { WIDEST = 40, LONGEST = 400, ROW = WIDEST + 3 };

static real cur[LONGEST * ROW], prev[LONGEST * ROW], den[LONGEST * ROW], den_prev[LONGEST * ROW];

static void fill(real *x, uint64_t stream) {
    for (int64_t i = 0; i < LONGEST * ROW; i++) {
        foci_u32x4 u = foci_philox(3, stream, 0, (uint64_t)i);
        x[i] = (real)foci_normal(u.v[0], u.v[1]);
    }
}

static int rising(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* One coordinate over tokens 0 .. n-1, before scaling. */
static double reduced(const foci_metric_head *h, int64_t n, int64_t d) {
    double u[LONGEST], sum = 0;
    for (int64_t i = 0; i < n; i++) {
        u[i] = fabs((double)cur[i * ROW + d] - prev[i * ROW + d]);
        u[i] /= h->den.first ? fabs((double)den[i * ROW + d] - den_prev[i * ROW + d]) + h->attenuation : h->delta;
        sum += u[i];
    }
    if (!h->median) return sum / (double)n;
    qsort(u, (size_t)n, sizeof *u, rising);
    return u[(n - 1) / 2];
}

static void oracle(const foci_metric_head *h, int64_t n, double *m) {
    double top = 0, sum = 0;
    for (int64_t d = 0; d < h->width; d++) {
        m[d] = reduced(h, n, d);
        top = fmax(top, m[d]);
        sum += m[d];
    }
    double by = h->scale == FOCI_SCALE_MAX ? top : h->scale == FOCI_SCALE_MEAN ? sum / (double)h->width : 1;
    for (int64_t d = 0; d < h->width; d++) m[d] = by > 0 ? m[d] / by : 1;
}

static void check(foci_metric_head h) {
    static real out[LONGEST * WIDEST];
    size_t elements = (size_t)foci_metric_scratch(h.tokens, h.width, h.median);
    real *scratch = aligned_alloc(64, elements * sizeof *scratch);
    assert_non_null(scratch);
    for (foci_isa isa = 0; isa < FOCI_ISA_COUNT; isa++) {
        const foci_kernels *k = foci_kernels_of(isa);
        if (!k) continue;
        memset(scratch, 0xff, elements * sizeof *scratch);
        h.out = out;
        k->elliptical_metric(&h, scratch);
        for (int64_t n = h.causal ? 1 : h.tokens; n <= h.tokens; n++) {
            double want[WIDEST];
            oracle(&h, n, want);
            const real *got = out + (h.causal ? (n - 1) * h.width : 0);
            for (int64_t d = 0; d < h.width; d++) assert_close(got[d], want[d], 3e-6 * (1 + want[d]));
        }
    }
    free(scratch);
}

static void check_scales(foci_metric_head h) {
    static const int64_t tokens[] = {1, 2, 7, 10, 65, 400}, widths[] = {1, 8, 20, 40};
    fill(cur, 1), fill(prev, 2), fill(den, 3), fill(den_prev, 4);
    h.cur = foci_reals(cur), h.prev = foci_reals(prev), h.den_prev = foci_reals(den_prev);
    h.cur_row = h.prev_row = h.den_row = h.den_prev_row = ROW;
    h.delta = 5, h.attenuation = 0.05;
    for (int n = 0; n < 6; n++)
        for (int d = 0; d < 4; d++)
            for (h.scale = FOCI_SCALE_MAX; h.scale <= FOCI_SCALE_NONE; h.scale++) {
                h.tokens = tokens[n], h.width = widths[d];
                check(h);
            }
}

static void mean(void **state) {
    (void)state;
    check_scales((foci_metric_head){0});
}
static void mean_over_the_change_of_keys(void **state) {
    (void)state;
    check_scales((foci_metric_head){.den = foci_reals(den)});
}
static void causal(void **state) {
    (void)state;
    check_scales((foci_metric_head){.causal = true});
}
static void median(void **state) {
    (void)state;
    check_scales((foci_metric_head){.median = true});
}
static void median_over_the_change_of_keys(void **state) {
    (void)state;
    check_scales((foci_metric_head){.median = true, .den = foci_reals(den)});
}

/* Rows in bfloat16 give the bits of the reals that they are. */
static void rows_in_bf16(void **state) {
    (void)state;
    if (!foci_bf16_supported()) {
        print_message("no AVX512-BF16 here\n");
        skip();
    }
    enum { N = 65, D = 20, ALL = LONGEST * ROW };
    static uint16_t half[4][ALL];
    real *whole[] = {cur, prev, den, den_prev};
    for (int m = 0; m < 4; m++) {
        fill(whole[m], (uint64_t)m + 1);
        foci_bf16_round(1, ALL, whole[m], ALL, half[m], ALL);
        foci_bf16_widen(1, ALL, half[m], ALL, whole[m], ALL);
    }
    for (int i = 0; i < 4; i++) {
        const bool divides = i % 2;
        real want[D], got[D], scratch[(N + 50) * D + 64];
        foci_metric_head h = {.tokens = N,
                              .width = D,
                              .cur = foci_reals(cur),
                              .prev = foci_reals(prev),
                              .den = foci_reals(divides ? den : NULL),
                              .den_prev = foci_reals(den_prev),
                              .cur_row = ROW,
                              .prev_row = ROW,
                              .den_row = ROW,
                              .den_prev_row = ROW,
                              .delta = 1,
                              .attenuation = 0.1,
                              .median = i > 1,
                              .out = want};
        foci_kernel()->elliptical_metric(&h, scratch);
        h.cur = (foci_numbers){half[0], true}, h.prev = (foci_numbers){half[1], true};
        if (divides) h.den = (foci_numbers){half[2], true}, h.den_prev = (foci_numbers){half[3], true};
        h.out = got;
        foci_kernel()->elliptical_metric(&h, scratch);
        assert_memory_equal(got, want, sizeof want);
    }
}

/* Ties, zeros, infinities: the median is one of the values, the lower of two. */
static void median_of_odd_values(void **state) {
    (void)state;
    static const struct {
        int n;
        double u[6], median;
    } rows[] = {{4, {1, 2, 3, 4}, 2},
                {3, {3, 1, 2}, 2},
                {5, {0, 0, 0, 7, 9}, 0},
                {6, {5, 5, 5, 1, 5, 5}, 5},
                {3, {1, INFINITY, INFINITY}, INFINITY},
                {1, {0}, 0},
                {2, {1e-30, 1e30}, 1e-30}};
    for (size_t r = 0; r < sizeof rows / sizeof *rows; r++)
        for (foci_isa isa = 0; isa < FOCI_ISA_COUNT; isa++) {
            if (!foci_kernels_of(isa)) continue;
            real u[6], zero[6] = {0}, out[1], scratch[128];
            for (int i = 0; i < rows[r].n; i++) u[i] = (real)(i % 2 ? -rows[r].u[i] : rows[r].u[i]);
            foci_metric_head h = {.tokens = rows[r].n,
                                  .width = 1,
                                  .cur = foci_reals(u),
                                  .prev = foci_reals(zero),
                                  .cur_row = 1,
                                  .prev_row = 1,
                                  .delta = 1,
                                  .scale = FOCI_SCALE_NONE,
                                  .median = true,
                                  .out = out};
            foci_kernels_of(isa)->elliptical_metric(&h, scratch);
            assert_true(out[0] == (real)rows[r].median);
        }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(mean),
        cmocka_unit_test(mean_over_the_change_of_keys),
        cmocka_unit_test(causal),
        cmocka_unit_test(median),
        cmocka_unit_test(median_over_the_change_of_keys),
        cmocka_unit_test(rows_in_bf16),
        cmocka_unit_test(median_of_odd_values),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
