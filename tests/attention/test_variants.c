/* What every attention variant promises, and what those without a softmax promise besides. */
#include "attention/layer.h"

/* 2, causal or not; or 1 where there is no causal form. */
static int forms(const foci_attention *variant) { return variant->whole ? 1 : 2; }

static void the_same_bits_for_any_number_of_threads(void **state) {
    (void)state;
    for (int i = 0; foci_attentions[i]; i++)
        for (int causal = 0; causal < forms(foci_attentions[i]); causal++) {
            foci_real *first[1 + LAYER_INPUTS] = {0};
            for (int run = 0; run < 3; run++) {
                foci_set_threads((int[]){1, 2, 7}[run]);
                layer l;
                char attention[128];
                layer_kind(attention, foci_attentions[i], false);
                assert_ok(layer_open(&l, attention, (layer_sizes){2, 3, 192, 8}, causal, false, 1));
                layer_bind(&l);
                foci_graph_forward(l.graph);
                foci_graph_backward(l.graph, 1);
                const void *got[1 + LAYER_INPUTS] = {l.out->host_data};
                for (int t = 0; t < LAYER_INPUTS; t++) got[1 + t] = l.in[t] ? l.in[t]->host_grad : NULL;
                const size_t bytes = (size_t)l.numel * sizeof(foci_real);
                for (int t = 0; t < 1 + LAYER_INPUTS; t++) {
                    if (!got[t]) continue;
                    if (run == 0) memcpy(first[t] = malloc(bytes), got[t], bytes);
                    else assert_memory_equal(got[t], first[t], bytes);
                }
                layer_close(&l);
            }
            for (int t = 0; t < 1 + LAYER_INPUTS; t++) free(first[t]);
        }
    foci_set_threads(0);
}

/* Layer 0 of elliptical attention is the dot product's: nothing came before. */
static void causal_attention_sees_nothing_of_the_future(void **state) {
    (void)state;
    enum { H = 2, N = 128, D = 8 };
    for (int i = 0; foci_attentions[i]; i++) {
        layer l;
        char attention[128];
        if (foci_attentions[i]->whole) continue;
        layer_kind(attention, foci_attentions[i], true);
        assert_ok(layer_open(&l, attention, (layer_sizes){1, H, N, D}, true, false, 1));
        layer_bind(&l);
        foci_graph_forward(l.graph);
        foci_real before[H * N * D];
        memcpy(before, l.out->host_data, sizeof before);
        for (int t = 0; t < LAYER_INPUTS; t++)
            for (int h = 0; h < H && l.in[t]; h++) l.data[t][(h * N + 100) * D] += 3;
        foci_graph_forward(l.graph);
        assert_memory_equal(l.out->host_data, before, 100 * H * D * sizeof(foci_real));
        assert_true(memcmp(foci_data(l.out) + 100 * H * D, before + 100 * H * D, H * D * sizeof(foci_real)) != 0);
        layer_close(&l);
    }
}

/* No tensor of N x N: four times the tokens, at most four times the memory and the work. (Windows are cut
 * off at the ends.) */
static void memory_and_work_grow_with_the_tokens(void **state) {
    (void)state;
    for (int i = 0; foci_attentions[i]; i++)
        for (int causal = 0; causal < forms(foci_attentions[i]) && foci_attentions[i]->linear; causal++) {
            double bytes[2], work[2];
            for (int run = 0; run < 2; run++) {
                layer l;
                char attention[128];
                layer_kind(attention, foci_attentions[i], false);
                assert_ok(layer_open(&l, attention, (layer_sizes){1, 2, run ? 8192 : 2048, 16}, causal, false, 1));
                bytes[run] = (double)foci_graph_bytes(l.graph);
                work[run] = foci_graph_cost(l.graph).forward;
                layer_close(&l);
            }
            if (!(bytes[1] < 4.05 * bytes[0] && work[1] <= 4.3 * work[0]))
                fail_msg("%s: bytes %g, then %g; work %g, then %g", foci_attentions[i]->name, bytes[0], bytes[1],
                         work[0], work[1]);
        }
}

/* What inspection sees are the weights that make the output. */
static void maps_make_the_output(void **state) {
    (void)state;
    enum { H = 2, N = 128, D = 8 };
    for (int i = 0; foci_attentions[i]; i++)
        for (int causal = 0; causal < forms(foci_attentions[i]) && !foci_attentions[i]->adds; causal++) {
            layer l;
            char attention[128];
            layer_kind(attention, foci_attentions[i], false);
            assert_ok(layer_open(&l, attention, (layer_sizes){1, H, N, D}, causal, true, 1));
            layer_bind(&l);
            foci_graph_forward(l.graph);
            const foci_tensor *map = foci_graph_find(l.graph, "attn.prob");
            assert_non_null(map);
            for (int h = 0; h < H; h++)
                for (int n = 0; n < N; n++)
                    for (int d = 0; d < D; d++) {
                        double sum = 0;
                        for (int j = 0; j < N; j++)
                            sum += (double)foci_data(map)[(h * N + n) * N + j] * (double)l.data[3][(h * N + j) * D + d];
                        assert_close(foci_data(l.out)[(n * H + h) * D + d], sum, 2e-5);
                    }
            layer_close(&l);
        }
}

/* Queries and keys a hundred times as long as usual: finite, forward and backward. */
static void long_queries_and_keys(void **state) {
    (void)state;
    for (int i = 0; foci_attentions[i]; i++) {
        layer l;
        char attention[128];
        layer_kind(attention, foci_attentions[i], false);
        assert_ok(layer_open(&l, attention, (layer_sizes){1, 2, 128, 64}, !foci_attentions[i]->whole, false, 100));
        layer_bind(&l);
        foci_graph_forward(l.graph);
        foci_graph_backward(l.graph, 1);
        for (int64_t e = 0; e < l.numel; e++) {
            assert_true(isfinite((double)foci_data(l.out)[e]));
            for (int t = 0; t < LAYER_INPUTS; t++)
                if (l.in[t]) assert_true(isfinite((double)foci_grad(l.in[t])[e]));
        }
        layer_close(&l);
    }
}

static void what_is_refused(void **state) {
    (void)state;
    static const struct {
        const char *attention, *message;
    } rows[] = {{"{kind: cosine, temperature: 0}", "temperature"},
                {"{kind: performer, num_features: -1}", "num_features"},
                {"{kind: performer, num_features: 1.5}", "num_features"}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        layer l;
        assert_fails(layer_open(&l, rows[i].attention, (layer_sizes){1, 1, 4, 4}, false, false, 1), FOCI_ERR_CONFIG,
                     rows[i].message);
        if (l.graph) layer_close(&l);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_same_bits_for_any_number_of_threads),
        cmocka_unit_test(causal_attention_sees_nothing_of_the_future),
        cmocka_unit_test(memory_and_work_grow_with_the_tokens),
        cmocka_unit_test(maps_make_the_output),
        cmocka_unit_test(long_queries_and_keys),
        cmocka_unit_test(what_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
