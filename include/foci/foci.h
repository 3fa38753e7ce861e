/* foci: transformers trained from C.
 *
 * What every program that links libfoci needs: status codes, the message of the last error, and the log.
 * Those who add operations, attention variants, models or data sets include plugin.h as well.
 * libfoci never exits, aborts or prints: functions return a status, and the log goes to a callback. */
#ifndef FOCI_FOCI_H
#define FOCI_FOCI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FOCI_VERSION "0.1.0"

/* The number type of all computing. The product is float; the same sources compiled with -DFOCI_DOUBLE
 * are the oracle of the tests (gradient checks to 1e-6). */
#ifdef FOCI_DOUBLE
typedef double foci_real;
#else
typedef float foci_real;
#endif

/* A status is the exit code the command line gives for it. */
typedef enum foci_status {
    FOCI_OK = 0,
    FOCI_ERR_RUNTIME = 1,    /* something failed that fits no other kind */
    FOCI_ERR_CONFIG = 2,     /* usage, or a config that is wrong */
    FOCI_ERR_DATA = 3,       /* a data file that is wrong */
    FOCI_ERR_CHECKPOINT = 4, /* a weights or state file that is wrong or does not fit */
    FOCI_ERR_DIVERGED = 5,   /* loss or gradient is not finite */
    FOCI_ERR_IO = 6,         /* the disk or another device refused */
    FOCI_INTERRUPTED = 75    /* stopped by a signal; the run can be resumed */
} foci_status;

/* The message of the last failure in this thread: one line, with the file and place it is about. */
const char *foci_error_message(void);

/* Where libfoci's notices go; NULL (the default) drops them. `line` has no newline. */
typedef enum foci_log_level { FOCI_LOG_INFO, FOCI_LOG_WARN } foci_log_level;
typedef void foci_log_fn(void *context, foci_log_level level, const char *line);
void foci_set_log(foci_log_fn *fn, void *context);

/* Threads used by all operations; results do not depend on it. 0: one per available core. */
void foci_set_threads(int threads);
int foci_threads(void);

#endif
