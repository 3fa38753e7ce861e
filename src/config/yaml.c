/* YAML text to entries. libyaml finds the tokens; what a config may look like (sections of keys of scalars or
 * lists) is checked here, event by event, so nothing nests deeper than that. Anchors, aliases, tags and second
 * documents are refused. */
#include "config/internal.h"

#include <string.h>

#include <yaml.h>

typedef struct reader {
    yaml_parser_t parser;
    yaml_event_t event; /* the one just read */
    foci_arena *arena;
    const foci_source *source;
    foci_entry *entries, **end; /* in the order of the file; where the next goes */
    int count;
} reader;

static foci_mark mark(yaml_mark_t m) { return (foci_mark){m.line + 1, m.column + 1, m.index}; }

#define FAIL(r, ...) foci_fail_at((r)->source, mark((r)->event.start_mark), __VA_ARGS__)

/* libyaml's reader knows the byte where UTF-8 ends; the place follows by counting. */
static foci_mark mark_of_byte(const foci_source *source, size_t byte) {
    foci_mark m = {1, 1, 0};
    for (size_t at = 0; at < byte && at < source->size; m.index++) {
        uint32_t code;
        int length = foci_utf8(source->text + at, source->size - at, &code);
        bool newline = source->text[at] == '\n';
        m.column = newline ? 1 : m.column + 1;
        m.line += newline;
        at += length ? (size_t)length : 1;
    }
    return m;
}

static foci_status syntax_error(const reader *r) {
    const yaml_parser_t *p = &r->parser;
    if (p->error == YAML_MEMORY_ERROR) return foci_out_of_memory();
    if (p->error == YAML_READER_ERROR) {
        foci_mark at = r->source->text ? mark_of_byte(r->source, p->problem_offset) : (foci_mark){1, 1, 0};
        return foci_fail_at(r->source, at, "%s", p->problem);
    }
    if (!p->context) return foci_fail_at(r->source, mark(p->problem_mark), "%s", p->problem);
    return foci_fail_at(r->source, mark(p->problem_mark), "%s, %s that starts in line %zu", p->problem, p->context,
                        p->context_mark.line + 1);
}

static foci_status next(reader *r) {
    yaml_event_delete(&r->event);
    if (!yaml_parser_parse(&r->parser, &r->event)) return syntax_error(r);
    const yaml_char_t *anchor = NULL, *tag = NULL;
    switch (r->event.type) {
    case YAML_ALIAS_EVENT: return FAIL(r, "an alias; write the value out");
    case YAML_SCALAR_EVENT: anchor = r->event.data.scalar.anchor, tag = r->event.data.scalar.tag; break;
    case YAML_SEQUENCE_START_EVENT:
        anchor = r->event.data.sequence_start.anchor, tag = r->event.data.sequence_start.tag;
        break;
    case YAML_MAPPING_START_EVENT:
        anchor = r->event.data.mapping_start.anchor, tag = r->event.data.mapping_start.tag;
        break;
    default: break;
    }
    if (anchor) return FAIL(r, "an anchor; configs have none");
    if (tag) return FAIL(r, "a tag; the type of a value is that of its key");
    return FOCI_OK;
}

/* The scalar event as a copy. */
static foci_status take_scalar(reader *r, foci_scalar *scalar) {
    const char *text = (const char *)r->event.data.scalar.value;
    size_t length = r->event.data.scalar.length;
    if (length > FOCI_CONFIG_SCALAR)
        return FAIL(r, "%zu bytes of text, more than the limit of %d", length, FOCI_CONFIG_SCALAR);
    if (strlen(text) != length) return FAIL(r, "a zero byte in a text");
    scalar->quoted = r->event.data.scalar.style != YAML_PLAIN_SCALAR_STYLE;
    scalar->at = mark(r->event.start_mark);
    scalar->text = foci_arena_strdup(r->arena, text);
    return scalar->text ? FOCI_OK : foci_out_of_memory();
}

typedef struct cell {
    struct cell *next;
    foci_scalar scalar;
} cell;

static foci_status read_list(reader *r, foci_entry *entry) {
    cell *last = NULL;
    entry->list = true;
    for (;;) {
        FOCI_TRY(next(r));
        if (r->event.type == YAML_SEQUENCE_END_EVENT) break;
        if (r->event.type != YAML_SCALAR_EVENT) return FAIL(r, "the elements of a list are single values");
        if (entry->count == FOCI_CONFIG_KEYS) return FAIL(r, "a list of more than %d elements", FOCI_CONFIG_KEYS);
        cell *c = foci_arena_alloc(r->arena, sizeof *c);
        if (!c) return foci_out_of_memory();
        FOCI_TRY(take_scalar(r, &c->scalar));
        c->next = last;
        last = c;
        entry->count++;
    }
    entry->items = foci_arena_alloc(r->arena, (size_t)entry->count * sizeof *entry->items);
    if (!entry->items) return foci_out_of_memory();
    for (int i = entry->count; i--; last = last->next) entry->items[i] = last->scalar;
    return FOCI_OK;
}

static foci_status read_value(reader *r, foci_entry *entry) {
    if (r->event.type == YAML_SEQUENCE_START_EVENT) return read_list(r, entry);
    if (r->event.type != YAML_SCALAR_EVENT) return FAIL(r, "keys inside keys; sections are one level deep");
    entry->count = 1;
    entry->items = foci_arena_alloc(r->arena, sizeof *entry->items);
    return entry->items ? take_scalar(r, entry->items) : foci_out_of_memory();
}

