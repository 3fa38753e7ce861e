/* The models as graphs: published parameter counts and names, planned memory, and what is refused. */
#include "check.h"
#include "core/graph.h"
#include "models/models.h"
#include "task/schema.h"
#include "task/task.h"

typedef struct recorded {
    foci_config *config;
    foci_parameters parameters;
    foci_graph *graph;
} recorded;

static foci_status record(recorded *r, const char *text, int64_t batch) {
    memset(r, 0, sizeof *r);
    foci_parameters_init(&r->parameters);
    FOCI_TRY(foci_config_parse(&r->config, foci_schema_all(), "test.yaml", text, strlen(text), NULL, 0));
    r->graph = foci_graph_new(&r->parameters,
                              &(foci_graph_options){.train = true, .differentiate = true, .place = "test.yaml:1:1"});
    const foci_model *model = foci_model_find(foci_config_string(r->config, "model.kind"));
    model->record(
        &(foci_request){.graph = r->graph, .config = r->config, .batch = batch, .feeds = foci_task_of(model)->feeds});
    return foci_graph_plan(r->graph, NULL);
}

static void done(recorded *r) {
    foci_graph_free(r->graph);
    foci_parameters_free(&r->parameters);
    foci_config_free(r->config);
}

static int64_t numel_of(const char *text) {
    recorded r;
    assert_ok(record(&r, text, 1));
    int64_t n = foci_parameters_numel(&r.parameters);
    done(&r);
    return n;
}

static void published_parameter_counts(void **state) {
    (void)state;
    assert_int_equal(numel_of("model: {kind: vit, num_classes: 1000}"), 5717416);
    assert_int_equal(numel_of("model: {kind: vit, num_classes: 1000, embed_dim: 384, num_heads: 6}"), 22050664);
    assert_int_equal(numel_of("model: {kind: vit, num_classes: 1000, embed_dim: 768, num_heads: 12}"), 86567656);
    assert_int_equal(numel_of("model: {kind: vit, num_classes: 1000, distilled: true}"), 5910800);
    /* published: 7.3 M, 28.0 M, 54.0 M */
    assert_int_equal(numel_of("model: {kind: fan, num_classes: 1000, img_size: 32}"), 7319920);
    assert_int_equal(numel_of("model: {kind: fan, num_classes: 1000, img_size: 32, embed_dim: 384, num_heads: 8}"),
                     28345336);
    const char *base = "model: {kind: fan, num_classes: 1000, img_size: 32, embed_dim: 448, depth: 18, num_heads: 8}";
    assert_int_equal(numel_of(base), 54350320);
    /* WikiText-103 small: 44.02 M */
    int64_t lm = numel_of("model: {kind: lm, vocab: 267735, cutoffs: [20000, 40000, 200000]}");
    assert_in_range(lm, 44015000, 44025000);
}

/* Of GPT-2, and of Llama's form as llama2.c and TinyLlama have it. */
static void published_decoders(void **state) {
    (void)state;
    const char *gpt2 = "model: {kind: gpt, vocab: 50257, context: 1024";
    const char *llama = "model: {kind: gpt, norm: rms, position: rotary, mlp: swiglu, bias: false, vocab: 32000";
    static const struct {
        bool llama;
        const char *sizes;
        int64_t numel;
    } published[] = {
        {false, "", 124439808},
        {false, ", depth: 24, num_heads: 16, d_model: 1024", 354823168},
        {true, ", d_model: 288, depth: 6, num_heads: 6, d_inner: 768", 15191712},
        {true, ", d_model: 512, depth: 8, num_heads: 8, d_inner: 1376", 41689600},
        {true, "", 109529856},
        {true, ", tie: false, d_model: 2048, depth: 22, num_heads: 32, num_kv_heads: 4, d_inner: 5632", 1100048384},
    };
    for (size_t i = 0; i < sizeof published / sizeof *published; i++) {
        char text[400];
        snprintf(text, sizeof text, "%s%s, context: 16}", published[i].llama ? llama : gpt2, published[i].sizes);
        if (!published[i].llama) snprintf(text, sizeof text, "%s%s}\ntrain: {batch_size: 1}", gpt2, published[i].sizes);
        assert_int_equal(numel_of(text), published[i].numel);
    }
}

