#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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
    static const char usage[] = "usage: foci config show CONFIG\n\n  show    every key that applies, with its value\n\n  foci config show --help   its options\n";
    if (argc > 1 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)) {
        fputs(usage, stdout);
        return FOCI_OK;
    }
    if (argc > 1 && strcmp(argv[1], "--version") == 0) {
        foci_print_version();
        return FOCI_OK;
    }
    if (argc < 2) return foci_fail(FOCI_ERR_CONFIG, "usage: foci config show CONFIG (see foci config --help)");
    if (strcmp(argv[1], "show") != 0) return foci_fail(FOCI_ERR_CONFIG, "config: `%s` is not show", argv[1]);
    argv[1] = "foci config show";
    return show(argc - 1, argv + 1);
}
