/* What a command line asks to be measured. */
#ifndef FOCI_CLI_SUBJECT_H
#define FOCI_CLI_SUBJECT_H

#include "cli/cli.h"
#include "measure/measure.h"

/* `weights` NULL: none. It lives as long as the parsed. */
foci_subject foci_subject_of(const foci_parsed *parsed, const char *weights);
/* Measures and prints: with --json the report, else what people see. */
foci_status foci_measure_and_print(const foci_parsed *parsed, const foci_measure *m, const void *options,
                                   const char *weights);

#endif
