/* Golden cases: known answers, compared with what foci computes. A case is NAME.json and NAME.safetensors;
 * what they contain is described in docs/formats.md, "Golden cases". */
#ifndef FOCI_VERIFY_VERIFY_H
#define FOCI_VERIFY_VERIFY_H

#include "base/error.h"

enum { FOCI_VERIFY_MAX_GROUPS = 64 };

typedef struct foci_verify_group {
    char name[64];
    double difference; /* the largest; INFINITY where something is not a number */
    double tolerance;
    bool ok;
} foci_verify_group;

typedef struct foci_verify_report {
    char name[256], kind[64];
    bool skipped; /* a kind that foci does not check */
    bool ok;      /* every group is within its tolerance */
    int groups;
    foci_verify_group group[FOCI_VERIFY_MAX_GROUPS];
} foci_verify_report;

/* FOCI_ERR_DATA where the case is malformed. A difference beyond the tolerance is no error: see the report. With `bf16`
 * products round their operands to bfloat16, and differences and tolerances are relative (case.c derives them). */
foci_status foci_verify_case(const char *json_path, bool bf16, foci_verify_report *report);

#endif
