/* The measure of how experts are used, for the command that also draws it. */
#ifndef FOCI_MEASURE_EXPERTS_H
#define FOCI_MEASURE_EXPERTS_H

#include "analyze/expert_load.h"
#include "measure/measure.h"

typedef struct foci_experts_settings {
    int64_t limit;
} foci_experts_settings;
extern const foci_key foci_experts_keys[];

void foci_experts_tell(const foci_expert_load *load, foci_report *r);

#endif
