#include "task/hugging_face.h"

#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "core/safetensors.h"

typedef enum form { NO_FORM, GPT2, LLAMA, QWEN3 } form;
static const char *const type_of[] = {"", "gpt2", "llama", "qwen3"};

/* ------------------------------------------------------------------------------------------- what they say */

static bool is(const foci_config *c, const char *key, const char *value) {
    return strcmp(foci_config_string(c, key), value) == 0;
}

static bool names_of_gpt2(const foci_config *c) {
    return is(c, "model.names", "by_norm") ? is(c, "model.norm", "layer") : is(c, "model.names", "gpt2");
}

static form form_of(const foci_config *c) {
    return names_of_gpt2(c) ? GPT2 : foci_config_bool(c, "model.qk_norm") ? QWEN3 : LLAMA;
}

/* What every form needs, key by key. */
static foci_status must_be(const foci_config *c, form f, const char *key, const char *value) {
    return is(c, key, value) ? FOCI_OK
                             : foci_config_fail(c, key, "%s: Hugging Face's %s has %s", foci_config_string(c, key),
                                                type_of[f], value);
}

static foci_status can_be_said(const foci_config *c, form f) {
    if (!is(c, "attention.kind", "softmax"))
        return foci_config_fail(c, "attention.kind", "%s: Hugging Face's models have the dot product alone",
                                foci_config_string(c, "attention.kind"));
    FOCI_TRY(must_be(c, f, "model.norm", f == GPT2 ? "layer" : "rms"));
    FOCI_TRY(must_be(c, f, "model.position", f == GPT2 ? "learned" : "rotary"));
    if (f != GPT2) FOCI_TRY(must_be(c, f, "model.mlp", "swiglu"));
    else if (is(c, "model.mlp", "swiglu")) return must_be(c, f, "model.mlp", "gelu_tanh");
    const int64_t heads = foci_config_int(c, "model.num_heads"), kv_heads = foci_config_int(c, "model.num_kv_heads"),
                  width = foci_config_int(c, "model.d_head");
    if (f == GPT2 && kv_heads && kv_heads != heads)
        return foci_config_fail(c, "model.num_kv_heads", "Hugging Face's gpt2 has as many as heads");
    if (f == GPT2 && width && width * heads != foci_config_int(c, "model.d_model"))
        return foci_config_fail(c, "model.d_head", "Hugging Face's gpt2 has d_model / num_heads");
    if (f == GPT2 && foci_config_bool(c, "model.qk_norm"))
        return foci_config_fail(c, "model.qk_norm", "Hugging Face's gpt2 has none");
    if (f == QWEN3 && foci_config_bool(c, "model.bias"))
        return foci_config_fail(c, "model.bias", "Hugging Face's qwen3 has none in its MLP");
    return FOCI_OK;
}

static json_t *activation(const foci_config *c) {
    return json_string(is(c, "model.mlp", "gelu_tanh") ? "gelu_new" : foci_config_string(c, "model.mlp"));
}

static void put_int(json_t *o, const char *name, int64_t value) { json_object_set_new(o, name, json_integer(value)); }
static void put_real(json_t *o, const char *name, const foci_config *c, const char *key) {
    json_object_set_new(o, name, json_real(foci_config_real(c, key)));
}

static void put_gpt2(json_t *o, const foci_config *c) {
    const int64_t width = foci_config_int(c, "model.d_model"), inner = foci_config_int(c, "model.d_inner");
    put_int(o, "n_positions", foci_config_int(c, "model.context"));
    put_int(o, "n_embd", width);
    put_int(o, "n_layer", foci_config_int(c, "model.depth"));
    put_int(o, "n_head", foci_config_int(c, "model.num_heads"));
    put_int(o, "n_inner", inner ? inner : 4 * width);
    put_real(o, "layer_norm_epsilon", c, "model.norm_eps");
    json_object_set_new(o, "activation_function", activation(c));
}

