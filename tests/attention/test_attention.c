/* The attention variants and their metrics, as models record them: from a config, through a graph. */
#include <math.h>

#include <jansson.h>

#include "attention/attend.h"
#include "attention/attention.h"
#include "base/philox.h"
#include "check.h"
#include "config/config.h"
#include "core/graph.h"
#include "core/safetensors.h"

enum { B = 2, H = 3, N = 10, D = 8, SIZE = B * H * N * D };

/* --------------------------------------------------------------------------------- one layer from a config
 */

static const foci_schema *schema(void) {
    static foci_section sections[64];
    static foci_schema s = {sections, 0};
    if (s.count) return &s;
    static const foci_key kind[] = {
        {"kind", FOCI_KEY_CHOICE, "softmax", 0, 0, "softmax elliptical", "attention variant"}, {0}};
    sections[s.count++] = (foci_section){"attention", NULL, kind};
    for (int i = 0; foci_attentions[i]; i++)
        sections[s.count++] = (foci_section){"attention", foci_attentions[i]->name, foci_attentions[i]->keys};
    return &s;
}

typedef struct layer {
    foci_config *config;
    foci_parameters parameters;
    foci_graph *graph;
    foci_tensor *q, *k, *v, *q_before, *k_before, *v_before, *out;
    void *memory;
} layer;

static foci_tensor *input(foci_graph *g, const char *name, int64_t batch) {
    return foci_input(g, name, FOCI_REAL, FOCI_SHAPE(batch, H, N, D));
}

/* Records layer number `index` over inputs (batch, H, N, D). */
static foci_status record(layer *l, const char *attention, int index, bool causal, int64_t batch) {
    memset(l, 0, sizeof *l);
    char text[512];
    snprintf(text, sizeof text, "attention: %s\n", attention);
    FOCI_TRY(foci_config_parse(&l->config, schema(), "test.yaml", text, strlen(text), NULL, 0));
    foci_parameters_init(&l->parameters);
    l->graph = foci_graph_new(&l->parameters, &(foci_graph_options){.train = true,
                                                                    .differentiate = true,
                                                                    .observe = true,
                                                                    .seed = 5,
                                                                    .gradients = "q k v q_before k_before v_before"});
    foci_graph *g = l->graph;
    l->q = input(g, "q", batch), l->k = input(g, "k", batch), l->v = input(g, "v", batch);
    l->q_before = input(g, "q_before", batch), l->k_before = input(g, "k_before", batch),
    l->v_before = input(g, "v_before", batch);
    foci_attention_io io = {.graph = g,
                            .config = l->config,
                            .q = l->q,
                            .k = l->k,
                            .v = l->v,
                            .layer = index,
                            .depth = 4,
                            .causal = causal,
                            .scale = 1 / sqrt(D)};
    if (index > 0) io.q_before = l->q_before, io.k_before = l->k_before, io.v_before = l->v_before;
    foci_scope(g, "blocks.%d.attn", index);
    l->out = foci_attend_once(&io);
    foci_end_scope(g);
    FOCI_TRY(foci_graph_plan(g, l->out));
    FOCI_TRY(foci_parameters_allocate(&l->parameters, true));
    l->memory = aligned_alloc(64, foci_graph_bytes(g) + 64);
    assert_non_null(l->memory);
    memset(l->memory, 0xff, foci_graph_bytes(g));
    foci_graph_bind(g, l->memory);
    return FOCI_OK;
}

static void done(layer *l) {
    foci_graph_free(l->graph);
    foci_parameters_free(&l->parameters);
    foci_config_free(l->config);
    free(l->memory);
}

static foci_real data[6][SIZE];

static void give_noise(layer *l) {
    foci_tensor *const inputs[6] = {l->q, l->k, l->v, l->q_before, l->k_before, l->v_before};
    for (int t = 0; t < 6; t++) {
        for (int i = 0; i < SIZE; i++) {
            foci_u32x4 u = foci_philox(2, (uint64_t)t, 0, (uint64_t)i);
            data[t][i] = (foci_real)foci_normal(u.v[0], u.v[1]);
        }
        inputs[t]->host_data = data[t];
    }
}

/* (B, H, 1, D) of layer 1, after a forward pass over noise; causal attention */
static void metric_of(const char *attention, uint64_t step, foci_real *out) {
    layer l;
    assert_ok(record(&l, attention, 1, true, B));
    give_noise(&l);
    foci_graph_set_step(l.graph, step, 0);
    foci_graph_forward(l.graph);
    const foci_tensor *m = foci_graph_find(l.graph, "blocks.1.attn.metric");
    assert_non_null(m);
    memcpy(out, foci_data(m), (size_t)foci_numel(m) * sizeof *out);
    done(&l);
}

