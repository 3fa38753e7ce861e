/* All commands, and one by its name: `foci train`, and those that have commands of their own, `foci data make`. */
#include <stdio.h>
#include <string.h>

#include "base/nearest.h"
#include "cli/cli.h"

static const foci_command *const commands[] = {
#define FOCI_COMMAND(name) &foci_command_##name,
#include "cli/list.h"
#undef FOCI_COMMAND
    NULL};
const foci_command foci_root = {
    .name = "foci",
    .summary = "transformers trained from C",
    .commands = commands,
};

const foci_command *foci_command_find(const foci_command *parent, const char *name) {
    for (const foci_command *const *c = parent->commands; c && *c; c++)
        if (strcmp((*c)->name, name) == 0) return *c;
    return NULL;
}

static void visit_below(const foci_command *c, const char *name, foci_command_visitor *visit, void *context) {
    if (!c->commands) visit(context, name, c);
    for (const foci_command *const *child = c->commands; child && *child; child++) {
        char whole[FOCI_COMMAND_NAME];
        snprintf(whole, sizeof whole, "%s %s", name, (*child)->name);
        visit_below(*child, whole, visit, context);
    }
}

void foci_commands_visit(foci_command_visitor *visit, void *context) {
    visit_below(&foci_root, foci_root.name, visit, context);
}

static foci_status unknown_command(const foci_command *parent, const char *name, const char *wanted) {
    enum { ALIKE = 2 }; /* letters; words are short, and another command is no help */
    foci_nearest nearest = {.wanted = wanted};
    for (const foci_command *const *c = parent->commands; *c; c++) foci_nearest_offer(&nearest, (*c)->name, (*c)->name);
    if (nearest.distance <= ALIKE)
        return foci_fail(FOCI_ERR_CONFIG, "there is no command `%s`; did you mean `%s`?", wanted, nearest.best);
    return foci_fail(FOCI_ERR_CONFIG, "there is no command `%s`; %s --help lists them", wanted, name);
}

static foci_status run_one_of(const foci_command *parent, const char *name, int argc, char **argv) {
    if (argc < 2) {
        foci_print_help(stderr, name, parent);
        return foci_fail(FOCI_ERR_CONFIG, "no command");
    }
    if (strcmp(argv[1], "--version") == 0) {
        foci_print_version();
        return FOCI_OK;
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0) {
        foci_print_help(stdout, name, parent);
        return FOCI_OK;
    }
    const foci_command *c = foci_command_find(parent, argv[1]);
    if (!c) return unknown_command(parent, name, argv[1]);
    char whole[FOCI_COMMAND_NAME];
    snprintf(whole, sizeof whole, "%s %s", name, c->name);
    argv[1] = whole; /* getopt names it so */
    return foci_command_run(c, whole, argc - 1, argv + 1);
}

foci_status foci_command_run(const foci_command *c, const char *name, int argc, char **argv) {
    return c->commands ? run_one_of(c, name, argc, argv) : foci_parsed_run(c, name, argc, argv);
}
