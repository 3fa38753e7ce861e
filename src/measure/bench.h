/* What `foci bench` shares with the measure: options and report. */
#ifndef FOCI_MEASURE_BENCH_H
#define FOCI_MEASURE_BENCH_H

#include "measure/measure.h"
#include "train/bench.h"

typedef struct foci_bench_settings {
    int64_t steps, batch;
    bool data;
} foci_bench_settings;
extern const foci_key foci_bench_keys[]; /* bound to it */

/* Times it; `trace`, `group`: see foci_bench_options. */
foci_status foci_bench_subject(const foci_subject *subject, const foci_bench_settings *settings, const char *trace,
                               foci_group *group, foci_bench_result *result);
void foci_bench_tell(const foci_bench_result *result, bool operations, foci_report *r);

#endif
