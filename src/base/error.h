/* Errors: a status that is returned, and beside it one line of text kept per thread.
 *
 *     if (!file) return foci_fail(FOCI_ERR_DATA, "%s: %s", path, strerror(errno));
 *     FOCI_TRY(read_header(f));                      // forwards a failure
 *     return foci_context(status, "while reading %s", path);   // puts "while reading ...: " in front of it
 */
#ifndef FOCI_BASE_ERROR_H
#define FOCI_BASE_ERROR_H

#include "foci/foci.h"
#include "foci/real.h"

#define FOCI_PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))

/* Sets this thread's message and returns `status`. */
foci_status foci_fail(foci_status status, const char *fmt, ...) FOCI_PRINTF(2, 3);

/* FOCI_ERR_RUNTIME, and nothing more to say. */
foci_status foci_out_of_memory(void);

/* Puts "fmt: " in front of this thread's message and returns `status`. */
foci_status foci_context(foci_status status, const char *fmt, ...) FOCI_PRINTF(2, 3);

#define FOCI_TRY(call) \
    do { \
        foci_status foci_try_ = (call); \
        if (foci_try_) return foci_try_; \
    } while (0)

/* What a word ends in that `n` things are called by: "image" and foci_plural(n, "s"). */
static inline const char *foci_plural(int64_t n, const char *ending) { return n == 1 ? "" : ending; }

/* A failure carried from one thread to another. */
typedef struct foci_error {
    foci_status status;
    char message[2048];
} foci_error;
void foci_error_take(foci_error *e, foci_status status); /* copies this thread's message into e */
foci_status foci_error_raise(const foci_error *e);       /* makes it this thread's message */

void foci_log(foci_log_level level, const char *fmt, ...) FOCI_PRINTF(2, 3);

#endif
