/* All that a variant may be given or ask for, in double: a variant that uses a second key, padding, the values of the
 * first layer, a buffer and a penalty, in two layers, against its definition, central differences, the optimiser and
 * checkpoints. */
#include <math.h>

#include "attention/attend.h"
#include "base/philox.h"
#include "check.h"
#include "config/config.h"
#include "core/graph.h"
#include "core/load.h"
#include "train/optimizer.h"
#include "train/state.h"

enum { B = 2, N = 4, H = 2, D = 3, C = H * D, LAYERS = 2, LONGEST = 9 };

/* ---------------------------------------------------------------------------------------------- the variant */

typedef struct settings {
    double first, penalty;
    enum { TWO, ONE } keys;
} settings;

static const foci_key keys[] = {FOCI_KEY(settings, first, "0.5", 0, 1, NULL, "share of the first layer's values"),
                                FOCI_KEY(settings, penalty, "0.25", 0, 1, NULL, "factor of the mean output"),
                                FOCI_KEY(settings, keys, "two", 0, 0, "two one", "one: keys are queries"),
                                {0}};

static foci_attention_io seen[LAYERS]; /* as given */
static foci_tensor *penalty[LAYERS];

static unsigned projections(const void *options) {
    const settings *o = options;
    const unsigned one = FOCI_PROJECT_K | FOCI_PROJECT_V;
    return o->keys == ONE ? one : one | FOCI_PROJECT_Q | FOCI_PROJECT_K2;
}

/* (softmax(q (k + k2)t / sqrt(D) + bias) (v + first v_first)) Wt, W a buffer */
static foci_tensor *forward(const foci_attention_io *io) {
    const settings *o = io->options;
    foci_graph *g = io->graph;
    const foci_sdpa_options options = {.scale = io->scale, .bias = io->bias};
    foci_tensor *k = io->k2 ? foci_add(g, foci_contiguous(g, io->k), foci_contiguous(g, io->k2)) : io->k;
    foci_tensor *y = foci_scaled_dot_product_attention(g, io->q, k, io->v, &options), *first;
    if (io->v_first) {
        first = foci_scaled_dot_product_attention(g, io->q, k, io->v_first, &options);
        y = foci_add(g, y, foci_scale(g, first, o->first));
    }
    y = foci_linear(g, y, foci_buffer(g, "turn", FOCI_NORMAL(0, 0.5), FOCI_SHAPE(C, C)), NULL);
    foci_penalty(g, penalty[io->layer] = foci_scale(g, foci_average(g, y), o->penalty));
    seen[io->layer] = *io;
    return y;
}

static const foci_attention variant = {.name = "probe", .keys = keys, .forward = forward, .projections = projections};

/* -------------------------------------------------------------------------------------------- two layers of it */

typedef struct model {
    foci_config *config;
    foci_parameters parameters;
    foci_graph *graph;
    foci_tensor *x, *mask, *out, *loss;
    foci_real given[B * N * C], counts[B * N];
    void *memory;
} model;

static void read_config(model *m, const char *text) {
    static const foci_key train[] = {{"seed", FOCI_KEY_INT, "7", 0, 9, NULL, "seed"}, {0}};
    static const foci_key kind[] = {{"kind", FOCI_KEY_CHOICE, "probe", 0, 0, "probe", "variant"}, {0}};
    const foci_section sections[] = {{"train", NULL, train},
                                     {"attention", NULL, kind},
                                     {"attention", NULL, foci_attending_keys},
                                     {"attention", "probe", keys}};
    assert_ok(foci_config_parse(&m->config, &(foci_schema){sections, 4}, "a.yaml", text, strlen(text), NULL, 0));
}

static void record(model *m) {
    static const foci_nn_heads heads = {H, D, true, {.kind = FOCI_INIT_NORMAL, .spread = 0.7}};
    foci_graph *g = m->graph;
    m->x = foci_input(g, "x", FOCI_REAL, FOCI_SHAPE(B, N, C));
    m->mask = foci_input(g, "mask", FOCI_REAL, FOCI_SHAPE(B, N));
    foci_attending a = foci_attending_with(
        &variant, g, m->config, &(foci_attend_options){.depth = LAYERS, .longest = LONGEST, .mask = m->mask});
    foci_tensor *x = m->x;
    for (int i = 0; i < LAYERS; i++) {
        foci_segment(g, "layers.%d", i);
        const foci_nn_projection parts[] = {{"q_net", x, FOCI_PROJECT_Q},
                                            {"kv_net", x, ~(unsigned)FOCI_PROJECT_Q, .cached = true}};
        x = foci_add(g, x, foci_attend(&a, x, foci_nn_project(g, parts, 2, a.projections, &heads)));
        foci_end_scope(g);
    }
    m->out = x;
    foci_keep(m->out);
    m->loss = foci_average(g, foci_gelu(g, x));
}

