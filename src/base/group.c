#define _GNU_SOURCE
#include "base/group.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int foci_group_rank(const foci_group *g) { return g ? g->rank : 0; }
int foci_group_size(const foci_group *g) { return g ? g->size : 1; }

void foci_group_doing(foci_group *g, const char *fmt, ...) {
    if (!g) return;
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(g->doing, sizeof g->doing, fmt, ap);
    va_end(ap);
}

void foci_group_share(foci_group *g, const void *mine, size_t bytes, void *all) {
    if (g) g->share(g, mine, bytes, all);
    else memcpy(all, mine, bytes);
}

void foci_group_collect(foci_group *g, void *all, const size_t *at) {
    if (g) g->collect(g, all, at);
}

void foci_group_exchange(foci_group *g, const void *sent, const size_t *to, void *got, const size_t *from) {
    if (g) g->exchange(g, sent, to, got, from);
    else memcpy(got, (const char *)sent + to[0], from[1] - from[0]);
}

void foci_group_broadcast(foci_group *g, void *data, size_t bytes) {
    if (g) g->broadcast(g, data, bytes);
}

/* Between process 0, which has its own part already, and all others. */
static void first_and_others(foci_group *g, void *all, const size_t *at, bool gather) {
    size_t parts[g->size + 1], none[g->size + 1];
    for (int r = 0; r <= g->size; r++) {
        parts[r] = g->rank ? at[g->rank + (r > 0)] : at[r ? r : 1];
        none[r] = 0;
    }
    const bool sends = gather == (g->rank > 0);
    g->exchange(g, sends ? all : NULL, sends ? parts : none, sends ? NULL : all, sends ? none : parts);
}

void foci_group_gather(foci_group *g, void *all, const size_t *at) {
    if (g) first_and_others(g, all, at, true);
}

void foci_group_scatter(foci_group *g, void *all, const size_t *at) {
    if (g) first_and_others(g, all, at, false);
}

void foci_group_leave(foci_group *g) {
    if (g) g->leave(g);
}

/* ----------------------------------------------------------------------------------------------- agreement */

typedef struct outcome {
    foci_error error;
    char machine[64];
} outcome;

/* The failure of one becomes that of all. */
static foci_status take(foci_group *g, const outcome *mine, int failed) {
    outcome *all = malloc((size_t)g->size * sizeof *all);
    if (!all) return foci_fail(FOCI_ERR_RUNTIME, "process %d failed, and memory is out", failed);
    g->share(g, mine, sizeof *mine, all);
    const foci_error error = all[failed].error;
    char machine[sizeof all->machine];
    memcpy(machine, all[failed].machine, sizeof machine);
    free(all);
    foci_error_raise(&error);
    return failed ? foci_context(error.status, "process %d on %s", failed, machine) : error.status;
}

foci_status foci_group_agree(foci_group *g, foci_status status) {
    if (!g) return status;
    outcome mine = {.error.status = FOCI_OK};
    int failed[g->size], of = status ? 1 : 0, first = -1;
    foci_error_take(&mine.error, status);
    if (gethostname(mine.machine, sizeof mine.machine - 1) < 0) snprintf(mine.machine, sizeof mine.machine, "?");
    g->share(g, &of, sizeof of, failed);
    for (int r = g->size - 1; r >= 0; r--)
        if (failed[r]) first = r;
    return first < 0 ? FOCI_OK : take(g, &mine, first);
}

/* The first line in which two texts differ. */
static foci_status compare(const char *mine, const char *first) {
    for (;;) {
        const size_t a = strcspn(mine, "\n"), b = strcspn(first, "\n");
        if (a != b || memcmp(mine, first, a) != 0) {
            while (a && b && *mine == ' ' && *first == ' ') mine++, first++;
            return foci_fail(FOCI_ERR_CONFIG,
                             "`%.*s` here and `%.*s` in process 0: together they would come to bits of no one kind",
                             (int)strcspn(mine, "\n"), mine, (int)strcspn(first, "\n"), first);
        }
        if (!mine[a] || !first[b]) return FOCI_OK;
        mine += a + 1;
        first += b + 1;
    }
}

foci_status foci_group_compare(foci_group *g, const char *text) {
    if (!g) return FOCI_OK;
    size_t size = strlen(text) + 1;
    foci_group_broadcast(g, &size, sizeof size);
    char *first = calloc(1, size);
    foci_status s = foci_group_agree(g, first ? FOCI_OK : foci_out_of_memory());
    if (!s) {
        memcpy(first, text, g->rank ? 0 : size);
        foci_group_broadcast(g, first, size);
        s = foci_group_agree(g, compare(text, first));
    }
    free(first);
    return s;
}
