#include "base/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static _Thread_local char message[2048];

static struct {
    foci_log_fn *fn;
    void *context;
} sink;

/* One line of printable text: control characters from hostile files must not reach a terminal. */
static void sanitize(char *s) {
    for (; *s; s++)
        if ((unsigned char)*s < 0x20 || *s == 0x7f)
            if (*s != '\n' && *s != '\t') *s = '?';
}

const char *foci_error_message(void) { return message; }
const char *foci_version(void) { return FOCI_VERSION; }

foci_status foci_fail(foci_status status, const char *fmt, ...) {
    char text[sizeof message]; /* the arguments may point into the old message */
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    sanitize(text);
    memcpy(message, text, sizeof message);
    return status;
}

foci_status foci_out_of_memory(void) { return foci_fail(FOCI_ERR_RUNTIME, "out of memory"); }

foci_status foci_context(foci_status status, const char *fmt, ...) {
    char text[sizeof message];
    va_list ap;
    va_start(ap, fmt);
    int n = vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    if (n >= 0 && (size_t)n < sizeof text) snprintf(text + n, sizeof text - (size_t)n, ": %s", message);
    sanitize(text);
    memcpy(message, text, sizeof message);
    return status;
}

void foci_error_take(foci_error *e, foci_status status) {
    e->status = status;
    memcpy(e->message, message, sizeof e->message);
}

foci_status foci_error_raise(const foci_error *e) {
    memcpy(message, e->message, sizeof message);
    return e->status;
}

void foci_set_log(foci_log_fn *fn, void *context) {
    sink.fn = fn;
    sink.context = context;
}

void foci_log(foci_log_level level, const char *fmt, ...) {
    if (!sink.fn) return;
    char line[2048];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(line, sizeof line, fmt, ap);
    va_end(ap);
    sanitize(line);
    sink.fn(sink.context, level, line);
}
