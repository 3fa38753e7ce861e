/* From files and overrides to a config: reading, inheritance, --set, recipes. */
#include "config/internal.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"

typedef struct loader {
    foci_config *config;
    const foci_schema *schema;
    int inherited; /* files so far */
} loader;

/* A file being read, and the file that inherits it. */
typedef struct link {
    const struct link *heir;
    const foci_source *source;
    const char *real; /* path without links and dots */
    int depth;
} link;

static foci_status read_text(loader *l, const foci_source *source, const link *at);

/* Later wins: every entry goes in front of those there. */
static void push(foci_config *config, foci_entry *entries) {
    for (foci_entry *e = entries, *next; e; e = next) {
        next = e->next;
        e->next = config->entries;
        config->entries = e;
    }
}

static foci_source *make_source(foci_config *config, const char *name, const char *text, size_t size) {
    static const char bom[] = "\xEF\xBB\xBF";
    size_t skip = size >= 3 && memcmp(text, bom, 3) == 0 ? 3 : 0;
    foci_source *source = foci_arena_alloc(&config->arena, sizeof *source);
    char *copy = foci_arena_alloc(&config->arena, size - skip + 1);
    char *name_copy = foci_arena_strdup(&config->arena, name);
    if (!source || !copy || !name_copy) return NULL;
    memcpy(copy, text + skip, size - skip);
    *source = (foci_source){name_copy, copy, size - skip};
    return source;
}

static foci_status open_source(foci_config *config, const char *path, const foci_source **source) {
    char *text;
    size_t size;
    FOCI_TRY(foci_read_file(path, FOCI_CONFIG_BYTES, &text, &size, FOCI_ERR_CONFIG));
    *source = make_source(config, path, text, size);
    free(text);
    return *source ? FOCI_OK : foci_out_of_memory();
}

/* "a.yaml -> b.yaml -> a.yaml" */
static foci_status cycle(const link *heir, const foci_entry *inherit, foci_mark at, const char *real) {
    char path[768], longer[768];
    snprintf(path, sizeof path, "%s", heir->source->name);
    const link *l = heir;
    while (strcmp(l->real, real) != 0) {
        l = l->heir;
        snprintf(longer, sizeof longer, "%s -> %s", l->source->name, path);
        memcpy(path, longer, sizeof path);
    }
    return foci_fail_at(inherit->source, at, "a circle of inheritance: %s -> %s", path, l->source->name);
}

static foci_status read_inherited(loader *l, const link *heir, const foci_entry *inherit, const foci_scalar *item) {
    if (!item->quoted && !item->text[0])
        return foci_fail_at(inherit->source, item->at, "inherit: no value; write the name of a file");
    if (heir->depth == FOCI_CONFIG_DEPTH)
        return foci_fail_at(inherit->source, item->at, "inherit: more than %d files deep", FOCI_CONFIG_DEPTH);
    if (l->inherited++ == FOCI_CONFIG_FILES)
        return foci_fail_at(inherit->source, item->at, "inherit: more than %d files", FOCI_CONFIG_FILES);

    const char *name = heir->source->name, *slash = strrchr(name, '/');
    char folder[PATH_MAX], path[PATH_MAX], real[PATH_MAX];
    snprintf(folder, sizeof folder, "%.*s", slash ? (int)(slash - name) + (slash == name) : 0, name);
    if (foci_path_join(path, sizeof path, folder, item->text))
        return foci_fail_at(inherit->source, item->at, "inherit: %s", foci_error_message());
    if (!realpath(path, real)) snprintf(real, sizeof real, "%s", path);
    for (const link *at = heir; at; at = at->heir)
        if (strcmp(at->real, real) == 0) return cycle(heir, inherit, item->at, real);

    const foci_source *source;
    foci_status status = open_source(l->config, path, &source);
    if (status) return foci_fail_at(inherit->source, item->at, "inherit: %s", foci_error_message());
    return read_text(l, source, &(link){heir, source, real, heir->depth + 1});
}

/* A key that nobody knows may be of a kind that nobody knows, and then that is what is wrong. */
static foci_status check_name(loader *l, const foci_entry *entries, const foci_entry *e) {
    foci_status status = foci_check_name(l->schema, e);
    if (!status || !e->name) return status;
    const foci_entry *kind = foci_entry_find(entries, e->section, "kind");
    if (!kind) kind = foci_entry_find(l->config->entries, e->section, "kind");
    foci_error unknown;
    foci_error_take(&unknown, status);
    FOCI_TRY(foci_check_kind(&l->config->arena, l->schema, e->section, kind));
    return foci_error_raise(&unknown);
}

