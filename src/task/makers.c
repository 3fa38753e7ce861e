#include "task/makers.h"

#include <stdio.h>
#include <string.h>

#define FOCI_MAKER(name) extern const foci_maker foci_maker_##name;
#include "task/make_list.h"
#undef FOCI_MAKER

const foci_maker *const foci_makers[] = {
#define FOCI_MAKER(name) &foci_maker_##name,
#include "task/make_list.h"
#undef FOCI_MAKER
    NULL};

const foci_maker *foci_maker_find(const char *name) {
    for (int i = 0; foci_makers[i]; i++)
        if (strcmp(foci_makers[i]->name, name) == 0) return foci_makers[i];
    return NULL;
}

static foci_status unknown(const char *kind) {
    char names[256] = "";
    for (int i = 0; foci_makers[i]; i++) {
        size_t used = strlen(names);
        snprintf(names + used, sizeof names - used, "%s%s", used ? ", " : "", foci_makers[i]->name);
    }
    return foci_fail(FOCI_ERR_CONFIG, "there is no built-in data set `%s`, only %s", kind, names);
}

foci_status foci_make_data(const char *kind, const char *folder, const char *const *set, int sets) {
    const foci_maker *maker = foci_maker_find(kind);
    if (!maker) return unknown(kind);
    _Alignas(max_align_t) unsigned char options[FOCI_MAKER_OPTIONS] = {0};
    foci_arena arena = {NULL};
    foci_status s = foci_keys_parse(maker->keys, kind, set, sets, &arena, options);
    if (!s) s = maker->make(folder, options);
    foci_arena_free(&arena);
    return s;
}