/* --------------------------------------------------------------------------------------------------- tests
 */

static void found_by_name(void **state) {
    (void)state;
    assert_string_equal(foci_attention_find("softmax")->name, "softmax");
    assert_string_equal(foci_attention_find("elliptical")->name, "elliptical");
    assert_null(foci_attention_find("ellipitcal"));
}

static void early_layers_use_the_dot_product(void **state) {
    (void)state;
    static const struct {
        const char *attention;
        int index;
        bool elliptical;
    } rows[] = {{"{kind: softmax}", 3, false},
                {"{kind: elliptical}", 0, false},
                {"{kind: elliptical}", 1, true},
                {"{kind: elliptical, first: 3}", 2, false},
                {"{kind: elliptical, first: 3}", 3, true}};
    foci_real plain[SIZE];
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        layer l;
        assert_ok(record(&l, rows[i].attention, rows[i].index, false, B));
        give_noise(&l);
        foci_graph_forward(l.graph);
        char name[64];
        snprintf(name, sizeof name, "blocks.%d.attn.metric", rows[i].index);
        assert_true((foci_graph_find(l.graph, name) != NULL) == rows[i].elliptical);
        if (i == 0) memcpy(plain, l.out->host_data, sizeof plain);
        assert_true((memcmp(plain, l.out->host_data, sizeof plain) == 0) == !rows[i].elliptical);
        done(&l);
    }
}

static void what_is_refused(void **state) {
    (void)state;
    static const struct {
        const char *attention, *message;
    } rows[] = {
        {"{kind: elliptical, scope: causal, reduce: median}", "attention.reduce median needs attention.scope sequence"},
        {"{kind: elliptical, scope: causal, metric: finite_difference}",
         "attention.metric finite_difference needs attention.scope sequence"},
        {"{kind: elliptical, scope: causal, metric: random}", "attention.metric random needs attention.scope sequence"},
        {"{kind: elliptical, delta: 0}", "delta"},
        {"{kind: elliptical, first: 0}", "first"},
        {"{kind: elliptical, scale: largest}", "scale"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        layer l;
        assert_fails(record(&l, rows[i].attention, 1, true, B), FOCI_ERR_CONFIG, rows[i].message);
        assert_non_null(strstr(foci_error_message(), "test.yaml:1:"));
        if (l.graph) done(&l);
    }
}

static void values_that_did_not_move_give_the_identity(void **state) {
    (void)state;
    static const char *const kinds[] = {"{kind: elliptical}", "{kind: elliptical, scale: mean}",
                                        "{kind: elliptical, scope: causal}", "{kind: elliptical, reduce: median}",
                                        "{kind: elliptical, den: k}"};
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        layer l;
        assert_ok(record(&l, kinds[i], 1, true, B));
        give_noise(&l);
        l.v_before->host_data = l.v->host_data;
        foci_graph_forward(l.graph);
        const foci_tensor *m = foci_graph_find(l.graph, "blocks.1.attn.metric");
        for (int64_t j = 0; j < foci_numel(m); j++) assert_true(foci_data(m)[j] == 1);
        done(&l);
    }
}

static void causal_scope_sees_nothing_of_the_future(void **state) {
    (void)state;
    layer l;
    foci_real before[SIZE];
    assert_ok(record(&l, "{kind: elliptical, scope: causal}", 1, true, B));
    give_noise(&l);
    foci_graph_forward(l.graph);
    memcpy(before, l.out->host_data, sizeof before);
    for (int t = 0; t < 6; t++)
        for (int head = 0; head < B * H; head++) data[t][(head * N + N - 1) * D] += 1; /* the last token */
    foci_graph_forward(l.graph);
    const foci_real *after = foci_data(l.out);
    for (int b = 0; b < B; b++)
        assert_memory_equal(after + b * N * H * D, before + b * N * H * D, (N - 1) * H * D * sizeof *after);
    assert_true(memcmp(after, before, sizeof before) != 0);
    done(&l);
}

/* out (N, D) of one head, written out in double; causal */
static void attend(const double *q, const foci_real *k, const foci_real *v, double *out) {
    for (int i = 0; i < N; i++) {
        double sum = 0, p[N];
        for (int j = 0; j <= i; j++) {
            double s = 0;
            for (int d = 0; d < D; d++) s += q[i * D + d] * k[j * D + d];
            sum += p[j] = exp(s / sqrt(D));
        }
        for (int d = 0; d < D; d++) {
            out[i * D + d] = 0;
            for (int j = 0; j <= i; j++) out[i * D + d] += p[j] / sum * v[j * D + d];
        }
    }
}

