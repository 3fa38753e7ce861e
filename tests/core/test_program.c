/* Programs: what is fed and fetched by name, what they share, what is refused, and that a run allocates nothing. */
#include "check.h"

#include "core/program.h"

/* ------------------------------------------------------------------------- an allocator that counts, if ours */

#ifdef __has_feature
#if __has_feature(address_sanitizer)
#define SANITIZED
#endif
#endif
#if !defined(SANITIZED) && !defined(__SANITIZE_ADDRESS__) && !defined(__clang__) && defined(__GLIBC__)
static int allocations; /* of whichever thread: a lost count is no zero */
void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *p, size_t size);
void *malloc(size_t size) { return allocations++, __libc_malloc(size); }
void *calloc(size_t n, size_t size) { return allocations++, __libc_calloc(n, size); }
void *realloc(void *p, size_t size) { return allocations++, __libc_realloc(p, size); }
#else
static const int allocations = 0;
#endif

/* ------------------------------------------------------------------------- y = x Wt over (batch, 3), W (2, 3) */

enum { IN = 3, OUT = 2 };

static void record(void *context, foci_graph *g) {
    const int64_t batch = *(const int64_t *)context;
    foci_tensor *x = foci_input(g, "x", FOCI_REAL, FOCI_SHAPE(batch, IN));
    foci_scope(g, "head");
    foci_tensor *y = foci_linear(g, x, foci_parameter(g, "weight", FOCI_ZEROS, FOCI_SHAPE(OUT, IN)), NULL);
    foci_observe(g, "y", foci_scale(g, y, 2));
    foci_end_scope(g);
    foci_output(g, "y", y);
    foci_output(g, "loss", foci_average(g, y));
}

typedef struct fixture {
    foci_parameters parameters;
    foci_program_set set;
} fixture;

static foci_program *opened(fixture *f, int64_t batch, foci_graph_options options) {
    foci_program *p;
    assert_ok(foci_program_open(&p, &f->set, &options, record, &batch));
    return p;
}

static int set_up(void **state) {
    fixture *f = calloc(1, sizeof *f);
    foci_parameters_init(&f->parameters);
    foci_program_set_init(&f->set, &f->parameters);
    *state = f;
    return 0;
}

static int tear_down(void **state) {
    fixture *f = *state;
    foci_program_set_free(&f->set);
    foci_parameters_free(&f->parameters);
    free(f);
    return 0;
}

static const foci_real weight[OUT * IN] = {1, 2, 3, -1, 0, 5};
static const foci_real x[5 * IN] = {1, 1, 1, 2, 0, 1, 0, 0, 1, 3, 2, 1, -1, 0, 0};
static const foci_real y[5 * OUT] = {6, 4, 5, 3, 3, 5, 10, 2, -1, 1};

static void ready(fixture *f) {
    assert_ok(foci_program_set_ready(&f->set));
    memcpy(f->parameters.value, weight, sizeof weight);
}

static void runs(foci_program *p, const foci_real *in, const foci_real *expected, int count) {
    const foci_real *got;
    assert_ok(foci_program_feed(p, "x", in));
    assert_ok(foci_program_forward(p));
    assert_ok(foci_program_fetch(p, "y", &got));
    for (int i = 0; i < count; i++) assert_close(got[i], expected[i], 0);
}

static void fed_and_fetched_by_name(void **state) {
    fixture *f = *state;
    foci_program *p = opened(f, 4, (foci_graph_options){0});
    ready(f);
    runs(p, x, y, 8);
    runs(p, x + IN, y + OUT, 8); /* another array */
    const foci_tensor *shape = foci_program_find(p, "y");
    assert_int_equal(shape->ndim, 2);
    assert_int_equal(shape->shape[0], 4);
    assert_int_equal(shape->shape[1], OUT);
    assert_null(foci_program_find(p, "head.y")); /* this one does not observe */
    assert_null(f->parameters.grad);
}

static void what_is_observed_has_a_name_too(void **state) {
    fixture *f = *state;
    foci_program *p = opened(f, 4, (foci_graph_options){.observe = true});
    const foci_real *twice;
    ready(f);
    runs(p, x, y, 8);
    assert_ok(foci_program_fetch(p, "head.y", &twice));
    for (int i = 0; i < 8; i++) assert_close(twice[i], 2 * y[i], 0);
    static const char *const names[] = {"x", "head.y", "y", "loss"};
    static const foci_slot_kind kinds[] = {FOCI_SLOT_INPUT, FOCI_SLOT_OBSERVED, FOCI_SLOT_OUTPUT, FOCI_SLOT_OUTPUT};
    const foci_graph *g = foci_program_graph(p);
    assert_int_equal(foci_graph_slots(g), 4);
    for (int i = 0; i < 4; i++) {
        assert_string_equal(foci_graph_slot(g, i)->name, names[i]);
        assert_int_equal(foci_graph_slot(g, i)->kind, kinds[i]);
    }
}