static void open_model(model *m, const char *text, const foci_graph_options *options) {
    memset(m, 0, sizeof *m);
    read_config(m, text);
    foci_parameters_init(&m->parameters);
    m->graph = foci_graph_new(&m->parameters, options);
    record(m);
    assert_ok(foci_graph_plan(m->graph, m->loss));
    assert_ok(foci_parameters_allocate(&m->parameters, true));
    foci_parameters_initialise(&m->parameters, 3);
    m->memory = aligned_alloc(64, foci_graph_bytes(m->graph) + 64);
    assert_non_null(m->memory);
    foci_graph_bind(m->graph, m->memory);
    for (int i = 0; i < B * N * C; i++) {
        foci_u32x4 u = foci_philox(5, 0, 0, (uint64_t)i);
        m->given[i] = (foci_real)foci_normal(u.v[0], u.v[1]);
    }
    for (int i = 0; i < B * N; i++) m->counts[i] = i != 2 && i != 7; /* padding: token 2 of sample 0, 3 of sample 1 */
    foci_graph_feed(m->graph, m->x, m->given);
    foci_graph_feed(m->graph, m->mask, m->counts);
}

static void close_model(model *m) {
    foci_graph_free(m->graph);
    foci_parameters_free(&m->parameters);
    foci_config_free(m->config);
    free(m->memory);
}

static const foci_graph_options training = {.train = true, .differentiate = true};

static foci_real *values(const model *m, const char *name) {
    const int i = foci_parameters_find(&m->parameters, name);
    assert_true(i >= 0);
    return m->parameters.value + m->parameters.entry[i].offset;
}

/* ----------------------------------------------------------------------------------------- the definition */

/* Part `part` of so many rows C of LAYER.NAME: of token x (C), head coordinates in order. */
static void project(const model *m, int layer, const char *name, int part, const double *x, double *out) {
    char weight[64], bias[64];
    snprintf(weight, sizeof weight, "layers.%d.%s.weight", layer, name);
    snprintf(bias, sizeof bias, "layers.%d.%s.bias", layer, name);
    const foci_real *w = values(m, weight) + part * C * C, *b = values(m, bias) + part * C;
    for (int o = 0; o < C; o++) {
        out[o] = (double)b[o];
        for (int i = 0; i < C; i++) out[o] += (double)w[o * C + i] * x[i];
    }
}

typedef double tokens[N][C];

static void attend(const double *q, tokens k, tokens v, const foci_real *counts, int head, double *out) {
    double p[N], sum = 0;
    for (int j = 0; j < N; j++) {
        double score = 0;
        for (int d = head * D; d < (head + 1) * D; d++) score += q[d] * k[j][d] / sqrt(D);
        sum += p[j] = counts[j] != 0 ? exp(score) : 0;
    }
    for (int d = head * D; d < (head + 1) * D; d++)
        for (int j = 0; j < N; j++) out[d] += p[j] / sum * v[j][d];
}

/* One layer of one sample: x becomes x + y; v of the first layer is left in `first`. Returns the sum of y. */
static double layer_of(const model *m, int layer, tokens x, const foci_real *counts, tokens first) {
    tokens q, k, k2, v, y;
    char turn[64];
    double sum = 0;
    snprintf(turn, sizeof turn, "layers.%d.turn", layer);
    for (int n = 0; n < N; n++) {
        project(m, layer, "q_net", 0, x[n], q[n]);
        project(m, layer, "kv_net", 0, x[n], k[n]);
        project(m, layer, "kv_net", 1, x[n], k2[n]);
        project(m, layer, "kv_net", 2, x[n], v[n]);
        for (int c = 0; c < C; c++) k[n][c] += k2[n][c];
        if (layer == 0) memcpy(first[n], v[n], sizeof v[n]);
        for (int c = 0; c < C && layer; c++) v[n][c] += 0.5 * first[n][c];
    }
    memset(y, 0, sizeof y);
    for (int n = 0; n < N; n++)
        for (int h = 0; h < H; h++) attend(q[n], k, v, counts, h, y[n]);
    for (int n = 0; n < N; n++)
        for (int o = 0; o < C; o++) {
            double turned = 0;
            for (int i = 0; i < C; i++) turned += (double)values(m, turn)[o * C + i] * y[n][i];
            x[n][o] += turned;
            sum += turned;
        }
    return sum;
}

