/* The robust kernel density estimates: blocks as they are drawn, what the published formulas come to, and what has no
 * causal form. */
#include "attention/layer.h"

enum { H = 2, D = 8 };

static void open_layer(layer *l, const char *attention, int64_t batch, int64_t tokens, bool causal) {
    assert_ok(layer_open(l, attention, (layer_sizes){batch, H, tokens, D}, causal, true, 1));
    layer_bind(l);
}

static const foci_real *blocks_of(const layer *l, int64_t *count, int64_t *size) {
    const int i = foci_parameters_find(&l->parameters, "attn.blocks");
    assert_true(i >= 0 && l->parameters.entry[i].buffer);
    *count = l->parameters.entry[i].shape[0], *size = l->parameters.entry[i].shape[1];
    return l->parameters.value + l->parameters.entry[i].offset;
}

/* Causal: every token is in one block, sizes differ by 1 at most; otherwise blocks are subsets. Both in order. */
static void blocks_are_drawn(void **state) {
    (void)state;
    for (int64_t tokens = 1; tokens < 40; tokens++)
        for (int causal = 0; causal < 2; causal++) {
            layer l;
            int64_t count, size, times[40] = {0};
            open_layer(&l, "{kind: mom}", 1, tokens, causal);
            const foci_real *blocks = blocks_of(&l, &count, &size);
            assert_int_equal(count, 5);
            assert_int_equal(size, causal ? (tokens + 4) / 5 : tokens == 1 ? 1 : (int64_t)(0.9 * (double)tokens));
            for (int64_t b = 0; b < count; b++)
                for (int64_t at = 0, last = -1; at < size; at++) {
                    const int64_t t = (int64_t)blocks[b * size + at];
                    if (causal && t == -1 && at + 1 == size) continue;
                    assert_true(t > last && t < tokens);
                    times[last = t]++;
                }
            for (int64_t t = 0; t < tokens && causal; t++) assert_int_equal(times[t], 1);
            layer_close(&l);
        }
}

/* Another draw in the next step of training, the same again in the same one. */
static void blocks_are_drawn_anew(void **state) {
    (void)state;
    layer l;
    int64_t count, size;
    open_layer(&l, "{kind: mom}", 1, 30, false);
    const foci_real *blocks = blocks_of(&l, &count, &size);
    foci_real draw[3][5 * 27];
    for (int i = 0; i < 3; i++) {
        foci_graph_set_step(l.graph, (uint64_t[]){1, 2, 1}[i], 0);
        foci_graph_forward(l.graph);
        memcpy(draw[i], blocks, sizeof draw[i]);
    }
    assert_memory_equal(draw[0], draw[2], sizeof draw[0]);
    assert_memory_not_equal(draw[0], draw[1], sizeof draw[0]);
    layer_close(&l);
}

static void output_of(const char *attention, int64_t tokens, bool causal, double *out) {
    layer l;
    open_layer(&l, attention, 1, tokens, causal);
    foci_graph_forward(l.graph);
    for (int64_t i = 0; i < l.numel; i++) out[i] = (double)foci_data(l.out)[i];
    layer_close(&l);
}

static void expect_same(const char *a, const char *b, bool causal) {
    enum { N = 50 };
    double first[H * N * D], second[H * N * D];
    output_of(a, N, causal, first), output_of(b, N, causal, second);
    for (int i = 0; i < H * N * D; i++) assert_close(first[i], second[i], 1e-5);
}

/* Up to 1 a Huber loss is one and the same, up to 1/3 a Hampel loss weighs all alike, as no outliers do. */
static void what_the_published_distance_comes_to(void **state) {
    (void)state;
    for (int causal = 0; causal < 2; causal++) {
        expect_same("{kind: rkde, a: 0.1}", "{kind: rkde, a: 1}", causal);
        expect_same("{kind: rkde, loss: hampel}", "{kind: rkde, loss: hampel, a: 0.33}", causal);
    }
    expect_same("{kind: rkde, loss: hampel}", "{kind: spkde, outlier: 0}", false);
}

/* 19 keys close together and one opposite: its weight over the mean of all. */
static double weight_of_outlier(const char *attention) {
    enum { N = 20 };
    layer l;
    open_layer(&l, attention, 1, N, false);
    for (int64_t i = 0; i < l.numel; i++) l.data[1][i] = i % D == 0 ? 1 : (foci_real)0.01 * l.data[1][i];
    for (int h = 0; h < H; h++) l.data[1][(h * N + 7) * D] = -1;
    foci_graph_forward(l.graph);
    const double weight = (double)foci_data(foci_graph_find(l.graph, "attn.weights_marginal"))[7] * N;
    layer_close(&l);
    return weight;
}
static void outliers(void **state) {
    (void)state;
    assert_true(weight_of_outlier("{kind: rkde}") > 1.05);
    assert_true(weight_of_outlier("{kind: rkde, distance: rkhs}") < 0.4);
    assert_true(weight_of_outlier("{kind: spkde, outlier: 0.1, pool: head}") < 0.5);
}

/* Of a batch of two the samples know nothing of each other, with pool head. */
static void a_head_by_itself(void **state) {
    (void)state;
    static const char *const kinds[] = {"{kind: spkde, pool: head}", "{kind: rkde, iterations: 3, pool: head}",
                                        "{kind: mom, select: head}", "{kind: mom, select: query}"};
    for (int i = 0; i < 4; i++) {
        enum { N = 40 };
        layer l;
        open_layer(&l, kinds[i], 2, N, false);
        foci_graph_forward(l.graph);
        foci_real first[H * N * D];
        memcpy(first, l.out->host_data, sizeof first);
        for (int t = 0; t < LAYER_INPUTS; t++)
            for (int64_t e = l.numel / 2; l.in[t] && e < l.numel; e++) l.data[t][e] *= -2;
        foci_graph_forward(l.graph);
        assert_memory_equal(first, l.out->host_data, sizeof first);
        layer_close(&l);
    }
}

static void what_is_refused(void **state) {
    (void)state;
    static const struct {
        const char *attention, *message;
        bool causal;
    } rows[] = {{"{kind: mom, select: batch}", "causal form only with attention.select query", true},
                {"{kind: mom, select: head}", "causal form only with attention.select query", true},
                {"{kind: mom, blocks: 2, block_size: 3}", "2 blocks of 3 tokens do not fit 8", true},
                {"{kind: mom, block_size: 9}", "5 blocks of 9 tokens do not fit 8", false},
                {"{kind: rkde, iterations: 2}", "causal form only with attention.iterations 1", true},
                {"{kind: spkde}", "no causal form", true},
                {"{kind: rpc}", "no causal form", true}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        layer l;
        assert_fails(layer_open(&l, rows[i].attention, (layer_sizes){1, 1, 8, 4}, rows[i].causal, false, 1),
                     FOCI_ERR_CONFIG, rows[i].message);
        if (l.graph) layer_close(&l);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(blocks_are_drawn),
        cmocka_unit_test(blocks_are_drawn_anew),
        cmocka_unit_test(what_the_published_distance_comes_to),
        cmocka_unit_test(outliers),
        cmocka_unit_test(a_head_by_itself),
        cmocka_unit_test(what_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
