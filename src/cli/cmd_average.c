#include <stdio.h>

#include "cli/cli.h"
#include "core/load.h"

enum { MOST = 256 };

typedef struct settings {
    const char *out;
} settings;

static const foci_key rows[] = {
    FOCI_KEY(settings, out, NULL, 0, 0, NULL, "where the average goes", .placeholder = "FILE"), {0}};

static foci_status average(const foci_parsed *parsed) {
    const settings *o = parsed->options;
    const char *path[MOST];
    static char found[MOST][4200];
    if (!o->out) return foci_fail(FOCI_ERR_CONFIG, "--out FILE: where is the average to go?");
    for (int i = 0; i < parsed->arguments; i++) {
        FOCI_TRY(foci_weights_of(parsed->argument[i], found[i], sizeof found[i]));
        path[i] = found[i];
    }
    FOCI_TRY(foci_average_weights(path, parsed->arguments, o->out));
    printf("%s: the mean of %d checkpoint%s\n", o->out, parsed->arguments, foci_plural(parsed->arguments, "s"));
    return FOCI_OK;
}

const foci_command foci_command_average = {
    .name = "average",
    .summary = "the mean of several checkpoints",
    .synopsis = "RUN_OR_FILE...",
    .doc = "Writes the mean of several checkpoints of one model, number by number. Of a run it takes "
           "best.safetensors, else last.safetensors.",
    .least = 1,
    .most = MOST,
    .size = sizeof(settings),
    .options = {{rows}},
    .run = average,
};
