#include "task/data_sets.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define FOCI_DATA_SET(name) extern const foci_data_set foci_data_set_##name;
#include "task/data_list.h"
#undef FOCI_DATA_SET

const foci_data_set *const foci_data_sets[] = {
#define FOCI_DATA_SET(name) &foci_data_set_##name,
#include "task/data_list.h"
#undef FOCI_DATA_SET
    NULL};

const foci_split foci_splits[FOCI_SPLITS] = {{FOCI_TRAIN, "train", "data.train", "training"},
                                             {FOCI_VALID, "val", "data.val", "validation"},
                                             {FOCI_TEST, "test", "data.test", "test"}};

foci_status foci_split_of(const char *items, const char *name, int *place) {
    *place = strcmp(name, "test") == 0 ? 2 : 1;
    if (*place == 2 || strcmp(name, "val") == 0 || strcmp(name, "valid") == 0) return FOCI_OK;
    return foci_fail(FOCI_ERR_CONFIG, "%s have the splits val and test, not %s", items, name);
}

const foci_data_set *foci_data_set_of(const foci_config *config) {
    const char *kind = foci_config_string(config, "data.kind");
    for (int i = 0; foci_data_sets[i]; i++)
        if (strcmp(foci_data_sets[i]->name, kind) == 0) return foci_data_sets[i];
    return NULL;
}

void foci_say(const foci_lines *lines, const char *fmt, ...) {
    char line[4352];
    va_list args;
    va_start(args, fmt);
    vsnprintf(line, sizeof line, fmt, args);
    va_end(args);
    lines->take(lines->context, line);
}
