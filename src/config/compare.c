/* Two configs of one schema, value by value. */
#include "config/internal.h"

#include <stdlib.h>
#include <string.h>

/* The value of a row, "" where it does not apply; from malloc. */
static char *text_of(const foci_value *v) { return v->applies ? foci_value_text(v) : strdup(""); }

foci_status foci_config_compare(const foci_config *a, const foci_config *b, void (*visit)(void *context, const foci_difference *d),
                                void *context) {
    for (int i = 0; i < a->count && i < b->count; i++) {
        const foci_value *v = &a->values[i], *w = &b->values[i];
        char *before = text_of(v), *after = text_of(w);
        bool complete = before && after;
        if (complete && (v->applies || w->applies) && strcmp(before, after) != 0)
            visit(context, &(foci_difference){v->name, v->applies ? before : NULL, w->applies ? after : NULL, v->key.may_change});
        free(before);
        free(after);
        if (!complete) return foci_out_of_memory();
    }
    return FOCI_OK;
}
