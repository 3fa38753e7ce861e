/* The tables of keys as text: name, type with bounds or choices, default, meaning. */
#include "config/internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CELLS = 4, WIDTH = 110 };

/* As many words of the text as fit into the width, at least one (a longer word is cut); moves the text behind them. */
static int take_words(const char **text, int width, const char **begin) {
    while (**text == ' ') ++*text;
    *begin = *text;
    int length = (int)strlen(*text);
    if (length > width) {
        for (length = width; length && (*text)[length] != ' ';) length--;
        if (!length) length = width;
    }
    *text += length;
    return length;
}

/* One row, on as many lines as its longest cell needs. */
static void write_row(FILE *f, const int width[CELLS], const char *cell[CELLS]) {
    for (bool more = true; more;) {
        char line[4 * WIDTH];
        int used = 0, column = 0;
        more = false;
        for (int i = 0; i < CELLS; i++) {
            const char *begin;
            int length = take_words(&cell[i], width[i], &begin);
            column += 2;
            used += snprintf(line + used, sizeof line - (size_t)used, "%*s%.*s", column - used, "", length, begin);
            column += width[i];
            if (*cell[i]) more = true;
        }
        while (used && line[used - 1] == ' ') used--;
        fprintf(f, "%.*s\n", used, line);
    }
}

static void type_text(const foci_key *key, char *out, size_t size) {
    static const char *const names[] = {
        [FOCI_KEY_BOOL] = "true, false", [FOCI_KEY_INT] = "int",          [FOCI_KEY_REAL] = "real",
        [FOCI_KEY_STRING] = "text",      [FOCI_KEY_INTS] = "list of int", [FOCI_KEY_REALS] = "list of real",
        [FOCI_KEY_CHOICE] = ""};
    foci_shown bounds = foci_bounds(key);
    snprintf(out, size, "%s%s%s", key->path ? "path" : names[key->type], bounds.text[0] ? " " : "", bounds.text);
    char word[64];
    for (int i = 0; key->type == FOCI_KEY_CHOICE && foci_choice(key, i, word); i++) {
        size_t used = strlen(out);
        snprintf(out + used, size - used, "%s%s", i ? ", " : "", word);
    }
}

static int widest_name(const foci_schema *schema) {
    int width = 0;
    for (int i = 0; i < schema->count; i++)
        for (const foci_key *k = schema->sections[i].keys; k && k->name; k++)
            if ((int)strlen(k->name) > width) width = (int)strlen(k->name);
    return width < 24 ? width : 24;
}

/* Every config has it, and load.c obeys it. */
static const foci_key inherit[] = {
    {"inherit", FOCI_KEY_STRING, "", 0, 0, NULL,
     "a config, or a list of them, to read first; relative to this file; later keys win"},
    {0}};

void foci_schema_visit(const foci_schema *schema, void (*visit)(void *context, const foci_key_text *k), void *context) {
    const foci_section top = {"", NULL, inherit};
    for (int i = -1; i < schema->count; i++) {
        const foci_section *s = i < 0 ? &top : &schema->sections[i];
        for (const foci_key *k = s->keys; k && k->name; k++) {
            char type[512];
            type_text(k, type, sizeof type);
            visit(context, &(foci_key_text){s->section, s->kind, k->name, type,
                                            !k->initial     ? "required"
                                            : k->initial[0] ? k->initial
                                                            : "\"\"",
                                            k->doc ? k->doc : ""});
        }
    }
}

typedef struct table {
    FILE *f;
    const char *filter, *section, *kind; /* the keys with it in their names; under which heading */
    int width[CELLS];
} table;

static void write_key(void *context, const foci_key_text *k) {
    table *t = context;
    char name[128];
    snprintf(name, sizeof name, "%s%s%s", k->section, k->section[0] ? "." : "", k->name);
    if (t->filter && !strstr(name, t->filter)) return;
    if (!t->section || strcmp(t->section, k->section) != 0 || t->kind != k->kind) {
        fprintf(t->f, "\n%s", k->section[0] ? k->section : "top level");
        if (k->kind) fprintf(t->f, " (kind: %s)", k->kind);
        fputc('\n', t->f);
    }
    t->section = k->section;
    t->kind = k->kind;
    write_row(t->f, t->width, (const char *[CELLS]){k->name, k->type, k->initial, k->doc});
}

char *foci_schema_help(const foci_schema *schema, const char *filter) {
    char *text = NULL;
    size_t size;
    FILE *f = open_memstream(&text, &size);
    if (!f) return NULL;
    table t = {.f = f, .filter = filter, .width = {widest_name(schema), 24, 14, 0}};
    t.width[3] = WIDTH - 2 * CELLS - t.width[0] - t.width[1] - t.width[2];
    foci_schema_visit(schema, write_key, &t);
    bool failed = ferror(f);
    if (fclose(f) || failed) {
        free(text);
        return NULL;
    }
    return text;
}
