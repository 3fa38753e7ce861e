#include "train/statistics.h"

#include <stdlib.h>

/* What is drawn is the same in every shard. */
static bool follows(const foci_parameter_entry *e) { return e->buffer && e->init.kind != FOCI_INIT_DRAWN; }

foci_status foci_statistics_open(foci_statistics *s, foci_parameters *p) {
    int64_t n = 0;
    *s = (foci_statistics){.p = p};
    for (int i = 0; i < p->count; i++) n += follows(&p->entry[i]) ? p->entry[i].numel : 0;
    if (!n || (s->before = malloc((size_t)n * sizeof *s->before))) return FOCI_OK;
    return foci_fail(FOCI_ERR_RUNTIME, "out of memory for running statistics");
}

void foci_statistics_close(foci_statistics *s) {
    free(s->before);
    *s = (foci_statistics){NULL};
}

void foci_statistics_begin(const foci_statistics *s) {
    foci_real *before = s->before;
    for (int i = 0; i < s->p->count && before; i++) {
        const foci_parameter_entry *e = &s->p->entry[i];
        if (!follows(e)) continue;
        memcpy(before, s->p->value + e->offset, (size_t)e->numel * sizeof *before);
        before += e->numel;
    }
}

void foci_statistics_take(const foci_statistics *s) {
    const foci_real *before = s->before;
    for (int i = 0; i < s->p->count && before; i++) {
        const foci_parameter_entry *e = &s->p->entry[i];
        if (!follows(e)) continue;
        memcpy(s->p->grad + e->offset, s->p->value + e->offset, (size_t)e->numel * sizeof *before);
        memcpy(s->p->value + e->offset, before, (size_t)e->numel * sizeof *before);
        before += e->numel;
    }
}

void foci_statistics_put(const foci_statistics *s, int64_t shards, int64_t first, int64_t end) {
    for (int i = 0; i < s->p->count && s->before; i++) {
        const foci_parameter_entry *e = &s->p->entry[i];
        if (!follows(e)) continue;
        for (int64_t k = e->offset; k < e->offset + e->numel; k++)
            if (k >= first && k < end) s->p->value[k] = s->p->grad[k] / (foci_real)shards;
    }
}
