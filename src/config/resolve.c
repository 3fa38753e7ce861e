/* Entries and schema to values: which kinds are chosen, what is a default, what is missing, what has no effect. */
#include "config/internal.h"

#include <string.h>

const foci_value *foci_value_find(const foci_config *config, const char *name) {
    for (int i = 0; i < config->count; i++)
        if (config->values[i].applies && strcmp(config->values[i].name, name) == 0) return &config->values[i];
    return NULL;
}

static foci_status make_rows(foci_config *config, const foci_schema *schema) {
    size_t rows = 0;
    for (int i = 0; i < schema->count; i++)
        for (const foci_key *k = schema->sections[i].keys; k && k->name; k++) rows++;
    config->values = foci_arena_alloc(&config->arena, rows * sizeof *config->values);
    if (!config->values) return foci_out_of_memory();
    for (int i = 0; i < schema->count; i++) {
        const foci_section *s = &schema->sections[i];
        for (const foci_key *k = s->keys; k && k->name; k++) {
            foci_value *v = &config->values[config->count++];
            *v = (foci_value){.section = s->section, .kind = s->kind, .key = *k, .string = ""};
            v->name = foci_arena_printf(&config->arena, "%s%s%s", s->section, s->section[0] ? "." : "", k->name);
            if (!v->name) return foci_out_of_memory();
        }
    }
    return FOCI_OK;
}

/* The chosen kind of a section, or NULL. */
static const foci_value *kind_of(const foci_config *config, const char *section) {
    for (int i = 0; i < config->count; i++) {
        const foci_value *v = &config->values[i];
        if (!v->kind && strcmp(v->section, section) == 0 && strcmp(v->key.name, "kind") == 0) return v;
    }
    return NULL;
}

static foci_status missing(const foci_config *config, const foci_value *v) {
    const foci_value *kind = v->kind ? kind_of(config, v->section) : NULL;
    const foci_entry *because = kind && kind->entry->source->text ? kind->entry : NULL;
    if (because) return foci_fail_at(because->source, because->at, "missing key `%s`: %s", v->name, v->key.doc);
    return foci_fail(FOCI_ERR_CONFIG, "%s:1:1: missing key `%s`: %s", config->main->name, v->name, v->key.doc);
}

/* The initial value of a key as if it stood in a file. */
static foci_status default_entry(foci_config *config, const foci_value *v, const foci_entry **out) {
    static const foci_source source = {.name = "default"};
    foci_entry *entry = foci_arena_alloc(&config->arena, sizeof *entry);
    if (!entry) return foci_out_of_memory();
    *entry = (foci_entry){.source = &source, .section = v->section, .name = v->key.name};
    *out = entry;
    return foci_literal(&config->arena, &v->key, v->key.initial, entry);
}

static foci_status resolve_row(foci_config *config, foci_value *v) {
    const foci_entry *entry = foci_entry_find(config->entries, v->section, v->key.name);
    if (!entry && !v->key.initial) return missing(config, v);
    v->applies = true;
    v->set = entry != NULL;
    if (!v->key.initial) return foci_value_read(&config->arena, v, entry);
    foci_value unset = *v;
    const foci_entry *initial = NULL;
    FOCI_TRY(default_entry(config, v, &initial));
    FOCI_TRY(foci_value_read(&config->arena, &unset, initial));
    FOCI_TRY(foci_value_read(&config->arena, v, entry ? entry : initial));
    FOCI_TRY(foci_value_same(v, &unset, &v->initial));
    return v->key.path ? foci_value_find_path(&config->arena, v) : FOCI_OK;
}

/* A key of a kind that is not chosen: right in itself, said to be idle. */
static foci_status check_idle(foci_config *config, const foci_entry *entry) {
    foci_status status = FOCI_OK;
    const foci_value *read = NULL;
    for (int i = 0; i < config->count; i++) {
        const foci_value *v = &config->values[i];
        if (strcmp(v->section, entry->section) || strcmp(v->key.name, entry->name)) continue;
        if (v->applies) return FOCI_OK;
        if (read && !status) continue; /* one kind would take it */
        foci_value unused = *v;
        status = foci_value_read(&config->arena, &unused, entry);
        read = v;
    }
    if (status || !read) return status;
    const foci_value *kind = kind_of(config, read->section);
    char *place = foci_place(&config->arena, entry->source, entry->at);
    if (!place) return foci_out_of_memory();
    foci_log(FOCI_LOG_INFO, "%s has no effect with %s.kind %s (%s)", read->name, read->section,
             kind ? kind->string : "none", place);
    return FOCI_OK;
}

foci_status foci_resolve(foci_config *config, const foci_schema *schema) {
    FOCI_TRY(make_rows(config, schema));
    for (int i = 0; i < config->count; i++)
        if (!config->values[i].kind) FOCI_TRY(resolve_row(config, &config->values[i]));
    for (int i = 0; i < config->count; i++) {
        foci_value *v = &config->values[i];
        const foci_value *kind = v->kind ? kind_of(config, v->section) : NULL;
        if (kind && strcmp(kind->string, v->kind) == 0) FOCI_TRY(resolve_row(config, v));
    }
    for (const foci_entry *e = config->entries; e; e = e->next)
        if (e->name && foci_entry_find(config->entries, e->section, e->name) == e) FOCI_TRY(check_idle(config, e));
    return FOCI_OK;
}
