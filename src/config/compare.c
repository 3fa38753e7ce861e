/* Configs and values beside each other: two configs of one schema, and one beside its defaults. */
#include "config/internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The value of a row, "" where it does not apply; from malloc. */
static char *text_of(const foci_value *v) { return v->applies ? foci_value_text(v) : strdup(""); }

foci_status foci_config_compare(const foci_config *a, const foci_config *b,
                                void (*visit)(void *context, const foci_difference *d), void *context) {
    for (int i = 0; i < a->count && i < b->count; i++) {
        const foci_value *v = &a->values[i], *w = &b->values[i];
        char *before = text_of(v), *after = text_of(w);
        bool complete = before && after;
        if (complete && (v->applies || w->applies) && strcmp(before, after) != 0)
            visit(context, &(foci_difference){v->name, v->applies ? before : NULL, w->applies ? after : NULL,
                                              v->key.may_change, v->key.is_length});
        free(before);
        free(after);
        if (!complete) return foci_out_of_memory();
    }
    return FOCI_OK;
}

foci_status foci_value_same(const foci_value *a, const foci_value *b, bool *same) {
    char *one = foci_value_text(a), *other = foci_value_text(b);
    bool complete = one && other;
    *same = complete && strcmp(one, other) == 0;
    free(one);
    free(other);
    return complete ? FOCI_OK : foci_out_of_memory();
}

char *foci_config_essence(const foci_config *c) {
    char *text = NULL;
    size_t size;
    FILE *f = open_memstream(&text, &size);
    if (!f) return NULL;
    bool complete = true;
    for (int i = 0; i < c->count; i++) {
        const foci_value *v = &c->values[i];
        if (!v->applies || v->initial) continue;
        char *value = foci_value_text(v);
        complete &= value && fprintf(f, "%s: %s\n", v->name, value) > 0;
        free(value);
    }
    if (fclose(f) == 0 && complete) return text;
    free(text);
    return NULL;
}
