/* What a run was computed by: env.json. */
#ifndef FOCI_RUN_ENVIRONMENT_H
#define FOCI_RUN_ENVIRONMENT_H

#include "base/error.h"

/* Writes RUN/env.json; `command` may be NULL. */
foci_status foci_environment_write(const char *run, const char *command);

/* Was the run computed by something else than this process, that may round otherwise? `text` says by what: "foci 0.1.0
 * (now 0.2.0), avx2 (now avx512)". False where it left no word of it. */
bool foci_environment_differs(const char *run, char *text, size_t size);

#endif
