#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "task/schema.h"

static foci_status print_keys(const char *part, bool *found) {
    char *text = foci_schema_help(foci_schema_all(), part);
    if (!text) return foci_out_of_memory();
    fputs(text, stdout);
    *found = *text;
    free(text);
    return FOCI_OK;
}

static foci_status print_config(const char *part) {
    bool found = false;
    FOCI_TRY(print_keys(part, &found));
    return found ? FOCI_OK : foci_fail(FOCI_ERR_CONFIG, "no key has `%s` in its name", part);
}

static const struct {
    const char *name;
    void (*print)(FILE *f);
} pages[] = {{"man", foci_print_manual},
             {"completion", foci_print_completion},
             {"reference", foci_print_reference},
             {"commands", foci_print_commands}};

/* What is no command may be a key: "lr". */
static foci_status print_key(const char *word) {
    bool found = false;
    FOCI_TRY(print_keys(word, &found));
    if (found) return FOCI_OK;
    return foci_fail(FOCI_ERR_CONFIG,
                     "there is no command and no key `%s`; foci --help lists the commands, foci help config the keys",
                     word);
}

/* "data make" */
static foci_status print_command(const char *const *word, int words) {
    const foci_command *c = &foci_root;
    char name[FOCI_COMMAND_NAME] = "foci";
    for (int i = 0; i < words; i++) {
        const foci_command *found = foci_command_find(c, word[i]);
        if (!found) return foci_fail(FOCI_ERR_CONFIG, "there is no command `%s`; %s --help lists them", word[i], name);
        const size_t used = strlen(name);
        snprintf(name + used, sizeof name - used, " %s", found->name);
        c = found;
    }
    foci_print_help(stdout, name, c);
    return FOCI_OK;
}

static foci_status help(const foci_parsed *parsed) {
    const char *const *word = parsed->argument;
    if (!parsed->arguments) {
        foci_print_help(stdout, foci_root.name, &foci_root);
        return FOCI_OK;
    }
    const char *second = parsed->arguments > 1 ? word[1] : NULL;
    const bool keys = strcmp(word[0], "config") == 0;
    if (keys && !(second && foci_command_find(foci_command_find(&foci_root, "config"), second)))
        return print_config(second);
    for (size_t i = 0; i < sizeof pages / sizeof *pages; i++)
        if (strcmp(word[0], pages[i].name) == 0) {
            pages[i].print(stdout);
            return FOCI_OK;
        }
    if (!second && !foci_command_find(&foci_root, word[0])) return print_key(word[0]);
    return print_command(word, parsed->arguments);
}

const foci_command foci_command_help = {
    .name = "help",
    .summary = "help on a command, or on the keys of a config",
    .synopsis = "[COMMAND | KEY | config [PART_OF_A_KEY] | man | completion | reference | commands]",
    .doc = "What there is; the help of a command; keys by a part of their name; every key of a config: type, default, "
           "bounds, meaning; the manual page; completion for "
           "bash (source it); the keys of a config, and the commands, in Markdown.",
    .most = 3,
    .run = help,
};
