#include "train/gradient_sum.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/parallel.h"
#include "kernels/kernels.h"

enum { TILE = 1 << 13 }; /* elements: a tile of each of some blocks stays in the second-level cache */

/* -------------------------------------------------------------------------------------------------- the tree */

/* Are these the halves of a node? (Before the end, only whole powers of two are.) */
static bool halves(const foci_block *left, const foci_block *right) {
    return left->count == right->count && left->first % (2 * left->count) == 0;
}

/* How many blocks from the top of the stack on merge with `next`, which becomes all of them but for its sum; `last`:
 * there is none behind it, and all that is left is added up from the right. */
static int merge(const foci_block *stack, int blocks, foci_block *next, bool last) {
    int n = 0;
    for (; n < blocks && (last || halves(&stack[blocks - 1 - n], next)); n++) {
        next->first = stack[blocks - 1 - n].first;
        next->count += stack[blocks - 1 - n].count;
    }
    return n;
}

/* What the shards first .. end - 1 leave on the stack; returns how many blocks, and how many there were at most before
 * the last shard. */
static int run_through(int64_t first, int64_t end, foci_block *stack, int *deepest) {
    int blocks = 0;
    *deepest = 0;
    for (int64_t i = first; i < end; i++) {
        foci_block next = {i, 1, NULL};
        if (blocks > *deepest) *deepest = blocks;
        blocks -= merge(stack, blocks, &next, false);
        stack[blocks++] = next;
    }
    return blocks;
}

/* ------------------------------------------------------------------------------------------ within a process */

/* Adds `merged` blocks, the top one first, to a gradient. The sum goes to `to`, which is the lowest of them, or free
 * where there are none, and the gradient is cleared; or it stays where it is. */
static void add_up(const foci_block *top, int merged, foci_real *grad, foci_real *to, int64_t size) {
    const foci_kernels *kernel = foci_kernel();
    FOCI_PARALLEL_FOR
    for (int64_t t = 0; t < foci_tiles(size, TILE); t++) {
        const foci_range r = foci_tile(size, TILE, t);
        const int64_t n = r.end - r.first;
        foci_real *sum = grad + r.first;
        for (int i = 0; i < merged; i++)
            kernel->add(n, top[-i].sum + r.first, sum, (i + 1 < merged ? grad : to) + r.first);
        if (to == grad) continue;
        if (!merged) memcpy(to + r.first, sum, (size_t)n * sizeof *sum);
        memset(sum, 0, (size_t)n * sizeof *sum);
    }
}

void foci_gradient_sum_take(foci_gradient_sum *s, int64_t i, foci_real *grad) {
    const bool last = i + 1 == s->end;
    if (i == s->first) s->blocks = 0;
    foci_block next = {i, 1, NULL};
    const int merged = merge(s->block, s->blocks, &next, last && !s->group);
    const foci_block *top = &s->block[s->blocks - 1];
    s->blocks -= merged;
    next.sum = last ? grad : s->buffer[s->blocks];
    add_up(top, merged, grad, next.sum, s->size);
    s->block[s->blocks++] = next;
}

/* ------------------------------------------------------------------------------------------- among processes */

/* The blocks of all processes: process r's are those from of[r] on; `all` may be NULL. Returns how many. */
static int64_t list_blocks(const foci_gradient_sum *s, foci_block *all, int64_t *of) {
    int64_t n = 0;
    for (int r = 0; r < s->group->size; r++) {
        foci_block stack[FOCI_MOST_BLOCKS];
        int deepest;
        const int blocks = run_through(foci_group_first(s->group, s->shards, r),
                                       foci_group_first(s->group, s->shards, r + 1), stack, &deepest);
        if (all) memcpy(all + n, stack, (size_t)blocks * sizeof *all);
        of[r] = n;
        n += blocks;
    }
    return of[s->group->size] = n;
}

/* Round j: block number j of every process that has so many goes to the owners. Returns where the next round's go. */
static foci_real *exchange_round(foci_gradient_sum *s, int64_t j, foci_block *all, const int64_t *of, foci_real *to) {
    const int processes = s->group->size, rank = s->group->rank;
    const size_t stretch = (size_t)(s->own[rank + 1] - s->own[rank]);
    size_t sent[processes + 1], from[processes + 1];
    from[0] = 0;
    for (int r = 0; r <= processes; r++) sent[r] = j < s->blocks ? (size_t)s->own[r] * sizeof *to : 0;
    for (int r = 0; r < processes; r++) {
        const bool sends = j < of[r + 1] - of[r];
        from[r + 1] = from[r] + (sends ? stretch * sizeof *to : 0);
        if (sends) all[of[r] + j].sum = to + from[r] / sizeof *to;
    }
    foci_group_exchange(s->group, j < s->blocks ? s->block[j].sum : NULL, sent, to, from);
    return to + from[processes] / sizeof *to;
}

