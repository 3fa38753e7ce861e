/* The parallel loop. Work is cut into tiles whose boundaries depend on sizes alone, never on the number of
 * threads, and every tile writes memory of its own; so any number of threads gives the same bits.
 *
 *     FOCI_PARALLEL_FOR
 *     for (int64_t tile = 0; tile < tiles; tile++) { ... }
 *
 * foci_thread() inside the loop is 0 .. foci_threads()-1, to index scratch memory.
 * Sums over tiles: each tile writes a partial sum, a plain loop afterwards adds them in order. */
#ifndef FOCI_BASE_PARALLEL_H
#define FOCI_BASE_PARALLEL_H

#include <omp.h>
#include <stdint.h>

#include "foci/foci.h"

#define FOCI_PARALLEL_FOR _Pragma("omp parallel for schedule(dynamic, 1)")

/* The loops that follow use at most so many threads, and at most as many as foci_set_threads said. */
void foci_limit_threads(int most);

/* Starts the threads. Where the system lets fewer start than are asked for, a warning, and foci_threads is what it
 * lets. (OpenMP itself would end the process.) */
void foci_start_threads(void);

static inline int foci_thread(void) { return omp_get_thread_num(); }

/* The half-open range of tile `i` when `n` items are cut into tiles of `size`. */
typedef struct foci_range {
    int64_t first, end;
} foci_range;
static inline foci_range foci_tile(int64_t n, int64_t size, int64_t i) {
    int64_t first = i * size, end = first + size;
    return (foci_range){first, end < n ? end : n};
}
static inline int64_t foci_tiles(int64_t n, int64_t size) { return (n + size - 1) / size; }

/* one(context, i) for every i of 0 .. n-1, each a piece of work that may fail, on all threads. The failure of the
 * lowest i is returned, whichever came first; of those behind it some are left out. */
foci_status foci_each(int64_t n, foci_status (*one)(void *context, int64_t i), void *context);

#endif