/* A FAN of NVlabs has counters that nothing depends on; one of timm's distilled DeiTs two tokens and heads. */
static void published_names(void **state) {
    (void)state;
    recorded r;
    assert_ok(record(&r, "model: {kind: fan, num_classes: 10, img_size: 32, depth: 1}", 2));
    static const char *const fan[] = {"patch_embed.proj.6.1.running_var", "pos_embed.token_projection.weight",
                                      "blocks.0.mlp.mlp_v.dwconv.bn.running_mean", "cls_attn_blocks.1.attn.k.weight"};
    for (size_t i = 0; i < sizeof fan / sizeof *fan; i++) assert_true(foci_parameters_find(&r.parameters, fan[i]) >= 0);
    assert_true(foci_parameters_ignores(&r.parameters, "blocks.0.mlp.mlp_v.dwconv.bn.num_batches_tracked"));
    done(&r);
    assert_ok(record(&r, "model: {kind: vit, num_classes: 10, img_size: 32, depth: 1, distilled: true}", 1));
    assert_true(foci_parameters_find(&r.parameters, "dist_token") >= 0);
    const int position = foci_parameters_find(&r.parameters, "pos_embed");
    assert_int_equal(r.parameters.entry[position].shape[1], 2 + 4);
    assert_true(foci_parameters_find(&r.parameters, "head_dist.bias") >= 0);
    done(&r);
}

/* Every cluster has d_model + 1 parameters in the head. */
static void cutoffs_fit_any_vocabulary(void **state) {
    (void)state;
    static const struct {
        int vocab;
        const char *cutoffs;
    } same[] = {{30000, "[3000, 12000]"}, {10000, "[1000, 4000]"}, {5000, "[2000]"}, {2499, "[]"}, {20, "[]"}};
    for (size_t i = 0; i < sizeof same / sizeof *same; i++) {
        char chosen[256], named[256];
        snprintf(chosen, sizeof chosen, "model: {kind: lm, vocab: %d, depth: 1, div_val: 2}", same[i].vocab);
        snprintf(named, sizeof named, "model: {kind: lm, vocab: %d, depth: 1, div_val: 2, cutoffs: %s}", same[i].vocab,
                 same[i].cutoffs);
        assert_int_equal(numel_of(chosen), numel_of(named));
    }
}

/* Paper's Long Range Arena: 64 wide, two layers, one hidden layer of 128 behind. */
static void encoder_parameters(void **state) {
    (void)state;
    const int64_t layer = 4 * (64 * 64 + 64) + 64 * 128 + 128 + 128 * 64 + 64 + 4 * 64;
    const int64_t one = 32 * 64 + 2048 * 64 + 2 * layer + 2 * 64 + 64 * 128 + 128 + 128 * 10 + 10;
    assert_int_equal(numel_of("model: {kind: encoder, vocab: 32, length: 2048, num_classes: 10}"), one);
    assert_int_equal(numel_of("model: {kind: encoder, vocab: 32, length: 2048, num_classes: 10, pair: true}"),
                     one + 3 * 64 * 128);
}

/* The classifier of sentences has lm_span's layers, and heads of its own in place of one output for every word. */
static void classifier_of_sentences(void **state) {
    (void)state;
    static const char *const names[] = {"in_emb.weight",        "key_pe",
                                        "out_emb.bias",         "project_head.0.weight",
                                        "project_head.3.bias",  "layers.1.smoe.experts.htoh4.weight",
                                        "layers.1.norm2.weight"};
    const char *layers = "architecture: rgeg, d_model: 16, num_heads: 2, d_inner: 12, experts: 3, span: 7";
    char model[400];
    recorded r;
    snprintf(model, sizeof model, "model: {kind: lm_span, vocab: 50, %s}", layers);
    const int64_t words = numel_of(model);
    snprintf(model, sizeof model, "model: {kind: lm_span_classifier, vocab: 50, num_classes: 2, %s}", layers);
    assert_int_equal(words - 50 * 17 + 2 * 16 * 17 + 2 * 17, numel_of(model));
    assert_ok(record(&r, model, 3));
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (foci_parameters_find(&r.parameters, names[i]) < 0) fail_msg("no parameter %s", names[i]);
    assert_true(foci_parameters_ignores(&r.parameters, "layers.0.norm3.bias"));
    for (int i = 0; i < foci_graph_slots(r.graph); i++)
        assert_true(foci_graph_slot(r.graph, i)->kind != FOCI_SLOT_PAST); /* nothing is carried */
    done(&r);
}

