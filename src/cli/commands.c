/* Commands by name: `foci train`, and those that have commands of their own, `foci data make`. */
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"

static void print_commands(FILE *out, const char *name, const foci_command *commands) {
    int width = 0;
    for (const foci_command *c = commands; c->name; c++)
        if ((int)strlen(c->name) > width) width = (int)strlen(c->name);
    fprintf(out, "usage: %s COMMAND [ARGUMENT...]\n\n", name);
    if (commands == foci_commands) fputs("Transformers trained from C.\n\n", out);
    for (const foci_command *c = commands; c->name; c++) fprintf(out, "  %-*s  %s\n", width, c->name, c->summary);
    fprintf(out, "\n  %s COMMAND --help   its arguments\n", name);
    if (commands == foci_commands)
        fputs("  foci help config      every key of a config\n  foci --version        version, compiler, instruction set\n", out);
}

/* Letters apart, by the textbook's edit distance. */
static int distance(const char *a, const char *b) {
    int row[64];
    int n = (int)strnlen(b, 62);
    for (int j = 0; j <= n; j++) row[j] = j;
    for (int i = 1; a[i - 1] && i < 64; i++) {
        int diagonal = row[0];
        row[0] = i;
        for (int j = 1; j <= n; j++) {
            int change = diagonal + (a[i - 1] != b[j - 1]), least = row[j] < row[j - 1] ? row[j] + 1 : row[j - 1] + 1;
            diagonal = row[j];
            row[j] = change < least ? change : least;
        }
    }
    return row[n];
}

static foci_status unknown_command(const char *name, const foci_command *commands, const char *wanted) {
    const char *nearest = NULL;
    int best = 3;
    for (const foci_command *c = commands; c->name; c++)
        if (distance(wanted, c->name) < best) {
            best = distance(wanted, c->name);
            nearest = c->name;
        }
    const char *prefix = name + strcspn(name, " ");
    if (nearest) return foci_fail(FOCI_ERR_CONFIG, "there is no command `%s`; did you mean `%s`?", wanted, nearest);
    return foci_fail(FOCI_ERR_CONFIG, "there is no command `%s`; foci%s --help lists them", wanted, prefix);
}

static foci_status run_command(const char *name, const foci_command *c, int argc, char **argv) {
    char whole[64];
    snprintf(whole, sizeof whole, "%s %s", name, c->name);
    argv[0] = whole;
    return c->run(argc, argv);
}

foci_status foci_run_command(const char *name, const foci_command *commands, int argc, char **argv) {
    if (foci_visiting()) {
        for (const foci_command *c = commands; c->name; c++) FOCI_TRY(run_command(name, c, 1, (char *[]){NULL, NULL}));
        return FOCI_OK;
    }
    if (argc < 2) {
        print_commands(stderr, name, commands);
        return foci_fail(FOCI_ERR_CONFIG, "no command");
    }
    if (strcmp(argv[1], "--version") == 0) {
        foci_print_version();
        return FOCI_OK;
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0) {
        print_commands(stdout, name, commands);
        return FOCI_OK;
    }
    for (const foci_command *c = commands; c->name; c++)
        if (strcmp(argv[1], c->name) == 0) return run_command(name, c, argc - 1, argv + 1);
    return unknown_command(name, commands, argv[1]);
}
