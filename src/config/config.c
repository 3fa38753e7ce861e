/* What programs ask of a config. A key that is not in the schema, or belongs to another kind, is nothing: 0, "". */
#include "config/internal.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const foci_value *find(const foci_config *c, const char *key) {
    static const foci_value nothing = {.string = "", .place = ""};
    const foci_value *v = foci_value_find(c, key);
    return v ? v : &nothing;
}

bool foci_config_bool(const foci_config *c, const char *key) { return find(c, key)->integer != 0; }
int64_t foci_config_int(const foci_config *c, const char *key) { return find(c, key)->integer; }
double foci_config_real(const foci_config *c, const char *key) { return find(c, key)->real; }
const char *foci_config_string(const foci_config *c, const char *key) { return find(c, key)->string; }
bool foci_config_is_set(const foci_config *c, const char *key) { return find(c, key)->set; }
const char *foci_config_place(const foci_config *c, const char *key) { return find(c, key)->place; }

int foci_config_ints(const foci_config *c, const char *key, const int64_t **values) {
    const foci_value *v = find(c, key);
    *values = v->integers;
    return v->integers ? v->count : 0;
}

int foci_config_reals(const foci_config *c, const char *key, const double **values) {
    const foci_value *v = find(c, key);
    *values = v->reals;
    return v->count;
}

foci_status foci_config_put(foci_config *config, const char *key, const char *value) {
    foci_value *v = (foci_value *)(uintptr_t)foci_value_find(config, key);
    if (!v || (v->set && strncmp(v->place, "--set", strlen("--set")) == 0)) return FOCI_OK;
    if (!v->stated) v->stated = v->string;
    v->string = foci_arena_strdup(&config->arena, value);
    return v->string ? FOCI_OK : foci_out_of_memory();
}

foci_status foci_config_fail(const foci_config *config, const char *key, const char *fmt, ...) {
    char text[1024];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    const foci_value *v = foci_value_find(config, key);
    if (!v) return foci_fail(FOCI_ERR_CONFIG, "%s: %s", key, text);
    /* its default stands nowhere */
    if (!v->set) return foci_fail(FOCI_ERR_CONFIG, "%s: %s: %s", config->main->name, key, text);
    return foci_fail_at(v->entry->source, v->entry->at, "%s: %s", key, text);
}
