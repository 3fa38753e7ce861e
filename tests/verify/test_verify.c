/* Golden cases: those at hand pass; one that is wrong is noticed; one that is malformed is refused with its
 * place. */
#include "check.h"

#include <jansson.h>
#include <math.h>

#include "base/file.h"
#include "base/philox.h"
#include "core/safetensors.h"
#include "kernels/bf16.h"
#include "verify/verify.h"

static void passes_in(const char *path, bool bf16) {
    foci_verify_report r;
    assert_ok(foci_verify_case(path, bf16, &r));
    assert_false(r.skipped);
    for (int i = 0; i < r.groups; i++)
        if (!r.group[i].ok)
            fail_msg("%s: %s differs by %g, tolerance %g", path, r.group[i].name, r.group[i].difference,
                     r.group[i].tolerance);
    assert_true(r.ok);
    assert_true(r.groups > 0);
}

static void passes(const char *path) {
    passes_in(path, false);
    if (foci_bf16_supported()) passes_in(path, true);
}

/* Cases beside the checkout. */
static void passes_shared(const char *const *names) {
    for (; *names; names++) {
        char name[128];
        snprintf(name, sizeof name, "golden/%s.json", *names);
        const char *path = shared_path(name);
        if (!path) skip();
        passes(path);
    }
}

static void kept_cases(void **state) {
    (void)state;
    passes("tests/golden/units.json");
    passes("tests/golden/attention.json");
    passes("tests/golden/small-vit.json");
    passes("tests/golden/small-lm-plain.json");
    passes("tests/golden/small-lm-clusters.json");
    passes("tests/golden/small-encoder.json");
    passes("tests/golden/small-encoder-pair.json");
    passes("tests/golden/small-gpt2.json");
    passes("tests/golden/small-llama-elliptical.json");
    passes("tests/golden/gpt-units.json");
}
static void adaptive_softmax(void **state) {
    (void)state;
    passes_shared((const char *const[]){"adaptive-softmax", NULL});
}
static void vision_transformers(void **state) {
    (void)state;
    passes_shared((const char *const[]){"vit-softmax", "vit-elliptical-max", "vit-elliptical-mean",
                                        "vit-elliptical-median", NULL});
}
static void encoders(void **state) {
    (void)state;
    passes_shared((const char *const[]){"encoder-elliptical", NULL});
}
static void language_models(void **state) {
    (void)state;
    passes_shared(
        (const char *const[]){"lm-softmax", "lm-softmax-divval", "lm-elliptical-paper", "lm-elliptical-causal", NULL});
}
static void decoders(void **state) {
    (void)state;
    passes_shared((const char *const[]){"gpt2", "gpt-llama", "gpt-mix", "gpt2-elliptical", "gpt-llama-elliptical",
                                        "gpt-attention", "gpt-names", NULL});
}
static void spans_and_experts(void **state) {
    (void)state;
    passes_shared((const char *const[]){"span-attention", "moe", NULL});
}
/* Not in bf16: what is rounded may go to other experts. */
static void models_with_a_memory(void **state) {
    (void)state;
    static const char *const names[] = {"switch-softmax", "switch-elliptical", "glam-elliptical", "dense"};
    for (int i = 0; i < 4; i++) {
        char name[128];
        snprintf(name, sizeof name, "golden/lm-span-%s.json", names[i]);
        const char *path = shared_path(name);
        if (!path) skip();
        passes_in(path, false);
    }
}

/* ------------------------------------------------------------------------- copies of the kept units case,
 * spoilt */

static char folder[300], json_path[400], tensor_path[400];
static json_t *root;

static int open_copy(void **state) {
    (void)state;
    snprintf(folder, sizeof folder, "%s", temporary_folder());
    snprintf(json_path, sizeof json_path, "%s/units.json", folder);
    snprintf(tensor_path, sizeof tensor_path, "%s/units.safetensors", folder);
    root = json_load_file("tests/golden/units.json", 0, NULL);
    char *bytes;
    size_t size;
    if (!root || foci_read_file("tests/golden/units.safetensors", 1 << 20, &bytes, &size, FOCI_ERR_IO)) return -1;
    foci_status status = foci_write_file(tensor_path, bytes, size);
    free(bytes);
    return (int)status;
}

static int close_copy(void **state) {
    (void)state;
    json_decref(root);
    return 0;
}

static foci_status verify_copy(foci_verify_report *r) {
    assert_int_equal(json_dump_file(root, json_path, 0), 0);
    return foci_verify_case(json_path, false, r);
}

static void a_copy_passes(void **state) {
    (void)state;
    foci_verify_report r;
    assert_ok(verify_copy(&r));
    assert_true(r.ok);
    assert_string_equal(r.name, "units");
}

