/* The help of a command, on a screen: what --help, --usage and `foci help` print. */
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"

enum { WIDTH = 79, COLUMN = 29 }; /* of lines; where the meaning of an option begins */

/* Words from column `at` on, in lines that begin at column `indent`; returns the column where they end. */
static int wrap(FILE *f, const char *text, int at, int indent) {
    for (bool first = true; *text; first = false) {
        const int length = (int)strcspn(text, " ");
        if (!first && at + 1 + length > WIDTH) {
            fprintf(f, "\n%*s", indent, "");
            at = indent;
        } else if (!first) {
            fputc(' ', f);
            at++;
        }
        fprintf(f, "%.*s", length, text);
        at += length;
        text += length;
        text += *text == ' ';
    }
    return at;
}

void foci_option_text(const foci_option *o, char *text, size_t size) {
    const bool says = o->key->initial && o->key->type != FOCI_KEY_BOOL;
    snprintf(text, size, "%s%s%s%s", o->key->doc, says ? " (default " : "", says ? o->key->initial : "",
             says ? ")" : "");
}

/* "--out=DIR", "--profile[=FILE]" */
static int option_name(const foci_option *o, char *text, size_t size) {
    const char *equals = o->may_be_bare ? "[=" : *o->value ? "=" : "";
    return snprintf(text, size, "--%s%s%s", o->name, equals, o->value + o->may_be_bare);
}

static void print_option(FILE *f, const foci_option *o) {
    char name[256], text[1024];
    const int length = 6 + option_name(o, name, sizeof name);
    foci_option_text(o, text, sizeof text);
    fprintf(f, "      %s", name);
    if (length + 2 > COLUMN) fprintf(f, "\n%*s", COLUMN, "");
    else fprintf(f, "%*s", COLUMN - length, "");
    wrap(f, text, COLUMN, COLUMN);
    fputc('\n', f);
}

static void print_group(FILE *f, const char *name, const foci_command *c) {
    int width = 0;
    for (const foci_command *const *child = c->commands; *child; child++)
        if ((int)strlen((*child)->name) > width) width = (int)strlen((*child)->name);
    fprintf(f, "usage: %s COMMAND [ARGUMENT...]\n\n", name);
    if (c == &foci_root) fputs("Transformers trained from C.\n\n", f);
    for (const foci_command *const *child = c->commands; *child; child++)
        fprintf(f, "  %-*s  %s\n", width, (*child)->name, (*child)->summary);
    fprintf(f, "\n  %s COMMAND --help   its arguments\n", name);
    if (c != &foci_root) return;
    fputs("  foci help config      every key of a config\n  foci help lr          keys with `lr` in their names\n"
          "  foci list             what is built in: attention, models, attacks, measures\n  foci --version        "
          "version, compiler, instruction set\n",
          f);
}

void foci_print_help(FILE *f, const char *name, const foci_command *c) {
    if (c->commands) {
        print_group(f, name, c);
        return;
    }
    foci_option option[FOCI_MAX_OPTIONS];
    const int n = foci_options_of(c, option);
    wrap(f, name, fprintf(f, "Usage: "), 12);
    fprintf(f, " [OPTION...] %s\n", c->synopsis);
    wrap(f, c->doc, 0, 0);
    fputs("\n\n", f);
    for (int i = 0; i < n; i++) print_option(f, &option[i]);
    fputs("  -h, --help                 print this help\n"
          "      --usage                print only how it is called\n"
          "      --version              print the version\n",
          f);
}

void foci_print_usage(FILE *f, const char *name, const foci_command *c) {
    enum { INDENT = 12 };
    foci_option option[FOCI_MAX_OPTIONS];
    const int n = foci_options_of(c, option);
    int at = fprintf(f, "Usage: %s", name);
    for (int i = 0; i < n + 4; i++) {
        static const char *const rest[] = {"[--help]", "[--usage]", "[--version]"};
        char text[256], word[300];
        if (i < n) option_name(&option[i], text, sizeof text);
        snprintf(word, sizeof word, i < n ? " [%s]" : " %s", i < n ? text : i < n + 3 ? rest[i - n] : c->synopsis);
        if (at + (int)strlen(word) > WIDTH) at = fprintf(f, "\n%*s", INDENT - 1, "") - 1;
        at += fprintf(f, "%s", word);
    }
    fputc('\n', f);
}
