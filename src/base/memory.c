#define _GNU_SOURCE
#include "base/memory.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

static const size_t LINE = 64, PAGE = (size_t)2 << 20;

void *foci_large_alloc(size_t bytes) {
    size_t unit = bytes < 2 * PAGE ? LINE : PAGE;
    if (bytes > (size_t)-1 - unit) return NULL;
    size_t rounded = (bytes / unit + 1) * unit;
    void *memory = aligned_alloc(unit, rounded);
    if (memory && unit == PAGE) madvise(memory, rounded, MADV_HUGEPAGE); /* a wish: without large pages all is as before */
    return memory;
}

void *foci_large_calloc(size_t bytes) {
    void *memory = foci_large_alloc(bytes);
    return memory ? memset(memory, 0, bytes) : NULL;
}
