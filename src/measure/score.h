/* Which data a score is of, and how it is gone through. */
#ifndef FOCI_MEASURE_SCORE_H
#define FOCI_MEASURE_SCORE_H

#include "measure/measure.h"
#include "task/perplexity.h"

typedef struct foci_score_options {
    const char *split;
    foci_walk walk;
    int64_t stride, rows; /* of text */
    bool whole_windows;
    const char *predictions, *out; /* files; NULL: none */
    bool per_class;
} foci_score_options;
/* Bound to it: the data; and what else is wanted of them. */
extern const foci_key foci_score_keys[], foci_score_detail_keys[];

/* "split" and, where the task has one, "walk" (and "stride", "rows", "whole_windows" where they are not the defaults),
 * with which its reports begin. */
void foci_score_head(const foci_score_options *options, bool walks, foci_report *r);

#endif
