/* Rows that nobody reads are not computed, and nothing else changes: blocks of operations whose rows are made apart,
 * read in part, beside the same blocks whose last result is kept, so that all of it is computed. */
#include <math.h>

#include "check.h"
#include "core/graph.h"

#define RANDOM(name, ...) foci_parameter(g, name, FOCI_NORMAL(0, 1), FOCI_SHAPE(__VA_ARGS__))

enum { B = 3, N = 9, C = 8, HEADS = 2 };

typedef struct reading {
    const char *what;
    int64_t first, count;
    bool twice;  /* and the same rows from the next on */
    bool causal; /* each position has a metric of its own */
    bool apart;  /* queries have a projection of their own */
    bool all;    /* everything is computed all the same */
} reading;

static const reading readings[] = {{"the first", 0, 1},
                                   {"the last, causal", N - 1, 1, .causal = true},
                                   {"the last, causal, queries apart", N - 1, 1, .causal = true, .apart = true},
                                   {"three from the middle, queries apart", 3, 3, .apart = true},
                                   {"two ranges that overlap", 2, 2, .twice = true},
                                   {"not the last, causal: but for attention", 4, 1, .causal = true},
                                   {"most", 0, 5, .all = true}};

static const reading *now;
static bool whole;

static foci_tensor *affine(foci_graph *g, const char *name, foci_tensor *x, int64_t out) {
    foci_scope(g, "%s", name);
    foci_tensor *y = foci_linear(g, x, RANDOM("weight", out, C), RANDOM("bias", out));
    foci_end_scope(g);
    return y;
}

static foci_tensor *attention(foci_graph *g, foci_tensor *x) {
    foci_tensor *y = affine(g, "together", x, 3 * C);
    foci_tensor *q = now->apart ? foci_heads(g, affine(g, "q", x, C), 1, 0, HEADS) : foci_heads(g, y, 3, 0, HEADS);
    foci_tensor *k = foci_heads(g, y, 3, 1, HEADS), *v = foci_heads(g, y, 3, 2, HEADS);
    const foci_elliptical_metric_options metric = {.num = v, .num_before = k, .delta = 1, .causal = now->causal};
    const foci_sdpa_options o = {
        .scale = 0.4, .dropout = 0.3, .causal = now->causal, .metric = foci_elliptical_metric(g, &metric)};
    return foci_scaled_dot_product_attention(g, q, k, v, &o);
}

static foci_tensor *block(foci_graph *g, foci_tensor *x) {
    foci_tensor *y = foci_layer_norm(g, x, RANDOM("norm1", C), NULL, 1e-6);
    y = foci_dropout(g, affine(g, "proj", attention(g, y), C), 0.4);
    x = foci_add(g, x, foci_drop_path(g, y, 0.3));
    y = foci_rms_norm(g, x, RANDOM("norm2", C), 1e-6, 1);
    y = foci_mlp(g, y, RANDOM("fc1", 2 * C, C), RANDOM("b1", 2 * C), RANDOM("fc2", C, 2 * C), RANDOM("b2", C),
                 FOCI_GELU, 0.3);
    return foci_add(g, x, y);
}

static foci_tensor *read_in_part(foci_graph *g) {
    foci_tensor *x = RANDOM("x", B, N, C);
    for (int i = 0; i < 2; i++) {
        foci_segment(g, "blocks.%d", i);
        x = block(g, x);
        foci_end_scope(g);
    }
    if (whole) foci_keep(x);
    foci_tensor *y = foci_narrow(g, x, now->first, now->count);
    return now->twice ? foci_add(g, y, foci_narrow(g, x, now->first + 1, now->count)) : y;
}

/* Output and gradients of one pass, and what it costs. */
typedef struct pass {
    double y[B * N * C], *gradient;
    int64_t outputs, parameters;
    double flop;
    size_t bytes;
} pass;

static pass run(bool all, bool recompute) {
    pass r;
    foci_parameters p;
    foci_parameters_init(&p);
    whole = all;
    foci_graph *g = foci_graph_new(
        &p, &(foci_graph_options){.train = true, .differentiate = true, .recompute = recompute, .seed = 5});
    foci_tensor *out = read_in_part(g);
    assert_ok(foci_graph_plan(g, out));
    assert_ok(foci_parameters_allocate(&p, true));
    foci_parameters_initialise(&p, 1);
    void *memory = aligned_alloc(64, foci_graph_bytes(g) + 64);
    memset(memory, 0xff, foci_graph_bytes(g)); /* NaN: whoever reads what was not written is found out */
    foci_graph_bind(g, memory);
    foci_graph_set_step(g, 3, 6);
    foci_graph_forward(g);
    r.outputs = foci_numel(out), r.parameters = p.size, r.bytes = foci_graph_bytes(g);
    r.flop = foci_graph_cost(g).forward + foci_graph_cost(g).backward;
    memcpy(r.y, foci_data(out), (size_t)r.outputs * sizeof *r.y);
    for (int64_t i = 0; i < r.outputs; i++) foci_grad(out)[i] = sin((double)i);
    foci_graph_backward_from_output(g);
    r.gradient = malloc((size_t)p.size * sizeof *r.gradient);
    memcpy(r.gradient, p.grad, (size_t)p.size * sizeof *r.gradient);
    free(memory);
    foci_graph_free(g);
    foci_parameters_free(&p);
    return r;
}

static void alike(int64_t n, const double *a, const double *b) {
    for (int64_t i = 0; i < n; i++)
        if (!(fabs(a[i] - b[i]) <= 1e-12 * fmax(1, fabs(a[i]))))
            fail_msg("%s: number %d is %.17g, not %.17g", now->what, (int)i, b[i], a[i]);
}

static void the_same_numbers_for_less(void **state) {
    (void)state;
    for (int i = 0; i < 2 * (int)(sizeof readings / sizeof *readings); i++) {
        now = &readings[i / 2];
        pass all = run(true, i % 2), some = run(false, i % 2);
        assert_int_equal(all.outputs, some.outputs);
        alike(all.outputs, all.y, some.y);
        alike(all.parameters, all.gradient, some.gradient);
        if (now->all) assert_true(some.flop == all.flop);
        else assert_true(some.flop < 0.8 * all.flop);
        assert_true(some.bytes <= all.bytes);
        free(all.gradient);
        free(some.gradient);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(the_same_numbers_for_less)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
