/* Rows to fields: a table fills the struct that its rows are bound to, from a config or from texts alone. */
#include "config/internal.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

size_t foci_keys_bytes(const foci_key *keys) {
    size_t bytes = 0;
    for (const foci_key *key = keys; key && key->name; key++)
        if (key->at + key->size > bytes) bytes = key->at + key->size;
    const size_t unit = _Alignof(max_align_t);
    return (bytes + unit - 1) / unit * unit;
}

static int choice_of(const foci_value *v) {
    char word[64];
    for (int i = 0; foci_choice(&v->key, i, word); i++)
        if (strcmp(word, v->string) == 0) return i;
    return 0;
}

static void write_field(const foci_key *key, const foci_value *v, void *options) {
    void *field = (unsigned char *)options + key->at;
    if (!key->size) return;
    switch (key->type) {
    case FOCI_KEY_BOOL: *(bool *)field = v->integer != 0; break;
    case FOCI_KEY_INT: *(int64_t *)field = v->integer; break;
    case FOCI_KEY_REAL: *(double *)field = v->real; break;
    case FOCI_KEY_STRING: *(const char **)field = v->string; break;
    case FOCI_KEY_CHOICE: *(int *)field = choice_of(v); break;
    case FOCI_KEY_INTS: *(foci_int_list *)field = (foci_int_list){v->count, v->integers}; break;
    case FOCI_KEY_REALS: *(foci_real_list *)field = (foci_real_list){v->count, v->reals}; break;
    }
}

const void *foci_key_field(const foci_key *key, const void *options) {
    return (const unsigned char *)options + key->at;
}

bool foci_key_word(const foci_key *key, const void *options, char word[64]) {
    return foci_choice(key, *(const int *)foci_key_field(key, options), word);
}

void foci_key_report(const foci_key *key, const void *options, const char *name, foci_report *r) {
    const void *field = foci_key_field(key, options);
    char word[64];
    switch (key->type) {
    case FOCI_KEY_BOOL: foci_report_flag(r, name, *(const bool *)field); break;
    case FOCI_KEY_INT: foci_report_whole(r, name, *(const int64_t *)field); break;
    case FOCI_KEY_REAL: foci_report_number(r, name, *(const double *)field); break;
    case FOCI_KEY_STRING: foci_report_text(r, name, *(const char *const *)field); break;
    case FOCI_KEY_CHOICE: foci_report_text(r, name, foci_key_word(key, options, word) ? word : NULL); break;
    case FOCI_KEY_INTS:
    case FOCI_KEY_REALS: break;
    }
}

/* -------------------------------------------------------------------------------------------- from a config */

/* What the key holds; nothing (0, "") where its kind is not chosen. */
static const foci_value *held(const foci_config *c, const char *section, const foci_key *key) {
    static const foci_value nothing = {.string = ""};
    for (int i = 0; i < c->count; i++) {
        const foci_value *v = &c->values[i];
        const bool named = strcmp(v->section, section) == 0 && strcmp(v->key.name, key->name) == 0;
        if (named && v->applies && v->key.type == key->type) return v;
    }
    return &nothing;
}

void foci_config_read(const foci_config *c, const char *section, const foci_key *keys, void *options) {
    for (const foci_key *key = keys; key && key->name; key++) write_field(key, held(c, section, key), options);
}

/* --------------------------------------------------------------------------------------------- from texts */

foci_status foci_literal(foci_arena *arena, const foci_key *key, const char *text, foci_entry *entry) {
    if (key->type == FOCI_KEY_INTS || key->type == FOCI_KEY_REALS) {
        const char *list = text[0] == '[' ? text : foci_arena_printf(arena, "[%s]", text);
        return list ? foci_yaml_value(arena, list, entry) : foci_out_of_memory();
    }
    foci_scalar *item = foci_arena_alloc(arena, sizeof *item);
    char *copy = foci_arena_strdup(arena, text);
    if (!item || !copy) return foci_out_of_memory();
    *item = (foci_scalar){.text = copy, .quoted = key->type == FOCI_KEY_STRING};
    entry->items = item;
    entry->count = 1;
    return FOCI_OK;
}

