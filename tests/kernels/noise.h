/* Normal numbers, the same in every run. */
#ifndef FOCI_TESTS_NOISE_H
#define FOCI_TESTS_NOISE_H

#include "base/philox.h"
#include "check.h"

static real noise(uint64_t stream, int64_t i) {
    foci_u32x4 u = foci_philox(5, stream, 0, (uint64_t)i);
    return (real)foci_normal(u.v[0], u.v[1]);
}

/* From malloc. */
static real *noisy(uint64_t stream, int64_t n) {
    real *x = malloc((size_t)n * sizeof *x);
    assert_non_null(x);
    for (int64_t i = 0; i < n; i++) x[i] = noise(stream, i);
    return x;
}

#endif
