/* Losses of pixels between two cells, and their gradients, against plain loops in double: every instruction set, odd
 * numbers of classes and pixels, logits far apart, labels that do not count and labels that are none. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "kernels/kernels.h"
#include "noise.h"

enum { IGNORED = 255 };

typedef struct problem {
    int64_t pixels, classes, filled;
    real *low, *high, *dlow, *dhigh, *scratch;
    real share[FOCI_STRETCH];
    int32_t label[FOCI_STRETCH];
} problem;

static problem make(int64_t pixels, int64_t classes, double scale) {
    problem p = {
        .pixels = pixels, .classes = classes, .filled = (classes + FOCI_STRETCH - 1) / FOCI_STRETCH * FOCI_STRETCH};
    p.low = noisy(1, p.filled), p.high = noisy(2, p.filled);
    p.dlow = noisy(3, p.filled), p.dhigh = noisy(4, p.filled);
    p.scratch = noisy(5, (2 + FOCI_STRETCH) * p.filled);
    for (int64_t k = 0; k < p.filled; k++) {
        p.low[k] = k < classes ? (real)scale * p.low[k] : (real)-1e30;
        p.high[k] = k < classes ? (real)scale * p.high[k] : (real)-1e30;
    }
    for (int64_t i = 0; i < pixels; i++) {
        p.share[i] = (real)(((double)i + 0.5) / (double)pixels);
        p.label[i] = i % 5 == 3 ? IGNORED : (int32_t)(i * 7 % classes);
    }
    return p;
}

static void drop(problem *p) { free(p->low), free(p->high), free(p->dlow), free(p->dhigh), free(p->scratch); }

static foci_stretch stretch_of(const problem *p, bool differentiates) {
    return (foci_stretch){.pixels = p->pixels,
                          .classes = p->classes,
                          .low = p->low,
                          .high = p->high,
                          .share = p->share,
                          .label = p->label,
                          .ignore = IGNORED,
                          .dlow = differentiates ? p->dlow : NULL,
                          .dhigh = differentiates ? p->dhigh : NULL};
}

/* The loss of one pixel; its gradients are added to dlow and dhigh (classes). */
static double plain(const problem *p, int64_t i, double *dlow, double *dhigh) {
    double top = -INFINITY, sum = 0, *x = malloc((size_t)p->classes * sizeof *x);
    const double share = (double)p->share[i];
    assert_non_null(x);
    for (int64_t k = 0; k < p->classes; k++) {
        x[k] = (1 - share) * (double)p->low[k] + share * (double)p->high[k];
        top = fmax(top, x[k]);
    }
    for (int64_t k = 0; k < p->classes; k++) sum += exp(x[k] - top);
    const double loss = log(sum) + top - x[p->label[i]];
    for (int64_t k = 0; k < p->classes; k++) {
        const double d = exp(x[k] - top) / sum - (k == p->label[i]);
        dlow[k] += (1 - share) * d;
        dhigh[k] += share * d;
    }
    free(x);
    return loss;
}

static void check(const foci_kernels *k, int64_t pixels, int64_t classes, double scale) {
    problem p = make(pixels, classes, scale);
    double want = 0, dlow[200], dhigh[200], loss = 1, without = 1;
    for (int64_t c = 0; c < classes; c++) dlow[c] = (double)p.dlow[c], dhigh[c] = (double)p.dhigh[c];
    for (int64_t i = 0; i < pixels; i++) want += p.label[i] == IGNORED ? 0 : plain(&p, i, dlow, dhigh);
    foci_stretch o = stretch_of(&p, false);
    k->stretch_cross_entropy(&o, &without, p.scratch);
    o = stretch_of(&p, true);
    k->stretch_cross_entropy(&o, &loss, p.scratch);
    assert_close(loss, 1 + want, 2e-6 * (1 + scale) * (1 + want));
    assert_true(loss == without);
    for (int64_t c = 0; c < classes; c++) {
        assert_close(p.dlow[c], dlow[c], 3e-6 * (1 + scale));
        assert_close(p.dhigh[c], dhigh[c], 3e-6 * (1 + scale));
    }
    drop(&p);
}

static void for_all(void (*one)(const foci_kernels *k)) {
    for (foci_isa isa = 0; isa < FOCI_ISA_COUNT; isa++)
        if (foci_kernels_of(isa)) one(foci_kernels_of(isa));
}

static void all_sizes(const foci_kernels *k) {
    static const int64_t pixels[] = {1, 3, 8, 15, 16}, classes[] = {1, 2, 11, 16, 17, 32, 150};
    for (size_t i = 0; i < sizeof pixels / sizeof *pixels; i++)
        for (size_t j = 0; j < sizeof classes / sizeof *classes; j++) {
            check(k, pixels[i], classes[j], 1);
            check(k, pixels[i], classes[j], 100); /* most weights are 0 */
        }
}
static void sizes(void **state) {
    (void)state;
    for_all(all_sizes);
}

static void one_cell(const foci_kernels *k) { /* beyond the outermost centre: both cells are one, the share is 0 */
    problem p = make(4, 5, 1);
    double dlow[5], none[5] = {0}, want = 0, loss = 0;
    memcpy(p.high, p.low, (size_t)p.filled * sizeof *p.low);
    memset(p.share, 0, sizeof p.share);
    for (int c = 0; c < 5; c++) dlow[c] = (double)p.dlow[c];
    for (int64_t i = 0; i < 4; i++) want += p.label[i] == IGNORED ? 0 : plain(&p, i, dlow, none);
    foci_stretch o = stretch_of(&p, true);
    o.high = o.low, o.dhigh = o.dlow;
    k->stretch_cross_entropy(&o, &loss, p.scratch);
    assert_close(loss, want, 1e-5);
    for (int c = 0; c < 5; c++) assert_close(p.dlow[c], dlow[c], 1e-5);
    drop(&p);
}
static void cells_that_are_one(void **state) {
    (void)state;
    for_all(one_cell);
}

static void loss_is_nan(const foci_kernels *k, problem p) {
    double loss = 0;
    const foci_stretch o = stretch_of(&p, true);
    k->stretch_cross_entropy(&o, &loss, p.scratch);
    assert_true(isnan(loss));
    drop(&p);
}

static void no_class(const foci_kernels *k) {
    static const int32_t labels[] = {-1, 7, INT32_MAX, INT32_MIN};
    for (int i = 0; i < 4; i++) {
        problem p = make(6, 7, 1);
        p.label[2] = labels[i];
        loss_is_nan(k, p);
    }
}
static void labels_that_are_no_class(void **state) {
    (void)state;
    for_all(no_class);
}

static void not_numbers(const foci_kernels *k) {
    static const real values[] = {(real)NAN, (real)INFINITY};
    for (int i = 0; i < 2; i++) {
        problem p = make(6, 7, 1);
        p.low[3] = values[i];
        loss_is_nan(k, p);
    }
}
static void not_a_number_shows(void **state) {
    (void)state;
    for_all(not_numbers);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(sizes), cmocka_unit_test(cells_that_are_one),
                                       cmocka_unit_test(labels_that_are_no_class),
                                       cmocka_unit_test(not_a_number_shows)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
