/* The gradient check: every parameter of a small graph against central differences, in double.
 * The scalar is sum(out * dout) with a fixed random dout. */
#ifndef FOCI_TESTS_GRADIENTS_H
#define FOCI_TESTS_GRADIENTS_H

#include <math.h>

#include "base/philox.h"
#include "check.h"
#include "core/graph.h"

#ifndef FOCI_DOUBLE
#error "gradient checks need the library that computes in double: name the test double_*.c"
#endif

static double weighted_sum(foci_graph *g, const foci_tensor *out, const double *dout) {
    foci_graph_forward(g);
    double sum = 0;
    for (int64_t i = 0; i < foci_numel(out); i++) sum += out->host_data ? foci_data(out)[i] * dout[i] : 0;
    return sum;
}

/* Segments compute their results twice. Largest relative difference over all parameters: |numeric - backward| / max(1,
 * |numeric|, |backward|). */
static double gradient_error(foci_tensor *(*build)(foci_graph *g), uint64_t seed) {
    foci_parameters p;
    foci_parameters_init(&p);
    foci_graph *g = foci_graph_new(
        &p, &(foci_graph_options){.train = true, .differentiate = true, .recompute = true, .seed = seed});
    assert_non_null(g);
    foci_tensor *out = build(g);
    assert_ok(foci_graph_plan(g, out));
    assert_ok(foci_parameters_allocate(&p, true));
    foci_parameters_initialise(&p, seed);
    void *memory = aligned_alloc(64, foci_graph_bytes(g) + 64);
    assert_non_null(memory);
    memset(memory, 0xff, foci_graph_bytes(g)); /* NaN: whoever reads before writing is found out */
    foci_graph_bind(g, memory);
    foci_graph_set_step(g, 3, 0);

    int64_t n = foci_numel(out);
    double *dout = malloc((size_t)n * sizeof *dout);
    for (int64_t i = 0; i < n; i++) {
        foci_u32x4 u = foci_philox(seed, 77, 0, (uint64_t)i);
        dout[i] = foci_normal(u.v[0], u.v[1]);
    }
    foci_graph_forward(g);
    memcpy(foci_grad(out), dout, (size_t)n * sizeof *dout);
    foci_graph_backward_from_output(g);

    double worst = 0;
    const double h = 1e-5;
    for (int e = 0; e < p.count; e++)
        for (int64_t i = p.entry[e].offset; i < p.entry[e].offset + p.entry[e].numel; i++) {
            double x = p.value[i], f[4];
            const double at[4] = {-2 * h, -h, h, 2 * h};
            for (int k = 0; k < 4; k++) {
                p.value[i] = x + at[k];
                f[k] = weighted_sum(g, out, dout);
            }
            p.value[i] = x;
            double numeric = (f[0] - 8 * f[1] + 8 * f[2] - f[3]) / (12 * h); /* error O(h^4) */
            double difference = fabs(numeric - p.grad[i]) / fmax(1, fmax(fabs(numeric), fabs(p.grad[i])));
            if (!(difference <= worst)) worst = difference; /* NaN counts as worst */
        }
    free(dout);
    free(memory);
    foci_graph_free(g);
    foci_parameters_free(&p);
    return worst;
}

#endif
