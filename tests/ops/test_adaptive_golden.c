/* The adaptive softmax against the golden file: losses, log-probabilities and every gradient, four sets of
 * options. */
#include <math.h>

#include "check.h"
#include "core/graph.h"
#include "core/safetensors.h"

typedef struct variant {
    int64_t rows, embed, model;
    int tails;
    int64_t cutoff[FOCI_MAX_CLUSTERS];
    int divide; /* div_val */
    bool projected;
} variant;
static const variant variants[] = {{40, 24, 24, 3, {15, 40, 70, 100}, 1, false},
                                   {20, 24, 24, 0, {100}, 1, false},
                                   {20, 16, 24, 1, {30, 100}, 1, true},
                                   {30, 24, 24, 2, {15, 40, 100}, 2, true}};

/* Tensor "I.NAME" of the file, whole. */
static foci_real *stored(const foci_safetensors *f, int i, const char *name, int64_t count) {
    char full[128];
    snprintf(full, sizeof full, "%d.%s", i, name);
    const foci_safetensor *t = foci_safetensors_find(f, full);
    if (!t) fail_msg("the golden file has no %s", full);
    assert_int_equal(t->numel, count);
    foci_real *x = malloc((size_t)count * sizeof *x);
    assert_ok(foci_safetensors_reals(f, t, 0, count, x));
    return x;
}

static void compare(const foci_safetensors *f, int i, const char *name, const foci_real *got, int64_t count,
                    double tolerance) {
    foci_real *want = stored(f, i, name, count);
    for (int64_t j = 0; j < count; j++) assert_close(got[j], want[j], tolerance);
    free(want);
}

static foci_tensor *numbered(foci_graph *g, const char *fmt, int i, int ndim, const int64_t *shape) {
    char name[64];
    snprintf(name, sizeof name, fmt, i);
    return foci_parameter(g, name, FOCI_ZEROS, ndim, shape);
}

static foci_adaptive_softmax_options declare(foci_graph *g, const variant *v, const int32_t *targets) {
    foci_adaptive_softmax_options o = {.tails = v->tails, .shared = v->divide == 1};
    int64_t before = 0, width = v->embed;
    o.hidden = foci_parameter(g, "hidden", FOCI_ZEROS, FOCI_SHAPE(1, v->rows, v->model));
    o.targets = foci_constant(g, "targets", FOCI_INT, FOCI_SHAPE(1, v->rows), targets);
    for (int i = 0; i <= v->tails; i++) {
        o.cutoff[i] = v->cutoff[i];
        int64_t words = o.shared ? v->cutoff[v->tails] : v->cutoff[i] - before;
        if (i == 0 || !o.shared) {
            o.weight[i] = numbered(g, "out_layers.%d.weight", i, FOCI_SHAPE(words, width));
            o.bias[i] = numbered(g, "out_layers.%d.bias", i, FOCI_SHAPE(words));
        }
        if (v->projected) o.projection[i] = numbered(g, "out_projs.%d", i, FOCI_SHAPE(v->model, width));
        before = v->cutoff[i];
        width /= v->divide;
    }
    if (v->tails > 0) {
        o.cluster_weight = foci_parameter(g, "cluster_weight", FOCI_ZEROS, FOCI_SHAPE(v->tails, v->embed));
        o.cluster_bias = foci_parameter(g, "cluster_bias", FOCI_ZEROS, FOCI_SHAPE(v->tails));
    }
    return o;
}

static void check_variant(const foci_safetensors *f, int i, bool log_prob) {
    const variant *v = &variants[i];
    int64_t words = v->cutoff[v->tails];
    int32_t targets[64];
    char name[128];
    snprintf(name, sizeof name, "%d.targets", i);
    assert_ok(foci_safetensors_ints(f, foci_safetensors_find(f, name), 0, v->rows, targets));

    foci_parameters p;
    foci_parameters_init(&p);
    foci_graph *g = foci_graph_new(&p, &(foci_graph_options){.differentiate = !log_prob});
    foci_adaptive_softmax_options o = declare(g, v, targets);
    foci_tensor *out = log_prob ? foci_adaptive_log_prob(g, &o) : foci_adaptive_softmax(g, &o);
    foci_keep(out);
    foci_tensor *last = log_prob ? out : foci_average(g, out);
    assert_ok(foci_graph_plan(g, last));
    assert_ok(foci_parameters_allocate(&p, true));
    for (int e = 0; e < p.count; e++) {
        const foci_parameter_entry *entry = &p.entry[e];
        snprintf(name, sizeof name, "%s%s", strcmp(entry->name, "hidden") ? "param." : "", entry->name);
        foci_real *x = stored(f, i, name, entry->numel);
        memcpy(p.value + entry->offset, x, (size_t)entry->numel * sizeof *x);
        free(x);
    }
    void *memory = aligned_alloc(64, foci_graph_bytes(g) + 64);
    foci_graph_bind(g, memory);
    foci_graph_forward(g);
    if (log_prob) {
        compare(f, i, "expected.logprob", foci_data(out), v->rows * words, 1.1e-4);
    } else {
        foci_graph_backward(g, 1);
        compare(f, i, "expected.nll", foci_data(out), v->rows, 8e-5);
        for (int e = 0; e < p.count; e++) {
            snprintf(name, sizeof name, "grad.%s", p.entry[e].name);
            compare(f, i, name, p.grad + p.entry[e].offset, p.entry[e].numel, 2e-5);
        }
    }
    free(memory);
    foci_graph_free(g);
    foci_parameters_free(&p);
}

static void every_variant(void **state) {
    (void)state;
    const char *path = shared_path("golden/adaptive-softmax.safetensors");
    if (!path) return;
    foci_safetensors f;
    assert_ok(foci_safetensors_open(&f, path));
    for (int i = 0; i < 4; i++) {
        check_variant(&f, i, false);
        check_variant(&f, i, true);
    }
    foci_safetensors_close(&f);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_variant)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
