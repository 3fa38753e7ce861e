/* The metrics: every figure that foci reports, in one table. Lines of metrics.jsonl, event files, summaries, logs,
 * results of commands, tables and plots all read it; a new metric is a row of metrics.c. */
#ifndef FOCI_TASK_METRICS_H
#define FOCI_TASK_METRICS_H

#include "base/error.h"

typedef struct foci_metric {
    const char *name;         /* in metrics.jsonl, JSON and CSV, and in a table's `show` */
    const char *title, *unit; /* for people; unit: "%", "ms", "" */
    int decimals;
    int better;                                 /* 1: more, -1: less, 0: neither */
    const char *tag;                            /* what event files call it, GROUP/NAME; NULL: they do not have it */
    double (*value)(double sum, double weight); /* of what is summed up over samples; NULL: it is measured otherwise */
    const char *of;                             /* the metric whose sum and weight it is made of; NULL: its own */
    const char *per;                            /* but over the count of these, "bytes", where the score has it */
    const char *brief;                          /* its title where there is little room; NULL: title */
    const char *about;                          /* and where there is much */
} foci_metric;

extern const foci_metric foci_metrics[]; /* ended by {0}; people are told of several in this order */

const foci_metric *foci_metric_find(const char *name); /* NULL: there is none */
bool foci_metric_is_count(const foci_metric *m);       /* how many samples there were */
bool foci_metric_is_better(const foci_metric *m, double x, double than);

/* The metric whose name event files have for this one: loss for nll, which is text's loss; m itself for most. */
const foci_metric *foci_metric_plain(const foci_metric *m);

/* Names in metrics.jsonl. A score of the validation data has those of the table, but for what has a meaning in training
 * (val_loss), that of averaged weights plain ones (ema_loss, ema_top1), that of the test data its own (test_nll). */
typedef enum foci_metric_place { FOCI_IN_RESULT, FOCI_IN_VALIDATION, FOCI_IN_AVERAGE, FOCI_IN_TEST } foci_metric_place;
enum { FOCI_METRIC_NAME = 80 };
void foci_metric_name(const foci_metric *m, foci_metric_place place, char name[FOCI_METRIC_NAME]);

/* The tag that event files have for such a name: that of the table, behind val_, ema_ or test_ in the group of that
 * name, the name itself where the table has none; NULL: event files do not have it. */
const char *foci_metric_tag(const char *name, char text[FOCI_METRIC_NAME]);

/* "top-1 65.14 %" */
void foci_metric_text(const foci_metric *m, const char *title, double x, int decimals, char *text, size_t size);

#endif
