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
    snprintf(out, size, "%s%s%s", names[key->type], bounds.text[0] ? " " : "", bounds.text);
    char word[64];
    for (int i = 0; key->type == FOCI_KEY_CHOICE && foci_choice(key, i, word); i++) {
        size_t used = strlen(out);
        snprintf(out + used, size - used, "%s%s", i ? ", " : "", word);
    }
}

static bool matches(const foci_section *s, const foci_key *k, const char *filter) {
    char name[128];
    snprintf(name, sizeof name, "%s%s%s", s->section, s->section[0] ? "." : "", k->name);
    return !filter || strstr(name, filter);
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

static void write_heading(FILE *f, const foci_section *s) {
    fprintf(f, "\n%s", s->section[0] ? s->section : "top level");
    if (s->kind) fprintf(f, " (kind: %s)", s->kind);
    fputc('\n', f);
}

/* The matching keys, under a heading if it is still to come. Returns whether it stands. */
static bool write_keys(FILE *f, const foci_section *s, const char *filter, const int width[CELLS], bool heading) {
    for (const foci_key *k = s->keys; k && k->name; k++) {
        if (!matches(s, k, filter)) continue;
        if (heading) write_heading(f, s);
        heading = false;
        char type[512];
        type_text(k, type, sizeof type);
        const char *initial = !k->initial ? "required" : k->initial[0] ? k->initial : "\"\"";
        write_row(f, width, (const char *[CELLS]){k->name, type, initial, k->doc ? k->doc : ""});
    }
    return !heading;
}

char *foci_schema_help(const foci_schema *schema, const char *filter) {
    char *text = NULL;
    size_t size;
    FILE *f = open_memstream(&text, &size);
    if (!f) return NULL;
    int width[CELLS] = {widest_name(schema), 24, 14, 0};
    width[3] = WIDTH - 2 * CELLS - width[0] - width[1] - width[2];
    bool topped = write_keys(f, &(foci_section){"", NULL, inherit}, filter, width, true);
    for (int i = 0; i < schema->count; i++) {
        const foci_section *s = &schema->sections[i];
        write_keys(f, s, filter, width, s->section[0] || !topped);
    }
    bool failed = ferror(f);
    if (fclose(f) || failed) {
        free(text);
        return NULL;
    }
    return text;
}