static void put_llama(json_t *o, const foci_config *c, form f) {
    const int64_t width = foci_config_int(c, "model.d_model"), heads = foci_config_int(c, "model.num_heads"),
                  kv_heads = foci_config_int(c, "model.num_kv_heads"), head = foci_config_int(c, "model.d_head"),
                  inner = foci_config_int(c, "model.d_inner");
    put_int(o, "max_position_embeddings", foci_config_int(c, "model.context"));
    put_int(o, "hidden_size", width);
    put_int(o, "num_hidden_layers", foci_config_int(c, "model.depth"));
    put_int(o, "num_attention_heads", heads);
    put_int(o, "num_key_value_heads", kv_heads ? kv_heads : heads);
    put_int(o, "head_dim", head ? head : width / heads);
    put_int(o, "intermediate_size", inner ? inner : (8 * width / 3 + 255) / 256 * 256);
    put_real(o, "rms_norm_eps", c, "model.norm_eps");
    put_real(o, "rope_theta", c, "model.rope_theta");
    json_object_set_new(o, "rope_scaling", json_null());
    json_object_set_new(o, "hidden_act", json_string("silu"));
    json_object_set_new(o, "attention_bias", json_boolean(foci_config_bool(c, "model.bias")));
    if (f == LLAMA) json_object_set_new(o, "mlp_bias", json_boolean(foci_config_bool(c, "model.bias")));
}

/* What config.json says of this model. */
static json_t *description(const foci_config *c, form f, int64_t vocab) {
    static const char *const architecture[] = {"", "GPT2LMHeadModel", "LlamaForCausalLM", "Qwen3ForCausalLM"};
    json_t *o = json_object();
    json_object_set_new(o, "architectures", json_pack("[s]", architecture[f]));
    json_object_set_new(o, "model_type", json_string(type_of[f]));
    put_int(o, "vocab_size", vocab);
    if (f == GPT2) put_gpt2(o, c);
    else put_llama(o, c, f);
    json_object_set_new(o, "tie_word_embeddings", json_boolean(foci_config_bool(c, "model.tie")));
    json_object_set_new(o, "torch_dtype", json_string("float32"));
    return o;
}

/* ------------------------------------------------------------------------------------------------- writing */

typedef struct tensors {
    foci_arena arena;
    foci_safetensor_item *item;
    int count;
} tensors;

/* Of a weight that has no bias here: zeros, one for each output. */
static foci_status add_bias(tensors *t, const foci_parameters *p, const foci_parameter_entry *e) {
    const size_t length = strlen(e->name) - strlen("weight");
    char *name = foci_arena_printf(&t->arena, "%.*sbias", (int)length, e->name);
    if (!name) return foci_out_of_memory();
    if (foci_parameters_find(p, name) >= 0) return FOCI_OK;
    foci_real *zeros = foci_arena_alloc(&t->arena, (size_t)e->shape[0] * sizeof *zeros);
    if (!zeros) return foci_out_of_memory();
    memset(zeros, 0, (size_t)e->shape[0] * sizeof *zeros);
    t->item[t->count++] = (foci_safetensor_item){name, 1, e->shape, zeros, false};
    return FOCI_OK;
}

static bool wants_bias(const foci_parameter_entry *e) {
    return strncmp(e->name, "transformer.", 12) == 0 && strstr(e->name, ".wte.") == NULL &&
           strstr(e->name, ".wpe.") == NULL && strcmp(e->name + strlen(e->name) - 7, ".weight") == 0;
}

static foci_status add_all(tensors *t, const foci_parameters *p, form f) {
    for (int k = 0; k < p->count; k++) {
        const foci_parameter_entry *e = &p->entry[k];
        int64_t *shape = foci_arena_alloc(&t->arena, FOCI_MAX_DIMS * sizeof *shape);
        if (!shape) return foci_out_of_memory();
        foci_stored_shape(e, e->transposed, shape);
        t->item[t->count++] = (foci_safetensor_item){e->name, e->ndim, shape, p->value + e->offset, e->transposed};
        if (f == GPT2 && wants_bias(e)) FOCI_TRY(add_bias(t, p, e));
    }
    return FOCI_OK;
}