static void elliptical_attention_adds_no_parameters(void **state) {
    (void)state;
    const char *const models[] = {"model: {kind: vit, num_classes: 10, depth: 3}",
                                  "model: {kind: lm, vocab: 100, depth: 3}",
                                  "model: {kind: encoder, num_classes: 3, length: 20}"};
    for (size_t i = 0; i < sizeof models / sizeof *models; i++) {
        char text[256];
        snprintf(text, sizeof text, "%s\nattention: {kind: elliptical}", models[i]);
        assert_int_equal(numel_of(models[i]), numel_of(text));
    }
}

static void names_are_those_of_published_checkpoints(void **state) {
    (void)state;
    static const char *const vit[] = {"cls_token",
                                      "pos_embed",
                                      "patch_embed.proj.weight",
                                      "patch_embed.proj.bias",
                                      "blocks.2.norm1.weight",
                                      "blocks.2.attn.qkv.bias",
                                      "blocks.2.attn.proj.weight",
                                      "blocks.0.mlp.fc1.weight",
                                      "blocks.0.mlp.fc2.bias",
                                      "norm.weight",
                                      "head.weight"};
    static const char *const lm[] = {"word_emb.emb_layers.0.weight",
                                     "word_emb.emb_projs.0",
                                     "layers.1.dec_attn.q_net.weight",
                                     "layers.1.dec_attn.kv_net.weight",
                                     "layers.1.dec_attn.o_net.weight",
                                     "layers.1.dec_attn.layer_norm.bias",
                                     "layers.0.pos_ff.CoreNet.0.weight",
                                     "layers.0.pos_ff.CoreNet.3.bias",
                                     "layers.0.pos_ff.layer_norm.weight",
                                     "crit.cluster_weight",
                                     "crit.cluster_bias",
                                     "crit.out_layers.0.weight",
                                     "crit.out_layers.0.bias",
                                     "crit.out_projs.0",
                                     "crit.out_projs.1"};
    recorded r;
    assert_ok(record(&r, "model: {kind: vit, num_classes: 10, depth: 3, embed_dim: 12}", 2));
    for (size_t i = 0; i < sizeof vit / sizeof *vit; i++)
        if (foci_parameters_find(&r.parameters, vit[i]) < 0) fail_msg("no parameter %s", vit[i]);
    done(&r);
    assert_ok(record(&r, "model: {kind: lm, vocab: 50, depth: 2, d_model: 16, d_embed: 8, cutoffs: [20]}", 2));
    for (size_t i = 0; i < sizeof lm / sizeof *lm; i++)
        if (foci_parameters_find(&r.parameters, lm[i]) < 0) fail_msg("no parameter %s", lm[i]);
    assert_true(foci_parameters_ignores(&r.parameters, "pos_emb.inv_freq"));
    assert_int_equal(foci_parameters_find(&r.parameters, "crit.out_projs.1"),
                     foci_parameters_find(&r.parameters, "word_emb.emb_projs.0"));
    done(&r);
}

