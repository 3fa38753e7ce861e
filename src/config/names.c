/* Is the name of an entry one of the schema's, and if not, what may be meant? */
#include "config/internal.h"

#include <stdio.h>
#include <string.h>

static bool has_key(const foci_section *s, const char *name) {
    for (const foci_key *k = s->keys; k && k->name; k++)
        if (strcmp(k->name, name) == 0) return true;
    return false;
}

static bool known_section(const foci_schema *schema, const char *section) {
    for (int i = 0; i < schema->count; i++)
        if (strcmp(schema->sections[i].section, section) == 0) return true;
    return false;
}

static bool known_key(const foci_schema *schema, const char *section, const char *name) {
    if (!section[0] && strcmp(name, "inherit") == 0) return true;
    for (int i = 0; i < schema->count; i++)
        if (strcmp(schema->sections[i].section, section) == 0 && has_key(&schema->sections[i], name)) return true;
    return false;
}

static foci_status unknown_section(const foci_schema *schema, const foci_entry *e) {
    foci_nearest nearest = {.wanted = e->section};
    for (int i = 0; i < schema->count; i++)
        if (schema->sections[i].section[0])
            foci_nearest_offer(&nearest, schema->sections[i].section, schema->sections[i].section);
    return foci_fail_at(e->source, e->at, "unknown section `%s`; did you mean `%s`?", foci_entry_name(e).text,
                        nearest.best);
}

/* Mistyped is the whole name, or a key that stands in the wrong section too. */
static foci_status unknown_key(const foci_schema *schema, const foci_entry *e) {
    foci_shown full = foci_entry_name(e);
    foci_nearest by_name = {.wanted = full.text}, by_key = {.wanted = e->name};
    for (int i = 0; i < schema->count; i++)
        for (const foci_key *k = schema->sections[i].keys; k && k->name; k++) {
            foci_entry key = {.section = schema->sections[i].section, .name = k->name};
            foci_shown known = foci_entry_name(&key);
            foci_nearest_offer(&by_name, known.text, known.text);
            foci_nearest_offer(&by_key, k->name, known.text);
        }
    foci_nearest_offer(&by_name, "inherit", "inherit");
    const foci_nearest *nearest = by_key.best[0] && by_key.distance + 1 < by_name.distance ? &by_key : &by_name;
    return foci_fail_at(e->source, e->at, "unknown key `%s`; did you mean `%s`?", full.text, nearest->best);
}

/* The sections that have this key: "`model`, `data`"; in `first` the first of them. Empty where none has. */
static void owners(const foci_schema *schema, const char *name, char *text, size_t size, const char **first) {
    text[0] = 0;
    *first = NULL;
    for (int i = 0; i < schema->count; i++) {
        const char *section = schema->sections[i].section;
        bool listed = false;
        for (int j = 0; j < i && !listed; j++)
            listed = strcmp(schema->sections[j].section, section) == 0 && has_key(&schema->sections[j], name);
        if (listed || !has_key(&schema->sections[i], name)) continue;
        size_t used = strlen(text);
        snprintf(text + used, size - used, "%s`%s`", used ? " or " : "", section);
        if (!*first) *first = section;
    }
}

foci_status foci_check_name(const foci_schema *schema, const foci_entry *e) {
    if (!e->name) {
        if (known_section(schema, e->section)) return FOCI_OK;
        if (known_key(schema, "", e->section))
            return foci_fail_at(e->source, e->at, "`%s` is a key with a value, not a section", e->section);
        return unknown_section(schema, e);
    }
    if (known_key(schema, e->section, e->name)) return FOCI_OK;
    if (!e->section[0] && known_section(schema, e->name))
        return foci_fail_at(e->source, e->at, "`%s` is a section: write %s: {key: value}", e->name, e->name);
    if (e->section[0] && !known_section(schema, e->section)) return unknown_key(schema, e);
    if (known_key(schema, "", e->name))
        return foci_fail_at(e->source, e->at, "`%s` belongs to no section: write %s at the top level", e->name,
                            e->name);
    char sections[256];
    const char *first;
    owners(schema, e->name, sections, sizeof sections, &first);
    if (!first) return unknown_key(schema, e);
    return foci_fail_at(e->source, e->at, "`%s` belongs to section %s: write %s.%s", e->name, sections, first, e->name);
}

foci_status foci_check_kind(foci_arena *arena, const foci_schema *schema, const char *section, const foci_entry *kind) {
    for (int i = 0; kind && i < schema->count; i++) {
        const foci_section *s = &schema->sections[i];
        for (const foci_key *k = s->keys; !s->kind && k && k->name; k++) {
            if (strcmp(s->section, section) != 0 || strcmp(k->name, "kind") != 0) continue;
            const foci_shown name = foci_entry_name(kind);
            return foci_value_read(arena, &(foci_value){.name = name.text, .section = section, .key = *k}, kind);
        }
    }
    return FOCI_OK;
}
