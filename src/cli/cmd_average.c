#include <stdio.h>
#include <string.h>

#include "cli/cli.h"
#include "core/load.h"

enum { MOST = 256, OUT = 1 };
static const struct argp_option table[] = {{"out", OUT, "FILE", 0, "where the average goes", 0}, {0}};

static foci_status set_option(void *state, int key, char *arg) {
    (void)key;
    *(const char **)state = arg;
    return FOCI_OK;
}

foci_status foci_cmd_average(int argc, char **argv) {
    const char *out = NULL, *name[MOST], *path[MOST];
    static char found[MOST][4200];
    int count;
    bool done;
    const foci_arguments a = {table, set_option, &out, "RUN_OR_FILE...", "Writes the mean of several checkpoints of one model, number by number. "
                              "Of a run it takes best.safetensors, else last.safetensors.", false, 1, MOST};
    FOCI_TRY(foci_parse_arguments(&a, argc, argv, NULL, name, &count, &done));
    if (done) return FOCI_OK;
    if (!out) return foci_fail(FOCI_ERR_CONFIG, "--out FILE: where is the average to go?");
    for (int i = 0; i < count; i++) {
        FOCI_TRY(foci_weights_of(name[i], found[i], sizeof found[i]));
        path[i] = found[i];
    }
    FOCI_TRY(foci_average_weights(path, count, out));
    printf("%s: the mean of %d checkpoint%s\n", out, count, count > 1 ? "s" : "");
    return FOCI_OK;
}