static bool same(const foci_entry *e, const char *section, const char *name) {
    return strcmp(e->section, section) == 0 && (name ? e->name && strcmp(e->name, name) == 0 : !e->name);
}

const foci_entry *foci_entry_find(const foci_entry *entries, const char *section, const char *name) {
    while (entries && !same(entries, section, name)) entries = entries->next;
    return entries;
}

static foci_status add(reader *r, foci_entry *entry) {
    const foci_entry *first = foci_entry_find(r->entries, entry->section, entry->name);
    if (first)
        return foci_fail_at(r->source, entry->at, "duplicate %s `%s`; the first is in line %zu",
                            entry->name ? "key" : "section", foci_entry_name(entry).text, first->at.line);
    if (r->count++ == FOCI_CONFIG_KEYS)
        return foci_fail_at(r->source, entry->at, "more than %d keys", FOCI_CONFIG_KEYS);
    *r->end = entry;
    r->end = &entry->next;
    return FOCI_OK;
}

foci_status foci_split_name(foci_arena *arena, foci_entry *entry) {
    const char *dot = strchr(entry->name, '.');
    if (!dot || dot == entry->name) return FOCI_OK;
    entry->section = foci_arena_printf(arena, "%.*s", (int)(dot - entry->name), entry->name);
    entry->name = dot + 1;
    return entry->section ? FOCI_OK : foci_out_of_memory();
}

/* The pairs of a mapping: of the file (section "") or of one section. At the top "train.lr: 0.1" is a key of train. */
static foci_status read_pairs(reader *r, const char *section) {
    for (;;) {
        FOCI_TRY(next(r));
        if (r->event.type == YAML_MAPPING_END_EVENT) return FOCI_OK;
        if (r->event.type != YAML_SCALAR_EVENT) return FAIL(r, "a key must be a name");
        foci_scalar key;
        FOCI_TRY(take_scalar(r, &key));
        foci_entry *entry = foci_arena_alloc(r->arena, sizeof *entry);
        if (!entry) return foci_out_of_memory();
        *entry = (foci_entry){.source = r->source, .section = section, .name = key.text, .at = key.at};
        FOCI_TRY(next(r));
        if (!section[0] && r->event.type == YAML_MAPPING_START_EVENT) {
            entry->section = key.text;
            entry->name = NULL;
            if (!key.text[0]) return foci_fail_at(r->source, key.at, "a section must have a name");
            FOCI_TRY(add(r, entry));
            FOCI_TRY(read_pairs(r, key.text));
            continue;
        }
        FOCI_TRY(read_value(r, entry));
        if (!section[0]) FOCI_TRY(foci_split_name(r->arena, entry));
        FOCI_TRY(add(r, entry));
    }
}

static foci_status read_document(reader *r) {
    FOCI_TRY(next(r)); /* the stream starts */
    FOCI_TRY(next(r));
    if (r->event.type == YAML_STREAM_END_EVENT) return FOCI_OK;
    FOCI_TRY(next(r));
    bool empty = r->event.type == YAML_SCALAR_EVENT && r->event.data.scalar.length == 0;
    if (r->event.type == YAML_MAPPING_START_EVENT) FOCI_TRY(read_pairs(r, ""));
    else if (!empty) return FAIL(r, "a config consists of keys, as in `name: value`");
    FOCI_TRY(next(r)); /* the document ends */
    FOCI_TRY(next(r));
    if (r->event.type != YAML_STREAM_END_EVENT) return FAIL(r, "a second document; one file holds one config");
    return FOCI_OK;
}

static foci_status read_single(reader *r, foci_entry *entry) {
    FOCI_TRY(next(r));
    FOCI_TRY(next(r));
    if (r->event.type == YAML_STREAM_END_EVENT) { /* nothing is the empty text: `--set name=` */
        static foci_scalar nothing = {.text = "", .quoted = true};
        entry->count = 1;
        entry->items = &nothing;
        return FOCI_OK;
    }
    FOCI_TRY(next(r));
    FOCI_TRY(read_value(r, entry));
    FOCI_TRY(next(r));
    FOCI_TRY(next(r));
    return r->event.type == YAML_STREAM_END_EVENT ? FOCI_OK : FAIL(r, "more than one value");
}

static foci_status open_reader(reader *r, const char *text, size_t size) {
    if (!yaml_parser_initialize(&r->parser)) return foci_out_of_memory();
    yaml_parser_set_encoding(&r->parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&r->parser, (const unsigned char *)text, size);
    return FOCI_OK;
}

static void close_reader(reader *r) {
    yaml_event_delete(&r->event);
    yaml_parser_delete(&r->parser);
}

foci_status foci_yaml_read(foci_arena *arena, const foci_source *source, foci_entry **entries) {
    reader r = {.arena = arena, .source = source};
    r.end = &r.entries;
    FOCI_TRY(open_reader(&r, source->text, source->size));
    foci_status status = read_document(&r);
    close_reader(&r);
    *entries = r.entries;
    return status;
}

foci_status foci_yaml_value(foci_arena *arena, const char *text, foci_entry *entry) {
    reader r = {.arena = arena, .source = entry->source};
    FOCI_TRY(open_reader(&r, text, strlen(text)));
    foci_status status = read_single(&r, entry);
    close_reader(&r);
    return status;
}
