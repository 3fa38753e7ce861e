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

/* ------------------------------------------------------------------------------------------- rows to fields */

static int choice_of(const foci_value *v) {
    char word[64];
    for (int i = 0; foci_choice(&v->key, i, word); i++)
        if (strcmp(word, v->string) == 0) return i;
    return 0;
}

static void write_field(const foci_key *key, const foci_value *v, unsigned char *options) {
    void *field = options + key->at;
    switch (key->type) {
    case FOCI_KEY_BOOL: *(bool *)field = v->integer != 0; break;
    case FOCI_KEY_INT: *(int64_t *)field = v->integer; break;
    case FOCI_KEY_REAL: *(double *)field = v->real; break;
    case FOCI_KEY_STRING: *(const char **)field = v->string; break;
    case FOCI_KEY_CHOICE: *(int *)field = choice_of(v); break;
    case FOCI_KEY_INTS: *(foci_int_list *)field = (foci_int_list){v->count, v->integers}; break;
    case FOCI_KEY_REALS: *(foci_real_list *)field = (foci_real_list){v->count, v->reals}; break;
    }
}

void foci_config_read(const foci_config *c, const char *section, const foci_key *keys, void *options) {
    for (const foci_key *key = keys; key->name; key++)
        for (int i = 0; i < c->count && key->size; i++) {
            const foci_value *v = &c->values[i];
            if (!v->applies || strcmp(v->section, section) != 0 || strcmp(v->key.name, key->name) != 0) continue;
            write_field(key, v, options);
            break;
        }
}

foci_status foci_config_fail(const foci_config *config, const char *key, const char *fmt, ...) {
    char text[1024];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    const foci_value *v = foci_value_find(config, key);
    if (!v) return foci_fail(FOCI_ERR_CONFIG, "%s: %s", key, text);
    if (!v->set) return foci_fail(FOCI_ERR_CONFIG, "%s: %s: %s", config->main->name, key, text); /* its default stands nowhere */
    return foci_fail_at(v->entry->source, v->entry->at, "%s: %s", key, text);
}
