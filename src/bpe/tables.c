#include "bpe/tables.h"

#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

enum { FEWEST_SLOTS = 1024 };

/* Slots are at most half full, so `slots` says how many items have room. Doubles both where they are used up; `place`
 * puts item i back into the new slots. */
static int make_room(void **item, size_t size, int64_t count, int32_t **slot, int64_t *slots,
                     void (*place)(void *table, int32_t i), void *table) {
    if (2 * count < *slots) return 0;
    const int64_t wanted = *slots ? 2 * *slots : FEWEST_SLOTS;
    void *items = count < INT32_MAX / 2 ? realloc(*item, (size_t)(wanted / 2) * size) : NULL;
    if (items) *item = items;
    int32_t *room = items ? malloc((size_t)wanted * sizeof *room) : NULL;
    if (!room) return -1;
    free(*slot);
    *slot = memset(room, 0xff, (size_t)wanted * sizeof *room);
    *slots = wanted;
    for (int32_t i = 0; i < count; i++) place(table, i);
    return 0;
}

/* ------------------------------------------------------------------------------------------------ strings */

/* The slot that has it, or else the free one where it belongs. */
static int32_t *slot_of(const foci_strings *s, const char *text, size_t size) {
    const uint64_t mask = (uint64_t)s->slots - 1;
    for (uint64_t at = XXH3_64bits(text, size) & mask;; at = (at + 1) & mask) {
        const int32_t i = s->slot[at];
        if (i < 0 || (s->item[i].size == size && memcmp(s->item[i].text, text, size) == 0)) return s->slot + at;
    }
}

static void place_string(void *table, int32_t i) {
    foci_strings *s = table;
    *slot_of(s, s->item[i].text, s->item[i].size) = i;
}

int32_t foci_strings_find(const foci_strings *s, const char *text, size_t size) {
    return s->slots ? *slot_of(s, text, size) : -1;
}

int32_t foci_strings_add(foci_strings *s, const char *text, size_t size) {
    if (make_room((void **)&s->item, sizeof *s->item, s->count, &s->slot, &s->slots, place_string, s)) return -1;
    int32_t *slot = slot_of(s, text, size);
    if (*slot >= 0) return *slot;
    char *copy = foci_arena_alloc(&s->arena, size);
    if (!copy) return -1;
    s->item[s->count] = (foci_string){memcpy(copy, text, size), (uint32_t)size};
    return *slot = (int32_t)s->count++;
}

void foci_strings_free(foci_strings *s) {
    free(s->item);
    free(s->slot);
    foci_arena_free(&s->arena);
    *s = (foci_strings){NULL};
}

/* -------------------------------------------------------------------------------------------------- pairs */

static void place_pair(void *table, int32_t i) {
    foci_pairs *p = table;
    const uint64_t mask = (uint64_t)p->slots - 1;
    uint64_t at = foci_pair_hash(p->item[i]) & mask;
    while (p->slot[at] >= 0) at = (at + 1) & mask;
    p->slot[at] = i;
}

int32_t foci_pairs_add(foci_pairs *p, foci_pair pair) {
    const int32_t found = foci_pairs_find(p, pair);
    if (found >= 0) return found;
    if (make_room((void **)&p->item, sizeof *p->item, p->count, &p->slot, &p->slots, place_pair, p)) return -1;
    p->item[p->count] = pair;
    place_pair(p, (int32_t)p->count);
    return (int32_t)p->count++;
}

void foci_pairs_free(foci_pairs *p) {
    free(p->item);
    free(p->slot);
    *p = (foci_pairs){NULL};
}