/* Its library asks which one wrote the file. */
static foci_status write_weights(const foci_parameters *p, form f, const char *path) {
    static const foci_text_pair format = {"format", "pt"};
    tensors t = {.item = calloc(2 * (size_t)p->count + 1, sizeof *t.item)};
    foci_status s = t.item ? add_all(&t, p, f) : foci_out_of_memory();
    if (!s) s = foci_safetensors_write(path, t.item, t.count, &format, 1);
    free(t.item);
    foci_arena_free(&t.arena);
    return s;
}

static foci_status write_description(const foci_config *c, form f, int64_t vocab, int32_t end_of_text,
                                     const char *path) {
    json_t *o = description(c, f, vocab);
    json_object_set_new(o, "bos_token_id", end_of_text < 0 ? json_null() : json_integer(end_of_text));
    json_object_set_new(o, "eos_token_id", end_of_text < 0 ? json_null() : json_integer(end_of_text));
    char *text = json_dumps(o, JSON_INDENT(2) | JSON_REAL_PRECISION(9));
    json_decref(o);
    if (!text) return foci_out_of_memory();
    const foci_status s = foci_write_file(path, text, strlen(text));
    free(text);
    return s;
}

foci_status foci_hugging_face_write(const foci_config *c, const foci_parameters *p, int64_t vocab, int32_t end_of_text,
                                    const char *folder) {
    char weights[4200], about[4200];
    const form f = form_of(c);
    FOCI_TRY(can_be_said(c, f));
    FOCI_TRY(foci_path_join(weights, sizeof weights, folder, "model.safetensors"));
    FOCI_TRY(foci_path_join(about, sizeof about, folder, "config.json"));
    FOCI_TRY(foci_make_dirs(folder));
    FOCI_TRY(write_weights(p, f, weights));
    return write_description(c, f, vocab, end_of_text, about);
}

/* ------------------------------------------------------------------------------------------------ checking */

/* What a file means where it says nothing of it. */
static void fill_in(json_t *theirs, form f) {
    static const char *const gpt2 =
        "{\"n_inner\": null, \"layer_norm_epsilon\": 1e-5, \"activation_function\": \"gelu_new\", "
        "\"tie_word_embeddings\": true}";
    static const char *const llama =
        "{\"num_key_value_heads\": null, \"head_dim\": null, \"rms_norm_eps\": 1e-6, \"rope_theta\": 10000.0, "
        "\"hidden_act\": \"silu\", \"attention_bias\": false, \"tie_word_embeddings\": false}";
    json_t *usual = json_loads(f == GPT2 ? gpt2 : llama, 0, NULL);
    json_object_update_missing(theirs, usual);
    json_decref(usual);
    if (f == LLAMA && !json_object_get(theirs, "mlp_bias")) json_object_set_new(theirs, "mlp_bias", json_false());
    const json_int_t width = json_integer_value(json_object_get(theirs, f == GPT2 ? "n_embd" : "hidden_size")),
                     heads = json_integer_value(json_object_get(theirs, "num_attention_heads"));
    if (json_is_null(json_object_get(theirs, "n_inner"))) put_int(theirs, "n_inner", 4 * width);
    if (json_is_null(json_object_get(theirs, "num_key_value_heads"))) put_int(theirs, "num_key_value_heads", heads);
    if (json_is_null(json_object_get(theirs, "head_dim")))
        put_int(theirs, "head_dim", heads > 0 ? width / heads : width);
}

/* Our keys, by theirs; those that are not here need not agree. */
static const struct {
    const char *theirs, *ours;
} keys[] = {{"n_positions", "model.context"},
            {"n_embd", "model.d_model"},
            {"n_layer", "model.depth"},
            {"n_head", "model.num_heads"},
            {"n_inner", "model.d_inner"},
            {"layer_norm_epsilon", "model.norm_eps"},
            {"activation_function", "model.mlp"},
            {"hidden_size", "model.d_model"},
            {"num_hidden_layers", "model.depth"},
            {"num_attention_heads", "model.num_heads"},
            {"num_key_value_heads", "model.num_kv_heads"},
            {"head_dim", "model.d_head"},
            {"intermediate_size", "model.d_inner"},
            {"rms_norm_eps", "model.norm_eps"},
            {"rope_theta", "model.rope_theta"},
            {"hidden_act", "model.mlp"},
            {"attention_bias", "model.bias"},
            {"mlp_bias", "model.bias"},
            {"tie_word_embeddings", "model.tie"}};