static void names_that_are_none(void **state) {
    fixture *f = *state;
    foci_program *p = opened(f, 4, (foci_graph_options){.differentiate = true});
    const foci_real *got;
    assert_fails(foci_program_forward(p), FOCI_ERR_RUNTIME, "no memory yet");
    ready(f);
    assert_fails(foci_program_forward(p), FOCI_ERR_RUNTIME, "the input x was not fed");
    assert_fails(foci_program_feed(p, "z", x), FOCI_ERR_RUNTIME, "no input z");
    assert_fails(foci_program_feed(p, "y", x), FOCI_ERR_RUNTIME, "no input y");
    assert_fails(foci_program_fetch(p, "z", &got), FOCI_ERR_RUNTIME, "no output z");
    assert_fails(foci_program_fetch(p, "x", &got), FOCI_ERR_RUNTIME, "no output x");
    assert_fails(foci_program_fetch_gradient(p, "x", &got), FOCI_ERR_RUNTIME, "no gradient of x");
    assert_fails(foci_program_fetch_gradient(p, "z", &got), FOCI_ERR_RUNTIME, "no gradient of z");
    assert_null(foci_program_find(p, "z"));
}

static void programs_share_a_block(void **state) {
    fixture *f = *state;
    foci_program *four = opened(f, 4, (foci_graph_options){0}), *one = opened(f, 1, (foci_graph_options){0});
    ready(f);
    assert_int_equal(f->parameters.count, 1);
    assert_int_equal(f->set.room, foci_graph_bytes(foci_program_graph(four)));
    assert_true(foci_graph_bytes(foci_program_graph(one)) <= f->set.room);
    for (int turn = 0; turn < 2; turn++) {
        runs(four, x, y, 8);
        runs(one, x + IN, y + OUT, OUT);
    }
    /* a larger one moves all of them, with what they are fed, into a new block, of twice its size; smaller ones do not
     */
    foci_program *many = opened(f, 1000, (foci_graph_options){0});
    const size_t bytes = foci_program_set_bytes(&f->set, NULL);
    const foci_real *got;
    assert_int_equal(bytes, foci_graph_bytes(foci_program_graph(many)));
    ready(f);
    assert_int_equal(f->set.room, 2 * bytes);
    assert_ok(foci_program_forward(one));
    assert_ok(foci_program_fetch(one, "y", &got));
    assert_close(got[1], y[OUT + 1], 0);
    foci_program_close(many);
    many = opened(f, 1001, (foci_graph_options){0});
    ready(f);
    assert_int_equal(f->set.room, 2 * bytes);
    runs(four, x, y, 8);
}

static void gradients_of_inputs(void **state) {
    fixture *f = *state;
    foci_program *p = opened(f, 4, (foci_graph_options){.differentiate = true, .frozen = true, .gradients = "w x"});
    const foci_real *dx;
    ready(f);
    assert_null(f->parameters.grad); /* nobody wants them */
    runs(p, x, y, 8);
    foci_program_backward(p, 8); /* of the mean of 8 */
    assert_ok(foci_program_fetch_gradient(p, "x", &dx));
    for (int i = 0; i < 4 * IN; i++) assert_close(dx[i], weight[i % IN] + weight[IN + i % IN], 1e-6);
    foci_program_backward_from(p, (foci_real[]){-16});
    assert_ok(foci_program_fetch_gradient(p, "x", &dx));
    for (int i = 0; i < 4 * IN; i++) assert_close(dx[i], -2 * (weight[i % IN] + weight[IN + i % IN]), 1e-6);
}

static void gradients_of_parameters(void **state) {
    fixture *f = *state;
    foci_program *p = opened(f, 4, (foci_graph_options){.differentiate = true});
    ready(f);
    for (int turn = 1; turn <= 2; turn++) { /* they add up */
        runs(p, x, y, 8);
        foci_program_backward(p, 8);
        for (int i = 0; i < OUT * IN; i++) {
            double sum = 0;
            for (int n = 0; n < 4; n++) sum += (double)x[n * IN + i % IN];
            assert_close(f->parameters.grad[i], turn * sum, 1e-6);
        }
    }
}

