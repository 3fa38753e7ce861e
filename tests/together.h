/* Processes that are threads of this one: a group whose calls copy from one to another. */
#ifndef FOCI_TESTS_TOGETHER_H
#define FOCI_TESTS_TOGETHER_H

#include <pthread.h>
#include <string.h>

#include "base/group.h"

enum { MOST_TOGETHER = 48 };

typedef struct together {
    pthread_barrier_t all;
    const char *sent[MOST_TOGETHER]; /* of each, while a call lasts */
    const size_t *to[MOST_TOGETHER];
    foci_group group[MOST_TOGETHER];
    void (*work)(foci_group *g, void *context);
    void *context;
} together;

static together *of(const foci_group *g) { return g->transport; }

/* All have shown what they send, and nobody takes it back before all have taken what is theirs. */
static void show(const foci_group *g, const void *sent, const size_t *to) {
    of(g)->sent[g->rank] = sent;
    of(g)->to[g->rank] = to;
    pthread_barrier_wait(&of(g)->all);
}
static void done(const foci_group *g) { pthread_barrier_wait(&of(g)->all); }

static void share(foci_group *g, const void *mine, size_t bytes, void *all) {
    show(g, mine, NULL);
    for (int r = 0; r < g->size; r++) memcpy((char *)all + (size_t)r * bytes, of(g)->sent[r], bytes);
    done(g);
}

static void collect(foci_group *g, void *all, const size_t *at) {
    show(g, all, NULL);
    for (int r = 0; r < g->size; r++)
        if (r != g->rank) memcpy((char *)all + at[r], of(g)->sent[r] + at[r], at[r + 1] - at[r]);
    done(g);
}

static void exchange(foci_group *g, const void *sent, const size_t *to, void *got, const size_t *from) {
    show(g, sent, to);
    for (int r = 0; r < g->size; r++) {
        const size_t *its = of(g)->to[r];
        if (its[g->rank + 1] - its[g->rank] != from[r + 1] - from[r]) abort(); /* as MPI would */
        if (from[r + 1] > from[r]) memcpy((char *)got + from[r], of(g)->sent[r] + its[g->rank], from[r + 1] - from[r]);
    }
    done(g);
}

static void broadcast(foci_group *g, void *data, size_t bytes) {
    show(g, data, NULL);
    if (g->rank) memcpy(data, of(g)->sent[0], bytes);
    done(g);
}

static void *run_one(void *group) {
    foci_group *g = group;
    of(g)->work(g, of(g)->context);
    return NULL;
}

/* work(group, context) in `size` processes at once. */
static inline void work_together(int size, void (*work)(foci_group *g, void *context), void *context) {
    pthread_t thread[MOST_TOGETHER];
    together t = {.work = work, .context = context};
    pthread_barrier_init(&t.all, NULL, (unsigned)size);
    for (int r = 0; r < size; r++) {
        t.group[r] = (foci_group){.rank = r,
                                  .size = size,
                                  .local = size,
                                  .transport = &t,
                                  .share = share,
                                  .collect = collect,
                                  .exchange = exchange,
                                  .broadcast = broadcast};
        if (pthread_create(&thread[r], NULL, run_one, &t.group[r])) abort();
    }
    for (int r = 0; r < size; r++) pthread_join(thread[r], NULL);
    pthread_barrier_destroy(&t.all);
}

#endif
