/* What the test programs share: cmocka's includes in the order it wants, and assertions on foci's errors. */
#ifndef FOCI_TESTS_CHECK_H
#define FOCI_TESTS_CHECK_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "foci/foci.h"
#include "foci/real.h"

#define assert_ok(call) \
    do { \
        foci_status check_ = (call); \
        if (check_) fail_msg("%s: status %d: %s", #call, (int)check_, foci_error_message()); \
    } while (0)

/* The call fails with this status and its message contains this text. */
#define assert_fails(call, status, part) \
    do { \
        foci_status check_ = (call); \
        if (check_ != (status)) fail_msg("%s: status %d, not %d", #call, (int)check_, (int)(status)); \
        if (!strstr(foci_error_message(), (part))) \
            fail_msg("%s: message \"%s\" lacks \"%s\"", #call, foci_error_message(), (part)); \
    } while (0)

#define assert_close(a, b, tolerance) \
    do { \
        double a_ = (double)(a), b_ = (double)(b); \
        if (!(a_ - b_ <= (tolerance) && b_ - a_ <= (tolerance))) \
            fail_msg("%s = %.9g, %s = %.9g, apart by %.3g", #a, a_, #b, b_, a_ - b_); \
    } while (0)

/* A fresh folder under TMPDIR; removed by the caller's `rm -rf` or left to the system. */
static inline char *temporary_folder(void) {
    static char path[256];
    const char *tmp = getenv("TMPDIR");
    snprintf(path, sizeof path, "%s/foci-test-XXXXXX", tmp ? tmp : "/tmp");
    if (!mkdtemp(path)) fail_msg("mkdtemp %s", path);
    return path;
}

/* Real data beside the checkout, where it is: FOCI_SHARED or ../shared. NULL, with a printed reason, where it is not.
 */
static inline const char *shared_path(const char *name) {
    static char path[1024];
    const char *root = getenv("FOCI_SHARED");
    snprintf(path, sizeof path, "%s/%s", root ? root : "../shared", name);
    FILE *f = fopen(path, "rb");
    if (!f) {
        printf("skipped: %s is not here\n", path);
        return NULL;
    }
    fclose(f);
    return path;
}

#endif
