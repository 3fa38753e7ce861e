/* The clock of a training, and what its steps were like since the last line of metrics. */
#ifndef FOCI_TRAIN_PACE_H
#define FOCI_TRAIN_PACE_H

#include "base/report.h"

typedef struct foci_pace {
    double started, saved; /* clock: of this sitting (0: not yet), or the last checkpoint in it */
    double since;          /* clock: of the last line; from then on: */
    double loss_sum, wait; /* of losses that are numbers; seconds that steps waited for their batches */
    int64_t steps, losses; /* of them those whose loss is a number */
    int64_t items;         /* images or tokens in the steps */
    double lr, grad_norm;  /* of the last update */
} foci_pace;

void foci_pace_start(foci_pace *p); /* a sitting begins */
void foci_pace_line(foci_pace *p);  /* a line begins */
/* A step is over. */
void foci_pace_step(foci_pace *p, double loss, int64_t items);
/* Seconds of training, over all sittings: `before` are those of the last checkpoint. */
double foci_pace_elapsed(const foci_pace *p, double before);
/* Checkpoint written, in whose `elapsed` all seconds until now are. */
void foci_pace_checkpoint(foci_pace *p);

double foci_pace_loss(const foci_pace *p);    /* mean; NaN where no loss was a number */
double foci_pace_seconds(const foci_pace *p); /* since the last line */
/* Loss, rates and norms into a line. */
void foci_pace_report(const foci_pace *p, foci_report *line);

#endif
