#include "base/arena.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct foci_arena_block {
    struct foci_arena_block *next;
    size_t used, size;
    _Alignas(16) unsigned char data[];
};

void *foci_arena_alloc(foci_arena *a, size_t bytes) {
    if (bytes > SIZE_MAX / 2) return NULL;
    bytes = (bytes + 15) & ~(size_t)15;
    struct foci_arena_block *b = a->head;
    if (!b || b->size - b->used < bytes) {
        size_t size = bytes > 16384 ? bytes : 16384;
        b = calloc(1, sizeof *b + size);
        if (!b) return NULL;
        b->size = size;
        b->next = a->head;
        a->head = b;
    }
    void *p = b->data + b->used;
    b->used += bytes;
    return p;
}

char *foci_arena_strdup(foci_arena *a, const char *s) { return foci_arena_printf(a, "%s", s); }

char *foci_arena_printf(foci_arena *a, const char *fmt, ...) {
    va_list ap;
    va_start(ap, fmt);
    int n = vsnprintf(NULL, 0, fmt, ap);
    va_end(ap);
    char *s = n < 0 ? NULL : foci_arena_alloc(a, (size_t)n + 1);
    if (!s) return NULL;
    va_start(ap, fmt);
    vsnprintf(s, (size_t)n + 1, fmt, ap);
    va_end(ap);
    return s;
}

void foci_arena_free(foci_arena *a) {
    for (struct foci_arena_block *b = a->head, *next; b; b = next) {
        next = b->next;
        free(b);
    }
    a->head = NULL;
}