static void a_tighter_tolerance_fails(void **state) {
    (void)state;
    foci_verify_report r;
    json_object_set_new(json_object_get(root, "tolerance"), "gelu.dx", json_real(1e-12));
    assert_ok(verify_copy(&r));
    assert_false(r.ok);
    int failed = 0;
    for (int i = 0; i < r.groups; i++) failed += !r.group[i].ok;
    assert_int_equal(failed, 1);
}

/* Replaces 4 bytes of a tensor. */
static void poke(const char *tensor, float value) {
    foci_safetensors f;
    assert_ok(foci_safetensors_open(&f, tensor_path));
    long at = (long)((size_t)(f.data - f.map.data) + foci_safetensors_find(&f, tensor)->first);
    foci_safetensors_close(&f);
    FILE *file = fopen(tensor_path, "r+b");
    fseek(file, at, SEEK_SET);
    fwrite(&value, 1, sizeof value, file);
    fclose(file);
}

static void a_wrong_value_fails(void **state) {
    (void)state;
    foci_verify_report r;
    poke("expected.layernorm.eps5.dbias", 1e6f);
    assert_ok(verify_copy(&r));
    assert_false(r.ok);
}

static void what_is_not_a_number_fails(void **state) {
    (void)state;
    foci_verify_report r;
    poke("expected.gelu.out", (float)NAN);
    assert_ok(verify_copy(&r));
    assert_false(r.ok);
    for (int i = 0; i < r.groups; i++)
        if (strcmp(r.group[i].name, "gelu.out") == 0) assert_true(isinf(r.group[i].difference) && !r.group[i].ok);
}

static void groups_and_tolerances_must_match(void **state) {
    (void)state;
    foci_verify_report r;
    json_t *tolerance = json_object_get(root, "tolerance");
    json_object_set_new(tolerance, "relu.out", json_real(1));
    assert_fails(verify_copy(&r), FOCI_ERR_DATA, "tolerance.relu.out: nothing to compare");
    json_object_del(tolerance, "relu.out");
    json_object_set_new(tolerance, "gelu.out", json_real(-1));
    assert_fails(verify_copy(&r), FOCI_ERR_DATA, "tolerance.gelu.out is -1");
    json_object_set_new(tolerance, "gelu.out", json_string("1"));
    assert_fails(verify_copy(&r), FOCI_ERR_DATA, "tolerance.gelu.out is not a number");
    json_object_del(tolerance, "gelu.out");
    assert_fails(verify_copy(&r), FOCI_ERR_DATA, "tolerance.gelu.out is missing");
    json_object_del(root, "tolerance");
    assert_fails(verify_copy(&r), FOCI_ERR_DATA, "case.tolerance is missing");
}

static void fields_and_kinds_are_known_or_refused(void **state) {
    (void)state;
    foci_verify_report r;
    json_object_set_new(root, "comment", json_string("does no harm"));
    assert_ok(verify_copy(&r));
    json_object_set_new(root, "extra", json_integer(3));
    assert_fails(verify_copy(&r), FOCI_ERR_DATA, "extra: foci does not know this field");
    json_object_set_new(root, "kind", json_string("diffusion"));
    assert_ok(verify_copy(&r));
    assert_true(r.skipped && !r.ok);
    json_object_set_new(root, "kind", json_integer(1));
    assert_fails(verify_copy(&r), FOCI_ERR_DATA, "case.kind is not a string");
}

static void files_that_are_broken(void **state) {
    (void)state;
    foci_verify_report r;
    assert_fails(foci_verify_case("/nonexistent.json", false, &r), FOCI_ERR_DATA, "/nonexistent.json: No such file");
    assert_ok(foci_write_file(json_path, "{\n \"kind\": }", 12));
    assert_fails(foci_verify_case(json_path, false, &r), FOCI_ERR_DATA, "units.json:2:");
    assert_ok(foci_write_file(tensor_path, "short", 5));
    assert_fails(verify_copy(&r), FOCI_ERR_DATA, "units.safetensors: 5 bytes, too short");
    remove(tensor_path);
    assert_fails(verify_copy(&r), FOCI_ERR_DATA, "units.safetensors: No such file");
}

/* Tensors of other shapes, labels out of range, tensors that nobody reads. */
static void tensors_that_do_not_fit(void **state) {
    (void)state;
    foci_verify_report r;
    static const foci_real data[64] = {0};
    foci_safetensor_item item[] = {{"x", 2, (int64_t[]){4, 8}, data}, {"weight", 1, (int64_t[]){7}, data}};
    assert_ok(foci_safetensors_write(tensor_path, item, 2, NULL, 0));
    assert_fails(verify_copy(&r), FOCI_ERR_DATA, "tensor weight is (7), not (8)");
    assert_ok(foci_safetensors_write(tensor_path, item, 1, NULL, 0));
    assert_fails(verify_copy(&r), FOCI_ERR_DATA, "tensor weight is missing");
    item[0].ndim = 1;
    assert_ok(foci_safetensors_write(tensor_path, item, 1, NULL, 0));
    assert_fails(verify_copy(&r), FOCI_ERR_DATA, "tensor x is not a matrix");
}