/* Workspaces are sized for the threads there were when the graph was planned. */
static void more_threads_than_planned_do_no_harm(void **state) {
    (void)state;
    enum { GUARD = 1 << 20 };
    int before = foci_threads();
    foci_set_threads(1);
    recorded r;
    assert_ok(record(
        &r, "model: {kind: vit, num_classes: 10, depth: 2, img_size: 32, patch_size: 4}\nattention: {kind: elliptical}",
        4));
    size_t bytes = foci_graph_bytes(r.graph);
    unsigned char *memory = aligned_alloc(64, (bytes + GUARD + 63) / 64 * 64);
    memset(memory, 0, bytes);
    memset(memory + bytes, 0xa5, GUARD);
    foci_tensor *images = foci_graph_find(r.graph, "images"), *labels = foci_graph_find(r.graph, "labels");
    foci_real *pixels = calloc((size_t)foci_numel(images), sizeof(foci_real));
    const int32_t classes[4] = {0};
    foci_graph_feed(r.graph, images, pixels);
    foci_graph_feed(r.graph, labels, classes);
    assert_ok(foci_parameters_allocate(&r.parameters, true));
    foci_set_threads(8);
    foci_graph_bind(r.graph, memory);
    foci_graph_forward(r.graph);
    foci_graph_backward(r.graph, 1);
    for (int i = 0; i < GUARD; i++)
        if (memory[bytes + (size_t)i] != 0xa5) fail_msg("byte %d after the plan was overwritten", i);
    foci_set_threads(before);
    free(pixels);
    free(memory);
    done(&r);
}

static void what_is_refused(void **state) {
    (void)state;
    static const struct {
        const char *text, *message;
    } wrong[] = {
        {"model: {kind: vit, num_classes: 10, embed_dim: 100, num_heads: 3}",
         "embed_dim 100 is not divisible by num_heads 3 (model at test.yaml:1:1)"},
        {"model: {kind: vit, num_classes: 10, img_size: 30}", "patch_embed"},
        {"model: {kind: vit}", "num_classes is 0"},
        {"model: {kind: lm, vocab: 100, d_model: 15, d_head: 4}", "d_model 15 is odd"},
        {"model: {kind: lm, vocab: 100, cutoffs: [50, 40]}", "cutoffs must rise"},
        {"model: {kind: lm, vocab: 100, cutoffs: [0, 40]}", "cutoffs must rise"},
        {"model: {kind: lm, vocab: 300, cutoffs: [2000, 10000]}",
         "model.cutoffs must rise and stay below the vocabulary of 300 words, as [30, 120] do; [0] fits any"},
        {"model: {kind: lm, vocab: 100, d_model: 8, cutoffs: [10, 20, 30], div_val: 4}",
         "div_val 4 leaves cluster 2 no width"},
        {"model: {kind: gpt, vocab: 9, num_heads: 12, num_kv_heads: 5}", "num_kv_heads 5 does not divide num_heads 12"},
        {"model: {kind: gpt, vocab: 9, d_model: 36, position: rotary}", "d_head 3 is odd: rotary positions need pairs"},
        {"model: {kind: gpt, vocab: 9, d_model: 15, num_heads: 5, position: sinusoidal}", "d_model 15 is odd"},
        {"model: {kind: gpt}", "vocab is 0"},
        {"model: {kind: gpt, vocab: 9}\nattention: {kind: elliptical}",
         "attention.scope: with causal a metric is made of the tokens so far"},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        recorded r;
        assert_fails(record(&r, wrong[i].text, 2), FOCI_ERR_CONFIG, wrong[i].message);
        done(&r);
    }
}

static void elliptical_costs_next_to_nothing(void **state) {
    (void)state;
    recorded a, b;
    assert_ok(record(&a, "model: {kind: vit, num_classes: 1000}", 8));
    assert_ok(record(&b, "model: {kind: vit, num_classes: 1000}\nattention: {kind: elliptical}", 8));
    assert_true((double)foci_graph_bytes(b.graph) < 1.02 * (double)foci_graph_bytes(a.graph));
    foci_cost x = foci_graph_cost(a.graph), y = foci_graph_cost(b.graph);
    assert_true(y.forward + y.backward < 1.02 * (x.forward + x.backward));
    done(&a);
    done(&b);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(published_parameter_counts),
        cmocka_unit_test(published_decoders),
        cmocka_unit_test(published_names),
        cmocka_unit_test(cutoffs_fit_any_vocabulary),
        cmocka_unit_test(encoder_parameters),
        cmocka_unit_test(classifier_of_sentences),
        cmocka_unit_test(elliptical_attention_adds_no_parameters),
        cmocka_unit_test(names_are_those_of_published_checkpoints),
        cmocka_unit_test(more_threads_than_planned_do_no_harm),
        cmocka_unit_test(what_is_refused),
        cmocka_unit_test(elliptical_costs_next_to_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
