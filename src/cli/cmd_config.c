#include <stdio.h>
#include <stdlib.h>

#include "cli/cli.h"

static foci_status show(int argc, char **argv) {
    foci_common common = {0};
    const char *path[1];
    int count;
    bool done;
    const foci_arguments a = {NULL, NULL, NULL, "CONFIG|RUN",
                              "Prints a config as foci understands it: what it inherits, its recipe, --set and all defaults; a config again.", true, 1, 1};
    FOCI_TRY(foci_parse_arguments(&a, argc, argv, &common, path, &count, &done));
    if (done) return FOCI_OK;
    foci_config *config;
    FOCI_TRY(foci_open_config(&config, path[0], &common));
    char *text = common.json ? foci_config_json(config) : foci_config_dump(config);
    foci_config_free(config);
    if (!text) return foci_fail(FOCI_ERR_RUNTIME, "out of memory");
    printf("%s%s", text, common.json ? "\n" : "");
    free(text);
    return FOCI_OK;
}

foci_status foci_cmd_config(int argc, char **argv) {
    static const foci_command commands[] = {{"show", "every key that applies, with its value", show}, {0}};
    return foci_run_command("foci config", commands, argc, argv);
}
