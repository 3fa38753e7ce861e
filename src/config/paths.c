/* What the path in a config means: it is looked for from the working folder, and where nothing lies there, from the
 * folder of the file that names it. */
#include "config/internal.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"

/* Also inside a file, images.tar/train; of names with a star, train_*.bin, their folder. */
static bool is_there(const char *path) {
    char folder[PATH_MAX];
    const char *slash = strrchr(path, '/');
    struct stat st;
    if (stat(path, &st) == 0 || errno != ENOENT) return true;
    if (!slash || !strchr(slash, '*') || (size_t)(slash - path) >= sizeof folder) return false;
    snprintf(folder, sizeof folder, "%.*s", (int)(slash - path), path);
    return slash == path || stat(folder, &st) == 0;
}

foci_status foci_value_find_path(foci_arena *arena, foci_value *v) {
    const foci_source *source = v->entry->source;
    const char *slash = strrchr(source->name, '/');
    if (!*v->string || *v->string == '/' || !source->text || !slash || is_there(v->string)) return FOCI_OK;
    char *beside = foci_arena_printf(arena, "%.*s/%s", (int)(slash - source->name), source->name, v->string);
    if (!beside) return foci_out_of_memory();
    if (is_there(beside)) v->string = beside;
    else v->beside = beside;
    return FOCI_OK;
}

foci_status foci_config_path(const foci_config *config, const char *key) {
    const foci_value *v = foci_value_find(config, key);
    if (!v || !v->beside) return FOCI_OK;
    return foci_fail(FOCI_ERR_DATA, "%s: %s: nothing is at %s, nor at %s, from the folder of the config", v->place, key,
                     v->string, v->beside);
}

/* ------------------------------------------------------------------------------------------- for a run's config */

/* Of a path inside a file, the part that is none of the file's stays. */
static const char *absolute(foci_arena *arena, const char *path) {
    char file[PATH_MAX], real[PATH_MAX];
    size_t n = strlen(path);
    if (!*path || n >= sizeof file || !is_there(path)) return path;
    memcpy(file, path, n + 1);
    while (!realpath(file, real)) {
        while (n && file[n] != '/') n--;
        if (!n) return path;
        file[n] = 0;
    }
    return foci_arena_printf(arena, "%s%s", real, path + n);
}

char *foci_config_record(const foci_config *config) {
    foci_arena arena = {NULL};
    foci_config record = *config;
    record.values = foci_arena_alloc(&arena, (size_t)config->count * sizeof *record.values);
    bool complete = record.values != NULL;
    for (int i = 0; complete && i < config->count; i++) {
        foci_value *v = &record.values[i];
        *v = config->values[i];
        if (v->applies && v->key.path) v->string = absolute(&arena, v->string);
        complete = v->string != NULL;
    }
    char *text = complete ? foci_config_dump(&record) : NULL;
    foci_arena_free(&arena);
    return text;
}