static foci_status read_text(loader *l, const foci_source *source, const link *at) {
    foci_entry *entries;
    FOCI_TRY(foci_yaml_read(&l->config->arena, source, &entries));
    for (const foci_entry *e = entries; e; e = e->next) FOCI_TRY(check_name(l, entries, e));
    const foci_entry *inherit = foci_entry_find(entries, "", "inherit");
    for (int i = 0; inherit && i < inherit->count; i++) FOCI_TRY(read_inherited(l, at, inherit, &inherit->items[i]));
    push(l->config, entries);
    return FOCI_OK;
}

static foci_status override(loader *l, const char *set) {
    foci_arena *arena = &l->config->arena;
    foci_source *source = foci_arena_alloc(arena, sizeof *source);
    foci_entry *entry = foci_arena_alloc(arena, sizeof *entry);
    if (!source || !entry) return foci_out_of_memory();
    source->name = foci_arena_printf(arena, "--set %s", foci_show(set, strlen(set)).text);
    const char *equals = strchr(set, '=');
    if (!equals || equals == set)
        return foci_fail(FOCI_ERR_CONFIG, "--set %s: write --set section.key=value", foci_show(set, strlen(set)).text);
    if (equals - set > FOCI_CONFIG_SCALAR || strlen(equals) > FOCI_CONFIG_BYTES)
        return foci_fail(FOCI_ERR_CONFIG, "%s: too long", source->name);
    *entry = (foci_entry){.source = source, .section = ""};
    entry->name = foci_arena_printf(arena, "%.*s", (int)(equals - set), set);
    if (!source->name || !entry->name) return foci_out_of_memory();
    FOCI_TRY(foci_split_name(arena, entry));
    FOCI_TRY(check_name(l, NULL, entry));
    if (!entry->section[0] && strcmp(entry->name, "inherit") == 0)
        return foci_fail(FOCI_ERR_CONFIG, "%s: only files inherit", source->name);
    FOCI_TRY(foci_yaml_value(arena, equals + 1, entry));
    push(l->config, entry);
    return FOCI_OK;
}

/* The recipe that was chosen last goes behind all entries there are. */
static foci_status read_recipe(loader *l) {
    const foci_recipe *r = l->schema->recipes;
    const foci_entry *chosen = foci_entry_find(l->config->entries, "", "recipe");
    while (r && r->name && (!chosen || chosen->list || strcmp(r->name, chosen->items->text) != 0)) r++;
    if (!r || !r->name) return FOCI_OK; /* a name that is none is refused like any wrong value */
    char name[80];
    snprintf(name, sizeof name, "recipe %s", r->name);
    const foci_source *source = make_source(l->config, name, r->text, strlen(r->text));
    if (!source) return foci_out_of_memory();
    foci_entry *entries, **end = &l->config->entries;
    FOCI_TRY(foci_yaml_read(&l->config->arena, source, &entries));
    for (const foci_entry *e = entries; e; e = e->next) FOCI_TRY(foci_check_name(l->schema, e));
    while (*end) end = &(*end)->next;
    *end = entries;
    return FOCI_OK;
}

/* The rest, once the main file is there. */
static foci_status load(loader *l, const char *const *set, int sets) {
    const foci_source *source = l->config->main;
    char real[PATH_MAX];
    if (!realpath(source->name, real)) snprintf(real, sizeof real, "%s", source->name);
    FOCI_TRY(read_text(l, source, &(link){NULL, source, real, 0}));
    for (int i = 0; i < sets; i++) FOCI_TRY(override(l, set[i]));
    FOCI_TRY(read_recipe(l));
    return foci_resolve(l->config, l->schema);
}

static foci_status finish(foci_config **config, loader *l, foci_status status) {
    if (status) foci_config_free(l->config);
    *config = status ? NULL : l->config;
    return status;
}

foci_status foci_config_load(foci_config **config, const foci_schema *schema, const char *path, const char *const *set,
                             int sets) {
    loader l = {calloc(1, sizeof(foci_config)), schema, 0};
    if (!l.config) return finish(config, &l, foci_out_of_memory());
    foci_status status = open_source(l.config, path, &l.config->main);
    return finish(config, &l, status ? status : load(&l, set, sets));
}

foci_status foci_config_parse(foci_config **config, const foci_schema *schema, const char *name, const char *text,
                              size_t size, const char *const *set, int sets) {
    loader l = {calloc(1, sizeof(foci_config)), schema, 0};
    if (!l.config) return finish(config, &l, foci_out_of_memory());
    if (size > FOCI_CONFIG_BYTES)
        return finish(
            config, &l,
            foci_fail(FOCI_ERR_CONFIG, "%s: %zu bytes, more than the limit of %d", name, size, FOCI_CONFIG_BYTES));
    l.config->main = make_source(l.config, name, text, size);
    return finish(config, &l, l.config->main ? load(&l, set, sets) : foci_out_of_memory());
}

void foci_config_free(foci_config *config) {
    if (!config) return;
    foci_arena_free(&config->arena);
    free(config);
}