static void the_variant_is_given_what_it_asks_for(void **state) {
    (void)state;
    model m;
    open_model(&m, "train.seed: 8\n", &training);
    foci_graph_forward(m.graph);
    double sum[LAYERS] = {0};
    for (int b = 0; b < B; b++) {
        tokens x, first;
        for (int i = 0; i < N * C; i++) x[i / C][i % C] = (double)m.given[b * N * C + i];
        for (int layer = 0; layer < LAYERS; layer++) sum[layer] += layer_of(&m, layer, x, m.counts + b * N, first);
        for (int i = 0; i < N * C; i++) assert_close(foci_data(m.out)[b * N * C + i], x[i / C][i % C], 1e-10);
    }
    for (int layer = 0; layer < LAYERS; layer++) {
        const foci_attention_io *io = &seen[layer];
        assert_close(foci_data(penalty[layer])[0], 0.25 * sum[layer] / (B * N * C), 1e-12);
        assert_int_equal(io->layer, layer);
        assert_int_equal(io->depth, LAYERS);
        assert_int_equal(io->longest, LONGEST);
        assert_true(io->seed == 8 && io->mask == m.mask && io->x && !io->causal);
    }
    assert_true(seen[0].x == m.x && !seen[0].v_first && !seen[0].v_before);
    assert_true(seen[1].v_first == seen[0].v && seen[1].q_first == seen[0].q && seen[1].k_before == seen[0].k);
    close_model(&m);
}

/* What is left out of the projections is not there: q is k, and no q_net has weights. */
static void keys_may_be_queries(void **state) {
    (void)state;
    model m;
    open_model(&m, "attention: {keys: one}\n", &training);
    assert_true(seen[0].q == seen[0].k && !seen[0].k2);
    assert_int_equal(foci_parameters_find(&m.parameters, "layers.0.q_net.weight"), -1);
    const int i = foci_parameters_find(&m.parameters, "layers.1.kv_net.weight");
    assert_int_equal(m.parameters.entry[i].shape[0], 2 * C);
    foci_graph_forward(m.graph);
    assert_true(isfinite((double)foci_data(m.loss)[0]));
    close_model(&m);
}

static int64_t rows_of(const model *m, const char *name) {
    const int i = foci_parameters_find(&m->parameters, name);
    return i < 0 ? -1 : m->parameters.entry[i].shape[0];
}

/* Layers that the variant is not for have the dot product: no second keys, nothing of the variant's own. */
static void layers_may_do_without_the_variant(void **state) {
    (void)state;
    model m;
    open_model(&m, "attention: {layers: [1]}\n", &training);
    assert_int_equal(rows_of(&m, "layers.0.kv_net.weight"), 2 * C);
    assert_int_equal(rows_of(&m, "layers.1.kv_net.weight"), 3 * C);
    assert_int_equal(rows_of(&m, "layers.0.turn"), -1);
    assert_int_equal(rows_of(&m, "layers.1.turn"), C);
    close_model(&m);
}

/* ----------------------------------------------------------------------------------------------- gradients */

static double objective(const model *m, double factor) {
    foci_graph_forward(m->graph);
    double sum = (double)foci_data(m->loss)[0];
    for (int layer = 0; layer < LAYERS; layer++) sum += factor * (double)foci_data(penalty[layer])[0];
    return sum;
}

/* Of every parameter by central differences of the loss and `factor` times the penalties; buffers have none. */
static void compare_gradients(model *m, double factor) {
    const double h = 1e-5;
    foci_parameters *p = &m->parameters;
    for (int e = 0; e < p->count; e++)
        for (int64_t i = p->entry[e].offset; i < p->entry[e].offset + p->entry[e].numel; i++) {
            const foci_real at = p->value[i];
            p->value[i] = at + (foci_real)h;
            const double above = objective(m, factor);
            p->value[i] = at - (foci_real)h;
            const double numeric = p->entry[e].buffer ? 0 : (above - objective(m, factor)) / (2 * h);
            p->value[i] = at;
            assert_close(p->grad[i], numeric, 1e-8);
        }
}

static void penalties_are_differentiated_with_the_loss(void **state) {
    (void)state;
    model m;
    open_model(&m, "", &training);
    foci_graph_forward(m.graph);
    foci_graph_backward(m.graph, 1);
    compare_gradients(&m, 1);
    foci_parameters_zero_grad(&m.parameters);
    foci_graph_forward(m.graph);
    foci_grad(m.loss)[0] = 1;
    foci_graph_backward_from_output(m.graph); /* the loss alone */
    compare_gradients(&m, 0);
    close_model(&m);
}

static void segments_computed_again_give_the_same(void **state) {
    (void)state;
    model kept, again;
    open_model(&kept, "", &training);
    foci_graph_forward(kept.graph);
    foci_graph_backward(kept.graph, 0.5);
    open_model(&again, "", &(foci_graph_options){.train = true, .differentiate = true, .recompute = true});
    assert_true(foci_graph_cost_again(again.graph) > 0);
    foci_graph_forward(again.graph);
    foci_graph_backward(again.graph, 0.5);
    assert_memory_equal(kept.parameters.grad, again.parameters.grad, (size_t)kept.parameters.size * sizeof(foci_real));
    close_model(&kept);
    close_model(&again);
}

