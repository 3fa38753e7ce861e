/* Arena: many small objects with one life. Freed together; never moved. */
#ifndef FOCI_BASE_ARENA_H
#define FOCI_BASE_ARENA_H

#include <stddef.h>

typedef struct foci_arena {
    struct foci_arena_block *head;
} foci_arena;

/* Zeroed, 16-byte aligned; NULL only when memory is out. A zeroed foci_arena is an empty one. */
void *foci_arena_alloc(foci_arena *a, size_t bytes);
char *foci_arena_strdup(foci_arena *a, const char *s);
char *foci_arena_printf(foci_arena *a, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void foci_arena_free(foci_arena *a);

#endif
