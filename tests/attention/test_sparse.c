/* Variants that see some keys of many, with so few that most are left out: what every variant promises, and that work
 * and memory grow with the tokens alone. (test_variants.c has them with their defaults, which see all of a short
 * sequence.) */
#include "attention/layer.h"

static const char *const sparse[] = {"{kind: longformer, window: 5, globals: 3}", "{kind: longformer, window: 60}",
                                     "{kind: longformer, window: 0, globals: 0}",
                                     "{kind: reformer, chunk: 8, buckets: 6, rounds: 3}",
                                     "{kind: reformer, chunk: 60, buckets: 2, rounds: 1}"};
enum { SPARSE = sizeof sparse / sizeof *sparse };

static void the_same_bits_for_any_number_of_threads(void **state) {
    (void)state;
    for (int i = 0; i < SPARSE * 2; i++) {
        foci_real *first[1 + LAYER_INPUTS] = {0};
        for (int run = 0; run < 3; run++) {
            foci_set_threads((int[]){1, 2, 7}[run]);
            layer l;
            assert_ok(layer_open(&l, sparse[i / 2], (layer_sizes){2, 3, 150, 8}, i % 2, false, 1));
            layer_bind(&l);
            foci_graph_forward(l.graph);
            foci_graph_backward(l.graph, 1);
            const size_t bytes = (size_t)l.numel * sizeof(foci_real);
            for (int t = 0; t <= LAYER_INPUTS; t++) {
                const void *got = t == LAYER_INPUTS ? l.out->host_data : l.in[t] ? l.in[t]->host_grad : NULL;
                if (got && run == 0) memcpy(first[t] = malloc(bytes), got, bytes);
                else if (got) assert_memory_equal(got, first[t], bytes);
            }
            layer_close(&l);
        }
        for (int t = 0; t <= LAYER_INPUTS; t++) free(first[t]);
    }
    foci_set_threads(0);
}

static void maps_make_the_output(void **state) {
    (void)state;
    enum { H = 2, N = 150, D = 8 };
    for (int i = 0; i < SPARSE * 2; i++) {
        layer l;
        assert_ok(layer_open(&l, sparse[i / 2], (layer_sizes){1, H, N, D}, i % 2, true, 1));
        layer_bind(&l);
        foci_graph_forward(l.graph);
        const foci_tensor *map = foci_graph_find(l.graph, "attn.prob");
        for (int e = 0; e < H * N * D; e++) {
            const int h = e / (N * D), n = e / D % N, d = e % D;
            double out = 0, rows = 0;
            for (int j = 0; j < N; j++) {
                const double p = (double)foci_data(map)[(h * N + n) * N + j];
                out += p * (double)l.data[3][(h * N + j) * D + d], rows += p;
                if (i % 2 && j > n) assert_true(p == 0);
            }
            assert_close(foci_data(l.out)[(n * H + h) * D + d], out, 2e-5);
            assert_close(rows, 1, 1e-5);
        }
        layer_close(&l);
    }
}

static void memory_and_work_grow_with_the_tokens(void **state) {
    (void)state;
    for (int i = 0; i < SPARSE * 2; i++) {
        double bytes[2], work[2];
        for (int run = 0; run < 2; run++) {
            layer l;
            assert_ok(layer_open(&l, sparse[i / 2], (layer_sizes){1, 2, run ? 32768 : 8192, 16}, i % 2, false, 1));
            bytes[run] = (double)foci_graph_bytes(l.graph);
            work[run] = foci_graph_cost(l.graph).forward;
            layer_close(&l);
        }
        assert_true(bytes[1] < 4.05 * bytes[0] && work[0] > 0);
        assert_close(work[1] / work[0], 4, 1e-2);
    }
}

static void what_is_refused(void **state) {
    (void)state;
    static const struct {
        const char *attention, *message;
    } rows[] = {
        {"{kind: longformer, window: -1}", "window"},
        {"{kind: reformer, buckets: 5}", "test.yaml:1:29: attention.buckets 5 is odd"},
        {"{kind: reformer, pad: false, chunk: 16}",
         "test.yaml:1:41: 65 tokens are no multiple of attention.chunk 16 (13 and 65 would do); with attention.pad "
         "true the last chunk is filled up"}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        layer l;
        assert_fails(layer_open(&l, rows[i].attention, (layer_sizes){1, 1, 65, 4}, false, false, 1), FOCI_ERR_CONFIG,
                     rows[i].message);
        if (l.graph) layer_close(&l);
    }
}

/* One chunk has room for all: no rest, nothing filled up. */
static void a_chunk_for_all_is_not_hashed(void **state) {
    (void)state;
    layer l;
    assert_ok(layer_open(&l, "{kind: reformer, pad: false, chunk: 65}", (layer_sizes){1, 1, 65, 4}, false, true, 1));
    assert_null(foci_graph_find(l.graph, "attn.buckets"));
    layer_close(&l);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_same_bits_for_any_number_of_threads), cmocka_unit_test(maps_make_the_output),
        cmocka_unit_test(memory_and_work_grow_with_the_tokens),    cmocka_unit_test(what_is_refused),
        cmocka_unit_test(a_chunk_for_all_is_not_hashed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