static void only_training_is_punished(void **state) {
    (void)state;
    model m;
    open_model(&m, "", &(foci_graph_options){.differentiate = true});
    foci_graph_forward(m.graph);
    foci_graph_backward(m.graph, 1);
    foci_real *grad = malloc((size_t)m.parameters.size * sizeof *grad);
    memcpy(grad, m.parameters.grad, (size_t)m.parameters.size * sizeof *grad);
    close_model(&m);
    open_model(&m, "attention.penalty: 0\n", &training);
    foci_graph_forward(m.graph);
    foci_graph_backward(m.graph, 1);
    for (int64_t i = 0; i < m.parameters.size; i++) assert_close(grad[i], m.parameters.grad[i], 1e-15);
    free(grad);
    close_model(&m);
}

/* ------------------------------------------------------------------------------------------------- buffers */

static void make_update(model *m, foci_optimizer *o) {
    double norm;
    foci_parameters_zero_grad(&m->parameters);
    foci_graph_forward(m->graph);
    foci_graph_backward(m->graph, 1);
    assert_ok(foci_optimizer_step(o, &m->parameters, 0.1, &norm));
}

static void a_buffer_is_kept_but_not_trained(void **state) {
    (void)state;
    model m, resumed;
    foci_optimizer o, other;
    foci_run_state now = {.step = 2}, then = {.step = 0};
    const foci_optimizer_options options = {
        .kind = FOCI_ADAMW, .beta1 = 0.9, .beta2 = 0.999, .eps = 1e-8, .weight_decay = 0.1};
    open_model(&m, "", &training);
    foci_real turn[C * C], bias[C];
    char folder[600];
    snprintf(folder, sizeof folder, "%s", temporary_folder());
    memcpy(turn, values(&m, "layers.1.turn"), sizeof turn);
    memcpy(bias, values(&m, "layers.1.q_net.bias"), sizeof bias);
    assert_ok(foci_optimizer_init(&o, &options, &m.parameters));
    make_update(&m, &o);
    make_update(&m, &o);
    assert_memory_equal(values(&m, "layers.1.turn"), turn, sizeof turn);
    assert_memory_not_equal(values(&m, "layers.1.q_net.bias"), bias, sizeof bias);
    const int entry = foci_parameters_find(&m.parameters, "layers.1.turn");
    for (int i = 0; i < C * C; i++) assert_true(o.m[m.parameters.entry[entry].offset + i] == 0);
    assert_int_equal(foci_parameters_numel(&m.parameters), LAYERS * 4 * (C * C + C)); /* without the buffers */

    /* written by an operation, say: a resumed training has what was saved, not what was drawn */
    values(&m, "layers.1.turn")[5] = 2.5;
    assert_ok(foci_state_save(folder, &m.parameters, &o, NULL, &now, 0));
    open_model(&resumed, "", &training);
    assert_ok(foci_optimizer_init(&other, &options, &resumed.parameters));
    assert_ok(foci_state_load(folder, &resumed.parameters, &other, NULL, &then));
    assert_close(values(&resumed, "layers.1.turn")[5], 2.5, 0);
    assert_close(values(&resumed, "layers.1.turn")[4], turn[4], 1e-7);
    foci_optimizer_free(&o);
    foci_optimizer_free(&other);
    close_model(&m);
    close_model(&resumed);
}

static void weights_without_the_buffer_do_not_fit(void **state) {
    (void)state;
    model m;
    char path[600];
    open_model(&m, "", &training);
    snprintf(path, sizeof path, "%s/w.safetensors", temporary_folder());
    foci_parameters fewer = m.parameters;
    fewer.count--; /* layers.1.turn was declared last */
    assert_ok(foci_save_weights(&fewer, path, NULL, 0));
    assert_fails(foci_load_weights(&m.parameters, path), FOCI_ERR_CHECKPOINT, "missing: layers.1.turn");
    close_model(&m);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_variant_is_given_what_it_asks_for),
        cmocka_unit_test(keys_may_be_queries),
        cmocka_unit_test(layers_may_do_without_the_variant),
        cmocka_unit_test(penalties_are_differentiated_with_the_loss),
        cmocka_unit_test(segments_computed_again_give_the_same),
        cmocka_unit_test(only_training_is_punished),
        cmocka_unit_test(a_buffer_is_kept_but_not_trained),
        cmocka_unit_test(weights_without_the_buffer_do_not_fit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