/* ---------------------------------------------------------------------------------------- model cases,
 * spoilt */

/* The case with one text replaced by another; beside it the tensors of the original. */
static foci_status verify_changed(const char *name, const char *from, const char *to, foci_verify_report *r) {
    char source[100], *bytes, *changed;
    size_t size;
    snprintf(source, sizeof source, "tests/golden/%s.safetensors", name);
    assert_ok(foci_read_file(source, 1 << 20, &bytes, &size, FOCI_ERR_IO));
    assert_ok(foci_write_file(tensor_path, bytes, size));
    free(bytes);
    snprintf(source, sizeof source, "tests/golden/%s.json", name);
    assert_ok(foci_read_file(source, 1 << 20, &bytes, &size, FOCI_ERR_IO));
    char *at = strstr(bytes, from);
    if (!at) fail_msg("%s does not contain %s", source, from);
    size_t before = (size_t)(at - bytes), length = strlen(to), after = size - before - strlen(from);
    changed = malloc(size + length);
    memcpy(changed, bytes, before);
    memcpy(changed + before, to, length);
    memcpy(changed + before + length, at + strlen(from), after);
    assert_ok(foci_write_file(json_path, changed, before + length + after));
    free(bytes);
    free(changed);
    return foci_verify_case(json_path, false, r);
}

static void other_kinds_are_skipped(void **state) {
    (void)state;
    foci_verify_report r;
    assert_ok(verify_changed("small-vit", "\"kind\": \"vit\"", "\"kind\": \"rope\"", &r));
    assert_true(r.skipped);
    assert_string_equal(r.kind, "rope");
}

static void options_change_the_answer(void **state) {
    (void)state;
    static const struct {
        const char *name, *from, *to;
    } change[] = {
        {"small-vit", "\"den\": \"k\"", "\"den\": \"delta\""},
        {"small-vit", "\"keep_scale\": false", "\"keep_scale\": true"},
        {"small-vit", "\"clip\": 0.7", "\"clip\": null"},
        {"small-vit", "\"eps\": 0.001", "\"eps\": 1e-8"},
        {"small-vit", "\"optimizer\": \"adam\"", "\"optimizer\": \"adamw\""},
        {"small-vit", "\"blocks.1.mlp.fc1.weight\"", "\"blocks.0.mlp.fc1.weight\""},
        {"small-lm-plain", "\"momentum\": 0.8", "\"momentum\": 0.7"},
        {"small-lm-plain", "\"walk\": \"disjoint\"", "\"walk\": \"sliding\""},
        {"small-lm-plain", "\"positions\": 31", "\"positions\": 30"},
        {"small-lm-clusters", "\"reduce\": \"median\"", "\"reduce\": \"mean\""},
        {"small-lm-clusters", "0.7,\n", "0.8,\n"},
        {"small-encoder", "\"reduce\": \"median\"", "\"reduce\": \"mean\""},
        {"small-encoder-pair", "\"keep_scale\": false", "\"keep_scale\": true"},
        {"small-encoder-pair", "\"weight_decay\": 0.1", "\"weight_decay\": 0.2"},
    };
    for (size_t i = 0; i < sizeof change / sizeof *change; i++) {
        foci_verify_report r;
        foci_status status = verify_changed(change[i].name, change[i].from, change[i].to, &r);
        if (status || r.ok)
            fail_msg("%s -> %s: status %d %s", change[i].from, change[i].to, (int)status,
                     status ? foci_error_message() : "passes");
    }
}

