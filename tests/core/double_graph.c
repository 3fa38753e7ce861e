/* The plan, tested by what it must never change: gradients. Random graphs of tiny operations (sharing add, products,
 * views that cover their tensor or do not, tensors used many times) against central differences; half of them in
 * segments that compute their results twice. */
#include "gradients.h"

static int64_t numel(const foci_node *n) { return foci_numel(n->output); }

static void put(const foci_node *n, int k, int64_t i, double d) {
    double *dx = foci_grad(n->input[k]);
    if (dx) dx[i] = n->accumulate[k] ? dx[i] + d : d;
}

static void add_forward(const foci_node *n) {
    for (int64_t i = 0; i < numel(n); i++)
        foci_data(n->output)[i] = foci_data(n->input[0])[i] + foci_data(n->input[1])[i];
}
static void add_backward(const foci_node *n) {
    for (int k = 0; k < 2; k++)
        for (int64_t i = 0; i < numel(n) && n->input[k]->host_grad != n->output->host_grad; i++)
            put(n, k, i, foci_grad(n->output)[i]);
}
static const foci_op op_add = {
    .name = "add", .forward = add_forward, .backward = add_backward, .passes_gradient = true};

static void product_forward(const foci_node *n) {
    for (int64_t i = 0; i < numel(n); i++)
        foci_data(n->output)[i] = foci_data(n->input[0])[i] * foci_data(n->input[1])[i];
}
static void product_backward(const foci_node *n) {
    for (int k = 0; k < 2; k++)
        for (int64_t i = 0; i < numel(n); i++) put(n, k, i, foci_grad(n->output)[i] * foci_data(n->input[1 - k])[i]);
}
static const foci_op op_product = {.name = "product",
                                   .forward = product_forward,
                                   .backward = product_backward,
                                   .reads = FOCI_READS_INPUT(0) | FOCI_READS_INPUT(1)};

/* tanh through a saved copy and a workspace, to exercise both; an output that nobody should read is none */
static void tanh_forward(const foci_node *n) {
    double *scratch = n->workspace;
    for (int64_t i = 0; i < numel(n); i++) scratch[i] = tanh(foci_data(n->input[0])[i]);
    for (int64_t i = 0; i < numel(n); i++) foci_data(n->saved[0])[i] = scratch[i];
    for (int64_t i = 0; i < numel(n); i++) foci_data(n->output)[i] = n->spared ? NAN : scratch[i];
}
static void tanh_backward(const foci_node *n) {
    for (int64_t i = 0; i < numel(n); i++) {
        double y = foci_data(n->saved[0])[i];
        put(n, 0, i, foci_grad(n->output)[i] * (1 - y * y));
    }
}
static const foci_op op_tanh = {.name = "tanh", .forward = tanh_forward, .backward = tanh_backward};

static foci_tensor *record(foci_graph *g, const foci_op *op, foci_tensor *a, foci_tensor *b) {
    foci_node *n = foci_record(g, op, b ? 2 : 1, (foci_tensor *[]){a, b}, NULL, 0);
    if (op == &op_tanh) {
        foci_save(n, FOCI_REAL, foci_numel(a));
        foci_workspace(n, (size_t)foci_numel(a) * sizeof(double), 0);
    }
    return foci_emit(n, FOCI_REAL, a->ndim, a->shape);
}

static uint64_t graph_seed;

