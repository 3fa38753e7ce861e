#define _GNU_SOURCE
#include "base/memory.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

static const size_t LINE = 64, PAGE = (size_t)2 << 20;

void *foci_large_alloc(size_t bytes) {
    size_t unit = bytes < 2 * PAGE ? LINE : PAGE;
    if (bytes > (size_t)-1 - unit) return NULL;
    size_t rounded = (bytes / unit + 1) * unit;
    void *memory = aligned_alloc(unit, rounded);
    /* a wish: without large pages all is as before */
    if (memory && unit == PAGE) madvise(memory, rounded, MADV_HUGEPAGE);
    return memory;
}

void *foci_large_calloc(size_t bytes) {
    void *memory = foci_large_alloc(bytes);
    return memory ? memset(memory, 0, bytes) : NULL;
}

void foci_large_forget(void *memory, size_t bytes) {
    const uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE), from = (uintptr_t)memory, to = from + bytes;
    const uintptr_t first = (from + page - 1) / page * page, last = to / page * page;
    if (first >= last) {
        memset(memory, 0, bytes);
        return;
    }
    memset(memory, 0, first - from);
    memset((void *)last, 0, to - last);
    if (madvise((void *)first, last - first, MADV_DONTNEED) < 0) memset((void *)first, 0, last - first);
}

/* The number in a small file: behind `label`, or the whole of it; SIZE_MAX where there is none ("max"). */
static size_t number_in(const char *path, const char *label) {
    char line[256];
    unsigned long long n;
    size_t found = SIZE_MAX;
    FILE *f = fopen(path, "re");
    while (f && found == SIZE_MAX && fgets(line, sizeof line, f))
        if (strncmp(line, label, strlen(label)) == 0 && sscanf(line + strlen(label), " %llu", &n) == 1)
            found = (size_t)n;
    if (f) fclose(f);
    return found;
}

static size_t least(size_t a, size_t b) { return a < b ? a : b; }
static size_t rest(size_t limit, size_t used) { return limit == SIZE_MAX ? SIZE_MAX : used < limit ? limit - used : 0; }

size_t foci_address_space_left(void) {
    struct rlimit limit;
    const size_t pages = number_in("/proc/self/statm", "");
    if (getrlimit(RLIMIT_AS, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY || pages == SIZE_MAX) return SIZE_MAX;
    return rest((size_t)limit.rlim_cur, pages * (size_t)sysconf(_SC_PAGESIZE));
}

size_t foci_memory_available(void) {
    size_t kilobytes = number_in("/proc/meminfo", "MemAvailable:");
    size_t free_memory = kilobytes == SIZE_MAX ? SIZE_MAX : kilobytes * 1024;
    size_t used = number_in("/sys/fs/cgroup/memory.current", ""),
           cached = number_in("/sys/fs/cgroup/memory.stat", "inactive_file");
    if (used != SIZE_MAX && cached < used) used -= cached; /* which the kernel gives back when asked */
    size_t group = rest(number_in("/sys/fs/cgroup/memory.max", ""), used == SIZE_MAX ? 0 : used);
    return least(free_memory, least(group, foci_address_space_left()));
}
