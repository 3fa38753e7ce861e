/* Tables that number what is put into them, from 0 on in the order of first sight: strings of bytes, and pairs of
 * numbers; internal to this room. A zeroed table is an empty one. */
#ifndef FOCI_BPE_TABLES_H
#define FOCI_BPE_TABLES_H

#include <stdint.h>

#include "base/arena.h"

typedef struct foci_string {
    const char *text; /* not ended */
    uint32_t size;
} foci_string;

typedef struct foci_strings {
    foci_string *item; /* (count) */
    int64_t count;
    int32_t *slot; /* (slots), a power of 2: numbers of items, -1: free */
    int64_t slots;
    foci_arena arena;
} foci_strings;

int32_t foci_strings_find(const foci_strings *s, const char *text, size_t size); /* -1: it is not there */
/* Its number, perhaps a new one; -1: memory was out. */
int32_t foci_strings_add(foci_strings *s, const char *text, size_t size);
void foci_strings_free(foci_strings *s);

typedef struct foci_pair {
    int32_t left, right;
} foci_pair;

typedef struct foci_pairs {
    foci_pair *item;
    int64_t count;
    int32_t *slot;
    int64_t slots;
} foci_pairs;

int32_t foci_pairs_add(foci_pairs *p, foci_pair pair); /* likewise */
void foci_pairs_free(foci_pairs *p);

static inline uint64_t foci_pair_hash(foci_pair pair) {
    const uint64_t x = ((uint64_t)(uint32_t)pair.left << 32 | (uint32_t)pair.right) * 0x9E3779B97F4A7C15u;
    return x ^ x >> 29;
}

static inline int32_t foci_pairs_find(const foci_pairs *p, foci_pair pair) {
    const uint64_t mask = (uint64_t)p->slots - 1;
    for (uint64_t at = foci_pair_hash(pair) & mask; p->slots; at = (at + 1) & mask) {
        const int32_t i = p->slot[at];
        if (i < 0 || (p->item[i].left == pair.left && p->item[i].right == pair.right)) return i;
    }
    return -1;
}

#endif
