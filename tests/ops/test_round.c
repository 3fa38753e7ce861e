/* What flows between products lies in bfloat16: two blocks as they are planned, beside the same blocks whose every
 * result is kept, and so stays in float32. */
#include <math.h>

#include "check.h"
#include "core/graph.h"
#include "kernels/bf16.h"

#define RANDOM(name, ...) foci_parameter(g, name, FOCI_NORMAL(0, 0.3), FOCI_SHAPE(__VA_ARGS__))

enum { B = 2, N = 70, C = 64, MOST = 64 };

typedef struct kind {
    const char *what;
    int heads; /* 0: products without attention between them, whose bits are those of float32 */
    bool metric, apart, recompute, narrow;
    int rounded; /* results in bfloat16 */
} kind;

/* Of a block: two norms, the projection to queries, keys and values, and attention. */
static const kind kinds[] = {{"products", .rounded = 2 * 3},
                             {"attention, 32 wide", 2, .rounded = 2 * 4},
                             {"attention, 16 wide", 4, .rounded = 2 * 4},
                             {"elliptical", 2, .metric = true, .rounded = 2 * 4},
                             {"elliptical, blocks run again", 2, .metric = true, .recompute = true, .rounded = 2 * 4},
                             {"the norm is read twice", 2, .apart = true, .rounded = 2 * 3},
                             {"one row is read", 2, .metric = true, .narrow = true, .rounded = 4 + 3}};

static const kind *now;
static bool kept;
static foci_tensor *result[MOST];
static int results;

static foci_tensor *watched(foci_tensor *t) {
    if (kept) foci_keep(t);
    return result[results++] = t;
}

static foci_tensor *affine(foci_graph *g, const char *name, foci_tensor *x, int64_t out) {
    foci_scope(g, "%s", name);
    foci_tensor *y = foci_linear(g, x, RANDOM("weight", out, foci_last_dim(x)), RANDOM("bias", out));
    foci_end_scope(g);
    return watched(y);
}

static foci_tensor *attention(foci_graph *g, foci_tensor *x, foci_tensor **before) {
    if (!now->heads) return affine(g, "between", x, 2 * C);
    foci_tensor *y = affine(g, "qkv", x, 3 * C);
    foci_tensor *q =
        now->apart ? foci_heads(g, affine(g, "q", x, C), 1, 0, now->heads) : foci_heads(g, y, 3, 0, now->heads);
    foci_tensor *k = foci_heads(g, y, 3, 1, now->heads), *v = foci_heads(g, y, 3, 2, now->heads);
    const foci_elliptical_metric_options m = {.num = v, .num_before = *before ? *before : k, .delta = 1};
    foci_sdpa_options o = {.scale = 0.2, .dropout = 0.2};
    if (now->metric) o.metric = foci_elliptical_metric(g, &m);
    *before = v;
    return watched(foci_scaled_dot_product_attention(g, q, k, v, &o));
}

static foci_tensor *block(foci_graph *g, foci_tensor *x, foci_tensor **before) {
    foci_tensor *y = watched(foci_layer_norm(g, x, RANDOM("norm1", C), RANDOM("bias1", C), 1e-6));
    x = foci_add(g, x, foci_dropout(g, affine(g, "proj", attention(g, y, before), C), 0.1));
    y = watched(foci_layer_norm(g, x, RANDOM("norm2", C), NULL, 1e-6));
    return foci_add(g, x,
                    foci_mlp(g, y, RANDOM("fc1", 2 * C, C), RANDOM("b1", 2 * C), RANDOM("fc2", C, 2 * C),
                             RANDOM("b2", C), FOCI_GELU, 0.1));
}

static foci_tensor *record(foci_graph *g) {
    foci_tensor *x = RANDOM("x", B, N, C), *before = NULL;
    for (int i = 0; i < 2; i++) {
        foci_segment(g, "blocks.%d", i);
        x = block(g, x, &before);
        foci_end_scope(g);
    }
    return now->narrow ? foci_narrow(g, x, 3, 1) : x;
}

typedef struct pass {
    foci_real *y, *gradient;
    int64_t outputs, parameters;
    int rounded;
    size_t bytes;
} pass;

static pass run(bool bf16, bool keep, int threads) {
    pass r = {.rounded = 0};
    foci_parameters p;
    foci_parameters_init(&p);
    kept = keep;
    results = 0;
    foci_set_threads(threads);
    foci_graph *g = foci_graph_new(
        &p, &(foci_graph_options){
                .train = true, .differentiate = true, .recompute = now->recompute, .bf16 = bf16, .seed = 5});
    foci_tensor *out = record(g);
    assert_ok(foci_graph_plan(g, out));
    for (int i = 0; i < results; i++) r.rounded += result[i]->dtype == FOCI_BF16;
    assert_ok(foci_parameters_allocate(&p, true));
    foci_parameters_initialise(&p, 1);
    void *memory = aligned_alloc(64, foci_graph_bytes(g) + 64);
    memset(memory, 0xff, foci_graph_bytes(g)); /* NaN: whoever reads what was not written is found out */
    foci_graph_bind(g, memory);
    foci_graph_forward(g);
    r.outputs = foci_numel(out), r.parameters = p.size, r.bytes = foci_graph_bytes(g);
    r.y = malloc((size_t)r.outputs * sizeof *r.y), r.gradient = malloc((size_t)p.size * sizeof *r.gradient);
    memcpy(r.y, foci_data(out), (size_t)r.outputs * sizeof *r.y);
    for (int64_t i = 0; i < r.outputs; i++) foci_grad(out)[i] = (foci_real)sin((double)i);
    foci_graph_backward_from_output(g);
    memcpy(r.gradient, p.grad, (size_t)p.size * sizeof *r.gradient);
    free(memory);
    foci_graph_free(g);
    foci_parameters_free(&p);
    foci_set_threads(0);
    return r;
}

static void forget(pass r) {
    free(r.y);
    free(r.gradient);
}

/* The difference beside the whole, in the Euclidean norm. */
static double apart(int64_t n, const foci_real *a, const foci_real *b) {
    double difference = 0, whole = 0;
    for (int64_t i = 0; i < n; i++) {
        difference += pow((double)a[i] - (double)b[i], 2);
        whole += pow((double)a[i], 2);
    }
    return sqrt(difference / whole);
}

static void the_same_numbers_in_less_memory(void **state) {
    (void)state;
    if (!foci_bf16_supported()) skip();
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        now = &kinds[i];
        const pass exact = run(false, false, 2), real = run(true, true, 2), half = run(true, false, 2),
                   one = run(true, false, 1);
        if (half.rounded != now->rounded) fail_msg("%s: %d results are rounded", now->what, half.rounded);
        assert_int_equal(real.rounded, 0);
        assert_true(half.bytes < real.bytes);
        assert_true(apart(real.outputs, real.y, half.y) < (now->heads ? 4e-3 : 1e-30));
        assert_true(apart(real.parameters, real.gradient, half.gradient) < 2e-2);
        /* hardly further from float32 than products are by themselves */
        assert_true(apart(exact.outputs, exact.y, half.y) < 1.15 * apart(exact.outputs, exact.y, real.y));
        assert_true(apart(exact.parameters, exact.gradient, half.gradient) <
                    1.3 * apart(exact.parameters, exact.gradient, real.gradient));
        assert_memory_equal(half.y, one.y, (size_t)half.outputs * sizeof *half.y);
        assert_memory_equal(half.gradient, one.gradient, (size_t)half.parameters * sizeof *half.gradient);
        forget(exact);
        forget(real);
        forget(half);
        forget(one);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(the_same_numbers_in_less_memory)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
