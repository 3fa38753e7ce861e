/* What is frozen gets no gradient, what lies below costs none, and the others' are what they were. */
#include <math.h>

#include "check.h"
#include "core/graph.h"

enum { B = 4, C = 6 };

static foci_tensor *layer(foci_graph *g, const char *name, foci_tensor *x) {
    foci_scope(g, "%s", name);
    foci_tensor *w = foci_parameter(g, "weight", FOCI_NORMAL(0, 1), FOCI_SHAPE(C, C));
    foci_tensor *b = foci_parameter(g, "bias", FOCI_NORMAL(0, 1), FOCI_SHAPE(C));
    x = foci_gelu(g, foci_linear(g, x, w, b));
    foci_end_scope(g);
    return x;
}

typedef struct pass {
    double gradient[1024], loss, backward;
    foci_parameters p; /* for the names */
} pass;

static void run(pass *r, const char *freeze) {
    foci_parameters_init(&r->p);
    foci_graph *g =
        foci_graph_new(&r->p, &(foci_graph_options){.train = true, .differentiate = true, .freeze = freeze});
    foci_tensor *x = foci_input(g, "x", FOCI_REAL, FOCI_SHAPE(B, C));
    foci_tensor *y = layer(g, "second", layer(g, "first", x));
    /* a view of what is below, read again */
    foci_tensor *view = foci_view(layer(g, "side", x), 0, 2, (int64_t[]){B, C}, (int64_t[]){C, 1});
    foci_tensor *loss = foci_average(g, layer(g, "third", foci_add(g, y, view)));
    foci_tie(g, "another.name", foci_buffer(g, "count", FOCI_ZEROS, FOCI_SHAPE(1)));
    assert_ok(foci_graph_plan(g, loss));
    assert_ok(foci_parameters_allocate(&r->p, true));
    foci_parameters_initialise(&r->p, 1);
    void *memory = aligned_alloc(64, foci_graph_bytes(g) + 64);
    double in[B * C];
    for (int i = 0; i < B * C; i++) in[i] = cos(i);
    foci_graph_bind(g, memory);
    foci_graph_feed(g, x, in);
    foci_graph_forward(g);
    r->loss = foci_data(loss)[0];
    foci_graph_backward(g, 1);
    r->backward = foci_graph_cost(g).backward;
    memcpy(r->gradient, r->p.grad, (size_t)r->p.size * sizeof(double));
    free(memory);
    foci_graph_free(g);
}

static void frozen(void **state) {
    static const struct {
        const char *freeze;
        double share; /* of the six products in the backward pass; x needs no gradient */
    } rows[] = {{"", 6 / 6.},
                {"first side", 3 / 6.},
                {"first side second", 1 / 6.},
                {"third", 5 / 6.},
                {"second.weight", 5 / 6.}};
    (void)state;
    pass all;
    run(&all, NULL);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        pass some;
        run(&some, rows[i].freeze);
        assert_true(some.loss == all.loss);
        for (int e = 0; e < all.p.count; e++) {
            const foci_parameter_entry *entry = &all.p.entry[e];
            const bool still = foci_names_within(entry->name, rows[i].freeze);
            for (int64_t k = entry->offset; k < entry->offset + entry->numel; k++)
                assert_true(some.gradient[k] == (still ? 0 : all.gradient[k]));
        }
        if (fabs(some.backward - rows[i].share * all.backward) > 1e-9 * all.backward)
            fail_msg("frozen %s: %g of %g operations", rows[i].freeze, some.backward, all.backward);
        foci_parameters_free(&some.p);
    }
    foci_parameters_free(&all.p);
}

static void all_frozen(void **state) {
    (void)state;
    foci_parameters p;
    foci_parameters_init(&p);
    foci_graph *g = foci_graph_new(&p, &(foci_graph_options){.train = true, .differentiate = true, .freeze = "only"});
    foci_tensor *x = foci_input(g, "x", FOCI_REAL, FOCI_SHAPE(B, C));
    foci_tensor *loss = foci_average(g, layer(g, "only", x));
    assert_fails(foci_graph_plan(g, loss), FOCI_ERR_CONFIG, "it depends on no parameter that is trained");
    foci_graph_free(g);
    foci_parameters_free(&p);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(frozen), cmocka_unit_test(all_frozen)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