/* Blocks in the order of their shards are added up, tile by tile. */
static void fold(const foci_block *all, int64_t count, foci_real *to, int64_t size) {
    const foci_kernels *kernel = foci_kernel();
    FOCI_PARALLEL_FOR
    for (int64_t t = 0; t < foci_tiles(size, TILE); t++) {
        const foci_range r = foci_tile(size, TILE, t);
        foci_block stack[FOCI_MOST_BLOCKS];
        int blocks = 0;
        for (int64_t i = 0; i < count; i++) {
            foci_block next = all[i];
            const int merged = merge(stack, blocks, &next, i + 1 == count);
            for (int k = 0; k < merged; k++)
                kernel->add(r.end - r.first, stack[--blocks].sum + r.first, next.sum + r.first, next.sum + r.first);
            stack[blocks++] = next;
        }
        memcpy(to + r.first, stack[0].sum + r.first, (size_t)(r.end - r.first) * sizeof *to);
    }
}

void foci_gradient_sum_finish(foci_gradient_sum *s, foci_real *grad) {
    if (!s->group) return;
    const int rank = s->group->rank;
    int64_t of[s->group->size + 1], rounds = 0;
    foci_block all[list_blocks(s, NULL, of)];
    const int64_t count = list_blocks(s, all, of);
    for (int r = 0; r < s->group->size; r++) rounds = of[r + 1] - of[r] > rounds ? of[r + 1] - of[r] : rounds;
    foci_real *to = s->got;
    for (int64_t j = 0; j < rounds; j++) to = exchange_round(s, j, all, of, to);
    fold(all, count, grad + s->own[rank], s->own[rank + 1] - s->own[rank]);
}

double foci_gradient_sum_received(const foci_gradient_sum *s) {
    if (!s->group) return 0;
    const int rank = s->group->rank;
    int64_t of[s->group->size + 1], others = list_blocks(s, NULL, of);
    others -= of[rank + 1] - of[rank];
    return (double)(others * (s->own[rank + 1] - s->own[rank])) * sizeof(foci_real);
}

/* --------------------------------------------------------------------------------------- opening and closing */

double foci_gradient_sum_arrays(int64_t shards, int processes) {
    foci_block stack[FOCI_MOST_BLOCKS];
    int most = 0;
    int64_t blocks = 0;
    for (int r = 0; r < processes; r++) {
        int deepest;
        blocks += run_through(r * shards / processes, (r + 1) * shards / processes, stack, &deepest);
        most = deepest > most ? deepest : most;
    }
    return most + (processes > 1 ? (double)blocks / processes : 0);
}

int64_t foci_gradient_sum_blocks(int64_t shards, int processes) {
    foci_block stack[FOCI_MOST_BLOCKS];
    int64_t most = 0;
    for (int r = 0; r < processes; r++) {
        int deepest;
        const int64_t blocks = run_through(r * shards / processes, (r + 1) * shards / processes, stack, &deepest);
        most = blocks > most ? blocks : most;
    }
    return most;
}

foci_status foci_gradient_sum_open(foci_gradient_sum *s, int64_t size, int64_t shards, foci_group *group,
                                   const int64_t *own) {
    const int rank = foci_group_rank(group);
    *s = (foci_gradient_sum){.group = group,
                             .size = size,
                             .shards = shards,
                             .first = foci_group_first(group, shards, rank),
                             .end = foci_group_first(group, shards, rank + 1),
                             .own = own};
    run_through(s->first, s->end, s->block, &s->buffers);
    bool there = true;
    for (int i = 0; i < s->buffers; i++)
        there = (s->buffer[i] = foci_large_alloc((size_t)size * sizeof(foci_real))) && there;
    if (group) {
        int64_t of[group->size + 1];
        const size_t stretch = (size_t)(own[rank + 1] - own[rank]);
        s->got = foci_large_alloc((size_t)list_blocks(s, NULL, of) * stretch * sizeof *s->got);
        there = s->got && there;
    }
    if (there) return FOCI_OK;
    foci_gradient_sum_close(s);
    return foci_fail(FOCI_ERR_RUNTIME, "out of memory for the gradients of %lld shards", (long long)shards);
}

void foci_gradient_sum_close(foci_gradient_sum *s) {
    for (int i = 0; i < s->buffers; i++) free(s->buffer[i]);
    free(s->got);
    *s = (foci_gradient_sum){NULL};
}
