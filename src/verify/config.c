/* The config that a case describes: what its JSON says of a model and of attention, as YAML, read as any config is. */
#include <stdarg.h>
#include <string.h>

#include "attention/attend.h"
#include "attention/attention.h"
#include "verify/case.h"

typedef struct text {
    char bytes[8192];
    size_t used;
} text;

static void add(text *t, const char *fmt, ...) FOCI_PRINTF(2, 3);
static void add(text *t, const char *fmt, ...) {
    va_list ap;
    va_start(ap, fmt);
    int n = vsnprintf(t->bytes + t->used, sizeof t->bytes - t->used, fmt, ap);
    va_end(ap);
    t->used = n < 0 || t->used + (size_t)n >= sizeof t->bytes ? sizeof t->bytes - 1 : t->used + (size_t)n;
}

static bool is_plain(const char *s) {
    return *s && s[strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-")] == 0;
}

/* A JSON value as YAML; only what configs contain. */
static bool add_value(text *t, const json_t *value) {
    if (json_is_integer(value)) {
        add(t, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
    } else if (json_is_real(value)) {
        add(t, "%.17g", json_real_value(value));
    } else if (json_is_boolean(value)) {
        add(t, "%s", json_is_true(value) ? "true" : "false");
    } else if (json_is_string(value) && is_plain(json_string_value(value))) {
        add(t, "%s", json_string_value(value));
    } else if (json_is_array(value)) {
        add(t, "[");
        for (size_t i = 0; i < json_array_size(value); i++) {
            const json_t *item = json_array_get(value, i);
            if (!json_is_number(item)) return false;
            if (i) add(t, ", ");
            add_value(t, item);
        }
        add(t, "]");
    } else {
        return false;
    }
    return true;
}

static const char *renamed(const char *const *rename, const char *key) {
    for (; rename && rename[0]; rename += 2)
        if (strcmp(rename[0], key) == 0) return rename[1];
    return key;
}

/* ", key: value, ..." of an object, but for the keys in `apart`. Keys that foci does not know are left to the config's
 * own check. */
static foci_status add_keys(const foci_case *c, text *t, const char *section, const char *const *rename,
                            const json_t *object, const char *apart) {
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)(uintptr_t)object, key, value) {
        char padded[80];
        snprintf(padded, sizeof padded, " %.70s ", key);
        if (strstr(apart, padded)) continue;
        if (!is_plain(key)) return foci_case_fail(c, "%s.%s: foci does not know this field", section, key);
        add(t, ", %s: ", renamed(rename, key));
        if (!add_value(t, value)) return foci_case_fail(c, "%s.%s is of no type that a config holds", section, key);
    }
    return t->used + 1 < sizeof t->bytes ? FOCI_OK : foci_case_fail(c, "%s is too long", section);
}

/* --------------------------------------------------------------------------------------------- rival attentions */

static bool has_key(const foci_attention *variant, const char *name) {
    for (const foci_key *k = variant->keys; k->name; k++)
        if (strcmp(k->name, name) == 0) return true;
    return false;
}

/* Sizes that a case does not spell out, as a tensor beside it has them: dimension `dim` of one of `ndim`. */
static const struct {
    const char *kind, *tensor;
    int ndim, dim;
    const char *key;
} sizes_of_tensors[] = {
    {"mom", "blocks", 2, 0, "blocks"},
    {"mom", "blocks", 2, 1, "block_size"},
    {"performer", "projection_matrix", 2, 0, "num_features"},
    {"mgk", "pi0", 4, 3, "length"},
    {"mgk", "pi", 4, 3, "length"},
    {"mlk", "pi0", 2, 1, "length"},
};

/* "PREFIX...NAME", with a dot before the name. */
static bool is_named(const char *tensor, const char *prefix, const char *name) {
    const size_t n = strlen(tensor), p = strlen(prefix), s = strlen(name);
    return n > s && n >= p + s && strncmp(tensor, prefix, p) == 0 && strcmp(tensor + n - s, name) == 0 &&
           tensor[n - s - 1] == '.';
}

