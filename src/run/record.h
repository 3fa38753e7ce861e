/* What a run says of itself, read back: metrics.jsonl line by line, and summary.json. */
#ifndef FOCI_RUN_RECORD_H
#define FOCI_RUN_RECORD_H

#include <jansson.h>

#include "base/report.h"
#include "task/metrics.h"

/* The objects of RUN/metrics.jsonl, each with an integer `step`, as an array; what is no such line is left out with a
 * warning that names it, but for a torn last one. FOCI_ERR_DATA where there is no such file. json_decref it. */
foci_status foci_run_record_read(const char *run, json_t **lines);

/* RUN/metrics.csv from these lines: a column for every name, in the order of their first appearance. */
foci_status foci_run_record_csv(const char *run, const json_t *lines);

/* The line with the best validation score by the task's metric; `last`: the last one. NULL where there is none. */
const json_t *foci_run_record_score(const json_t *lines, bool last);
const foci_metric *foci_run_record_metric(const json_t *line); /* NULL: no validation score */
/* These two lines, behind the name of their metric; nothing where there is no score. */
void foci_run_report_scores(foci_report *r, const json_t *best, const json_t *last);

/* How a run stands. */
typedef enum foci_run_status {
    FOCI_RUN_RUNNING, /* somebody writes into it */
    FOCI_RUN_FINISHED,
    FOCI_RUN_INTERRUPTED, /* asked to stop */
    FOCI_RUN_DIVERGED,
    FOCI_RUN_FAILED,
    FOCI_RUN_KILLED, /* it ended without a word */
    FOCI_RUN_STATUSES
} foci_run_status;
const char *foci_run_status_name(foci_run_status status);

/* RUN/summary.json: is written at the start, at every evaluation and at the end. */
typedef struct foci_run_summary {
    foci_run_status status;
    const char *message; /* of a failure, or NULL */
    int64_t step, steps, parameters, left_out, seed;
    double elapsed;
} foci_run_summary;
foci_status foci_run_summary_write(const char *run, const foci_run_summary *summary, const json_t *lines);
/* Reads it; `status` of a run that nobody writes into and that did not end is KILLED. Runs without a summary have lines
 * alone: steps is 0. json_decref object, which may be NULL. */
foci_status foci_run_summary_read(const char *run, foci_run_status *status, json_t **object);

#endif
