/* A score: the sums and weights of some metrics (metrics.h), so that the scores of parts of an evaluation can be added:
 * what comes out is the score of the whole, since values are made of the sums. What a task measures is what its scores
 * hold.
 *
 *     foci_score s = {0};
 *     FOCI_TRY(foci_score_put(&s, "nll", 250.0, 100));     // nats, of so many tokens
 *     FOCI_TRY(foci_score_add(&s, &other));
 *     double ppl = foci_score_value(&s, "ppl");            // exp(sum / weight) */
#ifndef FOCI_TASK_SCORE_H
#define FOCI_TASK_SCORE_H

#include "base/report.h"
#include "task/metrics.h"

enum { FOCI_SCORE_PARTS = 16, FOCI_SCORE_METRICS = 2 * FOCI_SCORE_PARTS };

typedef struct foci_score {
    int count;
    struct {
        const foci_metric *metric;
        double sum, weight; /* counts are exact up to 2^53 */
    } part[FOCI_SCORE_PARTS];
} foci_score;

/* Adds to what the score has of this metric; one that the table does not have, or that is made of another, fails. */
foci_status foci_score_put(foci_score *s, const char *metric, double sum, double weight);
foci_status foci_score_add(foci_score *s, const foci_score *part);

bool foci_score_has(const foci_score *s, const char *metric);
double foci_score_value(const foci_score *s, const char *metric); /* which it has */
double foci_score_sum(const foci_score *s, const char *metric);   /* likewise */

/* All that it has, in the order in which they were put, each before those that are made of it; returns how many. */
int foci_score_metrics(const foci_score *s, const foci_metric *metric[FOCI_SCORE_METRICS]);

/* Puts them all into a report, under their names there. */
void foci_score_report(const foci_score *s, foci_metric_place place, foci_report *r);

/* For people, "top-1 65.14 %, top-5 98.02 %, loss 1.0312 over 1000 images", "loss 4.1203, perplexity 61.58 over 2000
 * tokens". At length numbers have one digit more, and a metric is followed by what it is made of: "perplexity 61.578
 * (4.12030 nats per token) over 2000 tokens". */
void foci_score_text(const foci_score *s, bool at_length, char *text, size_t size);
/* At length, of the metrics that are in a report. */
void foci_result_text(const foci_report *r, char *text, size_t size);

#endif