/* "1/255" as a decimal number of the same value; other texts as they are. */
static const char *as_decimal(foci_arena *arena, const char *text) {
    char *slash, *end;
    const double above = strtod(text, &slash);
    if (slash == text || *slash != '/') return text;
    const double ratio = above / strtod(slash + 1, &end);
    if (end == slash + 1 || *end || !isfinite(ratio)) return text;
    return foci_arena_printf(arena, "%.17g", ratio);
}

/* As a value of a key called `label`, told by `who` (or ""). */
static foci_status read_text(const foci_key *key, const char *who, const char *label, const char *text, bool yaml,
                             foci_arena *arena, void *options) {
    foci_source *source = foci_arena_alloc(arena, sizeof *source);
    foci_entry *entry = foci_arena_alloc(arena, sizeof *entry);
    if (!source || !entry) return foci_out_of_memory();
    if (key->type != FOCI_KEY_STRING && strlen(text) > FOCI_CONFIG_SCALAR)
        return foci_fail(FOCI_ERR_CONFIG, "%s: too long", label);
    if (key->type == FOCI_KEY_REAL && !(text = as_decimal(arena, text))) return foci_out_of_memory();
    source->name = who;
    *entry = (foci_entry){.source = source, .section = "", .name = key->name};
    foci_value v = {.name = label, .section = "", .key = *key, .string = ""};
    foci_status status = yaml ? foci_yaml_value(arena, text, entry) : foci_literal(arena, key, text, entry);
    if (status) return who[0] ? status : foci_context(status, "%s", label);
    FOCI_TRY(foci_value_read(arena, &v, entry));
    write_field(key, &v, options);
    return FOCI_OK;
}

foci_status foci_key_parse(const foci_key *key, const char *label, const char *text, foci_arena *arena, void *options) {
    return read_text(key, "", label, text, false, arena, options);
}

foci_status foci_keys_defaults(const foci_key *keys, foci_arena *arena, void *options) {
    static const foci_value nothing = {.string = ""};
    for (const foci_key *key = keys; key && key->name; key++)
        if (key->initial) FOCI_TRY(foci_key_parse(key, key->name, key->initial, arena, options));
        else write_field(key, &nothing, options);
    return FOCI_OK;
}

static bool names(const char *setting, const foci_key *key) {
    const size_t length = strlen(key->name);
    return strncmp(setting, key->name, length) == 0 && setting[length] == '=';
}

static foci_status unknown(const foci_key *keys, const char *who, const char *setting) {
    const size_t length = strcspn(setting, "=");
    const foci_shown name = foci_show(setting, length);
    if (!length || !setting[length]) return foci_fail(FOCI_ERR_CONFIG, "%s: `%s`: write name=value", who, name.text);
    foci_nearest nearest = {.wanted = name.text};
    for (const foci_key *key = keys; key && key->name; key++) foci_nearest_offer(&nearest, key->name, key->name);
    if (!nearest.best[0]) return foci_fail(FOCI_ERR_CONFIG, "%s: unknown key `%s`; it has none", who, name.text);
    return foci_fail(FOCI_ERR_CONFIG, "%s: unknown key `%s`; did you mean `%s`?", who, name.text, nearest.best);
}

static foci_status set_one(const foci_key *keys, const char *who, const char *setting, foci_arena *arena,
                           void *options) {
    const foci_key *key = keys;
    while (key && key->name && !names(setting, key)) key++;
    if (!key || !key->name) return unknown(keys, who, setting);
    return read_text(key, who, key->name, setting + strlen(key->name) + 1, true, arena, options);
}

foci_status foci_keys_parse(const foci_key *keys, const char *who, const char *const *set, int sets, foci_arena *arena,
                            void *options) {
    FOCI_TRY(foci_keys_defaults(keys, arena, options));
    for (int i = 0; i < sets; i++) FOCI_TRY(set_one(keys, who, set[i], arena, options));
    for (const foci_key *key = keys; key && key->name; key++) {
        bool given = key->initial;
        for (int i = 0; i < sets && !given; i++) given = names(set[i], key);
        if (!given) return foci_fail(FOCI_ERR_CONFIG, "%s: missing key `%s`: %s", who, key->name, key->doc);
    }
    return FOCI_OK;
}