static bool same(const json_t *a, const json_t *b) {
    if (json_is_number(a) && json_is_number(b))
        return fabs(json_number_value(a) - json_number_value(b)) <= 1e-9 * fabs(json_number_value(a));
    return json_equal(a, b);
}

static foci_status compare(const foci_config *c, const json_t *ours, const json_t *theirs, const char *path) {
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        const json_t *here = json_object_get(ours, keys[i].theirs), *there = json_object_get(theirs, keys[i].theirs);
        if (!here || !there || same(here, there)) continue;
        char *a = json_dumps(here, JSON_ENCODE_ANY | JSON_REAL_PRECISION(9)),
             *b = json_dumps(there, JSON_ENCODE_ANY | JSON_REAL_PRECISION(9));
        const foci_status s = foci_config_fail(c, keys[i].ours, "is %s of %s here and %s in %s", keys[i].theirs,
                                               a ? a : "?", b ? b : "?", path);
        free(a);
        free(b);
        return s;
    }
    return FOCI_OK;
}

/* What changes the model and has no key here. */
static foci_status refuse(const json_t *theirs, const char *path) {
    static const char *const unknown[] = {"rope_scaling", "scale_attn_by_inverse_layer_idx", NULL};
    const json_t *window = json_object_get(theirs, "sliding_window"),
                 *use = json_object_get(theirs, "use_sliding_window");
    for (const char *const *key = unknown; *key; key++) {
        const json_t *value = json_object_get(theirs, *key);
        if (value && !json_is_null(value) && !json_is_false(value))
            return foci_fail(FOCI_ERR_CONFIG, "%s: %s: foci has no such model", path, *key);
    }
    if (window && !json_is_null(window) && !json_is_false(use))
        return foci_fail(FOCI_ERR_CONFIG, "%s: sliding_window: foci has no such model", path);
    return FOCI_OK;
}

static foci_status check_text(const foci_config *c, int64_t vocab, json_t *theirs, const char *path) {
    const char *type = json_string_value(json_object_get(theirs, "model_type"));
    form f = NO_FORM;
    for (int i = GPT2; i <= QWEN3 && type; i++)
        if (strcmp(type, type_of[i]) == 0) f = (form)i;
    if (!f) return FOCI_OK;
    FOCI_TRY(refuse(theirs, path));
    fill_in(theirs, f);
    json_t *ours = description(c, f, vocab);
    const foci_status s = compare(c, ours, theirs, path);
    json_decref(ours);
    return s;
}

foci_status foci_hugging_face_check(const foci_config *c, int64_t vocab, const char *weights) {
    enum { LIMIT = 1 << 20 };
    char path[4200];
    const char *slash = strrchr(weights, '/');
    json_error_t error;
    char *text;
    size_t size;
    if (!is(c, "model.kind", "gpt")) return FOCI_OK;
    snprintf(path, sizeof path, "%.*sconfig.json", slash ? (int)(slash + 1 - weights) : 0, weights);
    if (access(path, F_OK)) return FOCI_OK;
    FOCI_TRY(foci_read_file(path, LIMIT, &text, &size, FOCI_ERR_DATA));
    json_t *theirs = json_loadb(text, size, 0, &error);
    free(text);
    if (!theirs) return foci_fail(FOCI_ERR_DATA, "%s:%d:%d: %s", path, error.line, error.column, error.text);
    const foci_status s = json_is_object(theirs) ? check_text(c, vocab, theirs, path) : FOCI_OK;
    json_decref(theirs);
    return s;
}
