#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "task/schema.h"

foci_status foci_cmd_help(int argc, char **argv) {
    const char *what[2];
    int count;
    bool done;
    const foci_arguments a = {NULL, NULL, NULL, "COMMAND | config [PART_OF_A_KEY] | man | completion | reference",
                              "The help of a command; every key of a config: type, default, bounds, meaning; the manual page; "
                              "completion for bash (source it); the keys of a config in Markdown.",
                              false, 1, 2};
    FOCI_TRY(foci_parse_arguments(&a, argc, argv, NULL, what, &count, &done));
    if (done) return FOCI_OK;
    if (strcmp(what[0], "config") == 0) {
        char *text = foci_schema_help(foci_schema_all(), count > 1 ? what[1] : NULL);
        if (!text) return foci_fail(FOCI_ERR_RUNTIME, "out of memory");
        fputs(text, stdout);
        bool empty = !*text;
        free(text);
        return empty ? foci_fail(FOCI_ERR_CONFIG, "no key has `%s` in its name", what[1]) : FOCI_OK;
    }
    if (strcmp(what[0], "man") == 0) return foci_print_manual(stdout);
    if (strcmp(what[0], "completion") == 0) return foci_print_completion(stdout);
    if (strcmp(what[0], "reference") == 0) return foci_print_reference(stdout);
    for (const foci_command *c = foci_commands; c->name; c++)
        if (strcmp(what[0], c->name) == 0) {
            char name[64], help[] = "--help";
            snprintf(name, sizeof name, "foci %s", c->name);
            return c->run(2, (char *[]){name, help, NULL});
        }
    return foci_fail(FOCI_ERR_CONFIG, "there is no command `%s`; foci --help lists them", what[0]);
}