static void a_run_allocates_nothing(void **state) {
    fixture *f = *state;
    foci_program *p = opened(f, 4, (foci_graph_options){.differentiate = true, .observe = true, .gradients = "x"});
    const foci_real *got;
    ready(f);
    for (int turn = 0; turn < 3; turn++) {
        const int before = allocations;
        assert_ok(foci_program_feed(p, "x", x));
        foci_program_set_step(p, (uint64_t)turn, 0);
        assert_ok(foci_program_forward(p));
        assert_ok(foci_program_fetch(p, "head.y", &got));
        foci_program_backward(p, 1);
        assert_ok(foci_program_fetch_gradient(p, "x", &got));
        if (turn) assert_int_equal(allocations, before); /* the first starts the threads */
    }
}

/* A view of an input follows what is fed. */
static void record_view(void *context, foci_graph *g) {
    (void)context;
    foci_tensor *in = foci_input(g, "x", FOCI_REAL, FOCI_SHAPE(4, IN));
    foci_output(g, "y", foci_scale(g, foci_view(in, IN, 1, (int64_t[]){IN}, (int64_t[]){1}), 1));
}

static void views_of_inputs(void **state) {
    fixture *f = *state;
    foci_program *p;
    assert_ok(foci_program_open(&p, &f->set, &(foci_graph_options){0}, record_view, NULL));
    assert_ok(foci_program_set_ready(&f->set));
    runs(p, x, x + IN, IN);
    runs(p, x + IN, x + 2 * IN, IN);
}

/* Two texts, room for three tokens of each. */
static void record_memory(void *context, foci_graph *g) {
    (void)context;
    foci_tensor *in = foci_input(g, "x", FOCI_REAL, FOCI_SHAPE(2, 1, IN));
    foci_scope(g, "layer");
    foci_tensor *all = foci_cached(g, "kv", foci_scale(g, in, 10));
    foci_end_scope(g);
    foci_output(g, "y", foci_contiguous(g, foci_heads_from(g, all, 1, 1, IN - 1)));
}

static void what_is_cached(void **state) {
    fixture *f = *state;
    enum { ROOM = 3, TEXT = ROOM * IN };
    foci_program *pass[2];
    foci_real kept[2 * TEXT] = {0};
    const foci_real *rows;
    for (int past = 0; past < 2; past++)
        assert_ok(foci_program_open(&pass[past], &f->set, &(foci_graph_options){.room = ROOM, .past = past},
                                    record_memory, NULL));
    assert_ok(foci_program_set_ready(&f->set));
    assert_ok(foci_program_feed(pass[0], "x", x));
    assert_fails(foci_program_forward(pass[0]), FOCI_ERR_RUNTIME, "layer.kv.cache was not fed");
    for (int past = 0; past < 2; past++) {
        assert_ok(foci_program_feed(pass[past], "x", x + past * IN));
        assert_ok(foci_program_feed(pass[past], "layer.kv.cache", kept));
        assert_ok(foci_program_forward(pass[past]));
        assert_ok(foci_program_fetch(pass[past], "y", &rows));
        for (int text = 0; text < 2; text++)
            for (int token = 0; token <= past; token++)
                for (int i = 1; i < IN; i++)
                    assert_close(rows[(text * (past + 1) + token) * (IN - 1) + i - 1], 10 * x[(text + token) * IN + i],
                                 1e-5);
    }
    for (int i = 0; i < IN; i++) {
        assert_close(kept[IN + i], 10 * x[IN + i], 1e-5);
        assert_close(kept[TEXT + IN + i], 10 * x[2 * IN + i], 1e-5);
        assert_close(kept[2 * IN + i], 0, 0);
    }
    foci_program *p;
    assert_fails(foci_program_open(&p, &f->set, &(foci_graph_options){.room = ROOM, .past = ROOM}, record_memory, NULL),
                 FOCI_ERR_CONFIG, "behind 3 tokens must be (B, M, C) of 3 in all");
}

/* ----------------------------------------------------------------------------------------------- what is refused */

static void record_nothing(void *context, foci_graph *g) {
    (void)context;
    foci_scale(g, foci_input(g, "x", FOCI_REAL, FOCI_SHAPE(2)), 2);
}
static void record_twice(void *context, foci_graph *g) {
    (void)context;
    foci_tensor *in = foci_input(g, "x", FOCI_REAL, FOCI_SHAPE(2));
    foci_output(g, "x", foci_scale(g, in, 2));
}
static void record_gaps(void *context, foci_graph *g) {
    (void)context;
    foci_tensor *in = foci_input(g, "x", FOCI_REAL, FOCI_SHAPE(2, 2));
    foci_output(g, "y", foci_view(foci_scale(g, in, 2), 0, 1, (int64_t[]){2}, (int64_t[]){2}));
}

