/* One who waits for long work is told how far it is, and may end it. Where a watch is asked for, NULL is one who does
 * neither. */
#ifndef FOCI_BASE_WATCH_H
#define FOCI_BASE_WATCH_H

#include <signal.h>
#include <stdint.h>

#include "base/error.h"

typedef struct foci_watch {
    void (*progress)(void *context, int64_t done, int64_t count); /* may be NULL */
    void *context;
    const volatile sig_atomic_t *stop; /* nonzero: the work is to end soon with FOCI_INTERRUPTED; may be NULL */
} foci_watch;

static inline void foci_watch_tell(const foci_watch *watch, int64_t done, int64_t count) {
    if (watch && watch->progress) watch->progress(watch->context, done, count);
}
static inline foci_status foci_watch_stopped(const foci_watch *watch) {
    return watch && watch->stop && *watch->stop ? foci_fail(FOCI_INTERRUPTED, "stopped") : FOCI_OK;
}

#endif