static foci_tensor *random_graph(foci_graph *g) {
    foci_rng r = foci_rng_make(graph_seed, 5, 0);
    foci_tensor *pool[40];
    int n = 0;
    for (int i = 0; i < 2; i++) {
        char name[8];
        snprintf(name, sizeof name, "p%d", i);
        pool[n++] = foci_parameter(g, name, FOCI_NORMAL(0, 0.7), FOCI_SHAPE(6));
    }
    int count = 4 + (int)foci_rng_below(&r, 16);
    for (int i = 0; i < count; i++) {
        if (graph_seed % 2 && i % 4 == 0) {
            if (i) foci_end_scope(g);
            foci_segment(g, "segment%d", i / 4);
        }
        foci_tensor *a = pool[foci_rng_below(&r, (uint32_t)n)], *b = pool[foci_rng_below(&r, (uint32_t)n)];
        switch (foci_rng_below(&r, 6)) {
        case 0:
        case 1: pool[n] = record(g, &op_add, a, b); break;
        case 2: pool[n] = record(g, &op_product, record(g, &op_tanh, a, NULL), b); break;
        case 3: pool[n] = record(g, &op_add, pool[n - 1], record(g, &op_tanh, pool[n - 1], NULL)); break; /* residual */
        case 4: { /* two halves that cover a result, read as one product and put together by adding twice */
            foci_tensor *t = record(g, &op_tanh, a, NULL);
            foci_tensor *low = foci_view(t, 0, 1, (int64_t[]){3}, (int64_t[]){1});
            foci_tensor *high = foci_view(t, 3, 1, (int64_t[]){3}, (int64_t[]){1});
            foci_tensor *half = record(g, &op_product, low, high);
            foci_tensor *wide = record(g, &op_tanh, b, NULL);
            foci_tensor *part = foci_view(wide, 2, 1, (int64_t[]){3}, (int64_t[]){1}); /* covers only a part */
            foci_tensor *sum = record(g, &op_add, half, part);
            foci_tensor *out = record(g, &op_product, sum, half);
            foci_tensor *base = record(g, &op_tanh, pool[n - 1], NULL);
            /* scatter back: product of a view of `base` with out, so that base has a part that nobody reads */
            foci_tensor *view = foci_view(base, 1, 1, (int64_t[]){3}, (int64_t[]){1});
            foci_tensor *last = record(g, &op_product, view, out);
            (void)last;
            pool[n] = record(g, &op_add, base, base);
            break;
        }
        default: pool[n] = record(g, &op_add, record(g, &op_tanh, a, NULL), record(g, &op_product, a, b)); break;
        }
        n++;
    }
    if (graph_seed % 2) foci_end_scope(g);
    foci_tensor *out = pool[2];
    for (int i = 3; i < n; i++)
        out = record(g, &op_add, foci_rng_below(&r, 2) ? out : pool[i], foci_rng_below(&r, 2) ? pool[i] : out);
    return record(g, &op_add, out, pool[n - 1]);
}

static void random_graphs(void **state) {
    (void)state;
    for (graph_seed = 0; graph_seed < 400; graph_seed++) {
        double worst = gradient_error(random_graph, graph_seed);
        if (!(worst <= 1e-6)) fail_msg("graph %d: gradient is off by %.3g", (int)graph_seed, worst);
    }
}

/* Gradients of random_graph: (numel) per graph, over all parameters. */
static double *gradients_of(bool recompute, int64_t *numel, int *again) {
    foci_parameters p;
    foci_parameters_init(&p);
    foci_graph *g =
        foci_graph_new(&p, &(foci_graph_options){.train = true, .differentiate = true, .recompute = recompute});
    assert_ok(foci_graph_plan(g, random_graph(g)));
    assert_ok(foci_parameters_allocate(&p, true));
    foci_parameters_initialise(&p, 1);
    void *memory = aligned_alloc(64, foci_graph_bytes(g) + 64);
    foci_graph_bind(g, memory);
    foci_graph_forward(g);
    foci_graph_backward(g, 1);
    for (int i = 0; i < foci_graph_calls(g); i++) *again += foci_graph_call(g, i)->pass == FOCI_AGAIN;
    *numel = p.size;
    double *grad = malloc((size_t)p.size * sizeof *grad);
    memcpy(grad, p.grad, (size_t)p.size * sizeof *grad);
    free(memory);
    foci_graph_free(g);
    foci_parameters_free(&p);
    return grad;
}

static void the_same_bits_twice(void **state) {
    (void)state;
    int never = 0, again = 0;
    for (graph_seed = 1; graph_seed < 400; graph_seed += 2) {
        int64_t kept, made;
        double *a = gradients_of(false, &kept, &never), *b = gradients_of(true, &made, &again);
        assert_int_equal(kept, made);
        assert_memory_equal(a, b, (size_t)kept * sizeof *a);
        free(a);
        free(b);
    }
    assert_int_equal(never, 0);
    assert_true(again > 400);
}

/* Views of a result: heads read through views only, covering it or leaving a gap. */
static foci_tensor *view_graph(foci_graph *g, bool cover) {
    foci_tensor *x = foci_parameter(g, "x", FOCI_NORMAL(0, 1), FOCI_SHAPE(9));
    foci_tensor *t = record(g, &op_tanh, x, NULL);
    foci_tensor *v[3];
    for (int i = 0; i < 3; i++) v[i] = foci_view(t, i, 1, (int64_t[]){3}, (int64_t[]){3});
    foci_tensor *a = foci_view(t, 0, 1, (int64_t[]){3}, (int64_t[]){1});
    foci_tensor *b = foci_view(t, 3, 1, (int64_t[]){3}, (int64_t[]){1});
    foci_tensor *c = foci_view(t, 6, 1, (int64_t[]){3}, (int64_t[]){1});
    (void)v;
    foci_tensor *y = record(g, &op_product, a, b);
    y = record(g, &op_add, y, record(g, &op_tanh, a, NULL));
    return cover ? record(g, &op_product, y, c) : y;
}
static foci_tensor *covered(foci_graph *g) { return view_graph(g, true); }
static foci_tensor *gap(foci_graph *g) { return view_graph(g, false); }

