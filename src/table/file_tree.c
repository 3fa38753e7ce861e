/* YAML, as far as a table's file is made of it: texts, lists and mappings, each with its place. */
#include <stdarg.h>
#include <string.h>

#include "table/file.h"

enum { DEPTH = 8 };

yaml_node_t *foci_file_node(foci_file *r, int id) { return yaml_document_get_node(&r->document, id); }

foci_status foci_file_fail(const foci_file *r, const yaml_node_t *n, const char *fmt, ...) {
    char text[512];
    va_list args;
    va_start(args, fmt);
    vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    return foci_fail(FOCI_ERR_CONFIG, "%s:%zu:%zu: %s", r->t->path, n->start_mark.line + 1, n->start_mark.column + 1,
                     text);
}

foci_status foci_file_text(foci_file *r, const yaml_node_t *n, const char *what, const char **text) {
    if (n->type != YAML_SCALAR_NODE) return foci_file_fail(r, n, "%s must be a text", what);
    const char *value = (const char *)n->data.scalar.value;
    if (n->data.scalar.length > FOCI_FILE_TEXT || strlen(value) != n->data.scalar.length)
        return foci_file_fail(r, n, "%s is too long or holds a zero byte", what);
    for (const char *c = value; *c; c++)
        if ((unsigned char)*c < ' ' || *c == 127) return foci_file_fail(r, n, "%s holds a control character", what);
    *text = foci_arena_strdup(&r->t->arena, value);
    return *text ? FOCI_OK : foci_out_of_memory();
}

foci_status foci_file_mapping(const foci_file *r, const yaml_node_t *n, const char *what) {
    return n->type == YAML_MAPPING_NODE ? FOCI_OK : foci_file_fail(r, n, "%s must consist of `name: value`", what);
}

bool foci_file_next_entry(yaml_node_t *n, yaml_node_pair_t **at) {
    *at = *at ? *at + 1 : n->data.mapping.pairs.start;
    return *at < n->data.mapping.pairs.top;
}

foci_status foci_file_read_entry(foci_file *r, yaml_node_t *map, const yaml_node_pair_t *at, foci_file_entry *p) {
    p->at = foci_file_node(r, at->key);
    p->value = foci_file_node(r, at->value);
    FOCI_TRY(foci_file_text(r, p->at, "a name", &p->key));
    for (const yaml_node_pair_t *before = map->data.mapping.pairs.start; before < at; before++) {
        const yaml_node_t *k = foci_file_node(r, before->key);
        if (strcmp((const char *)k->data.scalar.value, p->key) == 0)
            return foci_file_fail(r, p->at, "duplicate `%s`; the first is in line %zu", p->key, k->start_mark.line + 1);
    }
    return FOCI_OK;
}

foci_status foci_file_list(const foci_file *r, const yaml_node_t *n, const char *what) {
    return n->type == YAML_SEQUENCE_NODE ? FOCI_OK : foci_file_fail(r, n, "%s must be a list", what);
}

/* ------------------------------------------------------------------------------------------------- the file */

static foci_status syntax_error(const foci_file *r, const yaml_parser_t *p) {
    return foci_fail(FOCI_ERR_CONFIG, "%s:%zu:%zu: %s", r->t->path, p->problem_mark.line + 1,
                     p->problem_mark.column + 1, p->problem ? p->problem : "not a YAML file");
}

/* libyaml's time grows with the square of the depth and of the number of anchors: both are looked at event by event
 * first. */
static foci_status check_event(const foci_file *r, const yaml_event_t *e, int *depth) {
    const yaml_char_t *anchor = NULL;
    const char *wrong = NULL;
    switch (e->type) {
    case YAML_SCALAR_EVENT: anchor = e->data.scalar.anchor; break;
    case YAML_SEQUENCE_START_EVENT: anchor = e->data.sequence_start.anchor, ++*depth; break;
    case YAML_MAPPING_START_EVENT: anchor = e->data.mapping_start.anchor, ++*depth; break;
    case YAML_SEQUENCE_END_EVENT:
    case YAML_MAPPING_END_EVENT: --*depth; break;
    case YAML_ALIAS_EVENT: wrong = "an alias; write the value out"; break;
    default: break;
    }
    if (anchor) wrong = "an anchor; tables have none";
    if (*depth > DEPTH) wrong = "it nests too deep for a table";
    if (!wrong) return FOCI_OK;
    return foci_fail(FOCI_ERR_CONFIG, "%s:%zu:%zu: %s", r->t->path, e->start_mark.line + 1, e->start_mark.column + 1,
                     wrong);
}

static foci_status check_events(const foci_file *r, yaml_parser_t *p) {
    int depth = 0;
    for (bool more = true; more;) {
        yaml_event_t event;
        if (!yaml_parser_parse(p, &event)) return syntax_error(r, p);
        more = event.type != YAML_STREAM_END_EVENT;
        foci_status s = check_event(r, &event, &depth);
        yaml_event_delete(&event);
        if (s) return s;
    }
    return FOCI_OK;
}

static foci_status load_document(foci_file *r, yaml_parser_t *p) {
    return yaml_parser_load(p, &r->document) ? FOCI_OK : syntax_error(r, p);
}

static foci_status parse(foci_file *r, const char *text, size_t size, bool checking) {
    yaml_parser_t parser;
    if (!yaml_parser_initialize(&parser)) return foci_out_of_memory();
    yaml_parser_set_input_string(&parser, (const unsigned char *)text, size);
    foci_status s = checking ? check_events(r, &parser) : load_document(r, &parser);
    yaml_parser_delete(&parser);
    return s;
}

foci_status foci_file_load(foci_file *r, const char *text, size_t size) {
    FOCI_TRY(parse(r, text, size, true));
    return parse(r, text, size, false);
}
