/* Counts allocations while `foci bench` is at work, by standing in front of glibc's allocator, so that it can show that
 * a training step makes none: glibc itself counts bytes, not calls. In the program alone, never in the library.
 * Sanitizers have an allocator of their own, and clang's OpenMP allocates in its loops; there nothing is counted. */
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#include "cli/cli.h"

#ifdef __has_feature /* clang's way to tell */
#if __has_feature(address_sanitizer)
#define SANITIZED
#endif
#endif
#if defined(SANITIZED) || defined(__SANITIZE_ADDRESS__) || defined(__clang__) || !defined(__GLIBC__)
void foci_count_allocations(void) {}
long long foci_allocations(void) { return -1; }
#else

static bool counting;
static atomic_llong allocations;
void foci_count_allocations(void) { counting = true; }
long long foci_allocations(void) { return atomic_load(&allocations); }

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *p, size_t size);
void *__libc_memalign(size_t alignment, size_t size);

static void count(void) {
    if (counting) atomic_fetch_add_explicit(&allocations, 1, memory_order_relaxed);
}

void *malloc(size_t size);
void *malloc(size_t size) {
    count();
    return __libc_malloc(size);
}
void *calloc(size_t n, size_t size);
void *calloc(size_t n, size_t size) {
    count();
    return __libc_calloc(n, size);
}
void *realloc(void *p, size_t size);
void *realloc(void *p, size_t size) {
    count();
    return __libc_realloc(p, size);
}
void *aligned_alloc(size_t alignment, size_t size);
void *aligned_alloc(size_t alignment, size_t size) {
    count();
    return __libc_memalign(alignment, size);
}
#endif
