#include <stdio.h>
#include <stdlib.h>

#include "cli/cli.h"

static foci_status show(const foci_parsed *parsed) {
    char *text = parsed->json ? foci_config_json(parsed->config) : foci_config_dump(parsed->config);
    if (!text) return foci_out_of_memory();
    printf("%s%s", text, parsed->json ? "\n" : "");
    free(text);
    return FOCI_OK;
}

static const foci_command show_command = {
    .name = "show",
    .summary = "every key that applies, with its value",
    .synopsis = "CONFIG|RUN",
    .doc =
        "Prints a config as foci understands it: what it inherits, its recipe, --set and all defaults; a config again.",
    .least = 1,
    .most = 1,
    .takes = FOCI_TAKES_SET | FOCI_TAKES_JSON | FOCI_OPENS_CONFIG,
    .run = show,
};

const foci_command foci_command_config = {
    .name = "config",
    .summary = "what a config says in full",
    .commands = (const foci_command *const[]){&show_command, NULL},
};