static void finite_differences_of_the_output(void **state) {
    (void)state;
    foci_real got[B * H * D];
    metric_of("{kind: elliptical, metric: finite_difference, scale: none}", 0, got);
    const double t = 0.5 / sqrt(D);
    for (int head = 0; head < B * H; head++)
        for (int d = 0; d < D; d++) {
            double q[N * D], plus[N * D], minus[N * D], sum = 0;
            for (int i = 0; i < N * D; i++) q[i] = data[0][head * N * D + i];
            for (int i = 0; i < N; i++) q[i * D + d] += t;
            attend(q, data[1] + head * N * D, data[2] + head * N * D, plus);
            for (int i = 0; i < N; i++) q[i * D + d] -= 2 * t;
            attend(q, data[1] + head * N * D, data[2] + head * N * D, minus);
            for (int i = 0; i < N * D; i++) sum += fabs(plus[i] - minus[i]);
            assert_close(got[head * D + d], sum / N / (2 * t), 1e-5);
        }
    foci_real scaled[B * H * D];
    metric_of("{kind: elliptical, metric: finite_difference}", 0, scaled);
    for (int head = 0; head < B * H; head++) {
        double top = 0;
        for (int d = 0; d < D; d++) top = fmax(top, got[head * D + d]);
        for (int d = 0; d < D; d++) assert_close(scaled[head * D + d], got[head * D + d] / top, 1e-6);
    }
}

static void random_metric_in_its_bounds(void **state) {
    (void)state;
    foci_real a[B * H * D], b[B * H * D];
    metric_of("{kind: elliptical, metric: random, bottom: 0.3}", 1, a);
    for (int head = 0; head < B * H; head++) {
        double top = 0, low = 1;
        for (int d = 0; d < D; d++) top = fmax(top, a[head * D + d]), low = fmin(low, a[head * D + d]);
        assert_true(top == 1 && low >= 0.3 && low < 1);
        if (head) assert_true(memcmp(a, a + head * D, D * sizeof *a) != 0);
    }
    metric_of("{kind: elliptical, metric: random, bottom: 0.3}", 1, b);
    assert_memory_equal(a, b, sizeof a);
    metric_of("{kind: elliptical, metric: random, bottom: 0.3}", 2, b);
    assert_true(memcmp(a, b, sizeof a) != 0);
}

/* A batch in two parts draws what the whole batch draws. */
static void random_metric_of_a_part_of_the_batch(void **state) {
    (void)state;
    foci_real whole[B * H * D];
    metric_of("{kind: elliptical, metric: random}", 4, whole);
    for (uint64_t b = 0; b < B; b++) {
        layer l;
        assert_ok(record(&l, "{kind: elliptical, metric: random}", 1, true, 1));
        give_noise(&l);
        foci_graph_set_step(l.graph, 4, b);
        foci_graph_forward(l.graph);
        const foci_tensor *m = foci_graph_find(l.graph, "blocks.1.attn.metric");
        assert_memory_equal(foci_data(m), whole + b * H * D, H * D * sizeof *whole);
        done(&l);
    }
}

static void same_bits_for_any_number_of_threads(void **state) {
    (void)state;
    static const char *const kinds[] = {"{kind: softmax}", "{kind: elliptical}", "{kind: elliptical, reduce: median}",
                                        "{kind: elliptical, scope: causal}",
                                        "{kind: elliptical, metric: finite_difference}"};
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        foci_real out[3][SIZE], dq[3][SIZE];
        for (int run = 0; run < 3; run++) {
            foci_set_threads((int[]){1, 2, 7}[run]);
            layer l;
            assert_ok(record(&l, kinds[i], 1, false, B));
            give_noise(&l);
            foci_graph_forward(l.graph);
            foci_graph_backward(l.graph, 1);
            memcpy(out[run], l.out->host_data, sizeof out[run]);
            memcpy(dq[run], foci_grad(l.q), sizeof dq[run]);
            done(&l);
        }
        foci_set_threads(0);
        for (int run = 1; run < 3; run++) {
            assert_memory_equal(out[run], out[0], sizeof out[0]);
            assert_memory_equal(dq[run], dq[0], sizeof dq[0]);
        }
    }
}

/* -------------------------------------------------------------------------------------------- golden values
 */

static void read_tensor(const foci_safetensors *f, int variant, const char *name, foci_real *out, int64_t numel) {
    char full[64];
    if (variant < 0) snprintf(full, sizeof full, "%s", name);
    else snprintf(full, sizeof full, "%d.%s", variant, name);
    const foci_safetensor *t = foci_safetensors_find(f, full);
    if (!t || t->numel != numel) fail_msg("golden tensor %s", full);
    assert_ok(foci_safetensors_reals(f, t, 0, numel, out));
}