static void outputs_that_are_refused(void **state) {
    fixture *f = *state;
    foci_program *p;
    const foci_graph_options o = {.place = "test.yaml:1:1"};
    assert_fails(foci_program_open(&p, &f->set, &o, record_nothing, NULL), FOCI_ERR_RUNTIME, "nothing is an output");
    assert_null(p);
    assert_fails(foci_program_open(&p, &f->set, &o, record_twice, NULL), FOCI_ERR_CONFIG,
                 "x is the name of two inputs or outputs");
    assert_fails(foci_program_open(&p, &f->set, &o, record_gaps, NULL), FOCI_ERR_CONFIG,
                 "y cannot be read by its name");
    assert_int_equal(f->set.count, 0);
}

static void record_model(foci_request *r) {
    foci_tensor *in = foci_input(r->graph, "x", FOCI_REAL, FOCI_SHAPE(r->batch, IN));
    foci_output(r->graph, "y", foci_scale(r->graph, in, foci_request_number(r, "factor", 3)));
}
static const foci_model model = {.name = "times", .record = record_model};

static foci_status open_model(fixture *f, foci_program **p, const foci_request *r) {
    return foci_program_open_model(p, &f->set, &(foci_graph_options){0}, &model, r);
}

static void models_hear_what_is_asked(void **state) {
    fixture *f = *state;
    foci_program *p;
    const foci_real *got;
    for (int asked = 0; asked < 2; asked++) {
        foci_request r = {.batch = 2, .feeds = "x"};
        if (asked) r.number[0] = (foci_named_number){"factor", 7};
        assert_ok(open_model(f, &p, &r));
        assert_ok(foci_program_set_ready(&f->set));
        assert_ok(foci_program_feed(p, "x", x));
        assert_ok(foci_program_forward(p));
        assert_ok(foci_program_fetch(p, "y", &got));
        assert_close(got[3], (asked ? 7 : 3) * x[3], 0);
    }
    assert_fails(open_model(f, &p, &(foci_request){.batch = 2, .feeds = "x labels"}), FOCI_ERR_CONFIG,
                 "model times takes no labels");
    assert_fails(open_model(f, &p, &(foci_request){.batch = 2, .feeds = "x y"}), FOCI_ERR_CONFIG,
                 "model times takes no y");
    assert_fails(open_model(f, &p, &(foci_request){.batch = 2}), FOCI_ERR_CONFIG,
                 "model times wants x, which nobody feeds");
    assert_fails(open_model(f, &p, &(foci_request){.batch = 2, .feeds = "x", .number = {{"factors", 7}}}),
                 FOCI_ERR_CONFIG, "model times does not know what factors is");
}

/* An operation that cannot do what it is to: that pass fails, and no other. */
static void root_forward(const foci_node *n) {
    for (int64_t i = 0; i < IN; i++) {
        const foci_real at = foci_data(n->input[0])[i];
        if (at < 0) foci_node_fail(n, "%g has none", (double)at);
        foci_data(n->output)[i] = at < 0 ? 0 : at;
    }
}

static void record_root(void *context, foci_graph *g) {
    static const foci_op root = {.name = "root", .forward = root_forward};
    (void)context;
    foci_tensor *in = foci_input(g, "x", FOCI_REAL, FOCI_SHAPE(IN));
    foci_scope(g, "head");
    foci_tensor *out = foci_emit(foci_record(g, &root, 1, &in, NULL, 0), FOCI_REAL, FOCI_SHAPE(IN));
    foci_end_scope(g);
    foci_output(g, "y", out);
}

static void passes_that_fail(void **state) {
    fixture *f = *state;
    foci_program *p;
    static const foci_real below[IN] = {1, -2, -3};
    assert_ok(foci_program_open(&p, &f->set, &(foci_graph_options){0}, record_root, NULL));
    assert_ok(foci_program_set_ready(&f->set));
    runs(p, x, x, IN);
    assert_ok(foci_program_feed(p, "x", below));
    assert_fails(foci_program_forward(p), FOCI_ERR_RUNTIME, "head: root: -2 has none");
    runs(p, x + IN, x + IN, IN);
}

int main(void) {
#define WITH_SET(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        WITH_SET(fed_and_fetched_by_name),
        WITH_SET(what_is_observed_has_a_name_too),
        WITH_SET(names_that_are_none),
        WITH_SET(programs_share_a_block),
        WITH_SET(gradients_of_inputs),
        WITH_SET(gradients_of_parameters),
        WITH_SET(a_run_allocates_nothing),
        WITH_SET(views_of_inputs),
        WITH_SET(what_is_cached),
        WITH_SET(outputs_that_are_refused),
        WITH_SET(models_hear_what_is_asked),
        WITH_SET(passes_that_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
