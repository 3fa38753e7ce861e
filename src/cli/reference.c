/* In Markdown: the keys of a config, as configs/README.md has them, and the commands, as README.md has them. */
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"
#include "task/schema.h"

static void cell(FILE *f, const char *s) {
    for (fputs(" ", f); *s; s++) {
        if (*s == '|') fputc('\\', f);
        fputc(*s, f);
    }
    fputs(" |", f);
}

typedef struct table {
    FILE *f;
    const char *section, *kind; /* under whose heading the last row stands */
} table;

static void row(void *context, const foci_key_text *k) {
    table *t = context;
    if (!t->section || strcmp(t->section, k->section) != 0 || t->kind != k->kind) {
        fprintf(t->f, "\n### %s%s%s%s\n\n", k->section[0] ? k->section : "top level", k->kind ? " (kind: " : "",
                k->kind ? k->kind : "", k->kind ? ")" : "");
        fputs("| key | type | default | meaning |\n|---|---|---|---|\n", t->f);
    }
    t->section = k->section;
    t->kind = k->kind;
    fprintf(t->f, "| `%s` |", k->name);
    cell(t->f, k->type);
    cell(t->f, k->initial);
    cell(t->f, k->doc);
    fputc('\n', t->f);
}

void foci_print_reference(FILE *f) { foci_schema_visit(foci_schema_all(), row, &(table){.f = f}); }

static void command(void *context, const char *name, const foci_command *c) {
    fprintf(context, "| `%s` |", name);
    cell(context, c->summary);
    fputc('\n', context);
}

void foci_print_commands(FILE *f) {
    fputs("| command | does |\n|---|---|\n", f);
    foci_commands_visit(command, f);
}