static void views(void **state) {
    (void)state;
    assert_true(gradient_error(covered, 1) <= 1e-8);
    assert_true(gradient_error(gap, 1) <= 1e-8);
}

static void errors_stick(void **state) {
    (void)state;
    foci_parameters p;
    foci_parameters_init(&p);
    foci_graph *g = foci_graph_new(&p, &(foci_graph_options){.differentiate = true, .place = "x.yaml:3:1"});
    foci_scope(g, "blocks.%d", 3);
    foci_scope(g, "attn");
    assert_null(foci_graph_fail(g, "widths %d and %d differ", 3, 4));
    foci_end_scope(g);
    assert_null(foci_graph_fail(g, "another"));
    assert_null(foci_parameter(g, "w", FOCI_ZEROS, FOCI_SHAPE(3)));
    assert_fails(foci_graph_plan(g, NULL), FOCI_ERR_CONFIG,
                 "blocks.3.attn: widths 3 and 4 differ (model at x.yaml:3:1)");
    foci_graph_free(g);
    foci_parameters_free(&p);
}

static void missing_gradient_is_refused(void **state) {
    (void)state;
    static const foci_op blind = {.name = "argmax", .forward = tanh_forward};
    foci_parameters p;
    foci_parameters_init(&p);
    foci_graph *g = foci_graph_new(&p, &(foci_graph_options){.differentiate = true});
    foci_scope(g, "head");
    foci_tensor *x = foci_parameter(g, "x", FOCI_ZEROS, FOCI_SHAPE(2));
    foci_node *n = foci_record(g, &blind, 1, &x, NULL, 0);
    assert_null(foci_emit(n, FOCI_REAL, FOCI_SHAPE(2)));
    assert_fails(foci_graph_plan(g, x), FOCI_ERR_CONFIG,
                 "head: argmax has no gradient, but its input head.x(2) needs one");
    foci_graph_free(g);
    foci_parameters_free(&p);
}

static void too_many_saved_are_refused(void **state) {
    (void)state;
    foci_parameters p;
    foci_parameters_init(&p);
    foci_graph *g = foci_graph_new(&p, &(foci_graph_options){.differentiate = true});
    foci_tensor *x = foci_parameter(g, "x", FOCI_ZEROS, FOCI_SHAPE(2));
    foci_node *n = foci_record(g, &op_tanh, 1, &x, NULL, 0);
    for (int i = 0; i < FOCI_MAX_SAVED; i++) foci_save(n, FOCI_REAL, 2);
    assert_true(foci_graph_ok(g));
    foci_save(n, FOCI_REAL, 2);
    assert_int_equal(n->saves, FOCI_MAX_SAVED);
    assert_null(foci_emit(n, FOCI_REAL, FOCI_SHAPE(2)));
    assert_fails(foci_graph_plan(g, x), FOCI_ERR_CONFIG, "tanh saves more than 4 tensors");
    foci_graph_free(g);
    foci_parameters_free(&p);
}

static foci_tensor *chain(foci_graph *g) {
    foci_tensor *x = foci_parameter(g, "x", FOCI_NORMAL(0, 1), FOCI_SHAPE(1000));
    for (int i = 0; i < 20; i++) {
        if (i % 5 == 0) foci_segment(g, "segment%d", i / 5);
        x = record(g, &op_add, x, record(g, &op_tanh, x, NULL));
        if (i % 5 == 4) foci_end_scope(g);
    }
    return x;
}

static void memory_is_shared(void **state) {
    (void)state;
    foci_parameters p;
    foci_parameters_init(&p);
    size_t bytes[3];
    for (int i = 0; i < 3; i++) {
        foci_graph *g = foci_graph_new(&p, &(foci_graph_options){.differentiate = i > 0, .recompute = i > 1});
        assert_ok(foci_graph_plan(g, chain(g)));
        bytes[i] = foci_graph_bytes(g);
        assert_true(foci_graph_bytes(g) < foci_graph_bytes_unshared(g));
        foci_graph_free(g);
    }
    assert_true(bytes[0] <= 4 * 8064);           /* evaluation: a few tensors whatever the depth */
    assert_true(bytes[1] <= (20 + 6) * 8064);    /* training: what tanh saved, and little more */
    assert_true(bytes[2] <= (4 + 5 + 6) * 8064); /* what leaves the segments, and what tanh saved in one of them */
    foci_parameters_free(&p);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_graphs),
        cmocka_unit_test(the_same_bits_twice),
        cmocka_unit_test(views),
        cmocka_unit_test(errors_stick),
        cmocka_unit_test(missing_gradient_is_refused),
        cmocka_unit_test(too_many_saved_are_refused),
        cmocka_unit_test(memory_is_shared),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