static void malformed_models_name_the_place(void **state) {
    (void)state;
    foci_verify_report r;
    assert_fails(verify_changed("small-vit", "\"depth\": 3", "\"depth\": 4", &r), FOCI_ERR_DATA,
                 "tensor param.blocks.3.norm1.weight is missing");
    assert_fails(verify_changed("small-vit", "\"depth\": 3", "\"depth\": 2", &r), FOCI_ERR_DATA,
                 "train.param_norm.blocks.2.norm1.weight: the model has no such parameter");
    assert_fails(verify_changed("small-vit", "\"first\": 2", "\"first\": 3", &r), FOCI_ERR_DATA,
                 "tensor expected.w.2: foci does not know what it is for");
    assert_fails(verify_changed("small-vit", "\"depth\": 3", "\"depth\": 3, \"layer_scale\": 1", &r), FOCI_ERR_DATA,
                 "layer_scale");
    assert_fails(verify_changed("small-vit", "\"scale\": \"mean\"", "\"scale\": \"min\"", &r), FOCI_ERR_DATA, "scale");
    assert_fails(verify_changed("small-vit", "\"embed_dim\": 8", "\"embed_dim\": 65536", &r), FOCI_ERR_DATA, "not (");
    assert_fails(verify_changed("small-vit", "\"num_classes\": 5", "\"num_classes\": 3", &r), FOCI_ERR_DATA, "not (3");
    assert_fails(verify_changed("small-vit", "\"optimizer\": \"adam\"", "\"optimizer\": \"lion\"", &r), FOCI_ERR_DATA,
                 "train.optimizer: foci has no lion");
    assert_fails(verify_changed("small-vit", "\"clip\": 0.7", "\"clip\": 0.7, \"ema\": 0.9", &r), FOCI_ERR_DATA,
                 "train.ema: foci does not know this field");
    assert_fails(verify_changed("small-vit", "\"steps\": 6", "\"steps\": 7", &r), FOCI_ERR_DATA,
                 "train.lr has 6 numbers, not 7");
    assert_fails(verify_changed("small-vit", "\"batches\": 2", "\"batches\": 3", &r), FOCI_ERR_DATA,
                 "tensor train.images is (2, 2, 3, 8, 12), not (3, 2, 3, 8, 12)");
    assert_fails(verify_changed("small-vit", "\"head.bias\"", "\"heart.bias\"", &r), FOCI_ERR_DATA,
                 "train.no_decay: weight decay: there is no parameter heart.bias");
    assert_fails(verify_changed("small-lm-plain", "\"window\": 6", "\"window\": 0", &r), FOCI_ERR_DATA,
                 "eval[0].window is 0, not in 1 .. 65536");
    assert_fails(verify_changed("small-lm-plain", "\"walk\": \"disjoint\"", "\"walk\": \"random\"", &r), FOCI_ERR_DATA,
                 "eval[0].walk is random");
    assert_fails(verify_changed("small-lm-plain", "\"crit.out_layers.0.weight\"", "\"crit.out_layers.1.weight\"", &r),
                 FOCI_ERR_DATA, "tied.crit.out_layers.1.weight");
    assert_fails(verify_changed("small-lm-plain", "\"n_token\": 23", "\"n_token\": 22", &r), FOCI_ERR_DATA, "not (22");
}

/* Whatever becomes of the text, verify answers. */
static void random_changes_are_survived(void **state) {
    (void)state;
    static const char bytes[] = "0123456789-.,e\"{}[]: null";
    static const char *const name[] = {"small-vit", "small-lm-plain", "small-lm-clusters"};
    foci_rng rng = foci_rng_make(4, 5, 6);
    for (int i = 0; i < 240; i++) {
        char source[100], *text;
        size_t size;
        foci_verify_report r;
        assert_ok(verify_changed(name[i % 3], "\"case\"", "\"case\"", &r));
        snprintf(source, sizeof source, "tests/golden/%s.json", name[i % 3]);
        assert_ok(foci_read_file(source, 1 << 20, &text, &size, FOCI_ERR_IO));
        uint32_t range = i % 2 ? (uint32_t)size : 600; /* the sizes and options stand at the front */
        for (int j = 0; j < 1 + i % 2; j++)
            text[foci_rng_below(&rng, range)] = bytes[foci_rng_below(&rng, sizeof bytes - 1)];
        assert_ok(foci_write_file(json_path, text, size));
        free(text);
        foci_status status = foci_verify_case(json_path, false, &r);
        if (status && status != FOCI_ERR_DATA)
            fail_msg("change %d: status %d: %s", i, (int)status, foci_error_message());
    }
}

int main(void) {
#define SPOILT(test) cmocka_unit_test_setup_teardown(test, open_copy, close_copy)
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(kept_cases),
        cmocka_unit_test(adaptive_softmax),
        cmocka_unit_test(vision_transformers),
        cmocka_unit_test(encoders),
        cmocka_unit_test(language_models),
        cmocka_unit_test(decoders),
        cmocka_unit_test(spans_and_experts),
        SPOILT(other_kinds_are_skipped),
        cmocka_unit_test(models_with_a_memory),
        SPOILT(a_copy_passes),
        SPOILT(a_tighter_tolerance_fails),
        SPOILT(a_wrong_value_fails),
        SPOILT(what_is_not_a_number_fails),
        SPOILT(groups_and_tolerances_must_match),
        SPOILT(fields_and_kinds_are_known_or_refused),
        SPOILT(files_that_are_broken),
        SPOILT(tensors_that_do_not_fit),
        SPOILT(options_change_the_answer),
        SPOILT(malformed_models_name_the_place),
        SPOILT(random_changes_are_survived),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