/* got[b][h][n][d] with these strides, want (B, H, N, D) contiguous */
static void compare(const foci_safetensors *f, int variant, const char *name, const foci_real *got,
                    const int64_t stride[4], const int64_t shape[4], double tolerance) {
    static foci_real want[B * H * N * N];
    int64_t numel = shape[0] * shape[1] * shape[2] * shape[3];
    read_tensor(f, variant, name, want, numel);
    for (int64_t i = 0; i < numel; i++) {
        int64_t d = i % shape[3], n = i / shape[3] % shape[2], h = i / shape[3] / shape[2] % shape[1],
                b = i / shape[3] / shape[2] / shape[1];
        double x = got[b * stride[0] + h * stride[1] + n * stride[2] + d * stride[3]];
        if (!(fabs(x - want[i]) <= tolerance))
            fail_msg("variant %d, %s[%d] is %.9g, not %.9g", variant, name, (int)i, x, want[i]);
    }
}

/* The options of a variant, as they would stand in a config. */
static void config_of(const json_t *elliptical, char *text, size_t size) {
    if (!json_is_object(elliptical)) {
        snprintf(text, size, "{kind: softmax}");
        return;
    }
    size_t used = (size_t)snprintf(text, size, "{kind: elliptical");
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)(uintptr_t)elliptical, key, value) {
        char *written = json_dumps(value, JSON_ENCODE_ANY);
        used += (size_t)snprintf(text + used, size - used, ", %s: %s", key,
                                 json_is_string(value) ? json_string_value(value) : written);
        free(written);
    }
    snprintf(text + used, size - used, "}");
}

static void golden_variants(void **state) {
    (void)state;
    json_t *golden = json_load_file("tests/golden/attention.json", 0, NULL);
    const json_t *variants = json_object_get(golden, "variants");
    foci_safetensors f;
    assert_ok(foci_safetensors_open(&f, "tests/golden/attention.safetensors"));
    assert_true(json_array_size(variants) >= 11);
    for (int i = 0; i < (int)json_array_size(variants); i++) {
        const json_t *variant = json_array_get(variants, (size_t)i);
        char text[512];
        config_of(json_object_get(variant, "elliptical"), text, sizeof text);
        layer l;
        assert_ok(record(&l, text, 1, json_is_true(json_object_get(variant, "causal_mask")), B));
        foci_tensor *const inputs[6] = {l.q, l.k, l.v, l.q_before, l.k_before, l.v_before};
        const char *const names[6] = {"q", "k", "v", "q_prev", "k_prev", "v_prev"};
        for (int t = 0; t < 6; t++) {
            read_tensor(&f, -1, names[t], data[t], SIZE);
            inputs[t]->host_data = data[t];
        }
        foci_graph_forward(l.graph);
        static foci_real dout[SIZE];
        read_tensor(&f, -1, "dout", dout, SIZE);
        const int64_t joined[4] = {N * H * D, D, H * D, 1}; /* (B, N, H*D) seen as (B, H, N, D) */
        for (int64_t e = 0; e < SIZE; e++)
            foci_grad(
                l.out)[e / (H * N * D) * joined[0] + e / (N * D) % H * joined[1] + e / D % N * joined[2] + e % D] =
                dout[e];
        foci_graph_backward_from_output(l.graph);
        const int64_t *shape = l.q->shape, *stride = l.q->stride;
        compare(&f, i, "out", foci_data(l.out), joined, shape, 2e-5);
        compare(&f, i, "dq", foci_grad(l.q), stride, shape, 2e-5);
        compare(&f, i, "dk", foci_grad(l.k), stride, shape, 2.25e-5);
        compare(&f, i, "dv", foci_grad(l.v), stride, shape, 2e-5);
        const foci_tensor *prob = foci_graph_find(l.graph, "blocks.1.attn.prob"),
                          *m = foci_graph_find(l.graph, "blocks.1.attn.metric");
        compare(&f, i, "prob", foci_data(prob), prob->stride, prob->shape, 2e-5);
        assert_true((m != NULL) == (strstr(text, "elliptical") != NULL));
        if (m) compare(&f, i, "w", foci_data(m), m->stride, m->shape, 2e-5);
        done(&l);
    }
    foci_safetensors_close(&f);
    json_decref(golden);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(found_by_name),
        cmocka_unit_test(early_layers_use_the_dot_product),
        cmocka_unit_test(what_is_refused),
        cmocka_unit_test(values_that_did_not_move_give_the_identity),
        cmocka_unit_test(causal_scope_sees_nothing_of_the_future),
        cmocka_unit_test(finite_differences_of_the_output),
        cmocka_unit_test(random_metric_in_its_bounds),
        cmocka_unit_test(random_metric_of_a_part_of_the_batch),
        cmocka_unit_test(same_bits_for_any_number_of_threads),
        cmocka_unit_test(golden_variants),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