static void add_sizes(const foci_case *c, text *t, const foci_case_settings *s, const foci_attention *variant) {
    for (size_t r = 0; r < sizeof sizes_of_tensors / sizeof *sizes_of_tensors; r++) {
        const json_t *given = json_object_get(s->attention, sizes_of_tensors[r].key);
        if (strcmp(sizes_of_tensors[r].kind, variant->name) != 0 || (given && !json_is_null(given))) continue;
        for (int i = 0; i < c->file.count; i++) {
            const foci_safetensor *x = &c->file.tensor[i];
            if (!is_named(x->name, s->tensors, sizes_of_tensors[r].tensor) || x->ndim != sizes_of_tensors[r].ndim)
                continue;
            add(t, ", %s: %lld", sizes_of_tensors[r].key, (long long)x->shape[sizes_of_tensors[r].dim]);
            break;
        }
    }
}

/* A JSON null leaves an option at its default. */
static const char *nulls_of(foci_case *c, const json_t *object, const char *besides) {
    const char *key, *list = besides;
    json_t *value;
    json_object_foreach((json_t *)(uintptr_t)object, key, value) if (json_is_null(value)) list =
        foci_arena_printf(&c->arena, "%s%.70s ", list ? list : " ", key);
    return list ? list : "";
}

static foci_status variant_of(const foci_case *c, const foci_case_settings *s, const foci_attention **variant) {
    const char *kind = json_is_object(s->elliptical) ? "elliptical" : "softmax";
    if (s->attention && !json_is_null(s->attention)) {
        kind = json_string_value(json_object_get(s->attention, "kind"));
        if (!kind) return foci_case_fail(c, "attention.kind is missing");
        if (strcmp(kind, "dot") == 0) kind = "softmax";
    }
    *variant = foci_attention_find(kind);
    return *variant ? FOCI_OK : foci_case_fail(c, "attention.kind: foci has no attention %.40s", kind);
}

static foci_status add_attention(foci_case *c, text *t, const foci_case_settings *s, const foci_attention *variant) {
    add(t, "attention: {kind: %s", variant->name);
    if (json_is_object(s->elliptical)) FOCI_TRY(add_keys(c, t, "elliptical", NULL, s->elliptical, ""));
    if (json_is_object(s->attention)) {
        FOCI_TRY(add_keys(c, t, "attention", NULL, s->attention, nulls_of(c, s->attention, " kind depth ")));
        add_sizes(c, t, s, variant);
        if (has_key(variant, "redraw")) add(t, ", redraw: 0"); /* what is drawn is given */
    }
    add(t, "}\n");
    return FOCI_OK;
}

foci_status foci_case_config(foci_case *c, const foci_case_settings *s, foci_config **config) {
    const foci_attention *variant;
    text t = {.used = 0};
    if (s->elliptical && !json_is_object(s->elliptical) && !json_is_null(s->elliptical))
        return foci_case_fail(c, "elliptical is neither an object nor null");
    FOCI_TRY(variant_of(c, s, &variant));
    const foci_model *model = s->model;
    if (model) {
        add(&t, "model: {kind: %s", model->name);
        FOCI_TRY(add_keys(c, &t, "model", s->rename, s->sizes, nulls_of(c, s->sizes, " ")));
        add(&t, "}\n");
    }
    FOCI_TRY(add_attention(c, &t, s, variant));

    const foci_key model_kind[] = {{"kind", FOCI_KEY_CHOICE, NULL, 0, 0, model ? model->name : "", "model"}, {0}};
    const foci_key attention_kind[] = {{"kind", FOCI_KEY_CHOICE, NULL, 0, 0, variant->name, "attention"}, {0}};
    const foci_section section[] = {{"attention", NULL, attention_kind},
                                    {"attention", NULL, foci_attending_keys},
                                    {"attention", variant->name, variant->keys},
                                    {"model", NULL, model_kind},
                                    {"model", model ? model->name : "", model ? model->keys : NULL},
                                    {"model", model ? model->name : "", model ? model->shared : NULL}};
    const foci_schema schema = {section, model ? 6 : 3};
    foci_status status = foci_config_parse(config, &schema, c->path, t.bytes, t.used, NULL, 0);
    return status == FOCI_ERR_CONFIG ? FOCI_ERR_DATA : status;
}
