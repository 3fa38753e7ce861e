#include "core/carry.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/parallel.h"

/* The NOW behind a PAST. */
static const foci_slot *now_of(const foci_graph *g, int past) { return foci_graph_slot(g, past + 1); }

static bool is_past(const foci_slot *s) { return s->kind == FOCI_SLOT_PAST && s->tensor->dtype == FOCI_REAL; }

static foci_status add(foci_carry *c, const foci_slot *past, const foci_slot *now) {
    foci_carried_rows *r = &c->slot[c->count];
    *r = (foci_carried_rows){.rows = past->tensor->shape[1], .width = past->tensor->shape[2]};
    snprintf(r->past, sizeof r->past, "%s", past->name);
    snprintf(r->now, sizeof r->now, "%s", now->name);
    const size_t bytes = (size_t)(c->batch * r->rows * r->width) * sizeof *r->data;
    r->data = foci_large_calloc(bytes);
    if (r->data) return c->count++, FOCI_OK;
    return foci_fail(FOCI_ERR_RUNTIME, "out of memory for %.0f MB of %s", (double)bytes / 1e6, past->name);
}

foci_status foci_carry_open(foci_carry *c, const foci_program *p, int64_t batch) {
    const foci_graph *g = foci_program_graph(p);
    const int slots = foci_graph_slots(g);
    *c = (foci_carry){.batch = batch, .slot = calloc((size_t)slots + 1, sizeof *c->slot)};
    if (!c->slot) return foci_out_of_memory();
    for (int i = 0; i < slots; i++)
        if (is_past(foci_graph_slot(g, i))) FOCI_TRY(add(c, foci_graph_slot(g, i), now_of(g, i)));
    return FOCI_OK;
}

void foci_carry_close(foci_carry *c) {
    for (int i = 0; i < c->count; i++) free(c->slot[i].data);
    free(c->slot);
    *c = (foci_carry){.count = 0};
}

void foci_carry_clear(foci_carry *c) {
    c->filled = 0;
    for (int i = 0; i < c->count; i++)
        memset(c->slot[i].data, 0, (size_t)(c->batch * c->slot[i].rows * c->slot[i].width) * sizeof(foci_real));
}

foci_status foci_carry_feed(const foci_carry *c, foci_program *p, int64_t first) {
    const foci_graph *g = foci_program_graph(p);
    for (int i = 0; i < c->count; i++) {
        const foci_carried_rows *r = &c->slot[i];
        FOCI_TRY(foci_program_feed(p, r->past, r->data + first * r->rows * r->width));
    }
    for (int i = 0; i < foci_graph_slots(g) && c->count; i++) {
        const foci_slot *s = foci_graph_slot(g, i);
        if (s->kind == FOCI_SLOT_PAST && s->tensor->dtype == FOCI_INT)
            FOCI_TRY(foci_program_feed(p, s->name, &c->filled));
    }
    return FOCI_OK;
}

/* The last rows of (samples, L + T, C). */
foci_status foci_carry_take(foci_carry *c, const foci_program *p, int64_t first) {
    for (int i = 0; i < c->count; i++) {
        const foci_carried_rows *r = &c->slot[i];
        const int64_t *shape, size = r->rows * r->width;
        const foci_real *now;
        FOCI_TRY(foci_program_fetch(p, r->now, &now));
        shape = foci_program_find(p, r->now)->shape;
        FOCI_PARALLEL_FOR
        for (int64_t b = 0; b < shape[0]; b++)
            memcpy(r->data + (first + b) * size, now + ((b + 1) * shape[1] - r->rows) * r->width,
                   (size_t)size * sizeof *now);
    }
    return FOCI_OK;
}

/* Tokens of a window of the program. */
static int64_t window_of(const foci_carried_rows *r, const foci_program *p) {
    return foci_program_find(p, r->now)->shape[1] - r->rows;
}

void foci_carry_advance(foci_carry *c, const foci_program *p) {
    if (!c->count) return;
    const foci_carried_rows *r = c->slot; /* all have as many */
    const int64_t filled = c->filled + window_of(r, p);
    c->filled = (int32_t)(filled < r->rows ? filled : r->rows);
}

/* The first of them is exact once its rows are from these windows alone; the next one's so much later, and so on. */
int64_t foci_carry_reach(const foci_carry *c, const foci_program *p) {
    int64_t windows = 0;
    for (int i = 0; i < c->count; i++) windows += foci_tiles(c->slot[i].rows, window_of(&c->slot[i], p));
    return windows;
}
