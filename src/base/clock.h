/* The clock for durations; it never jumps. */
#ifndef FOCI_BASE_CLOCK_H
#define FOCI_BASE_CLOCK_H

#include <time.h>

static inline double foci_now_ms(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return 1e3 * (double)t.tv_sec + 1e-6 * (double)t.tv_nsec;
}

static inline double foci_now(void) { return foci_now_ms() / 1e3; } /* seconds */

#endif
